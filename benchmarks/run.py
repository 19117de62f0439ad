"""The benchmark: every extractor through one protocol, tables into the results folder.

``python -m benchmarks.run --all`` runs everything on the embedded dataset.
"""

import argparse
import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

import joblib

import datasets
from benchmarks.command import Parser, command, default_cache, give_weights
from benchmarks.evaluating import Evaluation
from benchmarks.files import require_writable
from benchmarks.gates import GateError
from benchmarks.loading import load
from benchmarks.menu import make_row, row_names
from benchmarks.progress import Workforce
from benchmarks.records import write_description
from benchmarks.report.dataset import write_dataset
from benchmarks.report.pages import write_summary
from benchmarks.report.pair_sheet import Shown, draw_sheet
from benchmarks.report.training import write_training
from benchmarks.rooms import CHECKOUT
from benchmarks.row import Row
from benchmarks.terminal import print_listing, print_table
from benchmarks.variants import EDGES, with_copies, with_edges
from benchmarks.vectors import make_vectors
from datasets.errors import InputError
from datasets.task import Dataset
from extractors.augmentation import Augmentation

_SHOWN_EDGES = 16


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (1 if a row failed, 2 after bad input)."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    if options.list:
        print_listing()
        return 0
    names = _row_names(options)
    give_weights(options.weights)
    require_writable(options.out, "--out")
    require_writable(options.cache, "--cache")
    workforce = Workforce(options.jobs, options.quiet)
    loaded = _load_all(options, workforce)
    rows = [make_row(name, options.epochs) for name in names]
    failed = False
    for dataset in loaded:
        evaluation = Evaluation(dataset, options.out, options.cache, options.seed, workforce)
        failed |= run(evaluation, rows, options.force)
        tables = write_dataset(write_description(options.out, dataset))
        if not options.quiet:
            print_table(dataset, tables)
    write_summary(options.out)
    workforce.say(f"Tables, records and rankings are in {options.out}")
    return 1 if failed else 0


def run(evaluation: Evaluation, rows: Sequence[Row], force: bool = False) -> bool:
    """Run rows on a dataset, doing only what is not done yet; returns whether one failed.

    Parameters
    ----------
    evaluation : Evaluation
        The dataset, and where everything goes.
    rows : sequence of Row
        What to run.
    force : bool
        Do everything anew.
    """
    dataset, workforce = evaluation.dataset, evaluation.workforce
    todo = []
    for row in rows:
        if row.learns and not dataset.training:
            evaluation.skip(row, "skipped", "learns from training images, and there are none")
        elif row.obstacle:
            evaluation.skip(row, "skipped", row.obstacle)
        elif force or not evaluation.is_finished(row):
            todo.append(row)
    made = make_vectors(todo, dataset, evaluation.cache, force, workforce)
    for row in workforce.track(todo, len(todo), f"searching {dataset.name}"):
        if row.name in made.failures:
            workforce.say(f"{row.name} failed: {made.failures[row.name]}")
            evaluation.skip(row, "failed", made.failures[row.name])
        elif row.name in made.skipped:
            evaluation.skip(row, "skipped", made.skipped[row.name])
        else:
            try:
                evaluation.run(row, made.stores[row.name], made.features.get(row.name))
            except GateError as error:
                made.failures[row.name] = f"sanity gate: {error}"
                workforce.say(f"{row.name} failed: {made.failures[row.name]}")
                evaluation.skip(row, "failed", made.failures[row.name])
            if row.name in made.trained:
                folder = evaluation.out / dataset.name / "training"
                write_training(folder, row.name, made.trained[row.name])
    return bool(made.failures)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m benchmarks.run",
        description="Run image features through one retrieval protocol and write tables.",
        epilog="Datasets are named, a folder in the layout, or NAME=PATH; see the README.",
    )
    what = parser.add_argument_group("what to run")
    what.add_argument("--all", action="store_true", help="every extractor of the menu")
    what.add_argument(
        "--extractor", nargs="+", metavar="NAME", default=[], help="these extractors only"
    )
    what.add_argument(
        "--dataset",
        nargs="+",
        metavar="NAME|PATH",
        default=[datasets.DEFAULT],
        help="datasets to search (default: %(default)s, which needs no pictures of yours)",
    )
    what.add_argument(
        "--edges",
        action="store_true",
        help="also ask with drawings made of the query photographs (query-edges)",
    )
    what.add_argument(
        "--original-protocol",
        action="store_true",
        help="put augmented copies into gallery and queries, to see what that leak is worth",
    )
    what.add_argument(
        "--weights",
        nargs="+",
        metavar="NAME=FILE",
        default=[],
        help="files of pretrained weights, ahead of Keras' own cache and download",
    )
    what.add_argument("--list", action="store_true", help="list extractors and datasets")
    how = parser.add_argument_group("how")
    how.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=CHECKOUT / "results",
        help="where tables and records go (default: results/ of the checkout)",
    )
    how.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        default=default_cache(),
        help="where vectors and rendered datasets are kept (default: %(default)s)",
    )
    how.add_argument(
        "--jobs",
        type=_positive,
        metavar="N",
        default=joblib.cpu_count(),
        help="worker processes (default: all cores); no influence on results",
    )
    how.add_argument(
        "--epochs",
        type=_positive,
        metavar="N",
        help="train networks for at most N epochs (default: as their recipes say); tables say so",
    )
    how.add_argument(
        "--seed", type=int, metavar="N", default=0, help="seed of the split (default: 0)"
    )
    how.add_argument(
        "--force", action="store_true", help="do everything anew, ignoring what is stored"
    )
    how.add_argument("--quiet", action="store_true", help="print nothing but errors")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _row_names(options: argparse.Namespace) -> list[str]:
    if options.all and options.extractor:
        raise InputError("--all and --extractor exclude each other; give one")
    if not options.all and not options.extractor:
        raise InputError("nothing to run: give --all, or --extractor NAME (--list shows them)")
    for name in options.extractor:
        if name not in row_names():
            close = difflib.get_close_matches(name, row_names(), n=1, cutoff=0.4)
            hint = f"did you mean {close[0]!r}?" if close else "--list shows them all"
            raise InputError(f"--extractor {name}: no such extractor; {hint}")
    return list(dict.fromkeys(options.extractor)) or row_names()


def _load_all(options: argparse.Namespace, workforce: Workforce) -> list[Dataset]:
    loaded: dict[str, Dataset] = {}
    for text in dict.fromkeys(options.dataset):
        dataset = load(text, options.cache, workforce, options.seed)
        if options.original_protocol:
            augmentation = Augmentation()
            dataset = with_copies(dataset, options.cache, workforce, augmentation, options.seed)
        if options.edges:
            dataset = with_edges(dataset, options.cache, workforce)
            _show_edges(dataset, options, workforce)
        if dataset.name in loaded:
            raise InputError(
                f"--dataset {text}: two datasets are called {dataset.name!r}; write NAME={text}"
            )
        loaded[dataset.name] = dataset
    return list(loaded.values())


def _show_edges(dataset: Dataset, options: argparse.Namespace, workforce: Workforce) -> None:
    """Draw some photographs beside their drawings: into results only if all may see them."""
    photos, drawings = dataset.queries["query"], dataset.queries[EDGES]
    step = max(1, len(photos) // _SHOWN_EDGES)
    pairs = [Shown(a.path, b.path) for a, b in zip(photos, drawings, strict=True)][::step]
    public = datasets.is_embedded(dataset.name)
    folder = (options.out if public else options.cache / "pictures") / dataset.name
    draw_sheet(folder / f"{EDGES}.png", pairs[:_SHOWN_EDGES])
    workforce.say(f"Some photographs and their drawings are in {folder / EDGES}.png")


if __name__ == "__main__":
    sys.exit(main())
