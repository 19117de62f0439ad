"""The recorder: writes the record of every method on every query set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.formats.files import Json, remove_parts
from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.loading.training import training_fingerprint
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.records.card import protocol_card
from benchmarks.pipeline.records.description import require_own_results
from benchmarks.pipeline.records.parts import is_same
from benchmarks.pipeline.records.record import RecordPath, is_of
from benchmarks.pipeline.workers import Workforce
from datasets.errors import InputError
from datasets.task import Dataset, Task
from retrieval import protocol
from retrieval.metrics import chance, mean_scores
from retrieval.protocol import Judgements
from retrieval.ranking import Ranking

_BYTES_OF_PLACE = 8
"""x and y of a keypoint, for verification."""


@dataclass(frozen=True)
class Keypoints:
    """Counts of keypoints.

    Attributes
    ----------
    without : int
        Gallery and query images without any.
    mean : float
        Keypoints per gallery image.
    dims : int
        Bytes of a descriptor.
    """

    without: int
    mean: float
    dims: int


@dataclass(frozen=True)
class EvaluationResult:
    """A method's result on a query set.

    Attributes
    ----------
    task : Task
        The query set and its dataset.
    judgements : Judgements
        Relevant and excluded images of every query.
    ranking : Ranking
        Of every query.
    verification : dict
        Counts of verified matches; empty without verification.
    learned : dict
        What the fusion learned; empty where nothing was.
    dimensions : int
        Numbers per image.
    zero_vectors : int
        Images in which nothing was found.
    keypoints : Keypoints or None
        Of a method with local features.
    costs : dict
        Seconds of fitting, milliseconds of extraction and search.
    """

    task: Task
    judgements: Judgements
    ranking: Ranking
    verification: Json
    learned: Json
    dimensions: int
    zero_vectors: int
    keypoints: Keypoints | None
    costs: Json


@dataclass(frozen=True)
class Recorder:
    """Writes records of a dataset.

    Parameters
    ----------
    dataset : Dataset
        The methods' dataset.
    out : Path
        The results folder.
    seed : int
        Seed of the split, for the card.
    workforce : Workforce
        Shows messages.

    Raises
    ------
    InputError
        If pictures of the dataset, or files of others that would be replaced, lie in the folder
        of its results.
    """

    dataset: Dataset
    out: Path
    seed: int
    workforce: Workforce

    def __post_init__(self) -> None:
        """Look where the pictures lie: a table lists them from anywhere."""
        folder = self.out / self.dataset.name
        for place in {image.path.parent for _, image in self.dataset.images}:
            if place.resolve().is_relative_to(folder.resolve()):
                raise InputError(
                    f"--out {self.out}: would write into {folder}, where pictures of "
                    f"{self.dataset.name} lie ({place}); choose a place elsewhere"
                )
        require_own_results(folder)

    def path(self, task: Task, method: str) -> RecordPath:
        """Files of the record of a method, by name."""
        return RecordPath(self.out / self.dataset.name / "records" / task.query_set, method)

    def clear(self) -> None:
        """Remove what runs that were killed have left half written in the dataset's folder."""
        folder = self.out / self.dataset.name
        for place in (self.out, folder, *(path for path in folder.rglob("*") if path.is_dir())):
            remove_parts(place)

    def is_finished(self, method: Method) -> bool:
        """Whether every query set has the method's record."""
        return all(
            self.path(task, method.name).is_finished(self._key(task, method))
            for task in self.dataset.tasks
        )

    def require_records(self, methods: Sequence[Method]) -> None:
        """Require that every method has a record, of numbers or of why there are none.

        Raises
        ------
        InputError
            Naming a file that has been taken away.
        """
        for method in methods:
            for task in self.dataset.tasks:
                path = self.path(task, method.name)
                if path.read() is None:
                    raise InputError(
                        f"{path.file('.json')}: has gone while others were made; run again, "
                        "vectors are kept"
                    )

    def write(self, method: Method, result: EvaluationResult) -> None:
        """Write the record of a result, its ranking and costs."""
        task, ranking, dataset = result.task, result.ranking, self.dataset
        scored = int((ranking.relevant > 0).sum())
        distractors = sum(image.distractor is not None for image in dataset.gallery)
        record: Json = {
            "key": self._key(task, method),
            "method": method.name,
            "status": "ok",
            "note": method.note,
            "scores": mean_scores(ranking),
            "chance": chance(result.judgements),
            "counts": {
                "training images": len(dataset.training),
                "gallery images": len(dataset.gallery),
                "distractors": distractors,
                "queries": len(task.queries),
                "queries scored": scored,
                "queries left out": len(task.queries) - scored,
                "queries found in gallery": result.judgements.self_matches,
                "zero vectors": result.zero_vectors,
            },
            "dimensions": result.dimensions,
            "bytes_per_image": -(-result.dimensions * method.bits // 8),
            "card": protocol_card(task, method, self.seed),
        }
        if result.keypoints:
            found = result.keypoints
            record["counts"]["images without keypoints"] = found.without
            record["keypoints per gallery image"] = round(found.mean, 1)
            if method.verification:
                record["bytes_per_image"] += round(found.mean * (found.dims + _BYTES_OF_PLACE))
        if result.verification:
            record["verification"] = result.verification
        if result.learned:
            record["learned"] = result.learned
        self.path(task, method.name).write(record, ranking, result.costs)

    def skip(self, method: Method, reason: str) -> None:
        """Record why a method cannot run here; numbers of the same work stay."""
        kept = [task for task in self.dataset.tasks if self._has_numbers(task, method)]
        self._write_absence(method, "skipped", reason, kept)

    def fail(self, method: Method, reason: str) -> None:
        """Record the error that a method ended with; numbers of the same work stay."""
        self.workforce.log(f"{method.name} failed: {reason}")
        kept = [
            task
            for task in self.dataset.tasks
            if self.path(task, method.name).is_finished(self._key(task, method))
        ]
        self._write_absence(method, "failed", reason, kept)

    def _key(self, task: Task, method: Method) -> str:
        """Hash of everything that decides a record: data, method, training images, protocol."""
        parts = [self.dataset.fingerprint, task.query_set, method.identity, protocol.VERSION]
        return digest([*parts, self.seed, training_fingerprint(self.dataset)])

    def _has_numbers(self, task: Task, method: Method) -> bool:
        record = self.path(task, method.name).read() or {}
        card = record.get("card", {})
        if (record.get("status"), card.get("protocol version")) != ("ok", protocol.VERSION):
            return False
        is_ours = is_of(record, self.dataset.fingerprint, task.fingerprint)
        return is_ours and is_same(method.name, card["extractor"], method.card)

    def _write_absence(
        self, method: Method, status: str, reason: str, kept: Sequence[Task]
    ) -> None:
        for task in self.dataset.tasks:
            if task not in kept:
                card = protocol_card(task, method, self.seed)
                record = {"method": method.name, "status": status, "reason": reason, "card": card}
                self.path(task, method.name).write_absence(record)
        if kept:
            named = ", ".join(task.query_set for task in kept)
            self.workforce.log(f"{method.name} keeps its numbers of {named}; here {reason}")
