"""Training images: loaded alone, dealt into folds, and guarded, so that nothing leaks."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.loading.dataset import collect, file_hashes, inspect, load
from benchmarks.pipeline.workers import Workforce
from datasets.errors import InputError
from datasets.layout import Item
from datasets.task import Dataset, Image

FOLDS = 5
"""Parts of the training images that are queries in turn: whatever learns from vectors then
learns from the others."""

LEAST = 3
"""Training images, of which one is a query while something is learned from the others."""


class LeakError(RuntimeError):
    """Fitting on gallery or query images was attempted."""


def training_fingerprint(dataset: Dataset) -> str:
    """Content hash of the training images and their classes."""
    return digest([(image.sha256, image.label) for image in dataset.training])


def require_training(images: Sequence[Image], dataset: Dataset) -> None:
    """Allow nothing but the dataset's training images to be fitted on.

    Parameters
    ----------
    images : sequence of Image
        About to be fitted on.
    dataset : Dataset
        Tells which images are for training.

    Raises
    ------
    LeakError
        If one of the images is no training image, or is also a gallery or query image.
    """
    allowed = {image.id: image.sha256 for image in dataset.training}
    used = {image.sha256 for part, image in dataset.images if part != "training"}
    for image in images:
        if allowed.get(image.id) != image.sha256 or image.sha256 in used:
            raise LeakError(f"{image.id}: not a training image of {dataset.name}; never fit on it")


def distinct(images: Sequence[Image]) -> tuple[Image, ...]:
    """The images without copies of the same bytes, in their order.

    A copy would be found at once, and its class would judge, whatever describes it.
    """
    first = {image.sha256: image for image in reversed(images)}
    return tuple(image for image in images if first[image.sha256] is image)


def folds(images: Sequence[Image]) -> list[NDArray[np.intp]]:
    """Deal images into `FOLDS` parts by their content, whatever their names and order.

    Parameters
    ----------
    images : sequence of Image
        At least one; fewer than `FOLDS` make a part each.

    Returns
    -------
    list of ndarray of intp
        Indices of the images of each part; no part is empty.
    """
    order = np.argsort([image.sha256 for image in images])
    return [np.sort(order[start::FOLDS]) for start in range(min(FOLDS, len(images)))]


def load_training(
    text: str, cache: Path, workforce: Workforce, seed: int = 0, layout: Sequence[str] = ()
) -> Dataset:
    """Load a dataset's training images and nothing else, the same that `load` gives.

    Where the folders say which images are for training, no other file is decoded; the bytes of
    the others are hashed, since a training image that is also a gallery or query image does not
    count. Where images are dealt out by content, every file has its say in that.

    Parameters
    ----------
    text : str
        Name, path or NAME=PATH, see `datasets.resolve`.
    cache : Path
        Folder of rendered datasets, and of what is known of files.
    workforce : Workforce
        The workers.
    seed : int
        Seed of the split, where the folders give none.
    layout : sequence of str
        Form of the folder, if the user names it; see `datasets.recognition.by_hand`.

    Returns
    -------
    Dataset
        With neither gallery nor queries.

    Raises
    ------
    InputError
        If there is no such dataset, or no training image that could be a query for another.
    """
    source, found = collect(text, cache, workforce, layout)
    if all(item.part for item in found.items):
        training = _training(found.items, source.name, cache, workforce)
        dataset = Dataset(source.name, found.root, training, (), {}, licence=source.licence)
    else:
        whole = load(text, cache, workforce, seed, layout)
        dataset = replace(whole, gallery=(), queries={}, relevance={}, problems=())
    _require_classes(dataset, text)
    return dataset


def _training(
    items: Sequence[Item], name: str, cache: Path, workforce: Workforce
) -> tuple[Image, ...]:
    wanted = [item for item in items if item.part == "training"]
    others = [item.path for item in items if item.part != "training"]
    inspected = inspect(wanted, name, cache, workforce)
    # What cannot be opened is no copy of what can.
    hashes, _ = file_hashes(others, name, cache, workforce)
    used = set(hashes.values())
    return tuple(
        item.to_image(inspected[item.id].sha256)
        for item in wanted
        if inspected[item.id].problem is None and inspected[item.id].sha256 not in used
    )


def _require_classes(dataset: Dataset, text: str) -> None:
    images = distinct(dataset.training)
    labels = [image.label for image in images if image.label is not None]
    if len(images) < LEAST or len(set(labels)) == len(labels):
        raise InputError(
            f"--dataset {text}: tuning needs at least {LEAST} training images, two of them of one "
            f"class; there are {len(images)} of {len(set(labels))} classes"
        )
