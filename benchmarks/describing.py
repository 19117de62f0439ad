"""Pictures to vectors, for all rows in one pass: each picture is decoded once."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from benchmarks.identity import digest, identity
from benchmarks.progress import Workforce, cut
from benchmarks.store import VectorStore
from datasets.reading import LazyImages, Pixels, read_image
from datasets.task import Dataset, Image
from extractors import Extractor

_BATCH_BYTES = 64 * 2**20
"""Decoded pictures that a worker holds at a time, unless a single one is larger."""


class LeakError(RuntimeError):
    """Something was to be fitted on images that are searched or asked."""


@dataclass
class Row:
    """A row of the benchmark: a name of the menu and its extractor, ready to work.

    The extractor is cut in two: `head` makes a vector of each picture and is what costs time,
    `tail` is what scikit-learn then learns and does with vectors (scaling, say), or None.
    """

    name: str
    estimator: Extractor | Pipeline
    fit_seconds: float = 0.0

    def __post_init__(self) -> None:
        fresh = clone(self.estimator)
        steps = [step for _, step in fresh.steps] if isinstance(fresh, Pipeline) else [fresh]
        self.head: Extractor = steps[0]
        self.tail: Pipeline | None = Pipeline(fresh.steps[1:]) if len(steps) > 1 else None

    @property
    def head_learns(self) -> bool:
        """Whether the head itself has to be fitted on pictures."""
        return type(self.head).fit is not Extractor.fit

    @property
    def learns(self) -> bool:
        """Whether anything has to be fitted."""
        return self.head_learns or self.tail is not None

    @cached_property
    def identity(self) -> dict[str, object]:
        """What decides the row's vectors, training images aside."""
        return {"head": identity(self.head), "tail": self.tail and identity(self.tail)}

    def store(self, cache: Path, dataset: Dataset, forget: bool = False) -> VectorStore:
        """Open the store of the head's vectors; a head that learned has one per training set."""
        whole: dict[str, object] = {"head": self.identity["head"]}
        if self.head_learns:
            whole["training"] = training_fingerprint(dataset)
        return VectorStore(cache / "vectors", self.name, whole, forget)


def training_fingerprint(dataset: Dataset) -> str:
    """Content hash of the training images."""
    return digest([(image.sha256, image.label) for image in dataset.training])


def require_training(images: Sequence[Image], dataset: Dataset) -> None:
    """Allow nothing but the dataset's training images to be fitted on.

    Raises
    ------
    LeakError
        If one of the images is no training image, or is also searched or asked.
    """
    allowed = {image.id: image.sha256 for image in dataset.training}
    used = {image.sha256 for part, image in dataset.images if part != "training"}
    for image in images:
        if allowed.get(image.id) != image.sha256 or image.sha256 in used:
            raise LeakError(f"{image.id}: not a training image of {dataset.name}; never fit on it")


def fit_head(row: Row, dataset: Dataset, store: VectorStore) -> None:
    """Fit a head that learns from pictures, unless all its vectors are there already."""
    if store.missing([image.sha256 for _, image in dataset.images]):
        require_training(dataset.training, dataset)
        began = time.perf_counter()
        row.head.fit(LazyImages([image.path for image in dataset.training]))
        store.fit_seconds = time.perf_counter() - began
    row.fit_seconds = store.fit_seconds


def fit_tail(row: Row, images: Sequence[Image], dataset: Dataset, store: VectorStore) -> None:
    """Fit the row's tail on the vectors of training images.

    Raises
    ------
    LeakError
        If they are not all training images.
    """
    require_training(images, dataset)
    if row.tail is None:
        return
    vectors = np.concatenate(list(store.blocks([image.sha256 for image in images])))
    began = time.perf_counter()
    row.tail.fit(vectors)
    row.fit_seconds += time.perf_counter() - began


def describe_all(
    stores: Mapping[str, VectorStore],
    heads: Mapping[str, Extractor],
    images: Sequence[Image],
    workforce: Workforce,
    label: str,
) -> dict[str, str]:
    """Make every vector that is missing.

    Parameters
    ----------
    stores : mapping of str to VectorStore
        Row name to where its vectors go.
    heads : mapping of str to Extractor
        Row name to what makes them.
    images : sequence of Image
        The pictures that need one.
    workforce : Workforce
        Who works.
    label : str
        Text of the progress bar.

    Returns
    -------
    dict of str to str
        Row name to what went wrong, for rows whose extractor failed on a picture.
    """
    paths = {image.sha256: image.path for image in images}
    wanted: dict[str, list[str]] = defaultdict(list)
    for name, store in stores.items():
        for key in store.missing(list(paths)):
            wanted[key].append(name)
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for key, names in wanted.items():
        together[tuple(names)].append(key)
    jobs = [
        _Job({name: heads[name] for name in names}, {key: paths[key] for key in chunk})
        for names, keys in together.items()
        for chunk in cut(keys)
    ]
    failures: dict[str, str] = {}
    for job, results in zip(jobs, workforce.chunks(_describe, jobs, label), strict=True):
        for name, result in results.items():
            if isinstance(result, str):
                failures.setdefault(name, result)
            else:
                stores[name].add(list(job.paths), *result)
    return failures


@dataclass(frozen=True)
class _Job:
    heads: dict[str, Extractor]
    paths: dict[str, Path]


def _describe(job: _Job) -> dict[str, tuple[NDArray[np.float32], float] | str]:
    """Vectors and seconds of every row, or what went wrong."""
    parts: dict[str, list[NDArray[np.float32]]] = {name: [] for name in job.heads}
    seconds = dict.fromkeys(job.heads, 0.0)
    failures: dict[str, str] = {}
    for pictures in _batches(job.paths.values()):
        for name in job.heads.keys() - failures.keys():
            began = time.perf_counter()
            try:
                vectors = job.heads[name].transform(pictures.values())
            except Exception as error:
                failures[name] = _blame(job.heads[name], pictures) or repr(error)
                continue
            seconds[name] += time.perf_counter() - began
            finite = np.isfinite(vectors).all(axis=1)
            if not finite.all():
                bad = list(pictures)[int(np.argmin(finite))]
                failures[name] = f"gave values that are not finite for {bad}"
            parts[name].append(vectors)
    return {
        name: failures.get(name) or (np.concatenate(parts[name]), seconds[name])
        for name in job.heads
    }


def _batches(paths: Iterable[Path]) -> Iterator[dict[Path, Pixels]]:
    """Decode pictures, as many at a time as fit into a bounded memory."""
    batch: dict[Path, Pixels] = {}
    for path in paths:
        batch[path] = read_image(path)
        if sum(picture.nbytes for picture in batch.values()) > _BATCH_BYTES:
            yield batch
            batch = {}
    if batch:
        yield batch


def _blame(head: Extractor, pictures: Mapping[Path, Pixels]) -> str | None:
    """Find the first picture that the extractor fails on."""
    for path, picture in pictures.items():
        try:
            head.transform([picture])
        except Exception as error:
            return f"{type(error).__name__} on {path}: {error}"
    return None
