"""The benchmark: every extractor through one protocol, tables into the results folder.

``python -m benchmarks.run --all`` runs everything on the embedded dataset.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import joblib

import datasets
from benchmarks import CHECKOUT
from benchmarks.cli import (
    Parser,
    add_network_options,
    command,
    default_cache,
    natural,
    positive,
    use_networks,
)
from benchmarks.formats.files import require_writable
from benchmarks.formats.sheets import Cell, draw_sheet
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.sanity import GateError
from benchmarks.pipeline.extraction.extract import Vectors, make_vectors
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.loading.variants import EDGES, with_copies, with_edges
from benchmarks.pipeline.methods.extractor import LeakError
from benchmarks.pipeline.methods.method import Combination
from benchmarks.pipeline.methods.names import expand, make, row_names
from benchmarks.pipeline.methods.presets import row_from
from benchmarks.pipeline.records.record import write_description
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.console import print_listing, print_table
from benchmarks.report.pages.training import FOLDER, write_training
from benchmarks.report.write import write_dataset, write_front
from datasets.errors import InputError
from datasets.task import Dataset
from extractors.base import NothingToLearnError
from extractors.networks.augmentation import Augmentation
from retrieval.fusion.weights import TooLittleError

_SHOWN_EDGES = 16


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (1 if a row failed, 2 after bad input)."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    if options.list:
        print_listing()
        return 0
    rows = _rows(options)
    use_networks(options)
    require_writable(options.out, "--out")
    require_writable(options.cache, "--cache")
    workforce = Workforce(options.jobs, options.quiet)
    loaded = _load_all(options, workforce)
    failed = False
    for dataset in loaded:
        evaluation = Evaluation(dataset, options.out, options.cache, options.seed, workforce)
        failed |= run(evaluation, rows, options.force)
        folder = write_description(options.out, dataset)
        tables = write_dataset(folder, not options.no_plots).tables
        if not options.quiet:
            print_table(dataset, tables)
    write_front(options.out)
    workforce.say(f"Tables, records and rankings are in {options.out}")
    return 1 if failed else 0


def run(evaluation: Evaluation, rows: Sequence[Combination], force: bool = False) -> bool:
    """Run rows on a dataset, doing only what is not done yet; returns whether one failed.

    Parameters
    ----------
    evaluation : Evaluation
        The dataset, and where everything goes.
    rows : sequence of Combination
        What to run.
    force : bool
        Do everything anew.
    """
    dataset, workforce = evaluation.dataset, evaluation.workforce
    todo = []
    for row in rows:
        if row.learns and not dataset.training:
            evaluation.skip(row, "learns from training images, and there are none")
        elif row.obstacle:
            evaluation.skip(row, row.obstacle)
        elif row.tuning and (reason := row.tuning.obstacle(dataset)):
            evaluation.skip(row, reason)
        elif force or not evaluation.is_finished(row):
            todo.append(row)
    extractors = {one.name: one for row in todo for one in row.rows}
    made = make_vectors(list(extractors.values()), dataset, evaluation.cache, force, workforce)
    failed = False
    for row in workforce.track(todo, len(todo), f"searching {dataset.name}"):
        failed |= _search(evaluation, row, made)
    for name, trained in made.trained.items():
        write_training(evaluation.out / dataset.name / FOLDER, name, trained)
    return failed


def _search(evaluation: Evaluation, row: Combination, made: Vectors) -> bool:
    """Search by one row, or record why not; returns whether it failed."""
    failures = [made.failures[one.name] for one in row.rows if one.name in made.failures]
    skipped = [made.skipped[one.name] for one in row.rows if one.name in made.skipped]
    if skipped and not failures:
        evaluation.skip(row, skipped[0])
        return False
    if not failures:
        try:
            evaluation.run(row, made)
        except (TooLittleError, NothingToLearnError) as error:
            evaluation.skip(row, str(error))
        except GateError as error:
            failures.append(f"sanity gate: {error}")
        except LeakError:
            raise  # nothing that was learned may be trusted then
        except Exception as error:
            failures.append(f"{type(error).__name__}: {error}")
    if failures:
        evaluation.fail(row, failures[0])
    return bool(failures)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m benchmarks.run",
        description="Run image features through one retrieval protocol and write tables.",
        epilog="Datasets are named, a folder in the layout, or NAME=PATH; see the README.",
    )
    what = parser.add_argument_group("what to run")
    what.add_argument("--all", action="store_true", help="every extractor of the menu")
    what.add_argument(
        "--extractor",
        nargs="+",
        metavar="NAME",
        default=[],
        help="these only; a+b combines two, a+b+rrf by reciprocal ranks, a+alpha-qe re-ranks",
    )
    what.add_argument(
        "--preset",
        nargs="+",
        type=Path,
        metavar="FILE",
        default=[],
        help="rows that benchmarks.tune chose the parameters of, as rows of their own",
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
    add_network_options(what)
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
        type=positive,
        metavar="N",
        default=joblib.cpu_count(),
        help="worker processes (default: all cores); no influence on results",
    )
    how.add_argument(
        "--epochs",
        type=positive,
        metavar="N",
        help="train networks for at most N epochs (default: as their recipes say); tables say so",
    )
    how.add_argument(
        "--seed", type=natural, metavar="N", default=0, help="seed of the split (default: 0)"
    )
    how.add_argument(
        "--force", action="store_true", help="do everything anew, ignoring what is stored"
    )
    how.add_argument(
        "--no-plots",
        action="store_true",
        help="tables and pages only; python -m benchmarks.report draws what they show",
    )
    how.add_argument("--quiet", action="store_true", help="print nothing but errors")
    return parser


def _rows(options: argparse.Namespace) -> list[Combination]:
    if options.all and options.extractor:
        raise InputError("--all and --extractor exclude each other; give one")
    if not options.all and not options.extractor and not options.preset:
        raise InputError("nothing to run: give --all, or --extractor NAME (--list shows them)")
    names = [name for given in options.extractor for name in expand(given)]
    names += row_names() if options.all else []
    rows = [make(name, options.epochs) for name in dict.fromkeys(names)]
    tuned: dict[str, Path] = {}
    for path in dict.fromkeys(options.preset):
        row = row_from(path)
        if row.name in tuned:
            raise InputError(
                f"--preset {path}: makes the row {row.name}, as {tuned[row.name]} does; give one"
            )
        tuned[row.name] = path
        rows.append(row)
    return rows


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
    pairs = list(zip(photos, drawings, strict=True))[::step][:_SHOWN_EDGES]
    public = datasets.is_embedded(dataset.name)
    folder = (options.out if public else options.cache / "pictures") / dataset.name
    cells = [Cell(image.path) for pair in pairs for image in pair]
    draw_sheet(folder / f"{EDGES}.png", cells, columns=8, group=2)
    workforce.say(f"Some photographs and their drawings are in {folder / EDGES}.png")


if __name__ == "__main__":
    sys.exit(main())
