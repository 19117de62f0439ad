"""A dataset's training images and nothing else: what is not there cannot be looked at."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import datasets
from benchmarks.pipeline.extraction.encode import LEAST, distinct
from benchmarks.pipeline.loading.dataset import inspect, load
from benchmarks.pipeline.workers import Workforce
from datasets.errors import InputError, UnreadableImageError
from datasets.layout import Item
from datasets.reading import content_hash
from datasets.task import Dataset, Image


def load_training(text: str, cache: Path, workforce: Workforce, seed: int = 0) -> Dataset:
    """Load a dataset's training images, the same that `load` gives.

    Where the folders say which images are for training, no other file is decoded; the bytes of
    the others are hashed, since a training image that is also searched or asked does not count.
    Where images are dealt out by content, every file has its say in that.

    Parameters
    ----------
    text : str
        See `datasets.resolve`.
    cache, workforce, seed
        See `benchmarks.pipeline.loading.dataset.load`.

    Returns
    -------
    Dataset
        With neither gallery nor queries.

    Raises
    ------
    InputError
        If there is no such dataset, or no training image that could ask for another.
    """
    source, root = datasets.resolve(text)
    found = source.collect(root or cache / "datasets", workforce.each)
    if all(item.part for item in found.items):
        training = _training(found.items, source.name, cache, workforce)
        dataset = Dataset(source.name, found.root, training, (), {}, licence=source.licence)
    else:
        whole = load(text, cache, workforce, seed)
        dataset = replace(whole, gallery=(), queries={}, relevance={}, problems=())
    _require_classes(dataset, text)
    return dataset


def _training(
    items: Sequence[Item], name: str, cache: Path, workforce: Workforce
) -> tuple[Image, ...]:
    wanted = [item for item in items if item.part == "training"]
    inspected = inspect(wanted, name, cache, workforce)
    used = set(_hashes([item.path for item in items if item.part != "training"]))
    return tuple(
        Image(item.id, item.path, inspected[item.id].sha256, item.label, item.distractor)
        for item in wanted
        if inspected[item.id].problem is None and inspected[item.id].sha256 not in used
    )


def _hashes(paths: Sequence[Path]) -> Iterator[str]:
    for path in paths:
        try:
            yield content_hash(path)
        except UnreadableImageError:
            continue  # what cannot be opened is no copy of what can


def _require_classes(dataset: Dataset, text: str) -> None:
    images = distinct(dataset.training)
    labels = [image.label for image in images if image.label is not None]
    if len(images) < LEAST or len(set(labels)) == len(labels):
        raise InputError(
            f"--dataset {text}: tuning needs at least {LEAST} training images, two of them of one "
            f"class; there are {len(images)} of {len(set(labels))} classes"
        )
