"""A method fitted on a dataset's training images, with vectors ready to be searched."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.cache.store import ArrayStore
from benchmarks.pipeline.extraction.contract import as_matrix
from benchmarks.pipeline.extraction.encode import fit_postprocessing
from benchmarks.pipeline.extraction.inputs import training_drawings
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.loading.training import LEAST, distinct, folds, require_training
from benchmarks.pipeline.loading.variants import is_drawn
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.method import Method
from datasets.task import Dataset, Image
from extractors.base import NothingToLearnError
from extractors.centring import DomainCentring
from extractors.matrices import scratch_matrix
from retrieval.fusion.base import Fold, FusionMethod
from retrieval.fusion.weights import TooLittleError
from retrieval.rows import release
from retrieval.search import Search, Vectors

CANNOT_LEARN = (TooLittleError, NothingToLearnError)
"""What a method raises whose training images are too few."""


def postprocess(extractor: ExtractorSteps, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply an extractor's fitted postprocessing to its head's vectors.

    The zero vector, of a picture in which nothing was found, stays the zero vector, unless zero
    is a value like any other.

    Parameters
    ----------
    extractor : ExtractorSteps
        Its postprocessing is fitted.
    vectors : ndarray of float32, shape (n_images, n_dims)
        Made by its head.

    Returns
    -------
    ndarray of float32, shape (n_images, n_dims after postprocessing)
    """
    steps, empty = extractor.postprocessing, ~vectors.any(axis=1)
    final = as_matrix(steps.transform(vectors) if steps else vectors, len(vectors))
    if getattr(extractor.head, "zero_is_nothing", True):
        final[empty] = 0
    return final


class FittedMethod:
    """A method with all that it learns; its matrices lie on disk while they are used.

    Parameters
    ----------
    method : Method
        Fitted on construction.
    dataset : Dataset
        Learned is from its training images.
    extracted : mapping of str to Extracted
        The vectors of all images by the method's extractors.
    cache : Path
        Folder on the disk that holds the matrices.

    Attributes
    ----------
    fusion : FusionMethod or None
        The fusion, fitted.
    centring : DomainCentring or None
        The centring, fitted.
    search : Search
        Searches vectors that `vectors` gave.
    fit_seconds : float or None
        Seconds that all fitting took; None if a part of them is not known.

    Raises
    ------
    TooLittleError
        If there is too little to learn weights from.
    NothingToLearnError
        If there is too little to learn something else from.
    LeakError
        If something would be learned from other than training images.
    """

    def __init__(
        self, method: Method, dataset: Dataset, extracted: Mapping[str, Extracted], cache: Path
    ) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        self.method = method
        self.extracted = extracted
        self._stores = [(one, extracted[one.name].store) for one in method.extractors]
        self._cache = cache
        self._seconds = 0.0
        self._drawn: set[str] = set()
        self.centring: DomainCentring | None = None
        self.fusion = self._fit(dataset)
        self.centring = self._fit_centring(dataset)
        self.search: Search = method.search(self.fusion)

    @property
    def fit_seconds(self) -> float | None:
        """Seconds that all fitting took; None if a part of them is not known."""
        known = [store.fit_seconds for _, store in self._stores]
        return None if None in known else sum(filter(None, known)) + self._seconds

    def vectors(self, images: Sequence[Image]) -> Vectors:
        """The images' vectors, in their order, as the search takes them."""
        matrices = self._matrices(images)
        return self.fusion.transform(matrices) if self.fusion else matrices

    def _fit(self, dataset: Dataset) -> FusionMethod | None:
        """Fit the postprocessing of every extractor, and their fusion."""
        fusion = self.method.fresh_fusion()
        if fusion is None or not fusion.learns:
            self._fit_postprocessing(dataset.training, dataset)
            return fusion.fit([], []) if fusion else None
        require_training(dataset.training, dataset)
        labelled = [image for image in distinct(dataset.training) if image.label]
        if not labelled:
            raise TooLittleError("weights are learned from training images with classes")
        rounds = self._rounds(labelled, dataset) if fusion.compares else []
        self._fit_postprocessing(dataset.training, dataset)
        training = self._matrices(labelled)
        began = time.perf_counter()
        fusion.fit(training, [image.label or "" for image in labelled], rounds)
        self._seconds += time.perf_counter() - began
        return fusion

    def _fit_centring(self, dataset: Dataset) -> DomainCentring | None:
        """Learn the means of photographs and of drawings, the training images' own."""
        centring = self.method.fresh_centring()
        if centring is None:
            return None
        drawn_sets = (images for name, images in dataset.queries.items() if is_drawn(name))
        self._drawn = {image.id for images in drawn_sets for image in images}
        [photographs] = self._matrices(dataset.training)
        drawings = training_drawings(dataset, centring.lines)
        drawn = [replace(one.image, sha256=one.key) for one in drawings]
        [of_drawings] = self._matrices(drawn) if drawn else [None]
        began = time.perf_counter()
        centring.fit(photographs, of_drawings)
        self._seconds += time.perf_counter() - began
        return centring

    def _rounds(self, labelled: Sequence[Image], dataset: Dataset) -> list[Fold]:
        """Training images as queries in turn, described by what has not learned from them."""
        if not any(one.postprocessing for one, _ in self._stores):
            return []
        if len(labelled) < LEAST:
            raise TooLittleError(f"weights are learned from at least {LEAST} training images")
        same = {
            one.name: self._matrix(labelled, one, store)
            for one, store in self._stores
            if not one.postprocessing
        }
        rounds = []
        for asking in folds(labelled):
            out = {labelled[index].sha256 for index in asking}
            self._fit_postprocessing([i for i in dataset.training if i.sha256 not in out], dataset)
            vectors = [
                same[one.name] if one.name in same else self._matrix(labelled, one, store)
                for one, store in self._stores
            ]
            rounds.append(Fold(asking, vectors))
        return rounds

    def _fit_postprocessing(self, images: Sequence[Image], dataset: Dataset) -> None:
        for one, store in self._stores:
            self._seconds += fit_postprocessing(one, images, dataset, store)

    def _matrices(self, images: Sequence[Image]) -> list[NDArray[np.float32]]:
        return [self._matrix(images, one, store) for one, store in self._stores]

    def _matrix(
        self, images: Sequence[Image], extractor: ExtractorSteps, store: ArrayStore
    ) -> NDArray[np.float32]:
        """An extractor's final vectors, on disk, written a block of images at a time."""
        matrix: NDArray[np.float32] | None = None
        done = 0
        for block in store.blocks([image.sha256 for image in images]):
            final = postprocess(extractor, block)
            if self.centring:
                drawn = [image.id in self._drawn for image in images[done : done + len(final)]]
                final = self.centring.transform(final, np.array(drawn))
            if matrix is None:
                shape = (len(images), final.shape[1])
                matrix = scratch_matrix(self._cache, np.float32, shape)
            matrix[done : done + len(final)] = final
            release(matrix[done : done + len(final)])
            done += len(final)
        assert matrix is not None, "a gallery and a query set have at least one image"
        return matrix
