"""The steps of the suite, each to be measured by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.evaluation.experiment import run
from benchmarks.pipeline.extraction.extract import extract
from benchmarks.pipeline.loading.dataset import file_hashes, load
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.names import parse_method
from benchmarks.pipeline.records.description import write_description
from benchmarks.pipeline.records.recorder import Recorder
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.write import write_dataset, write_front
from benchmarks.search.api import open_index, search_picture
from benchmarks.search.build import build
from benchmarks.search.index import Index
from benchmarks.speed.growth.process import Step, Work
from datasets.task import Dataset
from datasets.walk import walk
from retrieval.knn import nearest

K = 10
"""Neighbours that are looked for."""


@dataclass(frozen=True)
class Place:
    """A gallery to work on.

    Attributes
    ----------
    folder : Path
        Of everything: pictures, cache, index, results.
    extractor : str
        Name of the extractor that describes pictures.
    jobs : int or None
        Worker processes.
    """

    folder: Path
    extractor: str
    jobs: int | None

    @property
    def pictures(self) -> Path:
        """Folder of the dataset."""
        return self.folder / "pictures"

    @property
    def cache(self) -> Path:
        """Folder of what is kept."""
        return self.folder / "cache"

    @property
    def index(self) -> Path:
        """Folder of the index."""
        return self.folder / "index"

    @property
    def out(self) -> Path:
        """Folder of results."""
        return self.folder / "results"

    @cached_property
    def workforce(self) -> Workforce:
        """Workers that say nothing."""
        return Workforce(self.jobs, quiet=True)

    def load(self) -> Dataset:
        """Load the dataset."""
        return load(str(self.pictures), self.cache, self.workforce)

    def method(self) -> Method:
        """Make the method."""
        return parse_method(self.extractor)

    def opened(self) -> tuple[Index, NDArray[np.float32]]:
        """Open the index, and make the vectors of all queries, shape (n_queries, n_dims)."""
        index = open_index(self.index)
        pictures = sorted(self.pictures.glob("query/*/*"))
        return index, np.concatenate([index.encode(picture)[0] for picture in pictures])


def hashing(place: Place) -> Work:
    """List all files and hash their bytes."""

    def work() -> None:
        paths = [file.path for file in walk(place.pictures).files]
        file_hashes(paths, "", place.cache, place.workforce)

    return work


def reading(place: Place) -> Work:
    """Decode every picture once, to see whether it can be."""

    def work() -> None:
        place.load()

    return work


def loading(place: Place) -> Work:
    """Load the dataset, of which everything is known, as each later command does."""
    return reading(place)


def describing(place: Place) -> Work:
    """Describe every picture."""
    dataset, method = place.load(), place.method()

    def work() -> None:
        extract(method.extractors, dataset, place.cache, False, place.workforce)

    return work


def indexing(place: Place) -> Work:
    """Build an index of described pictures."""
    dataset, method = place.load(), place.method()

    def work() -> None:
        build(place.index, method, dataset, place.cache, place.workforce)

    return work


def opening(place: Place) -> Work:
    """Open the index and ask with one picture, as the command does."""
    picture = next(place.pictures.glob("query/*/*"))

    def work() -> None:
        search_picture(open_index(place.index), picture, K)

    return work


def searching(place: Place) -> Work:
    """Search the index for the neighbours of all queries, exactly."""
    index, queries = place.opened()

    def work() -> None:
        nearest(queries, index.vectors[0], K)

    return work


def evaluating(place: Place) -> Work:
    """Rank the whole gallery for all queries, score and record it."""
    dataset, method = place.load(), place.method()

    def work() -> None:
        evaluation = Evaluation(dataset, place.cache, place.workforce)
        recorder = Recorder(dataset, place.out, 0, place.workforce)
        if run(evaluation, recorder, [method]):
            raise RuntimeError(f"{method.name} failed")
        write_description(place.out, dataset)

    return work


def reporting(place: Place) -> Work:
    """Write all tables, pages and plots from the record."""
    folder = place.out / place.load().name

    def work() -> None:
        write_dataset(folder)
        write_front(place.out)

    return work


STEPS: Mapping[str, Step[Place]] = {
    "list and hash files": hashing,
    "read and check pictures": reading,
    "load again": loading,
    "describe": describing,
    "build the index": indexing,
    "open the index, one question": opening,
    "search, 100 queries": searching,
    "evaluate, 100 queries": evaluating,
    "report": reporting,
}
"""In their order; each needs those before it."""
