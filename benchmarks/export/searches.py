"""Searches of methods: neighbours and distances of every query, as rows or for trec_eval."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.tables import Row
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.fitted_method import FittedMethod
from datasets.errors import InputError
from datasets.task import Task
from retrieval.knn import GRID, GridDistances, first
from retrieval.protocol import Judgement

ROW = {"query": str, "rank": int, "image": str, "distance": float, "relevant": int}
"""Columns of `Found.rows` and their types."""


def searches(evaluation: Evaluation, ready: FittedMethod) -> Iterator[tuple[str, "Found"]]:
    """Search with every query set of a dataset; gives its name and what was found.

    Parameters
    ----------
    evaluation : Evaluation
        Of the dataset.
    ready : FittedMethod
        The method.
    """
    dataset, method = evaluation.dataset, ready.method
    gallery = ready.vectors(dataset.gallery)
    for task in dataset.tasks:
        ready.search = method.search(ready.fusion)
        blocks, _ = evaluation.blocks(task, ready, ready.vectors(task.queries), gallery)
        yield (
            task.query_set,
            Found(evaluation, task, (row for block in blocks for row in block.distances)),
        )


class Found:
    """Distances of the queries of a task, by a method, as rows and as text for trec_eval.

    Parameters
    ----------
    evaluation : Evaluation
        Knows who is relevant, and who does not take part.
    task : Task
        The query set.
    distances : iterator of ndarray of int32, shape (n_gallery,)
        One of each query, in order; consumed once.

    Attributes
    ----------
    size : int
        Images in the gallery.
    """

    def __init__(
        self, evaluation: Evaluation, task: Task, distances: Iterator[GridDistances]
    ) -> None:
        self.size = len(task.dataset.gallery)
        self._judged = evaluation.judgements[task.query_set].of
        self._queries = [image.id for image in task.queries]
        judged = task.dataset.relevance
        self._is_known = [bool(image.labels) or image.id in judged for image in task.queries]
        self._gallery = [image.id for image in task.dataset.gallery]
        self._distances = distances

    def rows(self, k: int) -> Iterator[list[Row]]:
        """Rows of the k nearest images of each query; no word on relevance where none is known."""
        nearest = zip(self._nearest(k), self._is_known, strict=True)
        for (query, judged, order, row), is_known in nearest:
            right = np.isin(order, judged.positive).astype(int).tolist()
            right = right if is_known else [None] * len(order)
            # Verified images stand before all others by negative numbers.
            lengths = np.sqrt((row[order] - min(0, row.min())) * GRID).tolist()
            found = zip(order.tolist(), lengths, right, strict=True)
            yield [
                (query, rank, self._gallery[index], length, relevant)
                for rank, (index, length, relevant) in enumerate(found, 1)
            ]

    def run(self, tag: str, k: int) -> str:
        """A run of trec_eval; images at one distance have one score, so that ties stay ties."""
        lines = []
        for query, _, order, row in self._nearest(k):
            _, places = np.unique(row[order], return_inverse=True)
            for rank, (index, place) in enumerate(zip(order, places, strict=True), 1):
                image = _word(self._gallery[index])
                lines.append(f"{_word(query)} Q0 {image} {rank} {-place} {_word(tag)}\n")
        return "".join(lines)

    def qrels(self) -> str:
        """Relevant images of every query with their grades, as trec_eval reads them.

        Empty where nobody has said what is relevant.

        Raises
        ------
        InputError
            If a grade is no whole number, which it would cut.
        """
        lines = []
        for query, judged in zip(self._queries, self._judged, strict=True):
            for index in judged.positive.tolist():
                grade, image = judged.grades.get(index, 1), self._gallery[index]
                if grade != int(grade):
                    raise InputError(
                        f"{query}: {image!r} has grade {grade:g}, and trec_eval reads whole "
                        "numbers only; multiply the grades"
                    )
                lines.append(f"{_word(query)} 0 {_word(image)} {int(grade)}\n")
        return "".join(lines)

    def _nearest(self, k: int) -> Iterator[tuple[str, Judgement, NDArray[np.intp], GridDistances]]:
        """Every query with its judgement, the nearest images that take part, and all distances."""
        for query, judged, row in zip(self._queries, self._judged, self._distances, strict=True):
            taking_part = np.delete(np.arange(len(row)), judged.excluded)
            yield query, judged, taking_part[first(row[taking_part], k)], row


def _word(name: str) -> str:
    """A name without blanks, which separate the columns of trec_eval."""
    return re.sub(r"[\s%]", lambda found: quote(found[0]), name)
