"""Exact nearest neighbours: Euclidean on L2-normalised vectors, deterministic to the tie."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

GridDistances = NDArray[np.int32]
"""Squared distances in units of `GRID`; equal values are ties."""

GRID = 2.0**-26
"""Squared distances are compared on this grid.

Float32 features carry no information below it, while the last bits of a matrix product
depend on where in the matrix a row stands: without the grid, equal vectors would not tie and
permuting the gallery would change the ranking.
"""

_BLOCK_VALUES = 2**23
"""Distances held at a time (64 MiB as float64)."""

_GALLERY_BLOCK = 4096
"""Gallery vectors held at a time."""


class Rows(Protocol):
    """A matrix that can be read block by block: an array, or one that stays on disk."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows and of columns."""

    def __getitem__(self, rows: slice, /) -> NDArray[np.floating]:
        """Give some rows as an array."""


class Block(NamedTuple):
    """The distances of some queries to the whole gallery.

    Attributes
    ----------
    start : int
        Index of the first query.
    distances : ndarray of int32, shape (n_block, n_gallery)
        Squared distances on the grid, in the gallery's order.
    """

    start: int
    distances: GridDistances


def normalise(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scale each row of a float32 matrix to Euclidean length 1; a zero row stays zero.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, n_dims)
        A vector in each row.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    rows = np.array(vectors, np.float64)  # squares of float32 values neither over- nor underflow
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    if not np.isfinite(length).all():
        raise ValueError("vectors must be finite")
    rows /= np.where(length > 0, length, 1)[:, None]
    return rows


def grid_distances(queries: Rows, gallery: Rows) -> Iterator[Block]:
    """Compare every query with every gallery vector, a block of queries at a time.

    Neither matrix is ever whole in memory: a block of each, and the distances of one block
    of queries, are. A zero vector (nothing was found in the picture) has nothing in common with
    any other: it lies at the square root of 2, like a vector at right angles. Its Euclidean
    distance, 1, would put it ahead of most relevant images where vectors are sparse.

    Parameters
    ----------
    queries, gallery : Rows
        Shapes (n_queries, n_dims) and (n_gallery, n_dims), float32.

    Yields
    ------
    Block
        Some queries with their distances to the whole gallery, in order of the queries.

    Raises
    ------
    ValueError
        If the dimensions differ or a value is not finite.
    """
    if queries.shape[1] != gallery.shape[1]:
        raise ValueError(
            f"queries have {queries.shape[1]} dimensions, the gallery has {gallery.shape[1]}"
        )
    count = gallery.shape[0]
    at_a_time = max(1, _BLOCK_VALUES // max(1, count))
    for start in range(0, queries.shape[0], at_a_time):
        asked = normalise(queries[start : start + at_a_time])
        distances = np.empty((len(asked), count), np.int32)
        for left in range(0, count, _GALLERY_BLOCK):
            searched = normalise(gallery[left : left + _GALLERY_BLOCK])
            # Lengths are 1, or taken to be, so rounding in them never enters.
            square = asked @ searched.T
            square *= -2
            square += 2
            distances[:, left : left + len(searched)] = np.rint(square / GRID)
        yield Block(start, np.maximum(distances, 0))


def first(distances: GridDistances, k: int) -> NDArray[np.intp]:
    """Indices of the k smallest of one query's distances, by distance, then by index.

    Parameters
    ----------
    distances : ndarray of int32, shape (n_gallery,)
        One row of a `Block`.
    k : int
        Fewer come back if there are fewer.
    """
    if k < len(distances):
        limit = np.partition(distances, k - 1)[k - 1]
        near = np.flatnonzero(distances <= limit)
    else:
        near = np.arange(len(distances))
    return near[np.argsort(distances[near], kind="stable")][:k]


def nearest(queries: Rows, gallery: Rows, k: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the k nearest gallery vectors of every query.

    Parameters
    ----------
    queries, gallery : Rows
        Shapes (n_queries, n_dims) and (n_gallery, n_dims), float32, the gallery in order of
        id.
    k : int
        Neighbours wanted, at least 1; fewer come back if the gallery is smaller.

    Returns
    -------
    indices : ndarray of intp, shape (n_queries, min(k, n_gallery))
        Gallery rows by distance, then by index.
    distances : ndarray of float64, same shape
        Euclidean distances of the normalised vectors, from 0 to 2.
    """
    shape = (queries.shape[0], min(k, gallery.shape[0]))
    indices, found = np.empty(shape, np.intp), np.empty(shape, np.float64)
    for start, distances in grid_distances(queries, gallery):
        for query, row in enumerate(distances, start):
            indices[query] = first(row, k)
            found[query] = np.sqrt(row[indices[query]] * GRID)
    return indices, found


def lengths(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Compute the Euclidean length of each row, to be kept beside a gallery.

    Parameters
    ----------
    vectors : ndarray of float32, shape (n, n_dims)
        A vector in each row.
    """
    rows = np.asarray(vectors, np.float64)
    return np.sqrt(np.einsum("ij,ij->i", rows, rows)).astype(np.float32)


def nearest_of_many(
    query: NDArray[np.floating],
    gallery: NDArray[np.floating],
    gallery_lengths: NDArray[np.float32],
    k: int,
) -> tuple[NDArray[np.intp], GridDistances]:
    """Find the same as `nearest`, faster for one query in a large gallery.

    A product in single precision tells which vectors could be among the nearest, with its worst
    rounding allowed for; only those are compared exactly.

    Parameters
    ----------
    query : ndarray of float32, shape (1, n_dims)
        The query's vector.
    gallery : ndarray of float32, shape (n_gallery, n_dims)
        May be mapped from a file.
    gallery_lengths : ndarray of float32, shape (n_gallery,)
        Lengths of the gallery's vectors, from `lengths`.
    k : int
        Neighbours wanted, at least 1.

    Returns
    -------
    indices : ndarray of intp, shape (min(k, n_gallery),)
        By distance, then by index.
    distances : ndarray of int32, same shape
        Squared distances on the grid.

    References
    ----------
    N. J. Higham (2002), Accuracy and Stability of Numerical Algorithms, SIAM, section 3.1,
    doi:10.1137/1.9780898718027
    """
    unit = normalise(query)[0].astype(np.float32)
    products = gallery @ unit
    found = np.divide(
        products, gallery_lengths, out=np.zeros_like(products), where=gallery_lengths > 0
    )
    near = np.arange(len(found))
    if k < len(found):
        # An inner product of unit vectors is off by at most about n_dims half units of rounding,
        # on either side of the comparison; a few more for the divisions and the grid.
        margin = (query.shape[1] + 16) * float(np.finfo(np.float32).eps)
        limit = np.partition(found, len(found) - k)[len(found) - k] - margin
        near = np.flatnonzero(found >= limit)
    (block,) = grid_distances(query, np.asarray(gallery[near]))
    order = first(block.distances[0], k)
    return near[order], block.distances[0][order]
