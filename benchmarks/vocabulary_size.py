"""The vocabulary-size curve: one bag-of-words row at every size, as tables and plots.

``python -m benchmarks.vocabulary_size --dataset NAME|PATH…`` writes
``<out>/vocabulary-size/<dataset>/``, laid out as every other result.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import joblib
from sklearn.base import clone
from sklearn.pipeline import Pipeline

import datasets
import extractors
from benchmarks import CHECKOUT
from benchmarks.cli import Parser, command, default_cache
from benchmarks.formats.files import require_writable
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.methods.extractor import Row
from benchmarks.pipeline.methods.method import Combination
from benchmarks.pipeline.records.record import write_description
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.console import print_table
from benchmarks.report.pages.table import write_summary
from benchmarks.report.pages.vocabulary import FOLDER
from benchmarks.report.write import write_vocabulary
from benchmarks.run import run
from datasets.errors import InputError
from extractors.local_features.encoders import BagOfWords

SIZES = (64, 128, 256, 512, 1024, 2048, 4096)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    out = options.out / FOLDER
    require_writable(out, "--out")
    workforce = Workforce(options.jobs)
    rows = [
        Combination(name, (Row(name, estimator),))
        for name, estimator in sized(options.extractor).items()
    ]
    failed = False
    for text in options.dataset:
        dataset = load(text, options.cache, workforce)
        failed |= run(Evaluation(dataset, out, options.cache, 0, workforce), rows)
        print_table(dataset, write_vocabulary(write_description(out, dataset)))
    write_summary(out)
    workforce.say(f"Tables, records and rankings are in {out}")
    return 1 if failed else 0


def sized(name: str) -> dict[str, Pipeline]:
    """A row of the menu with every size of vocabulary, by name.

    Raises
    ------
    InputError
        If the row counts no visual words.
    """
    estimator = extractors.MENU.get(name)
    steps = estimator.named_steps if isinstance(estimator, Pipeline) else {}
    if not any(isinstance(step, BagOfWords) for step in steps.values()):
        bags = [row for row in extractors.MENU if "bovw" in row]
        raise InputError(
            f"--extractor {name}: no bag of visual words; choose of {', '.join(bags)}"
        )
    made = {}
    for size in SIZES:
        made[f"{name}-{size:04}"] = clone(estimator).set_params(bagofwords__words=size)
    return made


def _parser() -> Parser:
    parser = Parser(
        prog="python -m benchmarks.vocabulary_size", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--dataset",
        nargs="+",
        metavar="NAME|PATH",
        default=[datasets.DEFAULT],
        help="what to search",
    )
    parser.add_argument(
        "--extractor", metavar="NAME", default="rootsift-bovw", help="default: %(default)s"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", default=CHECKOUT / "results")
    parser.add_argument("--cache", type=Path, metavar="DIR", default=default_cache())
    parser.add_argument("--jobs", type=int, metavar="N", default=joblib.cpu_count())
    return parser


if __name__ == "__main__":
    sys.exit(main())
