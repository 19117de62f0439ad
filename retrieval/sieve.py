"""A sieve in single precision: the few images that may be among a query's nearest.

It computes cosines by matrix products in float32, with a bound of their error that is proven
below, and leaves out what is too far whatever the rounding was. What is left is to be compared
in float64.

The bound. Let u = 2⁻²⁴ and γₙ = nu / (1 - nu). In float32 the inner product of x and y, of m
dimensions, is off by at most γₘ Σ|xᵢyᵢ| ≤ γₘ ‖x‖ ‖y‖, in whatever order it is summed, with or
without fused multiplication and addition (Higham 2002, section 3.1; the last step is Cauchy and
Schwarz). That grows with the dimensions, so products are taken of m dimensions at a
time, c of them, and then added up: a term then goes through at most m roundings in its product
and c - 1 afterwards, and since Σ ‖xⱼ‖ ‖yⱼ‖ over the cuts j is at most ‖x‖ ‖y‖, the whole is off by
at most γ₍ₘ₊c₎ ‖x‖ ‖y‖. The query is of length 1 and rounded to float32, which moves the product by
at most u ‖y‖; a gallery of float64 is rounded, too, which turns a vector by at most 2u. Lengths
are computed of cuts likewise: a squared length is off by the factor 1 ± γₘ, a length by half of
that, and dividing by it takes two roundings. The sum, γ₍ₘ₊c₎ + γₘ / 2 + 5u, is less than the
`bound` γ₍₂₍ₘ₊c₎₊₈₎, which has room for products of these terms and for the errors of float64.

Numbers too small for float32 are taken for as much as 2⁻¹²⁶ less than they are. Vectors whose
lengths are between `_SHORTEST` and `_LONGEST` lose less than n 2⁻⁸⁶ by it, and nothing overflows.
The others, zeros and infinities among them, are scaled in float64 first.

References
----------
N. J. Higham (2002), Accuracy and Stability of Numerical Algorithms, SIAM, section 3.1,
doi:10.1137/1.9780898718027
"""

import threading
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.rows import Rows, normalise, release
from retrieval.threads import available, share

Floats = NDArray[np.float32]

_CUT = 1024
"""Dimensions of a product, at most twice as many if that is all."""

_GROUP = 16
"""Images of which the best is looked at first."""

_BLOCK = 2048
"""Gallery vectors compared at a time, at least."""

_VALUES = 2**21
"""Cosines held at a time by each thread (8 MiB), at most, unless the block needs more."""

_SHORTEST, _LONGEST = 2.0**-40, 2.0**50


class Candidates(NamedTuple):
    """Pairs of queries and images that float32 cannot tell from the nearest.

    Attributes
    ----------
    query, image : ndarray of intp, shape (n_pairs,)
        In order of the queries; all images that are among the k nearest of a query by distance,
        then by index, are there, and some that are not.
    undecided : ndarray of bool, shape (n_queries,)
        Queries to which too many are about equally near; no pairs of theirs are there.
    """

    query: NDArray[np.intp]
    image: NDArray[np.intp]
    undecided: NDArray[np.bool_]


def bound(dims: int) -> float:
    """Give how far a cosine by float32 may be from the true one; the module says why.

    Parameters
    ----------
    dims : int
        Dimensions of the vectors, at least 1.
    """
    cut = _cut(dims)
    roundings = 2 * (cut + -(-dims // cut)) + 8
    return roundings * 2.0**-24 / (1 - roundings * 2.0**-24)


def queries_at_a_time(k: int) -> int:
    """Give the number of queries that are best compared together.

    Parameters
    ----------
    k : int
        Neighbours wanted.
    """
    return max(64, _VALUES // _block_size(k))


def is_worthwhile(size: int, k: int) -> bool:
    """Tell whether so few images are wanted that most can be left out.

    Parameters
    ----------
    size : int
        Images in the gallery.
    k : int
        Neighbours wanted.
    """
    return size >= 4 * _GROUP * k


def sieve(units: Floats, gallery: Rows, k: int, known_lengths: Floats | None = None) -> Candidates:
    """Find the images that may be among the k nearest of a query.

    Parameters
    ----------
    units : ndarray of float32, shape (n_queries, n_dims)
        Queries, scaled to length 1 in float64.
    gallery : Rows
        Shape (n_gallery, n_dims), at least one dimension, of any lengths.
    k : int
        Neighbours wanted; `is_worthwhile` holds for it.
    known_lengths : ndarray of float32, shape (n_gallery,), optional
        Lengths of the gallery's vectors, where they are known.

    Raises
    ------
    ValueError
        If a gallery vector is not finite.
    """
    size, threads = gallery.shape[0], available()
    # As many blocks as threads, or a multiple, so that none is idle at the end.
    wanted = max(_block_size(k), min(8 * _BLOCK, _VALUES // 2 // max(1, len(units))))
    count = -(-size // wanted)
    count = min(-(-count // threads) * threads, max(1, size // (2 * _GROUP * k)))
    width = -(-size // (count * _GROUP)) * _GROUP
    kept = _Kept(len(units), k, size, 2 * bound(units.shape[1]) + 2.0**-22)

    def work(starts: Iterator[int]) -> None:
        cosines = np.empty((width, len(units)), np.float32)
        for start in starts:
            block = gallery[start : start + width]
            there = None if known_lengths is None else known_lengths[start : start + width]
            with np.errstate(all="ignore"):  # what overflows is computed anew
                _cosines(block, units, there, cosines[: len(block)])
            cosines[len(block) :] = -np.inf
            kept.look(cosines, start)
            release(block)

    share(work, range(0, size, width))
    return kept.candidates()


def _cut(dims: int) -> int:
    return dims if dims <= 2 * _CUT else _CUT


def _block_size(k: int) -> int:
    return max(_BLOCK, 2 * _GROUP * k)


def _cosines(
    block: NDArray[np.floating], units: Floats, known: Floats | None, out: Floats
) -> None:
    """Write the cosines of a block's rows with units."""
    length = _product(block, units, out) if known is None else known.astype(np.float64)
    if known is not None:
        _product(block, units, out, measures=False)
    odd = ~((length >= _SHORTEST) & (length <= _LONGEST))
    length[odd] = 1
    out *= (1 / length).astype(np.float32)[:, None]
    if odd.any():
        again = np.empty((int(odd.sum()), len(units)), np.float32)
        _product(normalise(block[odd]), units, again)
        out[odd] = again


def _product(
    block: NDArray[np.floating], units: Floats, out: Floats, measures: bool = True
) -> NDArray[np.float64]:
    """Write the inner products, cut by cut; gives the lengths of the block's rows."""
    squares, width = np.zeros(len(block)), _cut(block.shape[1])
    part = np.empty_like(out) if block.shape[1] > width else out
    for start in range(0, block.shape[1], width):
        cut = slice(start, start + width)
        columns = np.asarray(block[:, cut], np.float32)
        np.matmul(columns, units[:, cut].T, out=part if start else out)
        if start:
            out += part
        if measures:
            squares += np.vecdot(columns, columns)
    return np.sqrt(squares)


class _Kept:
    """The candidates so far, of all threads.

    If k groups of images have a best cosine of t or more, so have k images, and the true cosine
    of each is above t - `bound`. An image whose true cosine is lower, by more than the grid can
    blur, is not among the k nearest; by float32 that is so below t - 2 `bound` - a bit.

    Parameters
    ----------
    queries, k, size : int
        Number of queries, neighbours wanted, gallery images.
    margin : float
        Twice the bound, and a bit.
    """

    def __init__(self, queries: int, k: int, size: int, margin: float) -> None:
        self.margin = margin
        self.most = max(8 * k + 64, size // 256)
        self.best = np.full((queries, k), -np.inf, np.float32)
        self.limit = np.full(queries, -np.inf, np.float32)
        self.undecided = np.zeros(queries, bool)
        self.found: list[tuple[NDArray[np.intp], NDArray[np.intp], Floats]] = []
        self.pairs = 0
        self.lock = threading.Lock()

    def look(self, cosines: Floats, start: int) -> None:
        """Keep what may be among the nearest of a block, a row for each of its images."""
        groups = cosines.reshape(_GROUP, -1, cosines.shape[1])
        highest = groups.max(axis=0)
        queries = np.flatnonzero((highest >= self.limit).any(axis=0))
        highest = np.ascontiguousarray(highest[:, queries].T)
        with self.lock:
            limit = self._raised(queries, highest)
        near = highest >= limit[:, None]
        many = near.sum(axis=1) > max(4 * self.best.shape[1] + 16, near.shape[1] // 8)
        near[many] = False
        place, group = np.nonzero(near)
        values = groups[:, group, queries[place]]
        member, pair = np.nonzero(values >= limit[place])
        image = start + member * groups.shape[1] + group[pair]
        with self.lock:
            self.undecided[queries[many]] = True
            self.limit[queries[many]] = np.inf
            self.found.append((queries[place[pair]], image, values[member, pair]))
            self.pairs += len(pair)
            if self.pairs > 2 * self.most * len(self.limit):
                self._prune()

    def candidates(self) -> Candidates:
        """Give what is left at the end."""
        self._prune()
        [(query, image, _)] = self.found
        order = np.argsort(query, kind="stable")
        return Candidates(query[order], image[order], self.undecided)

    def _raised(self, queries: NDArray[np.intp], highest: Floats) -> Floats:
        """Raise the limits of some queries by the best of their groups, and give them."""
        k = self.best.shape[1]
        both = np.hstack([self.best[queries], highest])
        self.best[queries] = np.partition(both, both.shape[1] - k, axis=1)[:, -k:]
        least = self.best[queries].min(axis=1).astype(np.float64)
        # A query that has been given up in the meantime stays so.
        limit = np.where(self.undecided[queries], np.inf, least - self.margin)
        self.limit[queries] = limit
        return self.limit[queries]

    def _prune(self) -> None:
        query, image, cosine = (np.concatenate(parts) for parts in zip(*self.found, strict=True))
        stays = cosine >= self.limit[query]
        count = np.bincount(query[stays], minlength=len(self.limit))
        self.undecided |= count > self.most
        self.limit[self.undecided] = np.inf
        stays &= ~self.undecided[query]
        self.found = [(query[stays], image[stays], cosine[stays])]
        self.pairs = int(stays.sum())
