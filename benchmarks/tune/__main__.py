"""Choose a row's parameters by the training images alone, and keep them as a preset.

``python -m benchmarks.tune --dataset NAME|PATH --extractor NAME…`` tries the values declared in
`extractors.spaces` and writes ``<out>/<dataset>/presets/``; ``benchmarks.run --preset FILE`` uses
what is there.
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
from benchmarks.pipeline.extraction.extract import make_vectors
from benchmarks.pipeline.loading.training import load_training
from benchmarks.pipeline.methods.presets import Preset, make_preset, write_preset
from benchmarks.pipeline.methods.space import Candidates, Choice, candidates, in_words
from benchmarks.pipeline.records.record import DESCRIPTION, read_results
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.console import print_preset
from benchmarks.report.pages.presets import write_presets
from benchmarks.tune.scoring import Asked, ask_each_other, compare
from datasets.errors import InputError
from datasets.task import Dataset
from retrieval.fusion.weights import TooLittleError


class NotTriedError(RuntimeError):
    """A candidate that cannot be scored; the message says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (1 if a row failed, 2 after bad input)."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    rows = [candidates(name) for name in dict.fromkeys(options.extractor)]
    use_networks(options)
    for tried in rows:
        if tried.row.obstacle:
            raise InputError(f"--extractor {tried.row.name}: {tried.row.obstacle}")
    require_writable(options.out, "--out")
    require_writable(options.cache, "--cache")
    workforce = Workforce(options.jobs, options.quiet)
    failed = False
    for text in dict.fromkeys(options.dataset):
        dataset = load_training(text, options.cache, workforce, options.seed)
        for tried in rows:
            try:
                preset = tune(tried, dataset, options.cache, workforce, options.seed)
            except NotTriedError as error:
                failed = True
                workforce.say(f"{tried.row.name} cannot be tuned: {error}")
                continue
            path = write_preset(options.out, preset)
            if not options.quiet:
                print_preset(preset)
            workforce.say(f"The preset is {path}\n")
        folder = options.out / dataset.name
        tasks = read_results(folder).tasks if (folder / DESCRIPTION).exists() else {}
        write_presets(folder, tasks)
    return 1 if failed else 0


def tune(
    tried: Candidates, dataset: Dataset, cache: Path, workforce: Workforce, seed: int = 0
) -> Preset:
    """Try every candidate of a row.

    Parameters
    ----------
    tried : Candidates
    dataset : Dataset
        Training images, and nothing else: see `load_training`.
    cache : Path
        Where vectors are kept; what was made of a candidate is not made again.
    workforce : Workforce
        Who works.
    seed : int
        Of the dataset's split, for the card.

    Raises
    ------
    NotTriedError
        If the row cannot be scored as the menu has it.
    """
    choices = tried.choices()
    asked: list[tuple[Choice, Asked]] = []
    failed: dict[str, str] = {}
    for choice in workforce.track(choices, len(choices), f"tuning {tried.row.name}"):
        try:
            asked.append((choice, _try(tried, choice, dataset, cache, workforce)))
        except NotTriedError as error:
            if choice == tried.own:
                raise
            failed[in_words(choice)] = str(error)
    trials = compare([choice for choice, _ in asked], [one for _, one in asked])
    return make_preset(tried, trials, failed, dataset, seed)


def _try(
    tried: Candidates, choice: Choice, dataset: Dataset, cache: Path, workforce: Workforce
) -> Asked:
    row = tried.build(choice, f"{tried.row.name}@{dataset.name}")
    made = make_vectors(row.rows, dataset, cache, False, workforce)
    for reason in (made.failures | made.skipped).values():
        raise NotTriedError(reason)
    try:
        return ask_each_other(row, dataset, made, cache)
    except TooLittleError as error:
        raise NotTriedError(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m benchmarks.tune",
        description=(__doc__ or "").split("\n")[0],
        epilog="Neither gallery nor queries are looked at. Options are those of benchmarks.run.",
    )
    parser.add_argument(
        "--extractor",
        nargs="+",
        metavar="NAME",
        required=True,
        help="rows to tune; a+b chooses how they are combined",
    )
    parser.add_argument(
        "--dataset",
        nargs="+",
        metavar="NAME|PATH",
        default=[datasets.DEFAULT],
        help="datasets whose training images choose (default: %(default)s)",
    )
    add_network_options(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=CHECKOUT / "results",
        help="where presets go (default: results/ of the checkout)",
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", default=default_cache())
    parser.add_argument("--jobs", type=positive, metavar="N", default=joblib.cpu_count())
    parser.add_argument("--seed", type=natural, metavar="N", default=0, help="seed of the split")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    return parser


if __name__ == "__main__":
    sys.exit(main())
