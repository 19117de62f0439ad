"""A gallery searched in parts, wherever they lie, with the numbers of a search of the whole.

Parts begin where `retrieval.knn` begins a block, and the same queries are compared at a time, so
every distance is made by the same products.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from retrieval.knn import GALLERY_BLOCK, Block, GridDistances, compare, queries_in_block
from retrieval.rows import Rows

A = TypeVar("A")
B = TypeVar("B")

Work = Callable[[Callable[[A], B], Sequence[A]], Iterator[B]]
"""Applies a function to items, in order; such as `map`."""


def bounds(size: int, count: int) -> list[slice]:
    """Cut a gallery into parts of about the same size.

    Parameters
    ----------
    size : int
        Images in the gallery.
    count : int
        Parts wanted; fewer come back of a small gallery.
    """
    blocks = -(-size // GALLERY_BLOCK)
    count = max(1, min(count, blocks))
    edges = [blocks * number // count * GALLERY_BLOCK for number in range(count)]
    return [slice(start, stop) for start, stop in pairwise([*edges, size])]


def grid_distances_in_parts(
    queries: Rows, parts: Sequence[Any], size: int, work: Work[Any, GridDistances]
) -> Iterator[Block]:
    """Compare every query with every gallery vector; as `retrieval.knn.grid_distances`.

    Parameters
    ----------
    queries : Rows
        Shape (n_queries, n_dims), float32.
    parts : sequence
        The rows of the gallery within `bounds`, or what `work` takes for them.
    size : int
        Images in the gallery.
    work : callable
        Does the comparisons.
    """
    step = queries_in_block(size)
    starts = range(0, queries.shape[0], step)
    items = [(part, queries[start : start + step]) for start in starts for part in parts]
    made = work(_compare, items)
    for start in starts:
        yield Block(start, np.hstack([next(made) for _ in parts]))


def _compare(item: tuple[Rows, NDArray[np.floating]]) -> GridDistances:
    part, queries = item
    return compare(queries, part)
