"""Geometric verification of a search's first images, from the local features on disk."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import Json
from benchmarks.pipeline.cache.feature_store import FeatureStore, StoredFeatures
from benchmarks.pipeline.workers import WorkerKilledError, Workforce
from datasets.task import Image
from retrieval.protocol import Judgements
from retrieval.reranking.spatial import MINIMUM, Verification

_TOGETHER = 16
"""Queries that a worker verifies at a time; it reads each of their candidates once."""


@dataclass(frozen=True)
class _Job:
    """Some queries, their candidates, and the features of every image that is one."""

    verification: Verification
    queries: StoredFeatures
    candidates: NDArray[np.int32]
    images: Sequence[int]
    gallery: StoredFeatures


def count_inliers(
    verification: Verification,
    queries: Sequence[Image],
    gallery: Sequence[Image],
    candidates: NDArray[np.int32],
    features: FeatureStore,
    workforce: Workforce,
    label: str,
) -> NDArray[np.int32]:
    """Verified matches of every query with each of its candidates.

    Parameters
    ----------
    verification : Verification
        How two pictures' features are matched.
    queries, gallery : sequence of Image
        What was searched.
    candidates : ndarray of int32, shape (n_queries, first)
        Gallery indices; -1 for none.
    features : FeatureStore
        The local features of them all.
    workforce : Workforce
        Who works.
    label : str
        What the progress bar says.

    Returns
    -------
    ndarray of int32, shape (n_queries, first)
        0 where there is no candidate.
    """

    def job(start: int) -> _Job:
        part = slice(start, start + _TOGETHER)
        found = candidates[part]
        by_place = {features.place(gallery[one].sha256): one for one in found[found >= 0].tolist()}
        images = [by_place[place] for place in sorted(by_place)]
        return _Job(
            verification,
            features.of([query.sha256 for query in queries[part]]),
            found,
            images,
            features.of([gallery[image].sha256 for image in images]),
        )

    inliers = np.zeros(candidates.shape, np.int32)
    starts = range(0, len(queries), _TOGETHER)
    jobs = [job(start) for start in starts]
    for start, counts in zip(
        starts, workforce.beside_files.chunks(_verify, jobs, label), strict=True
    ):
        if isinstance(counts, WorkerKilledError):
            raise RuntimeError(f"matching {queries[start].path} or a query near it {counts}")
        inliers[start : start + _TOGETHER] = counts
    return inliers


def inlier_report(
    candidates: NDArray[np.int32], inliers: NDArray[np.int32], judgements: Judgements
) -> Json:
    """Count verified images, and the inliers of relevant and other ones on average.

    Parameters
    ----------
    candidates, inliers : ndarray of int32, shape (n_queries, first)
        Gallery indices, -1 for none, and the verified matches of each.
    judgements : Judgements
        Which images are right, in order of the queries.
    """
    right = np.stack(
        [
            np.isin(row, judgement.positive)
            for row, judgement in zip(candidates, judgements.of, strict=True)
        ]
    )
    wrong = ~right & (candidates >= 0)

    def mean(part: NDArray[np.bool_]) -> float | None:
        return round(float(inliers[part].mean()), 2) if part.any() else None

    return {
        "images verified": int((candidates >= 0).sum()),
        "images moved ahead": int((inliers >= MINIMUM).sum()),
        "mean inliers, right images": mean(right),
        "mean inliers, wrong images": mean(wrong),
    }


def _verify(job: _Job) -> NDArray[np.int32]:
    inliers, queries = np.zeros(job.candidates.shape, np.int32), list(job.queries)
    for image, found in zip(job.images, job.gallery, strict=True):
        for query, place in np.argwhere(job.candidates == image).tolist():
            asked = queries[query]
            match = job.verification.inliers(
                asked.points, asked.descriptors, found.points, found.descriptors, asked.binary
            )
            inliers[query, place] = match.inliers.sum()
    return inliers
