"""Pictures to vectors and local features, in one pass: each picture is decoded once."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.cache.store import Store
from benchmarks.pipeline.workers import Workforce, cut
from datasets.errors import InputError, UnreadableImageError
from datasets.reading import Pixels, read_image
from datasets.task import Image
from extractors import Extractor
from extractors.local_features.detector import Detector, LocalFeatures

Made = NDArray[np.float32] | LocalFeatures
"""What is made of a picture: its vector, or its local features."""

_BATCH_BYTES = 64 * 2**20
"""Decoded pictures that a worker holds at a time, unless a single one is larger."""


def describe_all(
    stores: Mapping[str, Store[Any]],
    makers: Mapping[str, Extractor | Detector],
    images: Sequence[Image],
    workforce: Workforce,
    label: str,
) -> dict[str, str]:
    """Make every vector and every set of local features that is missing.

    Parameters
    ----------
    stores : mapping of str to VectorStore or FeatureStore
        Name to where things go.
    makers : mapping of str to Extractor or Detector
        Name to what makes them.
    images : sequence of Image
        The pictures that need them.
    workforce : Workforce
        Who works.
    label : str
        Text of the progress bar.

    Returns
    -------
    dict of str to str
        Name to what went wrong, for makers that failed on a picture.
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
        _Job({name: makers[name] for name in names}, {key: paths[key] for key in chunk})
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
    makers: dict[str, Extractor | Detector]
    paths: dict[str, Path]


def _describe(job: _Job) -> dict[str, tuple[list[Made], float] | str]:
    """What every maker made of the pictures and its seconds, or what went wrong."""
    made: dict[str, list[Made]] = {name: [] for name in job.makers}
    seconds = dict.fromkeys(job.makers, 0.0)
    failures: dict[str, str] = {}
    for pictures in _batches(job.paths.values()):
        for name in job.makers.keys() - failures.keys():
            began = time.perf_counter()
            try:
                found = list(job.makers[name].transform(pictures.values()))
            except Exception as error:
                failures[name] = _blame(job.makers[name], pictures) or repr(error)
                continue
            seconds[name] += time.perf_counter() - began
            for path, one in zip(pictures, found, strict=True):
                if not _is_finite(one):
                    failures.setdefault(name, f"gave values that are not finite for {path}")
            made[name] += found
    return {name: failures.get(name) or (made[name], seconds[name]) for name in job.makers}


def _is_finite(made: Made) -> bool:
    values = made.points if isinstance(made, LocalFeatures) else made
    return bool(np.isfinite(values).all())


def _batches(paths: Iterable[Path]) -> Iterator[dict[Path, Pixels]]:
    """Decode pictures, as many at a time as fit into a bounded memory."""
    batch: dict[Path, Pixels] = {}
    for path in paths:
        try:
            batch[path] = read_image(path)
        except UnreadableImageError as error:
            # It could be read when the dataset was listed.
            raise InputError(f"{path}: {error}; it has changed meanwhile, run again") from error
        if sum(picture.nbytes for picture in batch.values()) > _BATCH_BYTES:
            yield batch
            batch = {}
    if batch:
        yield batch


def _blame(maker: Extractor | Detector, pictures: Mapping[Path, Pixels]) -> str | None:
    """Find the first picture that the maker fails on."""
    for path, picture in pictures.items():
        try:
            maker.transform([picture])
        except Exception as error:
            return f"{type(error).__name__} on {path}: {error}"
    return None
