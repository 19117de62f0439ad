"""A picture that is in no dataset, to the vectors that a row searches by."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from benchmarks.pipeline.cache.estimators import HEAD, restore
from benchmarks.pipeline.evaluation.fitted_method import finish
from benchmarks.pipeline.methods.extractor import Row
from benchmarks.pipeline.methods.method import Combination
from datasets.reading import Pixels
from extractors.networks.finetuning import FineTuned
from extractors.networks.scratch import ScratchNetwork
from retrieval.search import Vectors

TAIL = "tail.skops"
COMBINING = "combining.skops"


def learned_folder(place: Path, number: int) -> Path:
    """Where a generation of an index keeps what its n-th extractor learned."""
    return place / f"learned-{number}"


class Asker:
    """Makes the vectors of one picture at a time, by all that was learned.

    Parameters
    ----------
    combination : Combination
        The row.
    place : Path
        A generation of an index.
    """

    def __init__(self, combination: Combination, place: Path) -> None:
        self.rows = combination.rows
        for number, row in enumerate(self.rows):
            _restore_row(row, learned_folder(place, number))
        self.combining = combination.fresh_combining()
        if self.combining and self.combining.learns:
            self.combining = restore(place / COMBINING, type(self.combining))
        elif self.combining:
            self.combining.fit([], [])

    def __call__(self, pixels: Pixels) -> Vectors:
        """Give the picture's vectors, a matrix of one row for each that is searched by."""
        made = [finish(row, describe(row, pixels)) for row in self.rows]
        if self.combining is None:
            return made
        return [np.asarray(part[:1]) for part in self.combining.transform(made)]


def describe(row: Row, pixels: Pixels) -> NDArray[np.float32]:
    """What a row's head, fitted, makes of a picture, shape (1, n_dims)."""
    given: Any = [pixels]
    if row.detector:
        given = row.detector.transform(given)
    elif row.stem:
        # At the precision that maps are kept at, so that equal pictures have equal vectors.
        given = row.stem.transform(given).astype(np.float16)
    return np.asarray(row.head.transform(given), np.float32)


def _restore_row(row: Row, folder: Path) -> None:
    if isinstance(row.head, FineTuned | ScratchNetwork):
        row.head.load(folder)
    elif row.head_learns:
        row.head = restore(folder / HEAD, type(row.head))
    if row.tail:
        row.tail = restore(folder / TAIL, Pipeline, *(type(step) for _, step in row.tail.steps))
