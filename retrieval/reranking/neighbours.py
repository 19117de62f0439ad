"""Neighbours of queries and of gallery images, independent of the order of the gallery."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from retrieval.fusion.late import STEPS
from retrieval.knn import GridDistances
from retrieval.protocol import Judgement, Judgements
from retrieval.search import Search, Vectors

T = TypeVar("T")


class Near(NamedTuple):
    """The first images of one query.

    Attributes
    ----------
    query : int
        Index of the query.
    indices : ndarray of intp, shape (n_near,)
        Gallery indices, nearest first; equally near ones by index.
    distances : ndarray of int32, shape (n_near,)
        Squared distance of each.
    row : ndarray of int32, shape (n_gallery,)
        Squared distance of every gallery image; anything for excluded ones.
    """

    query: int
    indices: NDArray[np.intp]
    distances: GridDistances
    row: GridDistances

    def first(self, count: int) -> NDArray[np.intp]:
        """Give fewer of the indices.

        Parameters
        ----------
        count : int
            Images wanted; all that are as far as the last of them come, too.
        """
        if count >= len(self.distances):
            return self.indices
        return self.indices[self.distances <= self.distances[count - 1]]


def near(
    search: Search, queries: Vectors, gallery: Vectors, judgements: Judgements, count: int
) -> Iterator[Near]:
    """Find the first images of every query.

    Images that are as far as the last of them are among them, too: if a few of those were
    chosen, the result would depend on the order that the gallery is listed in.

    Parameters
    ----------
    search : Search
        Gives the distances.
    queries, gallery, judgements
        As of `Search`; excluded images are never among the first.
    count : int
        Images wanted; fewer come if there are fewer, more where they are tied.
    """
    for block in search(queries, gallery, judgements):
        for place, row in enumerate(block.distances):
            query = block.start + place
            there = np.flatnonzero(judgements.taking_part(query))
            distances = row[there]
            if count < len(there):
                limit = np.partition(distances, count - 1)[count - 1]
                there, distances = there[distances <= limit], distances[distances <= limit]
            order = np.argsort(distances, kind="stable")
            yield Near(query, there[order], distances[order], row)


def sparse(
    indices: Sequence[NDArray[np.intp]],
    size: int,
    values: Sequence[NDArray[np.float64]] | None = None,
) -> scipy.sparse.csr_array:
    """Make a matrix of lists.

    Parameters
    ----------
    indices : sequence of ndarray of intp
        Columns of each row.
    size : int
        Number of columns.
    values : sequence of ndarray of float64, optional
        Values of these columns; 1 everywhere if not given.
    """
    ends = np.cumsum([0, *(len(row) for row in indices)])
    columns = np.concatenate(indices)
    content = np.ones(len(columns)) if values is None else np.concatenate(values)
    return scipy.sparse.csr_array((content, columns, ends), shape=(len(indices), size))


def kept_for_last(make: Callable[[Vectors], T]) -> Callable[[Vectors], T]:
    """Keep the result for the gallery that was given last, so that its graph is built once.

    A gallery is known again by the identity of its matrices, which may not change meanwhile.

    Parameters
    ----------
    make : callable
        Computes the result from a gallery.
    """
    kept: tuple[Vectors, T] | None = None

    def of(gallery: Vectors) -> T:
        nonlocal kept
        found = kept
        if found is None or list(map(id, found[0])) != list(map(id, gallery)):
            kept = None  # two results need not be in memory at once
            kept = found = tuple(gallery), make(gallery)
        return found[1]

    return of


def nothing_excluded(queries: int, gallery: int) -> Judgements:
    """Judgements for a search among gallery images themselves.

    Parameters
    ----------
    queries, gallery : int
        Number of queries and of gallery images.
    """
    nothing = np.empty(0, np.intp)
    return Judgements((Judgement(nothing, nothing),) * queries, gallery, 0)


def similarity(distances: GridDistances) -> NDArray[np.float64]:
    """Cosine of vectors at these distances, not below 0.

    Fused scores, which have no cosine, become 1 for a query's best image and 0 for its worst.

    Parameters
    ----------
    distances : ndarray of int32
        Squared distances on the grid, of any shape.
    """
    return np.maximum(1 - distances / STEPS, 0)
