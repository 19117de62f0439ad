"""Costs, measured anew and alone: milliseconds per image and per query."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.fitted_method import FittedMethod
from benchmarks.pipeline.extraction.encode import restore_head
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.extraction.transformed import extract_for
from benchmarks.pipeline.loading.listed import read_listed
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.method import Method, extractors_of
from benchmarks.pipeline.records.recorder import Recorder
from datasets.reading import Pixels
from datasets.task import Dataset

PICTURES = 64
"""Gallery images that extraction is timed on."""

T = TypeVar("T")


def measure(evaluation: Evaluation, recorder: Recorder, methods: Sequence[Method]) -> None:
    """Time methods that have records, and write the costs beside these.

    Parameters
    ----------
    evaluation : Evaluation
        Of the dataset.
    recorder : Recorder
        Knows where the records are.
    methods : sequence of Method
        Timed one after the other; what several extractors begin with is timed once.
    """
    dataset, workforce = evaluation.dataset, evaluation.workforce
    extractors = extractors_of(methods)
    extracted = extract_for(methods, dataset, evaluation.cache, False, workforce)
    chosen = sorted(dataset.gallery, key=lambda image: image.sha256)[:PICTURES]
    pictures = [read_listed(image) for image in chosen]
    seconds: dict[Path, float] = {}
    label = f"timing extraction on {dataset.name}"
    for one in workforce.track(extractors, len(extractors), label):
        if extracted[one.name].is_usable:
            seconds |= _extraction(one, dataset, extracted[one.name], pictures)
    for method in workforce.track(methods, len(methods), f"timing searches of {dataset.name}"):
        parts = {s.folder for one in method.extractors for s in extracted[one.name].stores}
        if parts <= seconds.keys():
            total = sum(seconds[part] for part in parts)
            per_image = round(1e3 * total / len(pictures), 4)
            _search(evaluation, recorder, method, extracted, per_image)


def _search(
    evaluation: Evaluation,
    recorder: Recorder,
    method: Method,
    extracted: Mapping[str, Extracted],
    extraction_ms: float,
) -> None:
    """Time a method's searches and write its costs."""
    dataset = evaluation.dataset
    fitted = FittedMethod(method, dataset, extracted, evaluation.cache)
    gallery = fitted.vectors(dataset.gallery)
    for task in dataset.tasks:
        path = recorder.path(task, method.name)
        found = evaluation.search(task, fitted, fitted.vectors(task.queries), gallery)
        costs = {"extraction_ms": extraction_ms, "search_ms": found.milliseconds}
        path.write_costs((path.read_costs() or {}) | costs)


def _extraction(
    extractor: ExtractorSteps, dataset: Dataset, mine: Extracted, pictures: Sequence[Pixels]
) -> dict[Path, float]:
    """Seconds of each step on the pictures, decoding aside, by one worker; by its store."""
    restore_head(extractor, dataset, mine)
    first: Any = extractor.detector or extractor.stem
    *before, last = (store.folder for store in mine.stores)
    if first is None:
        return {last: _timed(extractor.head.transform, pictures)[0]}
    seconds, found = _timed(first.transform, pictures)
    return {before[0]: seconds, last: _timed(extractor.head.transform, list(found))[0]}


def _timed(work: Callable[[Any], T], given: Sequence[Any]) -> tuple[float, T]:
    work(given[:1])  # whatever is made only once is made now
    began = time.perf_counter()
    made = work(given)
    return time.perf_counter() - began, made
