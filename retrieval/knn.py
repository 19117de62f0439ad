"""Exact nearest neighbours: Euclidean on L2-normalised vectors, deterministic to the tie."""

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.rows import Rows, normalise, number_within, parts, pick, release, scale
from retrieval.sieve import is_worthwhile, queries_at_a_time, sieve
from retrieval.threads import share

GridDistances = NDArray[np.int32]
"""Squared distances in units of `GRID`; equal values are ties."""

FAR = np.iinfo(np.int32).max
"""Distance of an image that does not take part: behind all others."""

GRID = 2.0**-26
"""Squared distances are compared on this grid.

Float32 features carry no information below it, while the last bits of a matrix product
depend on where in the matrix a row stands: without the grid, equal vectors would not tie and
permuting the gallery would change the ranking.
"""

_BLOCK_VALUES = 2**24
"""Distances held at a time (64 MiB)."""

GALLERY_BLOCK = 4096
"""Gallery vectors read at a time."""

_TILE_ROWS = 1024
_TILE_VALUES = 2**21
"""Gallery vectors that a thread compares at a time in float64, and their values (16 MiB)."""

_QUERY_VALUES = 2**26
"""Values of the queries that are held at a time, scaled (256 MiB), if not of 64 queries."""

_PORTION = 2**21
_SCALED_VALUES = 2**18
"""Values of vectors that are worth a thread, and that are scaled at a time."""

_PAIR_VALUES = 2**18
_PAIRS = 64
"""Values that are compared pair by pair at a time (2 MiB), of at most so many pairs of a query:
with fewer, threads wait for each other more than they work."""


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
    _require_equal_dimensions(queries, gallery)
    at_a_time = queries_in_block(gallery.shape[0])
    for start in range(0, queries.shape[0], at_a_time):
        yield Block(start, compare(queries[start : start + at_a_time], gallery))


def queries_in_block(size: int) -> int:
    """Give the number of queries that are compared together with a gallery.

    Parameters
    ----------
    size : int
        Images in the gallery.
    """
    return max(1, _BLOCK_VALUES // max(1, size))


def compare(queries: NDArray[np.floating], gallery: Rows) -> GridDistances:
    """Compare some queries with the whole gallery at once; see `grid_distances`.

    Parameters
    ----------
    queries : ndarray of float32, shape (n_queries, n_dims)
        As many as `queries_in_block` says.
    gallery : Rows
        Shape (n_gallery, n_dims), float32.

    Returns
    -------
    ndarray of int32, shape (n_queries, n_gallery)
    """
    # Tiles are the same for any number of threads, and so is every bit.
    count = gallery.shape[0]
    asked = normalise(queries)
    asked *= -2 / GRID  # a power of two: the products below are those of before, to the bit
    distances = np.empty((len(asked), count), np.int32)
    height = min(_TILE_ROWS, max(128, _TILE_VALUES // max(1, gallery.shape[1])))

    def work(tiles: Iterator[tuple[int, NDArray[np.floating]]]) -> None:
        buffer = np.empty(len(asked) * height)
        for left, rows in tiles:
            square = buffer[: len(asked) * len(rows)].reshape(len(asked), len(rows))
            np.matmul(asked, normalise(rows).T, out=square)
            # Lengths are 1, or taken to be, so rounding in them never enters.
            square += 2 / GRID
            cells = distances[:, left : left + len(rows)]
            np.rint(square, out=cells, casting="unsafe")
            np.maximum(cells, 0, out=cells)

    for left in range(0, count, GALLERY_BLOCK):
        block = gallery[left : left + GALLERY_BLOCK]
        share(work, [(left + at, block[at : at + height]) for at in range(0, len(block), height)])
        release(block)
    return distances


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

    Only images that `retrieval.sieve` cannot leave out are compared exactly.

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

    Raises
    ------
    ValueError
        If the dimensions differ or a value is not finite.
    """
    indices, distances = nearest_on_grid(queries, gallery, k)
    return indices, np.sqrt(distances * GRID)


def nearest_among(
    query: NDArray[np.floating],
    gallery: NDArray[np.floating],
    images: NDArray[np.intp],
    k: int,
) -> tuple[NDArray[np.intp], GridDistances]:
    """Find the nearest to one query among some gallery vectors, with their exact distances.

    Parameters
    ----------
    query : ndarray of float32, shape (1, n_dims)
        The query's vector.
    gallery : ndarray of float32, shape (n_gallery, n_dims), n_dims at least 1
        May be mapped from a file.
    images : ndarray of intp, shape (n_images,)
        Indices of those that are compared.
    k : int
        Neighbours wanted, at least 1.

    Returns
    -------
    indices : ndarray of intp, shape (min(k, n_images),)
        By distance, then by index.
    distances : ndarray of int32, same shape
        Squared distances on the grid.
    """
    _require_equal_dimensions(query, gallery)
    some = np.sort(images)
    divisors = scale(query)[1]
    distances = _compare_pairs(query, divisors, gallery, np.zeros(len(some), np.intp), some)
    order = first(distances, k)
    return some[order], distances[order]


def nearest_on_grid(
    queries: Rows, gallery: Rows, k: int, known_lengths: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.intp], GridDistances]:
    """Find the same as `nearest`, with squared distances on the grid.

    Parameters
    ----------
    queries, gallery, k
        As of `nearest`.
    known_lengths : ndarray of float32, shape (n_gallery,), optional
        Lengths of the gallery's vectors, from `retrieval.rows.lengths`; saves the most where
        there are few queries.
    """
    _require_equal_dimensions(queries, gallery)
    shape = (queries.shape[0], min(k, gallery.shape[0]))
    indices, distances = np.empty(shape, np.intp), np.empty(shape, np.int32)
    left = np.arange(shape[0])
    if is_worthwhile(gallery.shape[0], k) and gallery.shape[1]:
        left = left[_by_sieve(queries, gallery, known_lengths, indices, distances)]
    at_a_time = queries_in_block(gallery.shape[0])
    for start in range(0, len(left), at_a_time):
        some = left[start : start + at_a_time]
        for query, row in zip(some, compare(pick(queries, some), gallery), strict=True):
            indices[query] = first(row, k)
            distances[query] = row[indices[query]]
    return indices, distances


def _by_sieve(
    queries: Rows,
    gallery: Rows,
    known_lengths: NDArray[np.float32] | None,
    indices: NDArray[np.intp],
    distances: GridDistances,
) -> NDArray[np.bool_]:
    """Write the neighbours of all queries but those that come back as undecided."""
    k = indices.shape[1]
    undecided = np.zeros(len(indices), bool)
    at_a_time = min(queries_at_a_time(k), max(64, _QUERY_VALUES // gallery.shape[1]))
    for start in range(0, len(indices), at_a_time):
        place = slice(start, start + at_a_time)
        asked = queries[place]
        units, divisors = _scale_in_threads(asked)
        found = sieve(units, gallery, k, known_lengths)
        exact = _compare_pairs(asked, divisors, gallery, found.query, found.image)
        order = np.lexsort((found.image, exact, found.query))
        query = found.query[order]
        rank = number_within(query)
        order, query, rank = order[rank < k], query[rank < k], rank[rank < k]
        indices[place][query, rank] = found.image[order]
        distances[place][query, rank] = exact[order]
        undecided[place] = found.undecided
    return undecided


def _compare_pairs(
    queries: NDArray[np.floating],
    divisors: NDArray[np.float64],
    gallery: Rows,
    query: NDArray[np.intp],
    image: NDArray[np.intp],
) -> GridDistances:
    """Distances of pairs of queries, of which each one's are together, and gallery vectors."""
    distances = np.empty(len(query), np.int32)
    firsts = np.flatnonzero(number_within(query) % _PAIRS == 0)
    _, batch = np.unique(firsts * gallery.shape[1] // _PAIR_VALUES, return_index=True)
    ends = [*firsts[batch].tolist(), len(query)]

    def work(portions: Iterator[Sequence[tuple[int, int]]]) -> None:
        for pairs in (slice(*batch) for batch in chain.from_iterable(portions)):
            mine = query[pairs]
            whose = slice(mine[0], mine[-1] + 1)
            asked = queries[whose] / divisors[whose, None]
            row: NDArray[np.intp] | int = mine - mine[0] if len(asked) > 1 else 0
            cosine, square = np.zeros((2, len(mine)))
            width = -(-_PAIR_VALUES // len(mine))
            for left in range(0, gallery.shape[1], width):
                cut = slice(left, left + width)
                part = pick(gallery, image[pairs], cut).astype(np.float64)
                square += np.vecdot(part, part)
                cosine += np.vecdot(asked[row, cut], part)
            cosine /= np.where(square > 0, np.sqrt(square), 1)
            distances[pairs] = np.maximum(np.rint((2 - 2 * cosine) / GRID), 0)
            if isinstance(gallery, np.ndarray):
                release(gallery)  # with a row, the system may map 2 MiB around it

    batches = list(pairwise(ends))
    many = max(1, len(batches) * _PORTION // max(1, len(query) * gallery.shape[1]))
    share(work, [batches[at : at + many] for at in range(0, len(batches), many)])
    return distances


def _scale_in_threads(
    vectors: NDArray[np.floating],
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Scale rows to length 1, rounded; also gives what each was divided by."""
    units, divisors = np.empty(vectors.shape, np.float32), np.empty(len(vectors))

    def work(places: Iterator[slice]) -> None:
        for place in places:
            units[place], divisors[place] = scale(vectors[place])

    share(work, parts(len(vectors), _SCALED_VALUES // vectors.shape[1]))
    return units, divisors


def _require_equal_dimensions(queries: Rows, gallery: Rows) -> None:
    if queries.shape[1] != gallery.shape[1]:
        raise ValueError(
            f"queries have {queries.shape[1]} dimensions, the gallery has {gallery.shape[1]}"
        )
