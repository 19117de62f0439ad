"""Measure approximate search beside the exact one: share of neighbours found, speed, bytes.

``python -m benchmarks.approximate --dataset D --extractor hog`` after a run writes
``<out>/approximate/<dataset>/``.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cli.command import Parser, command, make_parser
from benchmarks.cli.options import (
    add_options,
    cluster,
    given_vectors,
    require_folders,
    use_networks,
)
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.stored import fitted
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.names import parse_methods
from benchmarks.pipeline.records.description import require_own_results
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.pages.approximate import FOLDER, Measured, methods_of, write_approximate
from datasets.errors import InputError
from datasets.task import Dataset, Task
from retrieval.approximate import (
    APPROXIMATIONS,
    Approximation,
    Index,
    NoFaissError,
    TooFewError,
)
from retrieval.knn import GRID, nearest
from retrieval.protocol import Judgements
from retrieval.rows import Rows, normalise, pick

K = 10
"""Neighbours that are looked for."""

_TIMES = 3

Found = NDArray[np.intp]


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    use_networks(options)
    own = given_vectors(options)
    names = [*own, *options.extractor]
    if not names:
        raise InputError("nothing to search with: give --extractor NAME, or --vectors NAME=FILE")
    methods = parse_methods(names, options.epochs, own)
    for method in methods:
        if not method.is_plain:
            raise InputError(
                f"--extractor {method.name}: an index holds one vector of each image; name an "
                "extractor, compressed or not, without fusion or re-ranking"
            )
    require_folders(options, "out", "cache", inside=[FOLDER])
    workforce = Workforce(options.jobs, options.quiet, cluster(options))
    for text in options.dataset:
        dataset = load(text, options.cache, workforce, options.seed, options.layout)
        folder = options.out / FOLDER / dataset.name
        require_own_results(folder)
        evaluation = Evaluation(dataset, options.cache, workforce)
        rows = [
            row
            for method in methods
            for row in workforce.track(
                _measured(evaluation, method), _steps(dataset), f"{dataset.name}: {method.name}"
            )
        ]
        if gone := sorted(methods_of(folder) - {row.method for row in rows}):
            workforce.log(f"{folder}: rows of {', '.join(gone)} leave; measure all in one run")
        write_approximate(folder, dataset.name, rows, not options.no_plots)
        workforce.log(f"Tables are in {folder}")
    return 0


def _parser() -> Parser:
    parser = make_parser("approximate", __doc__)
    add_options(parser, "dataset", "layout", "max-pixels")
    add_options(parser, "extractor", help="extractors that were run, compressed or not")
    add_options(parser, "vectors", "networks", "epochs")
    parser.add_argument("--no-plots", action="store_true", help="tables only")
    add_options(parser, "out", "cache", "jobs", "seed", "quiet")
    return parser


def _steps(dataset: Dataset) -> int:
    return len(dataset.tasks) * (1 + sum(len(kind.efforts) for kind in APPROXIMATIONS))


def _measured(evaluation: Evaluation, method: Method) -> Iterator[Measured]:
    """Search exactly, and by every kind of index with every effort."""
    dataset = evaluation.dataset
    ready = fitted(method, dataset, evaluation.cache)
    (gallery,) = ready.vectors(dataset.gallery)
    (training,) = ready.vectors(dataset.training) if dataset.training else (gallery[:0],)
    built = {kind: _build(kind, gallery, training) for kind in APPROXIMATIONS}
    for task in dataset.tasks:
        (queries,) = ready.vectors(task.queries)
        search = _Searches(task, evaluation.judgements[task.query_set], queries, gallery)
        exact, milliseconds = search.by(partial(nearest, queries, gallery))
        taken = gallery.shape[1] * method.bits / 8
        yield search.row(method, "exact", None, exact, exact, milliseconds, taken, 0.0)
        for kind, made in built.items():
            if isinstance(made, str):
                yield search.absent(method, kind.name, made)
                continue
            for effort in kind.efforts:
                found, milliseconds = search.by(partial(made.index.nearest, queries, effort))
                place = (method, kind.name, f"{kind.setting} {effort}")
                yield search.row(*place, found, exact, milliseconds, made.n_bytes, made.seconds)


@dataclass(frozen=True)
class _Built:
    """An index, its bytes for an image, and the seconds that it took to build."""

    index: Index
    n_bytes: float
    seconds: float


def _build(kind: Approximation, gallery: Rows, training: Rows) -> _Built | str:
    """Build an index, for all query sets; or the reason why there is none."""
    began = time.perf_counter()
    try:
        index = kind.build(gallery, training)
    except NoFaissError as error:
        raise InputError(f"benchmarks.approximate {error}") from error
    except TooFewError as error:
        return str(error)
    seconds = time.perf_counter() - began
    return _Built(index, index.n_bytes / gallery.shape[0], seconds)


class _Searches:
    """Searches with the queries of a task, each without the images that take no part.

    Parameters
    ----------
    task : Task
        The query set.
    judgements : Judgements
        Relevant and excluded images of every query.
    queries, gallery : Rows
        Their vectors.
    """

    def __init__(self, task: Task, judgements: Judgements, queries: Rows, gallery: Rows) -> None:
        self._task = task
        self._judged = judgements.of
        self._queries, self._gallery = queries, gallery
        most = max((len(one.excluded) for one in self._judged), default=0)
        self._k = min(K + most, gallery.shape[0])

    def by(self, search: Callable[[int], tuple[Found, Any]]) -> tuple[list[Found], float]:
        """The nearest images of every query, and milliseconds for one."""
        seconds = []
        for _ in range(_TIMES):
            began = time.perf_counter()
            found, _ = search(self._k)
            seconds.append(time.perf_counter() - began)
        kept = [
            row[(row >= 0) & ~np.isin(row, judged.excluded)][:K]
            for row, judged in zip(found, self._judged, strict=True)
        ]
        return kept, min(seconds) / max(1, len(kept)) * 1e3

    def row(
        self,
        method: Method,
        index: str,
        setting: str | None,
        found: Sequence[Found],
        exact: Sequence[Found],
        milliseconds: float,
        n_bytes: float,
        seconds: float,
    ) -> Measured:
        """A line of the table."""
        shares = [
            self._share(query, row, true)
            for query, (row, true) in enumerate(zip(found, exact, strict=True))
            if len(true)
        ]
        right = [
            bool(len(row)) and row[0] in judged.positive
            for row, judged in zip(found, self._judged, strict=True)
            if len(judged.positive)
        ]
        return Measured(
            self._task.query_set,
            method.name,
            index,
            setting or "",
            float(np.mean(shares)),
            float(np.mean(right)) if right else None,
            milliseconds,
            round(n_bytes),
            seconds,
        )

    def _share(self, query: int, found: Found, exact: Found) -> float:
        """Share of the places of the exact nearest images that are filled by images as near."""
        asked = normalise(self._queries[query : query + 1])
        farthest = self._squares(asked, exact).max()
        return float((self._squares(asked, found) <= farthest + GRID).sum() / len(exact))

    def _squares(self, asked: NDArray[np.float64], images: Found) -> NDArray[np.float64]:
        return 2 - 2 * (normalise(pick(self._gallery, images)) @ asked[0])

    def absent(self, method: Method, index: str, reason: str) -> Measured:
        """A line without numbers."""
        none = (None,) * 5
        return Measured(self._task.query_set, method.name, index, reason, *none)


if __name__ == "__main__":
    sys.exit(main())
