"""A row on a dataset: all that it learns, learned, and vectors ready to be searched."""

import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from benchmarks.pipeline.cache.store import VectorStore
from benchmarks.pipeline.extraction.encode import LEAST, distinct, fit_tail, folds
from benchmarks.pipeline.extraction.extract import Vectors as Made
from benchmarks.pipeline.methods.extractor import Row, require_training
from benchmarks.pipeline.methods.method import Combination
from datasets.task import Dataset, Image
from retrieval.fusion.methods import Combining, Round
from retrieval.fusion.weights import TooLittleError
from retrieval.search import Search, Vectors


def finish(row: Row, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a row's tail, fitted, makes of the head's vectors: dense, one row per picture.

    The zero vector, of a picture in which nothing was found, stays the zero vector.
    """
    made: Any = row.tail.transform(vectors) if row.tail else vectors
    final = np.array(made.toarray() if scipy.sparse.issparse(made) else made, np.float32)
    final[~vectors.any(axis=1)] = 0
    return final


class Fitted(AbstractContextManager["Fitted"]):
    """What a row needs to be searched by; its matrices lie in a temporary folder.

    Parameters
    ----------
    combination : Combination
        The row.
    dataset : Dataset
        Its training images are learned from.
    made : benchmarks.pipeline.extraction.extract.Vectors
        The vectors of all images by the row's extractors.
    cache : Path
        Where the temporary folder goes.

    Attributes
    ----------
    combining : Combining or None
        What combines the extractors, fitted.
    search : Search
        Searches vectors that `vectors` made.
    fit_seconds : float
        What all fitting took.

    Raises
    ------
    TooLittleError
        If there is too little to learn weights from.
    """

    def __init__(
        self, combination: Combination, dataset: Dataset, made: Made, cache: Path
    ) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        self._rows = combination.rows
        self._stores = [made.stores[row.name] for row in combination.rows]
        self._folder = tempfile.TemporaryDirectory(
            dir=cache,
            prefix=".search-",
            ignore_cleanup_errors=True,  # Windows keeps what is still mapped
        )
        self._made = 0
        self.fit_seconds = sum(store.fit_seconds for store in self._stores)
        try:
            self.combining = self._combine(combination, dataset)
        except BaseException:
            self._folder.cleanup()
            raise
        self.search: Search = combination.search(self.combining)

    def vectors(self, images: Sequence[Image]) -> Vectors:
        """The images' vectors, in their order, as the search takes them."""
        matrices = self._matrices(images)
        return self.combining.transform(matrices) if self.combining else matrices

    def _combine(self, combination: Combination, dataset: Dataset) -> Combining | None:
        """Fit the tails, and what combines them."""
        combining = combination.fresh_combining()
        if combining is None or not combining.learns:
            self._fit_tails(dataset.training, dataset)
            return combining.fit([], []) if combining else None
        require_training(dataset.training, dataset)
        known = [image for image in distinct(dataset.training) if image.label]
        if not known:
            raise TooLittleError("weights are learned from training images with classes")
        rounds = self._rounds(known, dataset) if combining.compares else []
        self._fit_tails(dataset.training, dataset)
        training = self._matrices(known)
        began = time.perf_counter()
        combining.fit(training, [image.label or "" for image in known], rounds)
        self.fit_seconds += time.perf_counter() - began
        return combining

    def _rounds(self, known: Sequence[Image], dataset: Dataset) -> list[Round]:
        """Training images asking in turn, their vectors made by tails that have not seen them."""
        if not any(row.tail for row in self._rows):
            return []
        if len(known) < LEAST:
            raise TooLittleError(f"weights are learned from at least {LEAST} training images")
        pairs = list(zip(self._rows, self._stores, strict=True))
        same = {row.name: self._matrix(known, row, store) for row, store in pairs if not row.tail}
        rounds = []
        for asking in folds(known):
            out = {known[index].sha256 for index in asking}
            self._fit_tails([one for one in dataset.training if one.sha256 not in out], dataset)
            vectors = [
                self._matrix(known, row, store) if row.tail else same[row.name]
                for row, store in pairs
            ]
            rounds.append(Round(asking, vectors))
        return rounds

    def _fit_tails(self, images: Sequence[Image], dataset: Dataset) -> None:
        for row, store in zip(self._rows, self._stores, strict=True):
            self.fit_seconds += fit_tail(row, images, dataset, store)

    def _matrices(self, images: Sequence[Image]) -> list[NDArray[np.float32]]:
        return [
            self._matrix(images, row, store)
            for row, store in zip(self._rows, self._stores, strict=True)
        ]

    def _matrix(
        self, images: Sequence[Image], row: Row, store: VectorStore
    ) -> NDArray[np.float32]:
        """A row's final vectors, on disk, written a block of images at a time."""
        self._made += 1
        path = Path(self._folder.name) / f"{self._made}.npy"
        matrix: NDArray[np.float32] | None = None
        done = 0
        for block in store.blocks([image.sha256 for image in images]):
            final = finish(row, block)
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
