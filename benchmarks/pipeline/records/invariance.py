"""Scores of transformed queries, per query: what a study asked, and a file for each method.

::

    <out>/<dataset>/invariance.json           queries, transformations, methods left out
    <out>/<dataset>/invariance/<method>.npz   average precision of every query and copy
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import read_checked, write_checked, write_whole
from benchmarks.pipeline.cache.archive import read_arrays
from benchmarks.pipeline.cache.fingerprint import digest
from datasets.errors import DamagedError

STUDY = "invariance.json"
FOLDER = "invariance"

_ARRAYS = ("key", "study", "clean", "scores")

Floats = NDArray[np.float32]

log = logging.getLogger(__name__)


class Changed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A transformation in words; fields as of `datasets.transformations.Transformation`."""

    name: str
    kind: str
    values: list[float]
    unit: str
    source: str


class Study(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question that methods are asked, all of them the same.

    Attributes
    ----------
    split_hash : str
        Hash of the dataset's content.
    queries : list of str
        Ids of the query photographs.
    chance : list of float
        Average precision of each in a random order.
    seed : int
        Seed of the choice of queries.
    version : str
        Of the transformations.
    transformations : list of Changed
        Applied to every query.
    left_out : dict of str to str
        Methods that are not measured, and why.
    """

    split_hash: str
    queries: list[str]
    chance: list[float]
    seed: int
    version: str
    transformations: list[Changed]
    left_out: dict[str, str] = {}

    @property
    def key(self) -> str:
        """Hash of everything that the numbers of a method are comparable by."""
        content = msgspec.to_builtins(self)
        del content["left_out"], content["chance"]
        return digest(content)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of transformations, of strengths at most, and of queries."""
        most = max(len(one.values) for one in self.transformations)
        return len(self.transformations), most, len(self.queries)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read the study of a dataset's results folder; None if there is none, or a damaged one.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        try:
            return read_checked(folder / STUDY, cls)
        except DamagedError as error:
            log.warning("%s", error)
            return None

    def write(self, folder: Path) -> None:
        """Write it into a dataset's results folder."""
        write_checked(folder / STUDY, msgspec.to_builtins(self))


@dataclass(frozen=True)
class Measured:
    """A method's average precision of every query.

    Attributes
    ----------
    key : str
        Hash of everything that decides the numbers.
    clean : ndarray of float32, shape (n_queries,)
        Of the queries as they are.
    scores : ndarray of float32, shape (n_transformations, n_strengths, n_queries)
        Of their copies; NaN behind the last strength of a transformation that has fewer.
    """

    key: str
    clean: Floats
    scores: Floats


def write_measured(folder: Path, study: Study, method: str, measured: Measured) -> None:
    """Write the numbers of a method into a dataset's results folder, whole or not at all."""
    arrays: dict[str, Any] = {"clean": measured.clean, "scores": measured.scores}
    arrays |= {"key": np.array(measured.key), "study": np.array(study.key)}

    def write(part: Path) -> None:
        with part.open("wb") as file:
            np.savez_compressed(file, **arrays)

    write_whole(_file(folder, method), write, lasting=True)


def remove_measured(folder: Path, method: str) -> None:
    """Remove the numbers of a method that has none any more."""
    _file(folder, method).unlink(missing_ok=True)


def read_measured(folder: Path, study: Study, method: str) -> Measured | None:
    """Read the numbers of a method; None if there are none of this study, or damaged ones.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    path = _file(folder, method)
    if not path.exists():
        return None
    try:
        found = read_arrays(path, *_ARRAYS)
        if str(found["study"]) != study.key:
            return None
        made = Measured(str(found["key"]), found["clean"], found["scores"])
        if (made.scores.shape, made.clean.shape) != (study.shape, study.shape[2:]):
            raise DamagedError(f"{path}: damaged (its shapes are not those of its study)")
    except DamagedError as error:
        log.warning("%s; it counts as absent, run again", error)
        return None
    return made


def read_invariance(folder: Path) -> tuple[Study, dict[str, Measured]] | None:
    """Read what was measured of a dataset by one study, methods by name; None if nothing was.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    study = Study.read(folder)
    if study is None:
        return None
    names = sorted(path.stem for path in (folder / FOLDER).glob("*.npz"))
    found = {name: read_measured(folder, study, name) for name in names}
    known = {name: one for name, one in found.items() if one is not None}
    return (study, known) if known else None


def _file(folder: Path, method: str) -> Path:
    return folder / FOLDER / f"{method}.npz"
