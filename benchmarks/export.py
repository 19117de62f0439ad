"""Take results away: vectors, nearest neighbours, TREC runs, one tidy table, LaTeX.

``python -m benchmarks.export vectors --dataset D --extractor hog --out DIR`` after a run.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from benchmarks import CHECKOUT
from benchmarks.cli import (
    a_path,
    add_options,
    command,
    given_vectors,
    make_parser,
    positive,
    require_folders,
    use_networks,
)
from benchmarks.formats.files import Json, require_writable, write_text
from benchmarks.formats.tables import Row, write_rows
from benchmarks.formats.vectors import FORMATS, write_vectors
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.fitted_method import FittedMethod
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.loading.variants import EDGES, with_edges
from benchmarks.pipeline.methods.extractor import feature_store
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.names import expand, is_method, parse_method
from benchmarks.pipeline.records.results import TaskResults, read_results
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.tables import CHANCE, COSTS, task_rows
from benchmarks.report.write import dataset_folders
from datasets.errors import InputError
from datasets.task import Dataset, Task
from retrieval.fusion.methods import EarlyFusion
from retrieval.knn import GRID, GridDistances, first
from retrieval.metrics import METRICS
from retrieval.protocol import Judgement

_TABLES = ("csv", "parquet")
_FORMS: dict[str, tuple[str, ...]] = {
    "vectors": FORMATS,
    **dict.fromkeys(("neighbours", "distances", "table"), _TABLES),
    **dict.fromkeys(("trec", "latex"), ()),
}
"""Endings of what is exported, the usual one first."""

_K = {"neighbours": 10, "trec": 1000}
"""Nearest images of each query, if nobody says."""

_FOUND = {"query": str, "rank": int, "image": str, "distance": float, "relevant": int}
_MEASURED = {
    "dataset": str,
    "query_set": str,
    "method": str,
    "status": str,
    "measure": str,
    "value": float,
    "low": float,
    "high": float,
    "letters": str,
}
_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_LATEX |= {char: f"\\{char}" for char in "&%$#_{}"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 after bad input)."""
    return command(lambda: _main(arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = _parser().parse_args(arguments)
    workforce = Workforce(options.jobs, options.quiet)
    _require_sensible(options)
    written: Iterable[Path]
    if options.what in ("table", "latex"):
        require_writable(options.out, "--out")
        written = (_table if options.what == "table" else _latex)(options)
    else:
        use_networks(options)
        require_folders(options, "out", "cache")
        written = _from_vectors(options, workforce)
    for path in written:
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
    add_options(parser, "vectors", "networks", "epochs")
    parser.add_argument(
        "--results",
        type=a_path,
        metavar="DIR",
        default=CHECKOUT / "results",
        help="results folder of the run (default: results/ of the checkout)",
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
    if options.vectors and options.what in ("table", "latex"):
        raise InputError(f"--vectors: {options.what} is made of results; leave it out")


def _from_vectors(options: argparse.Namespace, workforce: Workforce) -> Iterator[Path]:
    """Export what the vectors in the cache tell."""
    if not options.dataset:
        raise InputError(f"{options.what} needs a dataset; name it with --dataset")
    own = given_vectors(options)
    for text in options.dataset:
        given = (options.cache, workforce, options.seed, options.layout, options.leave_one_out)
        dataset = load(text, *given)
        records = options.results / dataset.name / "records"
        if (records / EDGES).is_dir():
            dataset = with_edges(dataset, options.cache, workforce)
        named = [name for given in options.extractor for name in expand(given, own)]
        names = named or [*own, *_recorded(records / dataset.tasks[0].query_set)]
        if not names:
            raise InputError(f"--results {options.results}: no records of {dataset.name}; run it")
        evaluation = Evaluation(dataset, options.cache, workforce)
        for name in names:
            method = parse_method(name, options.epochs, own=own)
            if options.what == "vectors" and not named and not _has_vectors(method):
                continue
            yield from _export(options, evaluation, method)


def _recorded(folder: Path) -> list[str]:
    """Names of the methods that have rankings, and can be made again by name alone."""
    return sorted(filter(is_method, (path.stem for path in folder.glob("*.npz"))))


def _export(options: argparse.Namespace, evaluation: Evaluation, method: Method) -> Iterator[Path]:
    dataset, folder = evaluation.dataset, options.out / evaluation.dataset.name
    extracted = _extracted(method, dataset, options.cache)
    fitted = FittedMethod(method, dataset, extracted, options.cache)
    if options.what == "vectors":
        path = folder / "vectors" / f"{method.name}.{options.format}"
        _write_vectors(path, method, fitted, dataset)
        yield path
        return
    gallery = fitted.vectors(dataset.gallery)
    for task in dataset.tasks:
        fitted.search = method.search(fitted.fusion)
        blocks, _ = evaluation.blocks(task, fitted, fitted.vectors(task.queries), gallery)
        found = _Found(evaluation, task, (row for block in blocks for row in block.distances))
        place = folder / task.query_set
        if options.what == "trec":
            write_text(place / "qrels.txt", found.qrels())
            path = place / f"{method.name}.run"
            write_text(path, found.run(method.name, options.k))
        else:
            path = place / f"{method.name}.{options.what}.{options.format}"
            write_rows(path, _FOUND, found.rows(options.k or len(dataset.gallery)))
        yield path


def _extracted(method: Method, dataset: Dataset, cache: Path) -> dict[str, Extracted]:
    """The vectors of a method's extractors, all of them in the cache."""
    made = {}
    needed = {image.sha256 for _, image in dataset.images}
    if reason := method.untaught(dataset):
        raise InputError(f"--extractor {method.name}: {reason}")
    for one in method.extractors:
        mine = Extracted(one.store(cache, dataset))
        if method.verification and one.detector:
            mine.features = feature_store(one.detector, cache)
        missing = {key for store in mine.stores for key in store.missing(needed)}
        if missing and not one.given:
            raise InputError(
                f"--extractor {method.name}: {one.name} was not run on {dataset.name} with this "
                f"--cache, which lacks {len(missing):,} of {len(needed):,} vectors; run "
                f"python -m benchmarks.run --extractor {one.name} first, with the same options"
            )
        made[one.name] = mine
    return made


def _has_vectors(method: Method) -> bool:
    """Whether it compares vectors of its own, rather than distances or neighbours."""
    is_one = method.fusion is None or isinstance(method.fusion, EarlyFusion)
    return is_one and not (method.rerankings or method.verification)


def _write_vectors(path: Path, method: Method, fitted: FittedMethod, dataset: Dataset) -> None:
    if not _has_vectors(method):
        raise InputError(
            f"--extractor {method.name}: has no vectors of its own, only distances by those of "
            f"{' and '.join(one.name for one in method.extractors)}; export these"
        )
    images = list({image.id: image for _, image in dataset.images}.values())
    if any(one.given for one in method.extractors):
        places = [fitted.extracted[one.name].store for one in method.extractors]
        images = [i for i in images if not any(store.missing([i.sha256]) for store in places)]
    (matrix,) = fitted.vectors(images)
    write_vectors(path, [image.id for image in images], np.asarray(matrix[:], np.float32))


class _Found:
    """Distances of the queries of a task, by a method, as rows and as text for trec_eval.

    Parameters
    ----------
    evaluation : Evaluation
        Knows who is relevant, and who does not take part.
    task : Task
        The query set.
    distances : iterator of ndarray of int32, shape (n_gallery,)
        One of each query, in order; consumed once.
    """

    def __init__(
        self, evaluation: Evaluation, task: Task, distances: Iterator[GridDistances]
    ) -> None:
        self._judged = evaluation.judgements[task.query_set].of
        self._queries = [image.id for image in task.queries]
        self._gallery = [image.id for image in task.dataset.gallery]
        self._distances = distances

    def rows(self, k: int) -> Iterator[list[Row]]:
        """Rows of the k nearest images of each query."""
        for query, judged, order, row in self._nearest(k):
            right = np.isin(order, judged.positive).astype(int).tolist()
            lengths = np.sqrt(row[order] * GRID).tolist()
            found = zip(order.tolist(), lengths, right, strict=True)
            yield [
                (query, rank, self._gallery[index], length, relevant)
                for rank, (index, length, relevant) in enumerate(found, 1)
            ]

    def run(self, tag: str, k: int) -> str:
        """A run of trec_eval; images at one distance have one score, so that ties stay ties."""
        lines = []
        for query, _, order, row in self._nearest(k):
            _, places = np.unique(row[order], return_inverse=True)
            for rank, (index, place) in enumerate(zip(order, places, strict=True), 1):
                image = _word(self._gallery[index])
                lines.append(f"{_word(query)} Q0 {image} {rank} {-place} {_word(tag)}\n")
        return "".join(lines)

    def qrels(self) -> str:
        """Relevant images of every query with their grades, as trec_eval reads them.

        Raises
        ------
        InputError
            If a grade is no whole number, which it would cut.
        """
        lines = []
        for query, judged in zip(self._queries, self._judged, strict=True):
            for index in judged.positive.tolist():
                grade, image = judged.grades.get(index, 1), self._gallery[index]
                if grade != int(grade):
                    raise InputError(
                        f"{query}: {image!r} has grade {grade:g}, and trec_eval reads whole "
                        "numbers only; multiply the grades"
                    )
                lines.append(f"{_word(query)} 0 {_word(image)} {int(grade)}\n")
        return "".join(lines)

    def _nearest(self, k: int) -> Iterator[tuple[str, Judgement, NDArray[np.intp], GridDistances]]:
        """Every query with its judgement, the nearest images that take part, and all distances."""
        for query, judged, row in zip(self._queries, self._judged, self._distances, strict=True):
            taking_part = np.setdiff1d(np.arange(len(row)), judged.excluded)
            yield query, judged, taking_part[first(row[taking_part], k)], row


def _word(name: str) -> str:
    """A name without blanks, which separate the columns of trec_eval."""
    return re.sub(r"[\s%]", lambda found: quote(found[0]), name)


def _table(options: argparse.Namespace) -> list[Path]:
    """One row for every number of every method on every query set."""
    path = options.out / f"results.{options.format}"
    write_rows(path, _MEASURED, (_measured(*one) for one in _results(options)))
    return [path]


def _measured(dataset: str, query_set: str, rows: Sequence[Json]) -> list[Row]:
    made: list[Row] = []
    for row in rows:
        where = (dataset, query_set, row["method"], row["status"])
        ends = ("", "_low", "_high", "_letters")
        made += [
            (*where, name, *(row.get(f"{name}{end}") for end in ends))
            for name in (*METRICS, *COSTS)
            if row.get(name) is not None
        ] or [(*where, *[None] * 5)]
    return made


def _latex(options: argparse.Namespace) -> list[Path]:
    """A table of every query set, with the best of each column in bold."""
    written = []
    for dataset, query_set, rows in _results(options):
        numbers = [row for row in rows if row["status"] == "ok"]
        names = [name for name in METRICS if any(row.get(name) is not None for row in numbers)]
        best = {
            name: max(row[name] for row in numbers if row.get(name) is not None) for name in names
        }
        heads = ["method", *(METRICS[name].label for name in names)]
        lines = [
            " & ".join([_escaped(row["method"]), *(_cell(row, name, best) for name in names)])
            for row in numbers
        ]
        text = "\n".join(
            [
                rf"\begin{{tabular}}{{l{'r' * len(names)}}}",
                r"\toprule",
                " & ".join(map(_escaped, heads)) + r" \\",
                r"\midrule",
                *(rf"{line} \\" for line in lines),
                r"\bottomrule",
                r"\end{tabular}",
            ]
        )
        path = options.out / dataset / f"{query_set}.tex"
        write_text(path, f"% {dataset}, {query_set}; needs the package booktabs\n{text}\n")
        written.append(path)
    return written


def _cell(row: Json, name: str, best: dict[str, float]) -> str:
    if row.get(name) is None:
        return ""
    text = f"{row[name]:.3f}"
    return rf"\textbf{{{text}}}" if row[name] == best[name] else text


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(char, char) for char in text)


def _results(options: argparse.Namespace) -> Iterator[tuple[str, str, list[Json]]]:
    """Table rows of every query set, of the datasets and methods that were named, or of all."""
    names = [text.partition("=")[0].rstrip("/").rpartition("/")[2] for text in options.dataset]
    known = {folder.name: folder for folder in dataset_folders(options.results)}
    for name in names or [""]:
        if not known or (name and name not in known):
            named = name or "anything"
            raise InputError(
                f"--results {options.results}: {named} was not run there; it has "
                f"{', '.join(known) or 'no results'}"
            )
    found = {name: read_results(known[name]).tasks for name in names or known}
    for one in options.extractor:
        without = [name for name, tasks in found.items() if not _was_run(one, tasks)]
        if without and (names or len(without) == len(found)):
            raise InputError(f"--extractor {one}: was not run on {without[0]}; run it first")
    for name, tasks in found.items():
        for query_set, task in tasks.items():
            rows = task_rows(task.records, task.rankings)
            wanted = {*options.extractor, CHANCE} if options.extractor else None
            kept = [row for row in rows if wanted is None or row["method"] in wanted]
            yield name, query_set, kept


def _was_run(method: str, tasks: Mapping[str, TaskResults]) -> bool:
    return any(record["method"] == method for task in tasks.values() for record in task.records)


if __name__ == "__main__":
    sys.exit(main())
