"""Pictures to vectors and local features, in one pass: each picture is decoded once."""

import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.cache.making import Filled
from benchmarks.pipeline.cache.store import Store, fill_all
from benchmarks.pipeline.extraction.contract import as_values
from benchmarks.pipeline.extraction.inputs import Input
from benchmarks.pipeline.workers import WorkerKilledError, Workforce
from datasets.reading import Pixels
from extractors import Extractor
from extractors.local_features.detector import Detector, LocalFeatures
from extractors.precision import is_same
from extractors.preprocessing import Shared, shared

BESIDE = (
    "a vector depends on the pictures beside it or on chance, so that no ranking would mean "
    "anything; describe each picture by itself"
)
"""Words on vectors that are not the same from call to call."""

_BATCH_BYTES = 64 * 2**20
"""Decoded pictures that a worker holds at a time, unless a single one is larger."""


Steps = Sequence[Extractor | Detector | Any]
"""Steps from pictures to values, one behind another, all of them fitted."""


def describe_all(
    stores: Mapping[str, Store[Any]],
    describers: Mapping[str, Steps],
    inputs: Sequence[Input],
    workforce: Workforce,
    label: str,
) -> dict[str, str]:
    """Make every vector and every set of local features that is missing.

    Parameters
    ----------
    stores : mapping of str to Store
        Name to the store to be filled.
    describers : mapping of str to Steps
        Name to the steps that make its values; a first step that several have works once.
    inputs : sequence of Input
        The pictures; each is made once for all.
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
    items = {one.key: one for one in inputs}
    _, errors = fill_all(stores, items, partial(_describe, describers), workforce, label)
    return errors


def try_all(
    describers: Mapping[str, Steps],
    inputs: Sequence[Input],
    workforce: Workforce,
    label: str,
) -> dict[str, NDArray[np.float32] | str]:
    """Describe two pictures, each alone and both together.

    Parameters
    ----------
    describers, workforce, label
        As of `describe_all`.
    inputs : sequence of Input
        The pictures.

    Returns
    -------
    dict of str to ndarray or str
        Name to the vector of the first picture, or to an error, such as that a vector depends on
        the pictures beside it; nothing of what kills a worker.
    """
    if not describers:
        return {}
    jobs = [(name, inputs) for name in describers]
    made = workforce.chunks(partial(_try, describers), jobs, label)
    tried = zip(describers, made, strict=True)
    return {name: one for name, one in tried if not isinstance(one, WorkerKilledError)}


def _try(
    describers: Mapping[str, Steps], job: tuple[str, Sequence[Input]]
) -> NDArray[np.float32] | str:
    name, pair = job
    made = [_describe(describers, ([name], few))[name] for few in (pair[:1], pair[1:], pair)]
    if error := next((one for one in made if isinstance(one, str)), None):
        return error
    first, second, both = [one[0] for one in made if not isinstance(one, str)]
    alike = all(map(is_same, both, [*first, *second]))
    return first[0] if alike else BESIDE


def _describe(
    describers: Mapping[str, Steps], job: tuple[Sequence[str], Sequence[Input]]
) -> dict[str, Filled]:
    """Values and seconds of every describer that is named, or its error."""
    names, inputs = job
    made: dict[str, list[Any]] = {name: [] for name in names}
    seconds = dict.fromkeys(names, 0.0)
    errors: dict[str, str] = {}
    for paths, pictures in _batches(inputs):
        with shared() as work:
            found: dict[int, tuple[Sequence[Any], float]] = {}
            for name in [name for name in names if name not in errors]:
                first, *others = describers[name]
                try:
                    if id(first) not in found:
                        found[id(first)] = _timed(first, pictures, work)
                    values, took = found[id(first)]
                    seconds[name] += took
                    for step in others:
                        values, took = _timed(step, values, work)
                        seconds[name] += took
                except (Exception, SystemExit) as error:
                    errors[name] = _blame(describers[name], paths, pictures) or repr(error)
                    continue
                for path, value in zip(paths, values, strict=True):
                    if not _is_finite(value):
                        errors.setdefault(name, f"gave values that are not finite for {path}")
                made[name] += values
    return {name: errors.get(name) or (made[name], seconds[name]) for name in names}


def _timed(step: Any, given: Sequence[Any], work: Shared) -> tuple[Sequence[Any], float]:
    """Values of a step, and the seconds that it takes alone."""
    began = time.perf_counter() + work.saved
    made = as_values(step.transform(given), len(given))
    return made, time.perf_counter() + work.saved - began


def _is_finite(value: NDArray[np.float32] | LocalFeatures) -> bool:
    values = value.points if isinstance(value, LocalFeatures) else value
    return bool(np.isfinite(values).all())


def _batches(inputs: Sequence[Input]) -> Iterator[tuple[list[str], list[Pixels]]]:
    """Make pictures, as many at a time as fit into a bounded memory, with their names."""
    names: list[str] = []
    pictures: list[Pixels] = []
    for one in inputs:
        names.append(str(one))
        pictures.append(one.pixels())
        pictures[-1].setflags(write=False)  # every extractor is given the same
        if sum(picture.nbytes for picture in pictures) > _BATCH_BYTES:
            yield names, pictures
            names, pictures = [], []
    if pictures:
        yield names, pictures


def _blame(steps: Steps, names: Sequence[str], pictures: Sequence[Pixels]) -> str | None:
    """Find the first picture that a describer fails on."""
    for name, picture in zip(names, pictures, strict=True):
        try:
            made: Any = [picture]
            for step in steps:
                made = as_values(step.transform(made), 1)
        except (Exception, SystemExit) as error:
            return f"{type(error).__name__} on {name}: {error}"
    return None
