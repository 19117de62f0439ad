"""Spatial verification: matches of two pictures' local features that agree on a transform."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from retrieval.knn import Block, first
from retrieval.protocol import Judgements

Descriptors = NDArray[np.uint8] | NDArray[np.int8]

MINIMUM = 6
"""Verified matches from which on an image is moved ahead; fewer agree by chance."""

_LARGEST_SCALE = 10.0


@dataclass(frozen=True)
class Match:
    """Key points of two pictures that look alike, and which of the pairs agree.

    Attributes
    ----------
    pairs : ndarray of intp, shape (n_pairs, 2)
        Indices into the first and the second picture's points.
    inliers : ndarray of bool, shape (n_pairs,)
        Whether a pair agrees with the transform that most agree with.
    """

    pairs: NDArray[np.intp]
    inliers: NDArray[np.bool_]


@dataclass(frozen=True)
class Verification:
    """Matching of local features, and verification by a transform (RANSAC).

    Attributes
    ----------
    model : {"affine", "homography"}
        The transform: of a plane seen from afar, or from near.
    ratio : float
        A match must be nearer than this share of the distance to the next best.
    tolerance : float
        Pixels by which an inlier may miss its place.

    References
    ----------
    M. A. Fischler, R. C. Bolles (1981), Random sample consensus, Comm. ACM 24(6),
    doi:10.1145/358669.358692; J. Philbin et al. (2007), Object retrieval with large vocabularies
    and fast spatial matching, CVPR, doi:10.1109/CVPR.2007.383172
    """

    version: ClassVar[str] = "spatial-verification 1"

    model: str = "affine"
    ratio: float = 0.8
    tolerance: float = 6.0

    def inliers(
        self,
        first_points: NDArray[np.floating],
        first_descriptors: Descriptors,
        second_points: NDArray[np.floating],
        second_descriptors: Descriptors,
        binary: bool,
    ) -> Match:
        """Match two pictures and verify.

        Parameters
        ----------
        first_points, second_points : ndarray, shape (n_points, at least 2)
            x and y in pixels, further columns ignored.
        first_descriptors, second_descriptors : ndarray of uint8 or int8, (n_points, n_dims)
            Compared by Euclidean distance, or packed bits compared by Hamming distance.
        binary : bool
            Whether they are bits.

        Raises
        ------
        ValueError
            If there is no such model.
        """
        if self.model not in ("affine", "homography"):
            raise ValueError(f"model {self.model!r} is neither 'affine' nor 'homography'")
        pairs = match(first_descriptors, second_descriptors, binary, self.ratio)
        places = np.asarray(first_points)[pairs[:, 0], :2].astype(np.float32)
        others = np.asarray(second_points)[pairs[:, 1], :2].astype(np.float32)
        return Match(pairs, self._agreeing(places, others))

    def _agreeing(
        self, places: NDArray[np.float32], others: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        nobody = np.zeros(len(places), bool)
        if len(places) < MINIMUM:
            return nobody
        if self.model == "affine":
            transform, mask = cv2.estimateAffine2D(
                places, others, method=cv2.RANSAC, ransacReprojThreshold=self.tolerance
            )
        else:
            transform, mask = cv2.findHomography(places, others, cv2.RANSAC, self.tolerance)
        if transform is None or not _is_sane(transform[:2, :2]):
            return nobody
        return np.asarray(mask).ravel().astype(bool)


def match(
    descriptors: Descriptors, others: Descriptors, binary: bool, ratio: float = 0.8
) -> NDArray[np.intp]:
    """Pair descriptors with their nearest neighbours where these are clearly nearest.

    Parameters
    ----------
    descriptors, others : ndarray of uint8 or int8, shapes (n, n_dims) and (m, n_dims)
        Packed bits if `binary`.
    binary : bool
        Whether Hamming distance compares them, or Euclidean.
    ratio : float
        Distance over the next best one's must be below this.

    Returns
    -------
    ndarray of intp, shape (n_pairs, 2)
        Ordered by the first index; each of `others` stands in its nearest pair only. Empty if
        there are fewer than two others.

    References
    ----------
    D. G. Lowe (2004), Distinctive image features from scale-invariant keypoints, IJCV 60(2),
    doi:10.1023/B:VISI.0000029664.99615.94
    """
    if not len(descriptors) or len(others) < 2:
        return np.empty((0, 2), np.intp)
    square = _squared(_values(descriptors, binary), _values(others, binary))
    nearest, every = square.argmin(axis=1), np.arange(len(square))
    least = square[every, nearest]
    square[every, nearest] = np.inf
    next_least = square.min(axis=1)
    if not binary:  # of bits the squares are Hamming's distance
        least, next_least = np.sqrt(np.maximum([least, next_least], 0))
    clear = np.flatnonzero(least < ratio * next_least)
    # The stable sort gives a contested point to its nearest suitor, then to the first.
    order = clear[np.argsort(least[clear], kind="stable")]
    _, kept = np.unique(nearest[order], return_index=True)
    chosen = np.sort(order[kept])
    return np.column_stack([chosen, nearest[chosen]])


def candidates(blocks: Iterable[Block], judgements: Judgements, count: int) -> NDArray[np.int32]:
    """First images of every query: those that are worth verifying.

    Parameters
    ----------
    blocks : iterable of Block
        The search's result.
    judgements : Judgements
        Excluded images of every query, in the same order.
    count : int
        Images wanted per query.

    Returns
    -------
    ndarray of int32, shape (n_queries, count)
        Gallery indices by distance, then by index; -1 where the gallery is exhausted.
    """
    found = np.full((len(judgements.of), count), -1, np.int32)
    for start, distances in blocks:
        for query, row in enumerate(distances, start):
            excluded = judgements.of[query].excluded
            nearest = first(row, count + len(excluded))
            nearest = nearest[~np.isin(nearest, excluded)][:count]
            found[query, : len(nearest)] = nearest
    return found


def rerank(
    blocks: Iterable[Block], found: NDArray[np.int32], inliers: NDArray[np.int32]
) -> Iterator[Block]:
    """Put verified candidates ahead of all others, those with most inliers first.

    Candidates of equally many inliers keep their order by distance; those at the same distance,
    too, remain tied. Candidates with fewer than `MINIMUM` inliers stay where they are.

    Parameters
    ----------
    blocks : iterable of Block
        The search's result.
    found : ndarray of int32, shape (n_queries, count)
        Gallery indices from `candidates`.
    inliers : ndarray of int32, shape (n_queries, count)
        Verified matches of every query with its candidates.
    """
    for start, distances in blocks:
        for query, row in enumerate(distances, start):
            verified = (found[query] >= 0) & (inliers[query] >= MINIMUM)
            moved = found[query][verified]
            keys = np.column_stack([-inliers[query][verified], row[moved]])
            places = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
            row[moved] = places - len(moved)  # negative: ahead of every distance
        yield Block(start, distances)


def _values(descriptors: Descriptors, binary: bool) -> NDArray[np.float32]:
    values = np.unpackbits(descriptors.view(np.uint8), axis=1) if binary else descriptors
    return values.astype(np.float32)


def _squared(left: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float32]:
    square = left @ right.T
    square *= -2
    square += np.vecdot(left, left)[:, None]
    square += np.vecdot(right, right)
    return square


def _is_sane(linear: NDArray[np.number]) -> bool:
    """Neither mirrored nor flattened nor blown up."""
    stretch = np.linalg.svd(linear, compute_uv=False)
    sane = stretch[-1] > 1 / _LARGEST_SCALE and stretch[0] < _LARGEST_SCALE
    return bool(sane and np.linalg.det(linear) > 0)
