"""One row on one dataset: vectors, search, scores, record."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.formats.files import Json, write_json
from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.cache.store import Store
from benchmarks.pipeline.evaluation.fitted_method import Fitted
from benchmarks.pipeline.evaluation.sanity import check_protocol, check_search
from benchmarks.pipeline.evaluation.verification import count_inliers, inlier_report
from benchmarks.pipeline.extraction.extract import Vectors as Made
from benchmarks.pipeline.methods.extractor import training_fingerprint
from benchmarks.pipeline.methods.method import VERIFIED, Combination
from benchmarks.pipeline.records.card import protocol_card, protocol_code
from benchmarks.pipeline.records.record import PHOTOS, RecordPlace
from benchmarks.pipeline.workers import Workforce
from datasets.task import Dataset, Task
from retrieval.knn import Block
from retrieval.metrics import chance, mean_scores
from retrieval.protocol import Judgements, judge
from retrieval.ranking import Ranking, summarise
from retrieval.reranking.spatial import candidates, rerank
from retrieval.search import Vectors

ANSWERS = 10
"""Neighbours per query in the answers to an unlabelled challenge."""

_BYTES_OF_NUMBER = 4
"""Vectors are float32."""

_ROWS = 4096
"""Vectors looked at at a time."""

_BYTES_OF_PLACE = 8
"""x and y of a key point, for verification."""


def task_folder(out: Path, task: Task) -> Path:
    """Where the records of a task lie."""
    return out / task.dataset.name / "records" / task.query_set


def record_key(task: Task, row: Combination, seed: int) -> str:
    """Hash of everything that decides a record: data, extractor, training images, protocol."""
    parts = [task.dataset.fingerprint, task.query_set, row.identity, protocol_code(), seed]
    return digest([*parts, training_fingerprint(task.dataset)])


@dataclass
class Evaluation:
    """How rows are evaluated on a dataset.

    Parameters
    ----------
    dataset : Dataset
        What is searched.
    out, cache : Path
        Where records and vectors lie.
    seed : int
        For the card.
    workforce : Workforce
        Who verifies matches, where a row has that done.
    """

    dataset: Dataset
    out: Path
    cache: Path
    seed: int
    workforce: Workforce

    def __post_init__(self) -> None:
        data = self.dataset
        self.judgements = {
            task.query_set: judge(task.queries, data.gallery, data.relevance)
            for task in data.tasks
        }
        for judgements in self.judgements.values():
            check_protocol(judgements)

    def place(self, task: Task, row: Combination) -> RecordPlace:
        """Where the row's record goes."""
        return RecordPlace(task_folder(self.out, task), row.name)

    def is_finished(self, row: Combination) -> bool:
        """Whether every task has the row's record already, and a challenge its answers."""
        return all(
            self.place(task, row).is_finished(record_key(task, row, self.seed))
            and (self.dataset.labelled or self._answers(task, row).exists())
            for task in self.dataset.tasks
        )

    def run(self, combination: Combination, made: Made) -> None:
        """Search every query set with a row and record it.

        Parameters
        ----------
        combination : Combination
            The row.
        made : benchmarks.pipeline.extraction.extract.Vectors
            The vectors of all images by the row's extractors.

        Raises
        ------
        GateError
            If a sanity gate does not hold.
        TooLittleError
            If there is too little to learn weights from.
        """
        with Fitted(combination, self.dataset, made, self.cache) as fitted:
            gallery = fitted.vectors(self.dataset.gallery)
            dimensions = sum(part.shape[1] for part in gallery)
            for task in self.dataset.tasks:
                queries = fitted.vectors(task.queries)
                judgements = self.judgements[task.query_set]
                check_search(combination.name, fitted.search, queries, gallery, judgements)
                ranking, verified, search_ms = self.search(
                    task, combination, fitted, queries, gallery, made
                )
                record = self._record(task, combination, ranking) | verified
                if fitted.combining and fitted.combining.learned:
                    record["learned"] = fitted.combining.learned
                record["dimensions"] = dimensions
                record["bytes_per_image"] = dimensions * _BYTES_OF_NUMBER
                record["counts"]["zero vectors"] = _zeros(gallery) + _zeros(queries)
                self._note_features(record, task, combination, made)
                costs = self._costs(task, combination, made)
                costs |= {
                    "fit_seconds": round(fitted.fit_seconds, 4),
                    "search_ms": search_ms,
                }
                self.place(task, combination).write(record, ranking, costs)
                if not self.dataset.labelled:
                    self._answer(task, combination, ranking)

    def search(
        self,
        task: Task,
        combination: Combination,
        fitted: Fitted,
        queries: Vectors,
        gallery: Vectors,
        made: Made,
    ) -> tuple[Ranking, Json, float]:
        """Search with all queries; gives the ranking, what verification saw, and ms per query."""
        began = time.perf_counter()
        found, verified = self._search(task, combination, fitted, queries, gallery, made)
        ranking = summarise(found, self.judgements[task.query_set])
        seconds = time.perf_counter() - began
        return ranking, verified, round(1e3 * seconds / len(task.queries), 4)

    def rank(
        self, combination: Combination, made: Made, judgements: Mapping[str, Judgements]
    ) -> dict[str, Ranking]:
        """Search every query set by other judgements, without verification and any record.

        Parameters
        ----------
        combination : Combination
            The row.
        made : benchmarks.pipeline.extraction.extract.Vectors
            The vectors of all images by the row's extractors.
        judgements : mapping of str to Judgements
            Query set to what counts.
        """
        ranked = {}
        with Fitted(combination, self.dataset, made, self.cache) as fitted:
            gallery = fitted.vectors(self.dataset.gallery)
            for task in self.dataset.tasks:
                judged = judgements[task.query_set]
                found = fitted.search(fitted.vectors(task.queries), gallery, judged)
                ranked[task.query_set] = summarise(found, judged)
        return ranked

    def _search(
        self,
        task: Task,
        combination: Combination,
        fitted: Fitted,
        queries: Vectors,
        gallery: Vectors,
        made: Made,
    ) -> tuple[Iterable[Block], Json]:
        """What was found, and what verification saw, for the record."""
        judgements = self.judgements[task.query_set]
        blocks = fitted.search(queries, gallery, judgements)
        if not combination.verification or not combination.verified:
            return blocks, {}
        first = candidates(blocks, judgements, VERIFIED)
        inliers = count_inliers(
            combination.verification,
            task.queries,
            self.dataset.gallery,
            first,
            made.local_features(combination.verified.name),
            self.workforce,
            f"verifying {combination.name}",
        )
        report = {"verification": inlier_report(first, inliers, judgements)}
        # Searched once more rather than kept: only some queries are in memory at a time.
        return rerank(fitted.search(queries, gallery, judgements), first, inliers), report

    def _costs(self, task: Task, combination: Combination, made: Made) -> Json:
        """What extraction cost; what several extractors begin with is counted once."""
        images = {image.sha256 for _, image in self.dataset.images}
        stores: dict[Path, Store[Any]] = {}
        for row in combination.rows:
            used = (made.stores[row.name], made.features.get(row.name))
            stores |= {store.folder: store for store in used if store is not None}
        parts = [store.seconds(images) for store in stores.values()]
        known = [seconds for seconds in parts if seconds is not None]
        per_image = 1e3 * sum(known) / len(images) if len(known) == len(parts) else None
        # Unknown where vectors have outlived what they were made from.
        return {"extraction_ms": None if per_image is None else round(per_image, 4)}

    def _note_features(
        self, record: Json, task: Task, combination: Combination, made: Made
    ) -> None:
        """Count key points; what verification needs to keep is part of a picture's bytes."""
        row = combination.verified
        if row is None or row.detector is None:
            return
        features = made.local_features(row.name)
        found = {image.sha256: features.points(image.sha256) for image in self.dataset.gallery}
        asked = [features.points(image.sha256) for image in task.queries]
        record["counts"]["images without key points"] = [*found.values(), *asked].count(0)
        mean = sum(found.values()) / len(found)
        record["key points per gallery image"] = round(mean, 1)
        if combination.verification:
            record["bytes_per_image"] += round(mean * (row.detector.dims + _BYTES_OF_PLACE))

    def skip(self, row: Combination, reason: str) -> None:
        """Record why a row cannot run here; numbers of the same task and protocol stay."""
        kept = [task for task in self.dataset.tasks if self._has_numbers(task, row)]
        for task in self.dataset.tasks:
            if task not in kept:
                self._write_absence(task, row, "skipped", reason)
        if kept:
            named = ", ".join(task.query_set for task in kept)
            self.workforce.say(f"{row.name} keeps its numbers of {named}; here {reason}")

    def fail(self, row: Combination, reason: str) -> None:
        """Record that a row came to grief, and how."""
        self.workforce.say(f"{row.name} failed: {reason}")
        for task in self.dataset.tasks:
            self._write_absence(task, row, "failed", reason)

    def _has_numbers(self, task: Task, row: Combination) -> bool:
        record = self.place(task, row).read() or {}
        card = record.get("card", {})
        found = (record.get("status"), card.get("split hash"), card.get("protocol code"))
        return found == ("ok", self.dataset.fingerprint, protocol_code())

    def _write_absence(self, task: Task, row: Combination, status: str, reason: str) -> None:
        card = protocol_card(task, row, self.seed)
        record = {"row": row.name, "status": status, "reason": reason, "card": card}
        self.place(task, row).write_absence(record)

    def _record(self, task: Task, row: Combination, ranking: Ranking) -> Json:
        gallery = self.dataset.gallery
        judgements = self.judgements[task.query_set]
        scored = int((ranking.relevant > 0).sum())
        return {
            "key": record_key(task, row, self.seed),
            "row": row.name,
            "status": "ok",
            "note": row.note,
            "scores": mean_scores(ranking),
            "chance": chance(judgements),
            "counts": {
                "training images": len(self.dataset.training),
                "gallery images": len(gallery),
                "confusion images": sum(image.distractor is not None for image in gallery),
                "queries": len(task.queries),
                "queries scored": scored,
                "queries left out": len(task.queries) - scored,
                "queries found in gallery": judgements.self_matches,
            },
            "card": protocol_card(task, row, self.seed),
        }

    def _answer(self, task: Task, row: Combination, ranking: Ranking) -> None:
        """Write the answers to an unlabelled challenge, keyed by query."""
        names = [image.id.removeprefix("gallery/") for image in self.dataset.gallery]
        asked = [image.id.removeprefix(f"{task.query_set}/") for image in task.queries]
        found = ranking.neighbours[:, :ANSWERS].tolist()
        images = {
            query: [names[index] for index in indices if index >= 0]
            for query, indices in zip(asked, found, strict=True)
        }
        write_json(self._answers(task, row), {"groupname": row.name, "images": images})

    def _answers(self, task: Task, row: Combination) -> Path:
        folder = self.out / self.dataset.name / "answers"
        return (
            folder if task.query_set == PHOTOS else folder / task.query_set
        ) / f"{row.name}.json"


def _zeros(matrices: Vectors) -> int:
    """Images of which no extractor found anything."""
    empty = np.ones(matrices[0].shape[0], bool)
    for matrix in matrices:
        for start in range(0, len(empty), _ROWS):
            part = slice(start, start + _ROWS)
            empty[part] &= ~matrix[part].any(axis=1)
    return int(empty.sum())
