"""Geometric verification of a search's first images, from the local features on disk."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import Json
from benchmarks.pipeline.cache.feature_store import FeatureStore, StoredFeatures
from benchmarks.pipeline.workers import WorkerKilledError, Workforce, cut
from datasets.task import Image
from retrieval.protocol import Judgements
from retrieval.reranking.spatial import MINIMUM, Verification


@dataclass(frozen=True)
class _Job:
    verification: Verification
    query: StoredFeatures
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
    jobs = [
        _Job(
            verification,
            features.of([query.sha256]),
            features.of([gallery[index].sha256 for index in found if index >= 0]),
        )
        for query, found in zip(queries, candidates, strict=True)
    ]
    inliers = np.zeros(candidates.shape, np.int32)
    chunks = workforce.beside_files.chunks(_verify, cut(jobs, 4), label)
    number = 0
    for chunk in chunks:
        if isinstance(chunk, WorkerKilledError):
            raise RuntimeError(f"matching {queries[number].path} or a query next to it {chunk}")
        for counts in chunk:
            inliers[number, : len(counts)] = counts
            number += 1
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


def _verify(jobs: Sequence[_Job]) -> list[list[int]]:
    return [_verify_one(job) for job in jobs]


def _verify_one(job: _Job) -> list[int]:
    (asked,) = job.query
    return [
        int(
            job.verification.inliers(
                asked.points, asked.descriptors, found.points, found.descriptors, asked.binary
            ).inliers.sum()
        )
        for found in job.gallery
    ]
