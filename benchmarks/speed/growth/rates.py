"""Rates of this machine that a cost model is made of, and a search of a million vectors."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.speed.growth.process import Numbers, Work
from benchmarks.speed.growth.steps import K, Place
from extractors.matrices import open_matrix
from retrieval.approximate import APPROXIMATIONS, Approximation, NoFaissError, TooFewError
from retrieval.knn import nearest
from retrieval.rows import Rows, release

DIMS = 2048
"""Of the vectors that are searched to measure rates."""

QUERIES = 100

MILLION = 1_000_000

_GALLERY = 20_000
_BLOCK = 4096
_COPIED = 2**26
"""Values that are copied to measure the memory's bandwidth (256 MiB)."""

_TIMES = 3
_LEARNED_FROM = 65_536
"""Vectors that codes are learned from, at most."""


@dataclass(frozen=True)
class Matrix:
    """A matrix of random vectors in float16, in a file.

    Attributes
    ----------
    path : Path
        The file.
    size : int
        Its rows, of `DIMS` columns.
    """

    path: Path
    size: int


def machine_rates(place: Place) -> Work:
    """Measure bandwidth, and exact search of vectors that are in memory."""
    rng = np.random.default_rng(0)
    gallery = rng.standard_normal((_GALLERY, DIMS), np.float32).astype(np.float16)
    queries = rng.standard_normal((QUERIES, DIMS), np.float32)
    read, written = np.ones(_COPIED, np.float32), np.empty(_COPIED, np.float32)

    def work() -> Numbers:
        one = _seconds(lambda: nearest(queries[:1], gallery, K))
        many = _seconds(lambda: nearest(queries, gallery, K))
        return {
            "bandwidth": 2 * read.nbytes / _seconds(lambda: np.copyto(written, read)),
            "one": gallery.size / one,
            "many": QUERIES * gallery.size / many,
        }

    return work


def approximate_rates(place: Place) -> Work:
    """Measure indexes of faiss of the gallery's vectors; tells nothing where there is none."""
    index, queries = place.opened()
    gallery = index.vectors[0]
    training = gallery[:: -(-gallery.shape[0] // _LEARNED_FROM)]
    exact, _ = nearest(queries, gallery, K)

    def work() -> Numbers:
        told: Numbers = {"dims": queries.shape[1]}
        for kind in APPROXIMATIONS:
            try:
                told |= _approximate(kind, queries, gallery, training, exact)
            except (NoFaissError, TooFewError):
                continue
        return told

    return work


def _approximate(
    kind: Approximation,
    queries: Rows,
    gallery: Rows,
    training: Rows,
    exact: NDArray[np.intp],
) -> Numbers:
    began = time.perf_counter()
    index = kind.build(gallery, training)
    built = time.perf_counter() - began
    effort = kind.efforts[-2]
    found, _ = index.nearest(queries, effort, K)
    seconds = _seconds(lambda: index.nearest(queries, effort, K)) / queries.shape[0]
    shares = [np.isin(true, row).mean() for true, row in zip(exact, found, strict=True)]
    return {
        f"{kind.name} effort": effort,
        f"{kind.name} recall": float(np.mean(shares)),
        f"{kind.name} seconds": seconds,
        f"{kind.name} build": built / gallery.shape[0],
    }


def _seconds(work: Callable[[], object]) -> float:
    work()  # what is loaded at the first time is not measured
    return min(map(_timed, [work] * _TIMES))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def making(matrix: Matrix) -> Work:
    """Write a matrix of random vectors."""

    def work() -> None:
        rng = np.random.default_rng(0)
        made = open_matrix(matrix.path, np.float16, (matrix.size, DIMS))
        for start in range(0, matrix.size, _BLOCK):
            part = made[start : start + _BLOCK]
            part[:] = rng.standard_normal(part.shape, np.float32)
            release(part)
        made.flush()  # type: ignore[attr-defined]

    return work


def searching_matrix(matrix: Matrix) -> Work:
    """Search a matrix for the neighbours of `QUERIES` queries."""
    queries = np.random.default_rng(1).standard_normal((QUERIES, DIMS), np.float32)

    def work() -> None:
        nearest(queries, np.load(matrix.path, mmap_mode="r"), K)

    return work
