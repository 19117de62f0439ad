"""Vectors of a dataset's images by every extractor, in as few passes over them as can be."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.cache.feature_store import FeatureStore
from benchmarks.pipeline.cache.fingerprint import is_versioned
from benchmarks.pipeline.cache.store import Store
from benchmarks.pipeline.cache.working import clear
from benchmarks.pipeline.extraction.contract import as_matrix
from benchmarks.pipeline.extraction.describe import Steps, describe_all, try_all
from benchmarks.pipeline.extraction.encode import encode_all, fit_head
from benchmarks.pipeline.extraction.inputs import PictureInput
from benchmarks.pipeline.extraction.networks import run_networks
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.methods.extractor import ExtractorSteps, feature_store
from benchmarks.pipeline.workers import Workforce
from datasets.task import Dataset
from extractors.precision import is_same

_ANOTHER = (
    "its vectors are not those that it made before, or in another process; seed what is random, "
    "import again what was edited, give one job where something is set from outside, and after a "
    "change in a file that its code reads, run once with --force"
)


def extract(
    extractors: Sequence[ExtractorSteps],
    dataset: Dataset,
    cache: Path,
    forget: bool,
    workforce: Workforce,
) -> dict[str, Extracted]:
    """Make the vectors that are not stored yet: detect and describe, then learn and encode.

    Parameters
    ----------
    extractors : sequence of ExtractorSteps
        Fitted as they need it.
    dataset : Dataset
        Its images are described; learned is from its training images.
    cache : Path
        Folder of the stores.
    forget : bool
        Make everything anew.
    workforce : Workforce
        The workers.

    Returns
    -------
    dict of str to Extracted
        By the extractors' names.

    Raises
    ------
    LeakError
        If something would be learned from other than training images.
    InputError
        If a picture has gone or changed meanwhile, or has no vector where these are given.
    """
    clear(cache)
    extracted = _extract(extractors, dataset, cache, forget, workforce)
    again = [one for one in extractors if extracted[one.name].damaged]
    # What was damaged is gone now, and the rest of it known to be whole.
    return extracted | _extract(again, dataset, cache, False, workforce)


def _extract(
    extractors: Sequence[ExtractorSteps],
    dataset: Dataset,
    cache: Path,
    forget: bool,
    workforce: Workforce,
) -> dict[str, Extracted]:
    extracted = {one.name: Extracted(one.store(cache, dataset, forget)) for one in extractors}
    for one in extractors:
        if one.given and (words := one.given.surplus(dataset)):
            workforce.log(words)
    deep = [one for one in extractors if one.network]
    others = [one for one in extractors if not one.network and not one.given]
    # Networks leave a part of the cores idle, as their small steps come one after the other.
    with workforce.aside(
        partial(_extract_others, others, extracted, dataset, cache, forget, workforce)
    ):
        run_networks(deep, extracted, dataset, cache, forget, workforce)
    return extracted


def _extract_others(
    others: Sequence[ExtractorSteps],
    extracted: Mapping[str, Extracted],
    dataset: Dataset,
    cache: Path,
    forget: bool,
    workforce: Workforce,
) -> None:
    """Make the vectors of what needs no network."""
    shared: dict[Path, FeatureStore] = {}
    for one in others:
        mine = extracted[one.name]
        if one.detector:
            store = feature_store(one.detector, cache, forget)
            mine.features = shared.setdefault(store.folder, store)
        with mine.outcome():
            if one.head_learns and not one.detector:
                fit_head(one, dataset, mine.store)
            workforce.require_sendable(one.detector or one.head)
    tried = _try(others, extracted, dataset, workforce)
    _describe(others, extracted, dataset, workforce)
    for one in others:
        if one.name in tried:
            _require_same(one, tried[one.name], extracted[one.name], dataset)
    local = [one for one in others if one.detector and extracted[one.name].is_usable]
    encode_all(local, extracted, dataset, workforce)


def _try(
    extractors: Sequence[ExtractorSteps],
    extracted: Mapping[str, Extracted],
    dataset: Dataset,
    workforce: Workforce,
) -> dict[str, NDArray[np.float32]]:
    """Vectors of the first picture by extractors of other makes, which are tried on two."""
    inputs = [PictureInput(image) for _, image in dataset.images]
    heads: dict[str, Steps] = {}
    for one in extractors:
        mine = extracted[one.name]
        is_ready = not one.head_learns or mine.store.missing([each.key for each in inputs])
        if mine.is_usable and is_ready and not (one.detector or is_versioned(type(one.head))):
            heads[one.name] = (one.head,)
    made = try_all(heads, inputs[:2], workforce, f"trying on {dataset.name}")
    for name, error in made.items():
        if isinstance(error, str):
            extracted[name].failed = error
    return {name: vector for name, vector in made.items() if not isinstance(vector, str)}


def _require_same(
    extractor: ExtractorSteps, vector: NDArray[np.float32], mine: Extracted, dataset: Dataset
) -> None:
    """Require that the vector of the first picture is that which is stored and is made here."""
    first = PictureInput(dataset.images[0][1])
    with mine.outcome():
        if not mine.is_usable:
            return
        picture = first.pixels()
        picture.setflags(write=False)
        again = as_matrix(extractor.head.transform([picture]), 1)[0]
        stored = next(mine.store.blocks([first.key]))[0]
        if not (is_same(stored, vector) and is_same(again, vector)):
            mine.failed = f"{_ANOTHER}, first {first}"


def _describe(
    extractors: Sequence[ExtractorSteps],
    extracted: Mapping[str, Extracted],
    dataset: Dataset,
    workforce: Workforce,
) -> None:
    """Describe and detect in one pass; equal detectors work once."""
    stores: dict[str, Store[Any]] = {}
    describers: dict[str, Steps] = {}
    users: dict[str, list[Extracted]] = {}
    for one in extractors:
        mine = extracted[one.name]
        if mine.is_usable:
            store = mine.features or mine.store
            stores[store.folder.name] = store
            describers[store.folder.name] = (one.detector or one.head,)
            users.setdefault(store.folder.name, []).append(mine)
    inputs = [PictureInput(image) for _, image in dataset.images]
    errors = describe_all(stores, describers, inputs, workforce, f"describing {dataset.name}")
    for name, error in errors.items():
        for mine in users[name]:
            mine.failed = error
