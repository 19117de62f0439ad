"""Vectors of transformed pictures, by extractors as they were fitted for a run."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.cache.store import ArrayStore, Store
from benchmarks.pipeline.extraction.describe import Steps, describe_all
from benchmarks.pipeline.extraction.encode import restore_head
from benchmarks.pipeline.extraction.extract import extract
from benchmarks.pipeline.extraction.inputs import Input, training_drawings
from benchmarks.pipeline.extraction.networks import run_network
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.method import Method, extractors_of
from benchmarks.pipeline.workers import Workforce
from datasets.task import Dataset
from extractors.hand_crafted.lines import Lines


def extract_for(
    methods: Sequence[Method], dataset: Dataset, cache: Path, forget: bool, workforce: Workforce
) -> dict[str, Extracted]:
    """Make all vectors that methods need; see `extract`.

    Where methods centre domains, these are vectors of drawings of the training images, too.

    Parameters
    ----------
    methods : sequence of Method
        Their extractors are fitted as they need it.
    dataset, cache, forget, workforce
        As of `extract`.
    """
    extracted = extract(extractors_of(methods), dataset, cache, forget, workforce)
    centred: dict[Lines, list[Method]] = {}
    for method in methods:
        if method.centring:
            centred.setdefault(method.centring.lines, []).append(method)
    label = f"drawings of the training images of {dataset.name}"
    for lines, together in centred.items():
        drawings = training_drawings(dataset, lines)
        given = (dataset, drawings, cache, workforce, label)
        describe_transformed(extractors_of(together), extracted, *given)
    return extracted


def describe_transformed(
    extractors: Sequence[ExtractorSteps],
    extracted: dict[str, Extracted],
    dataset: Dataset,
    inputs: Sequence[Input],
    cache: Path,
    workforce: Workforce,
    label: str,
) -> None:
    """Make the vectors of transformed pictures that are not stored yet.

    They lie beside those of the dataset's images. What is made on the way, copies, local features
    and feature maps, is kept in memory alone.

    Parameters
    ----------
    extractors : sequence of ExtractorSteps
        Those whose vectors of the dataset's images are there; each gets the head that made these.
    extracted : dict of str to Extracted
        Their stores, by name. What goes wrong is noted there; what is damaged is made anew.
    dataset : Dataset
        Learned was from its training images.
    inputs : sequence of Input
        The copies; those of one query in a row, so that it is decoded once.
    cache : Path
        Folder of the stores.
    workforce : Workforce
        The workers.
    label : str
        Text of the progress bar.

    Raises
    ------
    LeakError
        If something would be learned from other than training images.
    InputError
        If a picture has gone or changed meanwhile.
    """
    _attempt(extractors, extracted, dataset, inputs, workforce, label)
    if again := [one for one in extractors if extracted[one.name].damaged]:
        # What was damaged is gone now.
        extracted |= extract(again, dataset, cache, False, workforce)
        _attempt(again, extracted, dataset, inputs, workforce, label)


def _attempt(
    extractors: Sequence[ExtractorSteps],
    extracted: Mapping[str, Extracted],
    dataset: Dataset,
    inputs: Sequence[Input],
    workforce: Workforce,
    label: str,
) -> None:
    """Make what is missing, as far as nothing is damaged."""
    todo = []
    for one in extractors:
        mine = extracted[one.name]
        if mine.is_usable and mine.store.missing([copy.key for copy in inputs]):
            with mine.outcome():
                restore_head(one, dataset, mine)
                todo.append(one)
    _describe([one for one in todo if not one.network], extracted, inputs, workforce, label)
    for together in _by_network([one for one in todo if one.network], extracted):
        first = together[0]
        assert first.network is not None, "others are described elsewhere"
        with extracted[first.name].outcome():
            sink = _Heads([(one, extracted[one.name].store) for one in together])
            named = f"{first.name} on {label}"
            run_network(first.network, sink, inputs, workforce, named)
        for one in together[1:]:
            extracted[one.name].failed = extracted[first.name].failed


def _describe(
    extractors: Sequence[ExtractorSteps],
    extracted: Mapping[str, Extracted],
    inputs: Sequence[Input],
    workforce: Workforce,
    label: str,
) -> None:
    """Make every copy once for all; equal detectors work once."""
    detectors: dict[Path, Any] = {}
    stores: dict[str, Store[Any]] = {}
    describers: dict[str, Steps] = {}
    for one in extractors:
        mine = extracted[one.name]
        stores[one.name] = mine.store
        describers[one.name] = (one.head,)
        if mine.features:
            detector = detectors.setdefault(mine.features.folder, one.detector)
            describers[one.name] = (detector, one.head)
    for name, error in describe_all(stores, describers, inputs, workforce, label).items():
        extracted[name].failed = error


def _by_network(
    extractors: Iterable[ExtractorSteps], extracted: Mapping[str, Extracted]
) -> list[list[ExtractorSteps]]:
    """Put extractors together that begin with the same frozen part of a network."""
    groups: dict[Path, list[ExtractorSteps]] = {}
    for one in extractors:
        mine = extracted[one.name]
        groups.setdefault((mine.maps or mine.store).folder, []).append(one)
    return list(groups.values())


class _Heads:
    """Takes what a network makes of pictures to the stores of the extractors that have it.

    Parameters
    ----------
    extractors : sequence of (ExtractorSteps, ArrayStore)
        With one network in common: either it is all of the one extractor, or they have heads.
    """

    def __init__(self, extractors: Sequence[tuple[ExtractorSteps, ArrayStore]]) -> None:
        self._extractors = extractors

    def missing(self, keys: Collection[str]) -> list[str]:
        """Those of the keys that one of the stores lacks."""
        lacking = {key for _, store in self._extractors for key in store.missing(keys)}
        return [key for key in keys if key in lacking]

    def add(self, keys: Sequence[str], values: Sequence[NDArray[Any]], seconds: float) -> None:
        """Store what each extractor makes of the network's outputs."""
        for one, store in self._extractors:
            vectors, began = values, time.perf_counter()
            if one.stem:  # as precise as maps that come from their store
                maps = [value.astype(np.float16) for value in values]
                vectors = list(one.head.transform(maps))
            store.add(keys, vectors, seconds + time.perf_counter() - began)
