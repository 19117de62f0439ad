"""Measure the vocabulary-size curve: one bag of words at every size, as tables and plots.

``python -m benchmarks.vocabulary_size --dataset NAME|PATH…`` writes
``<out>/vocabulary-size/<dataset>/``, laid out as every other result.
"""

import sys
from collections.abc import Sequence

from sklearn.base import clone
from sklearn.pipeline import Pipeline

import extractors
from benchmarks.cli.command import Parser, command, make_parser
from benchmarks.cli.options import add_options, cluster, require_folders
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.experiment import run
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.records.description import write_description
from benchmarks.pipeline.records.recorder import Recorder
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.console import print_table
from benchmarks.report.pages.table import write_summary
from benchmarks.report.pages.vocabulary import FOLDER
from benchmarks.report.write import write_vocabulary
from datasets.errors import InputError
from extractors.local_features.encoders import BagOfWords

SIZES = (64, 128, 256, 512, 1024, 2048, 4096)


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    methods = [
        Method(name, (ExtractorSteps(name, estimator),))
        for name, estimator in sized(options.extractor).items()
    ]
    require_folders(options, "out", "cache", inside=[FOLDER])
    out = options.out / FOLDER
    workforce = Workforce(options.jobs, options.quiet, cluster(options))
    failed = False
    for text in options.dataset:
        dataset = load(text, options.cache, workforce, options.seed, options.layout)
        recorder = Recorder(dataset, out, options.seed, workforce)
        failed |= run(Evaluation(dataset, options.cache, workforce), recorder, methods)
        tables = write_vocabulary(write_description(out, dataset))
        if not options.quiet:
            print_table(dataset, tables)
    write_summary(out)
    workforce.log(f"Tables, records and rankings are in {out}")
    return 1 if failed else 0


def _parser() -> Parser:
    parser = make_parser("vocabulary_size", __doc__)
    parser.add_argument(
        "--extractor", metavar="NAME", default="rootsift-bovw", help="default: %(default)s"
    )
    add_options(parser, "dataset", "layout", "max-pixels", "out", "cache", "jobs", "seed", "quiet")
    return parser


def sized(name: str) -> dict[str, Pipeline]:
    """Make an extractor of the menu with every size of vocabulary, by name.

    Raises
    ------
    InputError
        If it counts no visual words.
    """
    estimator = extractors.MENU.get(name)
    steps = estimator.named_steps if isinstance(estimator, Pipeline) else {}
    if not any(isinstance(step, BagOfWords) for step in steps.values()):
        bags = [other for other in extractors.MENU if "bovw" in other]
        raise InputError(
            f"--extractor {name}: no bag of visual words; choose of {', '.join(bags)}"
        )
    made = {}
    for size in SIZES:
        made[f"{name}-{size:04}"] = clone(estimator).set_params(bagofwords__words=size)
    return made


if __name__ == "__main__":
    sys.exit(main())
