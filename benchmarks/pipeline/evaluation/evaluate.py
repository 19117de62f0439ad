"""Evaluation of a method on a dataset: fit, check, search, score every query set."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.formats.files import Json
from benchmarks.pipeline.evaluation.distributed import DistributedSearch
from benchmarks.pipeline.evaluation.fitted_method import FittedMethod
from benchmarks.pipeline.evaluation.sanity import check_precision, check_protocol, check_search
from benchmarks.pipeline.evaluation.verification import count_inliers, inlier_report
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.methods.method import VERIFIED, Method
from benchmarks.pipeline.records.recorder import EvaluationResult, Keypoints
from benchmarks.pipeline.workers import Workforce, cut
from datasets.task import Dataset, Task
from retrieval.knn import Block
from retrieval.protocol import Judgements, judge
from retrieval.ranking import Ranking, summarise
from retrieval.reranking.spatial import candidates, rerank
from retrieval.rows import release
from retrieval.search import Vectors

_BLOCK = 4096
"""Vectors in memory at a time."""


@dataclass(frozen=True)
class Searched:
    """A finished search.

    Attributes
    ----------
    ranking : Ranking
        Of all queries of a query set.
    verification : dict
        Counts of verified matches, of a method that verifies; else empty.
    milliseconds : float
        Duration per query.
    """

    ranking: Ranking
    verification: Json
    milliseconds: float


@dataclass
class Evaluation:
    """Evaluates methods on a dataset.

    Parameters
    ----------
    dataset : Dataset
        Gallery, queries and training images.
    cache : Path
        Folder for matrices while they are searched.
    workforce : Workforce
        Verifies matches, where a method does that.

    Attributes
    ----------
    judgements : dict of str to Judgements
        Query set to the relevant and excluded images of its queries.

    Raises
    ------
    SanityError
        If constant features would not score chance.
    """

    dataset: Dataset
    cache: Path
    workforce: Workforce

    def __post_init__(self) -> None:
        data = self.dataset
        self.judgements = {
            task.query_set: judge(task.queries, data.gallery, data.relevance, task.keeps_query)
            for task in data.tasks
        }
        for judgements in self.judgements.values():
            check_protocol(judgements)
        elsewhere = self.workforce.elsewhere
        self._distributed = elsewhere and DistributedSearch(elsewhere)

    def run(
        self, method: Method, extracted: Mapping[str, Extracted]
    ) -> Iterator[EvaluationResult]:
        """Fit a method and search with every query set.

        Parameters
        ----------
        method : Method
            To be evaluated.
        extracted : mapping of str to Extracted
            The vectors of all images by its extractors.

        Raises
        ------
        SanityError
            If a sanity check does not hold.
        TooLittleError
            If there is too little to learn weights from.
        """
        keys = [image.sha256 for image in self.dataset.gallery]
        for one in method.extractors:
            store = extracted[one.name].store
            # A few at a time: as a rule the first tell enough.
            few = (block for part in cut(keys) for block in store.blocks(part))
            check_precision(one.name, few)
        fitted = FittedMethod(method, self.dataset, extracted, self.cache)
        gallery = fitted.vectors(self.dataset.gallery)
        dimensions = sum(part.shape[1] for part in gallery)
        extraction_ms = self._extraction_ms(method, extracted)
        zero_vectors = count_zeros(gallery)
        for task in self.dataset.tasks:
            queries = fitted.vectors(task.queries)
            judgements = self.judgements[task.query_set]
            searched = self.search(task, fitted, queries, gallery)
            # Afterwards, as the search then knows the gallery's neighbour graph.
            check_search(method.name, fitted.search, queries, gallery, judgements)
            fit_seconds = fitted.fit_seconds
            costs = {
                "extraction_ms": extraction_ms,
                "fit_seconds": fit_seconds and round(fit_seconds, 4),
                "search_ms": searched.milliseconds,
            }
            yield EvaluationResult(
                task,
                judgements,
                searched.ranking,
                searched.verification,
                fitted.fusion.learned if fitted.fusion else {},
                dimensions,
                zero_vectors + count_zeros(queries),
                self._keypoints(task, method, extracted),
                costs,
            )

    def search(
        self, task: Task, fitted: FittedMethod, queries: Vectors, gallery: Vectors
    ) -> Searched:
        """Search with all queries of a query set.

        Parameters
        ----------
        task : Task
            The query set.
        fitted : FittedMethod
            Searches.
        queries, gallery : sequence of Rows
            Vectors that `fitted` gave.
        """
        # A fresh search knows no gallery yet, so its neighbour graph counts for every query set.
        fitted.search = fitted.method.search(fitted.fusion)
        if self._distributed and fitted.method.is_plain:
            fitted.search = self._distributed
        began = time.perf_counter()
        blocks, verification = self.blocks(task, fitted, queries, gallery)
        ranking = summarise(blocks, self.judgements[task.query_set])
        seconds = time.perf_counter() - began
        return Searched(ranking, verification, round(1e3 * seconds / len(task.queries), 4))

    def rank(
        self,
        method: Method,
        extracted: Mapping[str, Extracted],
        judgements: Mapping[str, Judgements],
    ) -> dict[str, Ranking]:
        """Search with every query set by other judgements.

        Parameters
        ----------
        method : Method
            Searches.
        extracted : mapping of str to Extracted
            The vectors of all images by its extractors.
        judgements : mapping of str to Judgements
            Query set to relevant and excluded images.

        Returns
        -------
        dict of str to Ranking
            By query set.

        Raises
        ------
        TooLittleError, NothingToLearnError
            If there is too little to learn from.
        """
        ranked = {}
        fitted = FittedMethod(method, self.dataset, extracted, self.cache)
        gallery = fitted.vectors(self.dataset.gallery)
        for task in self.dataset.tasks:
            judged = judgements[task.query_set]
            blocks, _ = self.blocks(task, fitted, fitted.vectors(task.queries), gallery, judged)
            ranked[task.query_set] = summarise(blocks, judged)
        return ranked

    def blocks(
        self,
        task: Task,
        fitted: FittedMethod,
        queries: Vectors,
        gallery: Vectors,
        judgements: Judgements | None = None,
    ) -> tuple[Iterable[Block], Json]:
        """Distances of all queries, by `judgements` or its own, and what verification counted."""
        method, judgements = fitted.method, judgements or self.judgements[task.query_set]
        blocks = fitted.search(queries, gallery, judgements)
        if not method.verification or not method.verified:
            return blocks, {}
        features = fitted.extracted[method.verified.name].features
        assert features is not None, "what is verified has local features"
        first = candidates(blocks, judgements, VERIFIED)
        inliers = count_inliers(
            method.verification,
            task.queries,
            self.dataset.gallery,
            first,
            features,
            self.workforce,
            f"verifying {method.name}",
        )
        # Searched once more rather than kept: only some queries are in memory at a time.
        reranked = rerank(fitted.search(queries, gallery, judgements), first, inliers)
        return reranked, inlier_report(first, inliers, judgements)

    def _extraction_ms(self, method: Method, extracted: Mapping[str, Extracted]) -> float | None:
        """Milliseconds per image; what several extractors begin with is counted once."""
        images = {image.sha256 for _, image in self.dataset.images}
        stores = {
            store.folder: store
            for one in method.extractors
            for store in extracted[one.name].stores
        }
        seconds = [store.seconds(images) for store in stores.values()]
        known = [one for one in seconds if one is not None]
        # Unknown where vectors have outlived what they were made from.
        return round(1e3 * sum(known) / len(images), 4) if len(known) == len(seconds) else None

    def _keypoints(
        self, task: Task, method: Method, extracted: Mapping[str, Extracted]
    ) -> Keypoints | None:
        """Counts of keypoints, of a method with local features."""
        found = method.verified and extracted[method.verified.name].features
        if not found or not method.verified or not method.verified.detector:
            return None
        gallery = {image.sha256: found.points(image.sha256) for image in self.dataset.gallery}
        every = [*gallery.values(), *(found.points(image.sha256) for image in task.queries)]
        mean = sum(gallery.values()) / len(gallery)
        return Keypoints(every.count(0), mean, method.verified.detector.dims)


def count_zeros(matrices: Vectors) -> int:
    """Images in which no extractor found anything."""
    empty = np.ones(matrices[0].shape[0], bool)
    for matrix in matrices:
        for start in range(0, len(empty), _BLOCK):
            part = slice(start, start + _BLOCK)
            block = matrix[part]
            empty[part] &= ~block.any(axis=1)
            release(block)
    return int(empty.sum())
