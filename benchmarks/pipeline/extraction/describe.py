"""Pictures to vectors and local features, in one pass: each picture is decoded once."""

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.cache.making import Filled
from benchmarks.pipeline.cache.store import Store, fill_all
from benchmarks.pipeline.loading.dataset import read_listed
from benchmarks.pipeline.workers import Workforce
from datasets.reading import Pixels
from datasets.task import Image
from extractors import Extractor
from extractors.local_features.detector import Detector, LocalFeatures
from extractors.preprocessing import shared

_BATCH_BYTES = 64 * 2**20
"""Decoded pictures that a worker holds at a time, unless a single one is larger."""


def describe_all(
    stores: Mapping[str, Store[Any]],
    describers: Mapping[str, Extractor | Detector],
    images: Sequence[Image],
    workforce: Workforce,
    label: str,
) -> dict[str, str]:
    """Make every vector and every set of local features that is missing.

    Parameters
    ----------
    stores : mapping of str to Store
        Name to the store to be filled.
    describers : mapping of str to Extractor or Detector
        Name to what its values are made by.
    images : sequence of Image
        The pictures.
    workforce : Workforce
        The workers.
    label : str
        Text of the progress bar.

    Returns
    -------
    dict of str to str
        Name to the first error of what failed on a picture.

    Raises
    ------
    InputError
        If a picture can no longer be read.
    """
    paths = {image.sha256: image.path for image in images}
    _, errors = fill_all(stores, paths, partial(_describe, describers), workforce, label)
    return errors


def _describe(
    describers: Mapping[str, Extractor | Detector], job: tuple[Sequence[str], Sequence[Path]]
) -> dict[str, Filled]:
    """Values and seconds of every describer that is named, or its error."""
    names, paths = job
    made: dict[str, list[Any]] = {name: [] for name in names}
    seconds = dict.fromkeys(names, 0.0)
    errors: dict[str, str] = {}
    for pictures in _batches(paths):
        with shared() as work:
            for name in [name for name in names if name not in errors]:
                began = time.perf_counter() + work.saved
                try:
                    values = list(describers[name].transform(pictures.values()))
                except Exception as error:
                    errors[name] = _blame(describers[name], pictures) or repr(error)
                    continue
                seconds[name] += time.perf_counter() + work.saved - began
                for path, value in zip(pictures, values, strict=True):
                    if not _is_finite(value):
                        errors.setdefault(name, f"gave values that are not finite for {path}")
                made[name] += values
    return {name: errors.get(name) or (made[name], seconds[name]) for name in names}


def _is_finite(value: NDArray[np.float32] | LocalFeatures) -> bool:
    values = value.points if isinstance(value, LocalFeatures) else value
    return bool(np.isfinite(values).all())


def _batches(paths: Sequence[Path]) -> Iterator[dict[Path, Pixels]]:
    """Decode pictures, as many at a time as fit into a bounded memory."""
    batch: dict[Path, Pixels] = {}
    for path in paths:
        batch[path] = read_listed(path)
        if sum(picture.nbytes for picture in batch.values()) > _BATCH_BYTES:
            yield batch
            batch = {}
    if batch:
        yield batch


def _blame(describer: Extractor | Detector, pictures: Mapping[Path, Pixels]) -> str | None:
    """Find the first picture that a describer fails on."""
    for path, picture in pictures.items():
        try:
            describer.transform([picture])
        except Exception as error:
            return f"{type(error).__name__} on {path}: {error}"
    return None
