"""Exact nearest neighbours: Euclidean on L2-normalised vectors, deterministic to the tie."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

_GRID = 2.0**-26
"""Squared distances are compared on this grid.

Float32 features carry no information below it, while the last bits of a matrix product
depend on where in the matrix a row stands: without the grid, equal vectors would not tie and
permuting the gallery would change the ranking.
"""


class Rows(Protocol):
    """A matrix that can be read block by block: an array, or one that stays on disk."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows and of columns."""

    def __getitem__(self, rows: slice, /) -> NDArray[np.floating]:
        """Give some rows as an array."""


class Block(NamedTuple):
    """Queries ``start …``: the whole gallery in order, and the distances in that order.

    Attributes
    ----------
    start : int
        Index of the first query.
    order : ndarray of intp, shape (n_block, n_gallery)
        Gallery indices by distance, then by index.
    distances : ndarray of float64, shape (n_block, n_gallery)
        Euclidean distances in that order, from 0 to 2; equal values are ties.
    """

    start: int
    order: NDArray[np.intp]
    distances: NDArray[np.float64]


def normalise(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """Scale each row to Euclidean length 1; a zero row stays zero.

    Raises
    ------
    ValueError
        If a value is not finite.
    """
    rows = np.asarray(vectors, np.float64)
    if not np.isfinite(rows).all():
        raise ValueError("vectors must be finite")
    # Scaling by the largest value first keeps tiny and huge rows from under- and overflow.
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    rows = np.divide(rows, largest, out=np.zeros_like(rows), where=largest > 0)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, length, out=rows, where=length > 0)


def rank(
    queries: Rows, gallery: Rows, query_block: int = 64, gallery_block: int = 4096
) -> Iterator[Block]:
    """Order the whole gallery for every query, a block of queries at a time.

    Neither matrix is ever whole in memory: a block of each, and the distances of one block
    of queries, are. A zero vector lies at distance 1 from every other vector.

    Parameters
    ----------
    queries, gallery : Rows
        Shapes (n_queries, n_dims) and (n_gallery, n_dims), the gallery in order of id.
    query_block, gallery_block : int
        Rows at a time; no influence on the result.

    Raises
    ------
    ValueError
        If the dimensions differ or a value is not finite.
    """
    if queries.shape[1] != gallery.shape[1]:
        raise ValueError(
            f"queries have {queries.shape[1]} dimensions, the gallery has {gallery.shape[1]}"
        )
    for start in range(0, queries.shape[0], query_block):
        asked = normalise(queries[start : start + query_block])
        cells = np.empty((len(asked), gallery.shape[0]), np.int64)
        for left in range(0, gallery.shape[0], gallery_block):
            searched = normalise(gallery[left : left + gallery_block])
            square = (
                _square_norms(asked)[:, None] + _square_norms(searched) - 2 * asked @ searched.T
            )
            cells[:, left : left + len(searched)] = np.rint(square / _GRID)
        order = np.argsort(cells, axis=1, kind="stable")
        squares = np.take_along_axis(cells, order, axis=1) * _GRID
        yield Block(start, order, np.sqrt(np.maximum(squares, 0)))


def nearest(queries: Rows, gallery: Rows, k: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the k nearest gallery vectors of every query.

    Parameters
    ----------
    queries, gallery : Rows
        Shapes (n_queries, n_dims) and (n_gallery, n_dims).
    k : int
        Neighbours wanted; fewer come back if the gallery is smaller.

    Returns
    -------
    indices : ndarray of intp, shape (n_queries, min(k, n_gallery))
        Gallery rows by distance, then by index.
    distances : ndarray of float64, same shape
        Euclidean distances of the normalised vectors.
    """
    blocks = list(rank(queries, gallery))
    found = min(k, gallery.shape[0])
    order = [block.order[:, :k] for block in blocks]
    distances = [block.distances[:, :k] for block in blocks]
    return (
        np.concatenate([np.empty((0, found), np.intp), *order]),
        np.concatenate([np.empty((0, found)), *distances]),
    )


def _square_norms(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    # 1, or 0 for a zero row: rounding would only add noise that the grid then has to absorb.
    nonzero: NDArray[np.bool_] = np.any(rows, axis=1)
    return nonzero.astype(np.float64)
