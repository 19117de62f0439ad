"""Take results away: vectors, nearest neighbours, TREC runs, one tidy table, LaTeX.

``python -m benchmarks.export vectors --dataset D --extractor hog --out DIR`` after a run.
"""

import argparse
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import LOCAL
from benchmarks.cli.command import command, make_parser
from benchmarks.cli.options import (
    a_path,
    add_options,
    cluster,
    given_vectors,
    positive,
    require_folders,
    use_networks,
)
from benchmarks.cli.outputs import begins, require_apart, require_output_file
from benchmarks.export.pictures import QRELS, note_pictures, require_same_pictures
from benchmarks.export.results import Selection, latex, tidy
from benchmarks.export.searches import ROW, Found, searches
from benchmarks.export.vectors import has_vectors, write
from benchmarks.formats.files import remove_parts, require_writable, write_text
from benchmarks.formats.tables import write_rows
from benchmarks.formats.vectors import FORMATS, table_files
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.fitted_method import FittedMethod
from benchmarks.pipeline.evaluation.stored import fitted
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.loading.variants import EDGES, with_edges
from benchmarks.pipeline.methods.names import expand, is_method, parse_methods
from benchmarks.pipeline.methods.own import use_plugins
from benchmarks.pipeline.records.record import is_of, record_paths
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.tables import choose
from datasets.errors import InputError
from datasets.task import Dataset

log = logging.getLogger(__name__)

_TABLES = ("csv", "parquet")
_FORMS: dict[str, tuple[str, ...]] = {
    "vectors": FORMATS,
    **dict.fromkeys(("neighbours", "distances", "table"), _TABLES),
    **dict.fromkeys(("trec", "latex"), ()),
}
"""Endings of what is exported, the usual one first."""

_OF_RESULTS = ("table", "latex")
"""What is made of the results folder alone."""

_K = {"neighbours": 10, "trec": 1000}
"""Nearest images of each query, if nobody says."""


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 after bad input)."""
    options = _parser().parse_args(arguments)
    workforce = Workforce(options.jobs, options.quiet, cluster(options))
    _require_sensible(options)
    if options.what in _OF_RESULTS:
        use_plugins(options.plugin)
        require_writable(options.out, "--out")
        written = _from_results(options)
    else:
        use_networks(options)
        require_folders(options, "out", "cache")
        written = _from_vectors(options, workforce)
    for path in dict.fromkeys(written):  # the qrels of several methods are one file
        workforce.log(f"wrote {path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = make_parser("export", __doc__)
    parser.add_argument(
        "what",
        choices=_FORMS,
        help="vectors of all images; the k nearest of every query; its distances to the whole "
        "gallery; runs and qrels for trec_eval; scores and costs, a row each; tables for LaTeX",
    )
    add_options(parser, "dataset", default=[], help="datasets, by name, folder or NAME=PATH")
    add_options(parser, "layout", "max-pixels")
    parser.add_argument("--leave-one-out", action="store_true", help="as the run had it")
    add_options(parser, "extractor", help="these methods only (default: all that have records)")
    add_options(parser, "vectors", "networks", "epochs", "metrics")
    parser.add_argument(
        "--results",
        type=a_path,
        metavar="DIR",
        default=LOCAL,
        help="results folder of the run (default: results/local/ of the checkout)",
    )
    add_options(parser, "out", default=None, required=True, help="folder to write to")
    parser.add_argument(
        "--format", choices=FORMATS, help="default: npy for vectors, csv for all others"
    )
    parser.add_argument(
        "--k", type=positive, metavar="N", help="nearest images of each query (default: 10; 1000)"
    )
    add_options(parser, "cache", "jobs", "seed", "quiet")
    return parser


def _require_sensible(options: argparse.Namespace) -> None:
    """Refuse options that say nothing about what is exported, and fill in what they leave open."""
    forms = _FORMS[options.what]
    if options.format is None:
        options.format = forms[0] if forms else None
    elif options.format not in forms:
        one_of = f"one of {', '.join(forms)}" if forms else "a form of its own"
        raise InputError(f"--format {options.format}: {options.what} is written as {one_of}")
    if options.k is None:
        options.k = _K.get(options.what)
    elif options.what not in _K:
        raise InputError(f"--k {options.k}: goes with {' and '.join(_K)}; leave it out")
    if options.what in _OF_RESULTS:
        unheard = ("vectors", "model", "leave_one_out", "seed", "layout", "epochs")
        if name := next((one for one in unheard if getattr(options, one)), None):
            option = f"--{name.replace('_', '-')}"
            raise InputError(f"{option}: {options.what} is made of results; leave it out")
    if options.metrics and options.what not in _OF_RESULTS:
        raise InputError(f"--metrics: goes with {' and '.join(_OF_RESULTS)}; leave it out")


def _from_results(options: argparse.Namespace) -> Iterator[Path]:
    """Export what records and rankings tell."""
    selection = Selection(
        options.results, options.dataset, options.extractor, choose(options.metrics)
    )
    if options.what == "latex":
        yield from latex(selection, options.out)
    else:
        path = options.out / f"results.{options.format}"
        is_ours = begins("dataset,query_set,method,", "PAR1")
        require_output_file(path, "--out", (), "table of results", is_ours)
        yield tidy(selection, path)


def _from_vectors(options: argparse.Namespace, workforce: Workforce) -> Iterator[Path]:
    """Export what the vectors in the cache tell; whatever they lack is said before writing."""
    if not options.dataset:
        raise InputError(f"{options.what} needs a dataset; name it with --dataset")
    own = given_vectors(options)
    read = [file for pair in options.vectors for file in table_files(pair.partition("=")[2])]
    prepared = [_prepare(text, options, own, workforce) for text in options.dataset]
    for dataset, _, files in prepared:
        for path in files.values():
            require_apart(path, "--out", *read)
        for folder in {options.out / dataset.name, *(path.parent for path in files.values())}:
            remove_parts(folder)
        require_same_pictures(options.out / dataset.name, dataset, [*files.values()])
    for dataset, methods, files in prepared:
        note_pictures(options.out / dataset.name, dataset, [*files.values()])
        evaluation = Evaluation(dataset, options.cache, workforce)
        for name, ready in methods.items():
            if options.what == "vectors":
                yield write(files[name, ""], ready, dataset)
                continue
            for query_set, found in searches(evaluation, ready):
                yield from _write_search(options, files[name, query_set], name, found)


def _prepare(
    text: str, options: argparse.Namespace, own: Mapping[str, Any], workforce: Workforce
) -> tuple[Dataset, dict[str, FittedMethod], dict[tuple[str, str], Path]]:
    """A dataset, the methods to be exported, ready to search, and their files; see `_files`."""
    given = (options.cache, workforce, options.seed, options.layout, options.leave_one_out)
    dataset = load(text, *given)
    records = options.results / dataset.name
    if record_paths(records, EDGES):
        dataset = with_edges(dataset, options.cache, workforce)
    named = [name for given in options.extractor for name in expand(given, own)]
    names = named or [*own, *_recorded(records, dataset)]
    if not names:
        raise InputError(
            f"--results {options.results}: no records of {dataset.name} as it is now; run it, "
            "with the same options"
        )
    methods = {method.name: method for method in parse_methods(names, options.epochs, own)}
    if options.what == "vectors" and not named:
        methods = {name: method for name, method in methods.items() if has_vectors(method)}
    ready = {name: fitted(method, dataset, options.cache) for name, method in methods.items()}
    return dataset, ready, _files(options, dataset, methods)


def _files(
    options: argparse.Namespace, dataset: Dataset, methods: Iterable[str]
) -> dict[tuple[str, str], Path]:
    """Files by method and query set; those of vectors are for all sets."""
    folder = options.out / dataset.name
    if options.what == "vectors":
        return {(n, ""): folder / "vectors" / f"{n}.{options.format}" for n in methods}
    ending = "run" if options.what == "trec" else f"{options.what}.{options.format}"
    sets = [task.query_set for task in dataset.tasks]
    return {(n, one): folder / one / f"{n}.{ending}" for n in methods for one in sets}


def _write_search(
    options: argparse.Namespace, path: Path, name: str, found: Found
) -> Iterator[Path]:
    if options.what == "trec":
        if qrels := found.qrels():
            write_text(path.with_name(QRELS), qrels)
            yield path.with_name(QRELS)
        else:
            log.warning("%s: nobody has said what is relevant, so no %s", path.parent, QRELS)
        write_text(path, found.run(name, options.k))
    else:
        write_rows(path, ROW, found.rows(options.k or found.size))
    yield path


def _recorded(folder: Path, dataset: Dataset) -> list[str]:
    """Names of the methods that have numbers of it, and can be made again by name alone."""
    task = dataset.tasks[0]
    paths = record_paths(folder, task.query_set)
    records = {path.method: path.read() for path in paths if is_method(path.method)}
    return [
        name
        for name, one in records.items()
        if one and one["status"] == "ok" and is_of(one, dataset.fingerprint, task.fingerprint)
    ]


if __name__ == "__main__":
    sys.exit(main())
