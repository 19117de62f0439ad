"""Fitting of what learns, and encoding of local features: encoders, heads, postprocessing."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.cache import estimators
from benchmarks.pipeline.cache.feature_store import FeatureStore, Place, StoredFeatures
from benchmarks.pipeline.cache.store import ArrayStore
from benchmarks.pipeline.extraction.contract import as_matrix
from benchmarks.pipeline.extraction.describe import BESIDE
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.loading.listed import LazyImages
from benchmarks.pipeline.loading.training import require_training
from benchmarks.pipeline.methods.extractor import HEAD, ExtractorSteps, Identified
from benchmarks.pipeline.workers import Workforce
from datasets.errors import DamagedError
from datasets.task import Dataset, Image
from extractors.networks.saving import DamagedNetworkError
from extractors.precision import is_same

log = logging.getLogger(__name__)

_FEW = 16
"""Pictures beside which one must become what it becomes alone."""


def fit_head(
    extractor: ExtractorSteps,
    dataset: Dataset,
    store: ArrayStore,
    features: FeatureStore | None = None,
) -> None:
    """Fit a head that learns, unless all its vectors are stored already; see `learn_head`."""
    if store.missing([image.sha256 for _, image in dataset.images]):
        learn_head(extractor, dataset, store, features)


def learn_head(
    extractor: ExtractorSteps,
    dataset: Dataset,
    store: ArrayStore,
    features: FeatureStore | None = None,
) -> None:
    """Fit a head that learns, or load it as it was fitted on the same images before.

    Parameters
    ----------
    extractor : ExtractorSteps
        Its head is fitted.
    dataset : Dataset
        Learned is from its training images.
    store : ArrayStore
        The fitted head is kept beside its vectors.
    features : FeatureStore, optional
        Local features of the training images, from which an encoder learns; other heads learn
        from the images themselves.

    Raises
    ------
    NothingToLearnError
        If there is too little to learn from.
    """
    kept = store.folder / HEAD
    if kept.exists():
        try:
            extractor.head = estimators.load(kept, type(extractor.head))
            return
        except DamagedError as error:
            log.warning("%s is learned again: %s", extractor.name, error)
    require_training(dataset.training, dataset)
    began = time.perf_counter()
    if features is None:
        extractor.head.fit(LazyImages(dataset.training))
    else:
        extractor.head.fit(features.of([image.sha256 for image in dataset.training]))
    store.fit_seconds = time.perf_counter() - began
    if not isinstance(extractor.head, Identified):
        estimators.save(extractor.head, kept)


def restore_head(extractor: ExtractorSteps, dataset: Dataset, mine: Extracted) -> None:
    """Give a head what it learned when its vectors were made.

    Parameters
    ----------
    extractor : ExtractorSteps
        Its head is fitted or loaded, if it learns.
    dataset : Dataset
        Learned is from its training images.
    mine : Extracted
        The extractor's outcome.

    Raises
    ------
    DamagedError
        If the network that made the vectors is gone or damaged; they are then removed, so that
        the next run makes both.
    """
    if mine.training:
        try:
            extractor.head.load(mine.training)
        except (DamagedNetworkError, FileNotFoundError) as error:
            mine.store.clear()
            raise DamagedError(
                f"--extractor {extractor.name}: its network is gone or damaged, so its vectors "
                f"are removed ({error}); run again and it is trained anew"
            ) from error
    elif extractor.head_learns:
        learn_head(extractor, dataset, mine.store, mine.features)


def fit_postprocessing(
    extractor: ExtractorSteps, images: Sequence[Image], dataset: Dataset, store: ArrayStore
) -> float:
    """Fit an extractor's postprocessing on the vectors of training images.

    Parameters
    ----------
    extractor : ExtractorSteps
        Its postprocessing is fitted.
    images : sequence of Image
        Training images, or some of them.
    dataset : Dataset
        Whose training images these are.
    store : ArrayStore
        The head's vectors.

    Returns
    -------
    float
        Seconds that it took.

    Raises
    ------
    LeakError
        If one of the images is no training image.
    ValueError
        If a step does not treat each vector by itself.
    """
    require_training(images, dataset)
    if extractor.postprocessing is None:
        return 0.0
    vectors = np.concatenate(list(store.blocks([image.sha256 for image in images])))
    began = time.perf_counter()
    extractor.postprocessing.fit(vectors)
    seconds = time.perf_counter() - began
    _require_alone(
        extractor.postprocessing.transform, [vectors[:count].copy() for count in (1, _FEW)]
    )
    return seconds


def encode_all(
    extractors: Sequence[ExtractorSteps],
    extracted: Mapping[str, Extracted],
    dataset: Dataset,
    workforce: Workforce,
) -> None:
    """Fit encoders and make every vector that is missing from the local features on disk.

    Parameters
    ----------
    extractors : sequence of ExtractorSteps
        Those whose head is an encoder.
    extracted : mapping of str to Extracted
        Their stores; the local features are complete. What goes wrong is noted there.
    dataset : Dataset
        Its images are encoded.
    workforce : Workforce
        The workers.
    """
    keys = [image.sha256 for _, image in dataset.images]
    label = f"learning vocabularies of {dataset.name}"
    for one in workforce.track(extractors, len(extractors), label):
        mine = extracted[one.name]
        with mine.outcome():
            fit_head(one, dataset, mine.store, mine.features)
    for one in extractors:
        mine = extracted[one.name]
        if mine.is_usable and mine.features:
            with mine.outcome():
                places = {key: mine.features.place(key) for key in mine.store.missing(keys)}
                few = list(places.values())[:_FEW]
                _require_alone(partial(_encode, one.head), [few[:1], few])
                label = f"encoding {dataset.name} by {one.name}"
                broken = mine.store.fill(places, partial(_encode, one.head), workforce, label)
                if broken:
                    raise RuntimeError(f"an image's local features: {next(iter(broken.values()))}")


def _require_alone(transform: Callable[[Any], Any], batches: Sequence[Any]) -> None:
    """Require the first of some inputs to become the same in every batch of them."""
    firsts = [as_matrix(transform(batch), len(batch))[0] for batch in batches if len(batch)]
    if any(not is_same(one, firsts[0]) for one in firsts):
        raise ValueError(BESIDE)


def _encode(head: Any, places: Sequence[Place]) -> list[NDArray[np.float32]]:
    return list(as_matrix(head.transform(StoredFeatures(places)), len(places)))
