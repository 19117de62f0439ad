"""Train an extractor again with other seeds, and tell how far its scores are apart.

``python -m benchmarks.seeds --dataset D --extractor cnn-compact [--seeds 5]`` writes ``seeds.csv``
and ``seeds.md`` of the dataset. The split stays; the method's own row is one of them, that of
seed 0 as a rule.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sklearn.base import clone

from benchmarks.cli.command import Parser, command, make_parser
from benchmarks.cli.options import add_options, cluster, positive, require_folders, use_networks
from benchmarks.cli.outputs import require_own_pages
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.experiment import run
from benchmarks.pipeline.evaluation.requested import load_as_run
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.names import parse_methods
from benchmarks.pipeline.records.description import write_description
from benchmarks.pipeline.records.recorder import Recorder
from benchmarks.pipeline.records.seeds import FOLDER, SEEDS, seed_of, seeded_name
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.write import write_dataset, write_front
from datasets.errors import InputError


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (1 if a training failed, 2 after bad input)."""
    options = _parser().parse_args(arguments)
    use_networks(options)
    if options.seeds < 2:
        raise InputError(f"--seeds {options.seeds}: a spread needs at least 2")
    methods = parse_methods(options.extractor, options.epochs)
    again = [
        seeded(method, seed)
        for method in methods
        for seed in range(options.seeds)
        if seed != seed_of(method.card)
    ]
    require_folders(options, "out", "cache", inside=[FOLDER])
    require_own_pages(options.out, "--out")
    workforce = Workforce(options.jobs, options.quiet, cluster(options))
    failed = False
    for text in dict.fromkeys(options.dataset):
        dataset = load_as_run(text, options, workforce)
        evaluation = Evaluation(dataset, options.cache, workforce)
        for out, chosen in ((options.out, methods), (options.out / FOLDER, again)):
            recorder = Recorder(dataset, out, options.seed, workforce)
            failed |= run(evaluation, recorder, chosen)
            write_description(out, dataset)
        write_dataset(options.out / dataset.name, not options.no_plots)
        page = options.out / dataset.name / "seeds.md"
        said = f"is in {page}" if page.exists() else f"of {dataset.name} was not measured"
        workforce.log(f"The spread {said}")
    write_front(options.out)
    return 1 if failed else 0


def _parser() -> Parser:
    parser = make_parser("seeds", __doc__)
    add_options(parser, "dataset", "layout", "max-pixels")
    add_options(parser, "extractor", required=True, help="extractors that learn by chance")
    parser.add_argument(
        "--seeds", type=positive, metavar="N", default=5, help="seeds 0 to N-1 (default: 5)"
    )
    add_options(parser, "networks", "epochs")
    parser.add_argument("--no-plots", action="store_true", help="tables and pages only")
    add_options(parser, "out", "cache", "jobs", "seed", "quiet")
    return parser


def seeded(method: Method, seed: int) -> Method:
    """The same method, learned with another seed.

    Parameters
    ----------
    method : Method
        An extractor, compressed or not.
    seed : int
        Of the first weights, the first centres, the samples.

    Raises
    ------
    InputError
        If it is fused or re-ranked, or nothing in it is drawn by chance.
    """
    if not method.is_plain:
        raise InputError(
            f"--extractor {method.name}: name an extractor, neither fused nor re-ranked"
        )
    [extractor] = method.extractors
    estimator = clone(extractor.estimator)
    if not _reseed(estimator, seed):
        raise InputError(
            f"--extractor {method.name}: learns nothing by chance, so every seed gives the same"
        )
    name = seeded_name(method.name, seed)
    return Method(name, (ExtractorSteps(name, estimator, extractor.epochs),))


def _reseed(estimator: Any, seed: int) -> bool:
    """Give all steps another seed; gives whether any has one."""
    changed = {}
    for name, value in estimator.get_params().items():
        parameter = name.rpartition("__")[2]  # of a pipeline, behind the name of its step
        if parameter in SEEDS and value is not None:
            changed[name] = seed
        elif parameter == "recipe":
            changed[name] = replace(value, seed=seed)
    estimator.set_params(**changed)
    return bool(changed)


if __name__ == "__main__":
    sys.exit(main())
