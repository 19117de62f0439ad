"""One row on one dataset: vectors, search, scores, record."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from benchmarks.card import protocol_card, protocol_code
from benchmarks.files import Json, write_json
from benchmarks.gates import check_protocol, check_search
from benchmarks.identity import digest
from benchmarks.learning import fit_tail
from benchmarks.progress import Workforce
from benchmarks.records import RecordPlace
from benchmarks.row import Row, training_fingerprint
from benchmarks.store import FeatureStore, MapStore, VectorStore
from benchmarks.verifying import count_inliers, inlier_report
from datasets.task import Dataset, Image, Task
from retrieval.geometry import candidates, rerank
from retrieval.knn import distances
from retrieval.metrics import chance, mean_scores
from retrieval.protocol import Judgements, judge
from retrieval.ranking import Ranking, summarise

ANSWERS = 10
"""Neighbours per query in the answers to an unlabelled challenge."""

_BYTES_OF_PLACE = 8
"""x and y of a key point, for verification."""


def task_folder(out: Path, task: Task) -> Path:
    """Where the records of a task lie."""
    return out / task.dataset.name / "records" / task.query_set


def record_key(task: Task, row: Row, seed: int) -> str:
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

    def place(self, task: Task, row: Row) -> RecordPlace:
        """Where the row's record goes."""
        return RecordPlace(task_folder(self.out, task), row.name)

    def is_finished(self, row: Row) -> bool:
        """Whether every task has the row's record already, and a challenge its answers."""
        if not self.dataset.labelled and not self._answers(row).exists():
            return False
        return all(
            self.place(task, row).is_finished(record_key(task, row, self.seed))
            for task in self.dataset.tasks
        )

    def run(
        self, row: Row, store: VectorStore, features: FeatureStore | MapStore | None = None
    ) -> None:
        """Search every query set with a row and record it.

        Parameters
        ----------
        row : Row
            Its head is fitted.
        store : VectorStore
            The head's vectors of all images.
        features : FeatureStore or MapStore, optional
            The local features or feature maps of all images, for rows that have them.
        """
        fit_tail(row, self.dataset.training, self.dataset, store)
        with _Matrices(self.cache) as matrices:
            gallery = matrices.build("gallery", self.dataset.gallery, row, store)
            for task in self.dataset.tasks:
                queries = matrices.build(task.query_set, task.queries, row, store)
                check_search(row.name, queries, gallery, self.judgements[task.query_set])
                began = time.perf_counter()
                ranking, verified = self._search(task, row, queries, gallery, features)
                seconds = time.perf_counter() - began
                record = self._record(task, row, ranking) | verified
                record["dimensions"] = gallery.shape[1]
                record["bytes_per_image"] = gallery.shape[1] * gallery.itemsize
                record["counts"]["zero vectors"] = _zeros(gallery) + _zeros(queries)
                if isinstance(features, FeatureStore):
                    self._note_features(record, task, row, features)
                costs = self._costs(task, row, store, features, seconds)
                self.place(task, row).write(record, ranking, costs)
                if not self.dataset.labelled:
                    self._answer(task, row, ranking)

    def rank(
        self, row: Row, store: VectorStore, judgements: Mapping[str, Judgements]
    ) -> dict[str, Ranking]:
        """Search every query set by other judgements, without verification and any record.

        Parameters
        ----------
        row : Row
            Its head is fitted.
        store : VectorStore
            The head's vectors of all images.
        judgements : mapping of str to Judgements
            Query set to what counts.
        """
        fit_tail(row, self.dataset.training, self.dataset, store)
        made = {}
        with _Matrices(self.cache) as matrices:
            gallery = matrices.build("gallery", self.dataset.gallery, row, store)
            for task in self.dataset.tasks:
                queries = matrices.build(task.query_set, task.queries, row, store)
                judged = judgements[task.query_set]
                made[task.query_set] = summarise(distances(queries, gallery), judged)
        return made

    def _search(
        self,
        task: Task,
        row: Row,
        queries: NDArray[np.float32],
        gallery: NDArray[np.float32],
        features: FeatureStore | MapStore | None,
    ) -> tuple[Ranking, Json]:
        """The ranking, and what verification saw, for the record."""
        judgements = self.judgements[task.query_set]
        blocks = distances(queries, gallery)
        verified: Json = {}
        if row.verification and isinstance(features, FeatureStore):
            first = candidates(blocks, judgements, row.verified)
            searched = self.dataset.gallery
            inliers = count_inliers(row, task.queries, searched, first, features, self.workforce)
            verified = {"verification": inlier_report(first, inliers, judgements)}
            blocks = rerank(distances(queries, gallery), first, inliers)
        return summarise(blocks, judgements), verified

    def _costs(
        self,
        task: Task,
        row: Row,
        store: VectorStore,
        features: FeatureStore | MapStore | None,
        search_seconds: float,
    ) -> Json:
        images = {image.sha256 for _, image in self.dataset.images}
        parts = [store.seconds(images), features.seconds(images) if features else 0.0]
        known = [seconds for seconds in parts if seconds is not None]
        per_image = 1e3 * sum(known) / len(images) if len(known) == len(parts) else None
        return {
            "fit_seconds": round(row.fit_seconds, 4),
            # Unknown where vectors have outlived what they were made from.
            "extraction_ms": None if per_image is None else round(per_image, 4),
            "search_ms": round(1e3 * search_seconds / len(task.queries), 4),
        }

    def _note_features(self, record: Json, task: Task, row: Row, features: FeatureStore) -> None:
        """Count key points; what verification needs to keep is part of a picture's bytes."""
        found = {image.sha256: features.points(image.sha256) for image in self.dataset.gallery}
        asked = [features.points(image.sha256) for image in task.queries]
        record["counts"]["images without key points"] = [*found.values(), *asked].count(0)
        mean = sum(found.values()) / len(found)
        record["key points per gallery image"] = round(mean, 1)
        if row.verification and row.detector:
            record["bytes_per_image"] += round(mean * (row.detector.dims + _BYTES_OF_PLACE))

    def skip(self, row: Row, status: str, reason: str) -> None:
        """Record that a row gave no numbers, and why."""
        for task in self.dataset.tasks:
            card = protocol_card(task, row, self.seed)
            record = {"row": row.name, "status": status, "reason": reason, "card": card}
            self.place(task, row).write_absence(record)

    def _record(self, task: Task, row: Row, ranking: Ranking) -> Json:
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

    def _answer(self, task: Task, row: Row, ranking: Ranking) -> None:
        """Write the answers to an unlabelled challenge, keyed by query."""
        names = [image.id.removeprefix("gallery/") for image in self.dataset.gallery]
        asked = [image.id.removeprefix("query/") for image in task.queries]
        found = ranking.neighbours[:, :ANSWERS].tolist()
        images = {
            query: [names[index] for index in indices if index >= 0]
            for query, indices in zip(asked, found, strict=True)
        }
        write_json(self._answers(row), {"groupname": row.name, "images": images})

    def _answers(self, row: Row) -> Path:
        return self.out / self.dataset.name / "answers" / f"{row.name}.json"


class _Matrices(AbstractContextManager["_Matrices"]):
    """Memory-mapped matrices in a temporary folder, written a block of rows at a time."""

    def __init__(self, cache: Path) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        self._folder = tempfile.TemporaryDirectory(dir=cache, prefix=".search-")

    def build(
        self, name: str, images: Sequence[Image], row: Row, store: VectorStore
    ) -> NDArray[np.float32]:
        """The row's final vectors of the images, in their order."""
        path = Path(self._folder.name) / f"{name}.npy"
        matrix: NDArray[np.float32] | None = None
        done = 0
        for block in store.blocks([image.sha256 for image in images]):
            made: Any = row.tail.transform(block) if row.tail else block
            dense = made.toarray() if scipy.sparse.issparse(made) else made
            final = np.asarray(dense, np.float32)
            if matrix is None:
                shape = (len(images), final.shape[1])
                matrix = np.lib.format.open_memmap(path, "w+", np.float32, shape)
            matrix[done : done + len(final)] = final
            done += len(final)
        assert matrix is not None, "a gallery and a query set have at least one image"
        return matrix

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()


def _zeros(matrix: NDArray[np.float32]) -> int:
    return int((~matrix.any(axis=1)).sum())
