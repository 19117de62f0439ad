"""Late fusion: several searches of one gallery become one, query by query.

A fusion takes one query's distances to every gallery image in each search and gives one score per
image. It never sees labels, and excluded images are taken out before. Everything is computed from
sorted distances, so the order of the gallery has no influence.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from retrieval.knn import FAR, Block, GridDistances, grid_distances
from retrieval.protocol import Judgements
from retrieval.search import Vectors

Scores = NDArray[np.float64]
"""Larger is nearer, shape (n_images,) or (n_searches, n_images)."""

STEPS = 2.0**27
"""Steps of the grid that a query's scores are put on: coarser than the rounding errors of equal
scores, finer than any difference that means something. It is also the squared distance of vectors
at right angles, in units of `retrieval.knn.GRID`."""


_POINTS = 100
"""Length of a reference curve."""


class Fusion(Protocol):
    """Makes one score of several distances."""

    def __call__(self, distances: GridDistances) -> Scores:
        """Fuse.

        Parameters
        ----------
        distances : ndarray of int32, shape (n_searches, n_images)
            Squared distances of one query on the grid, without excluded images.

        Returns
        -------
        ndarray of float64, shape (n_images,)
            Larger is nearer.
        """
        ...


Normalisation = Callable[[GridDistances], Scores]
"""Turns squared distances of one query, shape (n_searches, n_images), into scores that compare."""


def min_max(distances: GridDistances) -> Scores:
    """Score from 1, the nearest image, to 0, the farthest; all 0 where all are equally far."""
    nearest, farthest = distances.min(axis=1, keepdims=True), distances.max(axis=1, keepdims=True)
    span = (farthest - nearest).astype(np.float64)
    return (farthest - distances) / np.where(span > 0, span, 1)


def z_score(distances: GridDistances) -> Scores:
    """Score in standard deviations nearer than the mean; all 0 where all are equally far."""
    # Sums of sorted values do not depend on the gallery's order, not even in the last bit.
    ordered = np.sort(distances, axis=1).astype(np.float64)
    mean, spread = ordered.mean(axis=1, keepdims=True), ordered.std(axis=1, keepdims=True)
    return (mean - distances) / np.where(spread > 0, spread, 1)


def by_rank(distances: GridDistances) -> Scores:
    """Score from 1, the first image, in equal steps to 0; tied images share their mean rank."""
    count = distances.shape[1]
    return (count - ranks(distances)) / max(count - 1, 1)


def as_is(distances: GridDistances) -> Scores:
    """Score by the squared distances themselves, with their sign turned."""
    return -distances.astype(np.float64)


def ranks(distances: GridDistances) -> Scores:
    """Rank from 1, each search for itself; tied images share the mean of their ranks."""
    return scipy.stats.rankdata(distances, axis=1)


@dataclass(frozen=True)
class ReciprocalRank:
    """Sum of reciprocal ranks.

    Parameters
    ----------
    k : float
        Added to each rank, so that the very first do not decide alone.

    References
    ----------
    G. V. Cormack, C. L. A. Clarke, S. Büttcher (2009), Reciprocal rank fusion outperforms
    Condorcet and individual rank learning methods, SIGIR, doi:10.1145/1571941.1572114
    """

    version: ClassVar[str] = "reciprocal-rank 1"

    k: float = 60.0

    def __call__(self, distances: GridDistances) -> Scores:
        """Fuse one query's distances; parameters and result as of `Fusion`."""
        return total(1 / (self.k + ranks(distances)))


@dataclass(frozen=True)
class Borda:
    """Each search gives an image a point for every image behind it.

    References
    ----------
    J. A. Aslam, M. Montague (2001), Models for metasearch, SIGIR, doi:10.1145/383952.384007
    """

    version: ClassVar[str] = "borda 1"

    def __call__(self, distances: GridDistances) -> Scores:
        """Fuse one query's distances; parameters and result as of `Fusion`."""
        return total(distances.shape[1] - ranks(distances))


@dataclass(frozen=True)
class CombSum:
    """Sum of normalised scores.

    Parameters
    ----------
    normalise : callable
        `min_max`, `z_score` or `by_rank`.

    References
    ----------
    E. A. Fox, J. A. Shaw (1994), Combination of multiple searches, TREC-2,
    https://trec.nist.gov/pubs/trec2/papers/txt/23.txt
    """

    version: ClassVar[str] = "combsum 1"

    normalise: Normalisation = min_max

    def __call__(self, distances: GridDistances) -> Scores:
        """Fuse one query's distances; parameters and result as of `Fusion`."""
        return total(self.normalise(distances))


@dataclass(frozen=True)
class CombMnz:
    """Sum of normalised scores, times the number of searches that found the image.

    A search of the whole gallery finds everything, so an image counts as found by those that
    have it among their first `depth`.

    Parameters
    ----------
    normalise : callable
        `min_max`, `z_score` or `by_rank`.
    depth : int
        Images of a search that count as found.

    References
    ----------
    E. A. Fox, J. A. Shaw (1994), Combination of multiple searches, TREC-2,
    https://trec.nist.gov/pubs/trec2/papers/txt/23.txt
    """

    version: ClassVar[str] = "combmnz 1"

    normalise: Normalisation = min_max
    depth: int = 100

    def __call__(self, distances: GridDistances) -> Scores:
        """Fuse one query's distances; parameters and result as of `Fusion`."""
        found = (ranks(distances) <= self.depth).sum(axis=0)
        summed = total(self.normalise(distances))
        # Scores below zero must not fall further for being found often.
        return np.where(summed > 0, summed * np.maximum(found, 1), summed / np.maximum(found, 1))


@dataclass(frozen=True)
class Weighted:
    """Weighted sum of normalised scores.

    Parameters
    ----------
    weights : tuple of float
        One per search, not negative, not all 0.
    normalise : callable
        `min_max`, `z_score` or `by_rank`.
    """

    version: ClassVar[str] = "weighted-sum 1"

    weights: tuple[float, ...]
    normalise: Normalisation = z_score

    def __call__(self, distances: GridDistances) -> Scores:
        """Fuse one query's distances; parameters and result as of `Fusion`."""
        if len(distances) != len(self.weights):
            raise ValueError(f"{len(self.weights)} weights for {len(distances)} searches")
        return total(np.array(self.weights)[:, None] * self.normalise(distances))


@dataclass(frozen=True)
class QueryAdaptive:
    """Product of similarities, each to a power that its search earns by this very query.

    A search that tells right from wrong drops steeply after the first images; one that does not
    stays flat. The area under the sorted scores, each from 0 to 1, says which: the weight is its
    reciprocal.

    Parameters
    ----------
    references : tuple of tuple of float
        For each search the mean curve of other queries' sorted scores, from `reference_curve`,
        which is subtracted first; empty for none. (The paper takes the most similar of many such
        curves instead of their mean.)
    depth : int
        First images that the area is taken of.

    References
    ----------
    L. Zheng, S. Wang, L. Tian, F. He, Z. Liu, Q. Tian (2015), Query-adaptive late fusion for image
    search and person re-identification, CVPR, doi:10.1109/CVPR.2015.7298783
    """

    version: ClassVar[str] = "query-adaptive 1"

    references: tuple[tuple[float, ...], ...] = ()
    depth: int = 1000

    def __call__(self, distances: GridDistances) -> Scores:
        """Fuse one query's distances; parameters and result as of `Fusion`."""
        scores = min_max(distances)
        curves = -np.sort(-scores, axis=1)[:, : self.depth]
        areas = [self._area(curve, number) for number, curve in enumerate(curves)]
        weights = 1 / np.maximum(np.array(areas), 1e-6)
        # The farthest image has no similarity at all; a product must not stop there.
        logarithms = np.log(np.maximum(scores, 1e-6))
        return total((weights / weights.sum())[:, None] * logarithms)

    def _area(self, curve: Scores, number: int) -> float:
        if self.references:
            reference = np.array(self.references[number])
            places = np.linspace(0, 1, len(curve))
            curve = curve - np.interp(places, np.linspace(0, 1, len(reference)), reference)
            curve = np.maximum(curve, 0)
            top = curve.max(initial=0)
            curve = curve / top if top > 0 else np.ones_like(curve)
        return float(curve.mean())


def reference_curve(curves: Iterable[Scores]) -> tuple[float, ...]:
    """Average the curves of sorted scores of many queries of one search, at `_POINTS` places.

    Parameters
    ----------
    curves : iterable of ndarray of float64
        Sorted scores, from 1 down, of queries among training images, of any length.
    """
    places = np.linspace(0, 1, _POINTS)
    made = [np.interp(places, np.linspace(0, 1, len(curve)), curve) for curve in curves]
    return tuple(np.mean(made, axis=0).tolist()) if made else (0.0,) * _POINTS


FUSIONS: dict[str, Fusion] = {
    "rrf": ReciprocalRank(),
    "borda": Borda(),
    "combsum-minmax": CombSum(min_max),
    "combsum-zscore": CombSum(z_score),
    "combsum-rank": CombSum(by_rank),
    "combmnz-minmax": CombMnz(min_max),
    "combmnz-zscore": CombMnz(z_score),
    "combmnz-rank": CombMnz(by_rank),
}
"""Fusions that need nothing learned."""


def fuse(
    searches: Sequence[Iterable[Block]], fusion: Fusion, judgements: Judgements
) -> Iterator[Block]:
    """Fuse searches of the same queries in the same gallery, a block of queries at a time.

    Parameters
    ----------
    searches : sequence of iterable of Block
        Results of the searches, cut into equal blocks.
    fusion : Fusion
        Makes one score per gallery image of its distances in all searches.
    judgements : Judgements
        Each query's excluded images have no influence, and end behind all others.

    Raises
    ------
    ValueError
        If the searches are of different queries or galleries.
    """
    for blocks in zip(*searches, strict=True):
        starts, shapes = {b.start for b in blocks}, {b.distances.shape for b in blocks}
        if len(starts) > 1 or len(shapes) > 1:
            raise ValueError("searches of different queries or galleries cannot be fused")
        start, together = blocks[0].start, np.stack([block.distances for block in blocks])
        made = np.full(together.shape[1:], FAR, np.int32)
        for place in range(together.shape[1]):
            allowed = judgements.taking_part(start + place)
            if allowed.any():
                made[place, allowed] = on_grid(fusion(together[:, place, allowed]))
        yield Block(start, made)


@dataclass(frozen=True)
class FusedSearch:
    """Search by each matrix of vectors and fuse the distances; a `retrieval.search.Search`.

    Parameters
    ----------
    fusion : Fusion
        Makes one score per gallery image of its distances in all searches.
    """

    fusion: Fusion

    def __call__(
        self, queries: Vectors, gallery: Vectors, judgements: Judgements
    ) -> Iterator[Block]:
        """Search; parameters and result as of `retrieval.search.Search`."""
        searches = [grid_distances(*pair) for pair in zip(queries, gallery, strict=True)]
        return fuse(searches, self.fusion, judgements)


def total(scores: Scores) -> Scores:
    """Sum over the first axis, the searches, always in their order."""
    made = np.zeros(scores.shape[1:])
    for one in scores:
        made += one
    return made


def on_grid(scores: Scores) -> GridDistances:
    """Put a query's scores on a grid, so that scores that differ by rounding alone are equal.

    Parameters
    ----------
    scores : ndarray of float64, shape (..., n_images)
        Larger is nearer.

    Returns
    -------
    ndarray of int32, same shape
        From 0 for the best of a row to `STEPS` for its worst; all 0 where all are equal.
    """
    best, worst = scores.max(axis=-1, keepdims=True), scores.min(axis=-1, keepdims=True)
    span = np.where(best > worst, best - worst, 1)
    return np.rint((best - scores) / span * STEPS).astype(np.int32)
