"""What is learned: heads from training images, tails from their vectors. Encoded in parallel."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.cache.estimators import HEAD, keep, restore
from benchmarks.pipeline.cache.store import FeatureStore, StoredFeatures, VectorStore
from benchmarks.pipeline.methods.extractor import LeakError, Row, require_training
from benchmarks.pipeline.workers import Workforce, cut
from datasets.reading import LazyImages
from datasets.task import Dataset, Image
from extractors.base import Extractor, NothingToLearnError
from extractors.local_features.encoders import Encoder

FOLDS = 5
"""Parts of the training images that ask in turn: what is learned from vectors then is learned
from the others."""

LEAST = 3
"""Training images, of which one asks while something is learned from the others."""


def fit_head(
    row: Row, dataset: Dataset, store: VectorStore, features: FeatureStore | None = None
) -> None:
    """Fit a head that learns, unless all its vectors are there already; see `learn_head`."""
    if store.missing([image.sha256 for _, image in dataset.images]):
        learn_head(row, dataset, store, features)


def learn_head(
    row: Row, dataset: Dataset, store: VectorStore, features: FeatureStore | None = None
) -> None:
    """Fit a head that learns, or take it as it was learned from the same images before.

    An encoder learns from the local features of the training images, which must be in
    `features`; other heads from the images themselves.
    """
    kept = store.folder / HEAD
    if kept.exists():
        row.head = restore(kept, type(row.head))
        return
    require_training(dataset.training, dataset)
    began = time.perf_counter()
    if isinstance(row.head, Encoder):
        assert features is not None, "an encoder stands behind a detector"
        row.head.fit(features.of([image.sha256 for image in dataset.training]))
    else:
        assert isinstance(row.head, Extractor), "feature maps are learned from elsewhere"
        row.head.fit(LazyImages([image.path for image in dataset.training]))
    store.fit_seconds = time.perf_counter() - began
    keep(row.head, kept)


def fit_tail(row: Row, images: Sequence[Image], dataset: Dataset, store: VectorStore) -> float:
    """Fit the row's tail on the vectors of training images; returns how long it took.

    Raises
    ------
    LeakError
        If they are not all training images.
    """
    require_training(images, dataset)
    if row.tail is None:
        return 0.0
    vectors = np.concatenate(list(store.blocks([image.sha256 for image in images])))
    began = time.perf_counter()
    row.tail.fit(vectors)
    return time.perf_counter() - began


def distinct(images: Sequence[Image]) -> tuple[Image, ...]:
    """The images without copies of the same bytes, in their order.

    A copy would be found at once, and its class would judge, whatever describes it.
    """
    first = {image.sha256: image for image in reversed(images)}
    return tuple(image for image in images if first[image.sha256] is image)


def folds(images: Sequence[Image], count: int = FOLDS) -> list[NDArray[np.intp]]:
    """Deal images into parts by their content, whatever their names and order.

    Returns
    -------
    list of ndarray of intp
        Indices of the images of each part; no part is empty.
    """
    order = np.argsort([image.sha256 for image in images])
    return [np.sort(order[start::count]) for start in range(min(count, len(images)))]


def encode_all(
    rows: Sequence[Row],
    stores: Mapping[str, VectorStore],
    features: Mapping[str, FeatureStore],
    dataset: Dataset,
    workforce: Workforce,
) -> tuple[dict[str, str], dict[str, str]]:
    """Fit encoders and make every vector that is missing, from local features on disk.

    Parameters
    ----------
    rows : sequence of Row
        Rows whose head is an encoder.
    stores, features : mapping of str
        Row name to where its vectors go, and where its local features lie, complete.
    dataset : Dataset
        Its images are encoded.
    workforce : Workforce
        Who works.

    Returns
    -------
    skipped, failures : dict of str to str
        Row name to why there was nothing to learn from, and to what went wrong.
    """
    skipped: dict[str, str] = {}
    failures: dict[str, str] = {}
    label = f"encoding {dataset.name}"
    for row in workforce.track(rows, len(rows), f"learning words of {dataset.name}"):
        try:
            fit_head(row, dataset, stores[row.name], features[row.name])
        except NothingToLearnError as error:
            skipped[row.name] = str(error)
        except LeakError:
            raise
        except Exception as error:
            failures[row.name] = f"{type(error).__name__}: {error}"
    jobs = [
        _Job(row.name, row.head, features[row.name].of(keys), tuple(keys))
        for row in rows
        if row.name not in skipped | failures and isinstance(row.head, Encoder)
        for keys in cut(stores[row.name].missing([image.sha256 for _, image in dataset.images]))
    ]
    for job, (vectors, seconds) in zip(jobs, workforce.chunks(_encode, jobs, label), strict=True):
        stores[job.name].add(job.keys, vectors, seconds)
    return skipped, failures


@dataclass(frozen=True)
class _Job:
    name: str
    head: Encoder
    features: StoredFeatures
    keys: tuple[str, ...]


def _encode(job: _Job) -> tuple[list[NDArray[np.float32]], float]:
    features = list(job.features)
    began = time.perf_counter()
    vectors = list(job.head.transform(features))
    return vectors, time.perf_counter() - began
