"""Measure the costs of methods anew and alone: milliseconds per image and per query.

``python -m benchmarks.costs --dataset D`` after a run that shared its machine with other work,
or whose vectors came from several machines. Scores and rankings stay as they are.
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import add_options, cluster, require_folders, use_networks
from benchmarks.cli.outputs import require_own_pages
from benchmarks.pipeline.evaluation.costs import measure
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.requested import load_as_run
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.names import is_method, parse_methods
from benchmarks.pipeline.methods.presets import methods_from
from benchmarks.pipeline.records.record import record_paths
from benchmarks.pipeline.records.recorder import Recorder
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.write import write_dataset, write_front
from datasets.errors import InputError


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 after bad input)."""
    options = _parser().parse_args(arguments)
    use_networks(options)
    require_folders(options, "out", "cache")
    require_own_pages(options.out, "--out")
    tuned = methods_from(options.preset)
    workforce = Workforce(options.jobs, options.quiet, cluster(options))
    for text in options.dataset:
        dataset = load_as_run(text, options, workforce)
        evaluation = Evaluation(dataset, options.cache, workforce)
        recorder = Recorder(dataset, options.out, options.seed, workforce)
        measure(evaluation, recorder, _recorded(recorder, options, tuned))
        write_dataset(options.out / dataset.name)
    write_front(options.out)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("costs", __doc__)
    add_options(parser, "dataset", "layout", "max-pixels")
    add_options(parser, "extractor", help="these methods only (default: all that have records)")
    add_options(parser, "preset", "networks", "epochs", "out", "cache", "jobs", "seed", "quiet")
    return parser


def _recorded(
    recorder: Recorder, options: argparse.Namespace, tuned: Sequence[Method]
) -> list[Method]:
    """Methods that are finished here: those named and of presets, or all of the menu.

    Raises
    ------
    InputError
        If there are none, or one that is named was not run.
    """
    dataset = recorder.dataset
    paths = record_paths(recorder.out / dataset.name, dataset.tasks[0].query_set)
    found = [path.method for path in paths]
    # What a preset made (<method>@<dataset>) or a user gave cannot be made without that.
    menu = [] if tuned else filter(is_method, found)
    methods = [*parse_methods(options.extractor or menu, options.epochs), *tuned]
    finished = [method for method in methods if recorder.is_finished(method)]
    lacking = next((f" by {name}" for name in options.extractor if name not in found), "")
    if lacking or not finished:
        raise InputError(
            f"--out {recorder.out}: no records of {dataset.name}{lacking} there that this version "
            "would make; make some with benchmarks.run"
        )
    return finished


if __name__ == "__main__":
    sys.exit(main())
