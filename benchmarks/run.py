"""The benchmark: methods through one protocol, tables into the results folder.

``python -m benchmarks.run --all`` runs everything on the embedded dataset.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

import numpy as np

import datasets
import extractors
from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import (
    add_options,
    cluster,
    given_vectors,
    positive,
    require_folders,
    use_networks,
)
from benchmarks.cli.outputs import require_own_pages
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.names import expand, method_names, parse_methods
from benchmarks.pipeline.methods.own import use_plugins
from datasets.errors import InputError
from datasets.places import fetched
from datasets.public.listing import list_line
from datasets.public.public_set import PublicSet
from datasets.source import Source
from retrieval.metrics import chance, menu
from retrieval.protocol import Judgement, Judgements


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (1 if a method failed, 2 after bad input)."""
    options = _parser().parse_args(arguments)
    use_plugins(options.plugin)
    if options.list:
        sys.stdout.write(listing())
        return 0
    # Not above: the list of the menu comes at once without the libraries of a run.
    from benchmarks.pipeline.evaluation.evaluate import Evaluation
    from benchmarks.pipeline.evaluation.experiment import run
    from benchmarks.pipeline.evaluation.invariance import choose_queries, measure_invariance
    from benchmarks.pipeline.evaluation.requested import load_all
    from benchmarks.pipeline.records.description import write_description
    from benchmarks.pipeline.records.recorder import Recorder
    from benchmarks.pipeline.workers import Workforce
    from benchmarks.report.console import print_table
    from benchmarks.report.tables import choose
    from benchmarks.report.write import write_dataset, write_front
    from benchmarks.verify.verdict import beside_published

    methods, choice = _methods(options, use_networks(options)), choose(options.metrics)
    require_folders(options, "out", "cache")
    require_own_pages(options.out, "--out")
    workforce = Workforce(options.jobs, options.quiet, cluster(options))
    failed = False
    loaded, most = load_all(options, workforce), options.invariance
    recorders = [Recorder(one, options.out, options.seed, workforce) for one in loaded]
    asked = [choose_queries(dataset, most, options.seed) if most else None for dataset in loaded]
    for recorder, transformed in zip(recorders, asked, strict=True):
        dataset = recorder.dataset
        evaluation = Evaluation(dataset, options.cache, workforce)
        failed |= run(evaluation, recorder, methods, options.force)
        if transformed:
            given = (transformed, options.out, options.seed, options.force)
            failed |= measure_invariance(evaluation, methods, *given)
        folder = write_description(options.out, dataset)
        written = write_dataset(folder, not options.no_plots, choice, options.precision_recall)
        if not options.quiet:
            print_table(dataset, written.tables, written.choice)
    write_front(options.out)
    workforce.log(f"Tables, records and rankings are in {options.out}")
    for dataset in [] if options.quiet else loaded:
        if line := beside_published(options.out, dataset.name):
            workforce.log(line)
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    epilog = "Datasets are named, a folder in the layout, or NAME=PATH; see the README."
    parser = make_parser("run", __doc__, epilog)
    what = parser.add_argument_group("what to run")
    what.add_argument("--all", action="store_true", help="every method of --list")
    add_options(what, "extractor", "preset", "vectors", "dataset", "layout", "max-pixels")
    what.add_argument(
        "--leave-one-out",
        action="store_true",
        help="let every gallery picture ask all others; classes without parts are not split",
    )
    what.add_argument(
        "--edges",
        action="store_true",
        help="also search with drawings made of the query photographs (query-edges)",
    )
    what.add_argument(
        "--invariance",
        nargs="?",
        const=100,
        type=positive,
        metavar="N",
        help="also search with transformed copies (JPEG, rotation, crop, …) of at most N query "
        "photographs (default: %(const)s)",
    )
    what.add_argument(
        "--original-protocol",
        action="store_true",
        help="put augmented copies into gallery and queries, to see what that leak is worth",
    )
    add_options(what, "networks")
    what.add_argument("--list", action="store_true", help="list methods, datasets and metrics")
    how = parser.add_argument_group("how")
    add_options(how, "metrics", "precision-recall", "out", "cache", "jobs", "epochs", "seed")
    how.add_argument(
        "--force", action="store_true", help="do everything anew, ignoring what is stored"
    )
    how.add_argument(
        "--no-plots",
        action="store_true",
        help="tables and pages only; python -m benchmarks.report draws what they show",
    )
    add_options(how, "quiet")
    return parser


def listing() -> str:
    """All menus: methods with their family and summary, datasets, and metrics."""
    lines = []
    for name in method_names():
        found = extractors.MENU.get(name)
        about = extractors.describe(found) if found else None
        lines.append(f"  {name:34}{about.family:9}{about.summary}" if about else f"  {name}")
    sets = [line for source in datasets.MENU.values() for line in _dataset_lines(source)]
    sets.append(f"  {'PATH':34}your own pictures in the folder layout")
    metrics = [*_metric_lines()]
    return "\n".join(["Methods:", *lines, "", "Datasets:", *sets, "", *metrics]) + "\n"


def _dataset_lines(source: Source) -> Iterator[str]:
    """A dataset with its summary, and a public one with its size, terms and place."""
    name = source.name if source.embedded or fetched(source.name) else f"{source.name}=PATH"
    yield f"  {name:34}{source.summary}"
    if isinstance(source, PublicSet):
        yield f"  {'':34}{list_line(source)}"


def _metric_lines() -> Iterator[str]:
    """Every metric with its range, its chance value in a small case, its formula and source."""
    at_k, others = menu()
    k, images, relevant = 10, 100, 5
    yield "Metrics, of which --metrics chooses: the larger, the better. Chance is exact for each"
    yield f"dataset; here it is that of {relevant} relevant images among {images}, K being {k}:"
    judgement = Judgement(np.arange(relevant), np.array([], np.intp))
    listed = {f"{name}K": metric.at(k) for name, metric in at_k.items()} | others
    by_chance = chance(Judgements((judgement,), images, 0), listed)
    for name, metric in listed.items():
        yield f"  {name:16}0 to {metric.best:g}, chance {by_chance[name]:.3f}  {metric.formula}"
        yield f"  {'':34}{metric.source}"


def _methods(options: argparse.Namespace, models: Sequence[str]) -> list[Method]:
    if options.all and options.extractor:
        raise InputError("--all and --extractor exclude each other; give one")
    if not (options.all or options.extractor or options.preset or options.vectors or models):
        raise InputError("nothing to run: give --all, or --extractor NAME (--list shows them)")
    from benchmarks.pipeline.methods.presets import methods_from

    own = given_vectors(options)
    names = [*models, *own, *(name for given in options.extractor for name in expand(given, own))]
    names += method_names() if options.all else []
    return [*parse_methods(names, options.epochs, own), *methods_from(options.preset)]


if __name__ == "__main__":
    sys.exit(main())
