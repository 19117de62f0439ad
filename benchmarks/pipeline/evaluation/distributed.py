"""Search in a gallery of which workers elsewhere hold parts, where that is faster than here."""

from collections.abc import Iterator, Sequence
from typing import Any

from joblib import cpu_count

from benchmarks.pipeline.workers import Elsewhere, WorkerKilledError
from retrieval.knn import GALLERY_BLOCK, Block, GridDistances, grid_distances
from retrieval.protocol import Judgements
from retrieval.rows import Rows
from retrieval.search import Vectors
from retrieval.shards import bounds, grid_distances_in_parts

_DIMS = 800
"""Dimensions, per core of this machine, from which on a comparison takes longer than its way.

Each distance comes back as four bytes, whatever the dimensions: 9 ns of this process, and 3 to 32
ns on a network of 10 or 1 Gbit/s. Making it takes a core 0.05 ns per dimension, here as there.
"""

_WORK = 2**36
"""Products of a search that are worth sending a gallery, some seconds of a core."""


class DistributedSearch:
    """Search by Euclidean distance with the help of a cluster; a `retrieval.search.Search`.

    Parameters
    ----------
    elsewhere : Elsewhere
        Its workers hold the gallery, in parts.
    """

    def __init__(self, elsewhere: Elsewhere) -> None:
        self._elsewhere = elsewhere
        self._gallery: Rows | None = None
        self._parts: list[Any] = []

    def __call__(
        self, queries: Vectors, gallery: Vectors, judgements: Judgements
    ) -> Iterator[Block]:
        """Search; the gallery is sent once for all query sets that follow each other."""
        (asked,), (searched,) = queries, gallery
        size, dims = searched.shape
        if (
            size <= GALLERY_BLOCK
            or dims < _DIMS * cpu_count()
            or asked.shape[0] * size * dims < _WORK
        ):
            return grid_distances(asked, searched)
        if self._gallery is not searched:
            self._gallery = searched
            self._parts = [
                self._elsewhere.keep(searched[part])
                for part in bounds(size, max(1, self._elsewhere.count()))
            ]
        return grid_distances_in_parts(asked, self._parts, size, self._work)

    def _work(self, function: Any, items: Sequence[Any]) -> Iterator[GridDistances]:
        for result in self._elsewhere.results(function, items):
            if isinstance(result, WorkerKilledError):
                raise WorkerKilledError(f"searching {result}; give workers more")
            yield result
