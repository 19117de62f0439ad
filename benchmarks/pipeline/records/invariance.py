"""Scores of transformed queries, per query: what a study asked, and a file for each method.

::

    <out>/<dataset>/invariance.json           queries, transformations, methods left out
    <out>/<dataset>/invariance/<method>.npz   average precision of every query and copy

The latter may lie in an archive, see `benchmarks.pipeline.records.archive`.
"""

import io
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import entries, read_checked, write_checked, write_whole
from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.cache.segments import read_arrays
from benchmarks.pipeline.records.archive import packed_names, read_packed
from datasets.errors import DamagedError

STUDY = "invariance.json"
FOLDER = "invariance"
FAILED = "failed: "
"""Begins the reason why a method has no numbers any more, whatever it had before."""

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
    card : str
        Hash of what the method's protocol card says of it; empty in files of a former version.
    """

    key: str
    clean: Floats
    scores: Floats
    card: str = ""


def write_measured(folder: Path, study: Study, method: str, measured: Measured) -> None:
    """Write the numbers of a method into a dataset's results folder, whole or not at all."""
    content = _to_bytes(study, measured)
    write_whole(_file(folder, method), lambda part: part.write_bytes(content), lasting=True)


def read_measured(folder: Path, study: Study, method: str) -> Measured | None:
    """Read the numbers of a method; None if there are none of this study, or damaged ones.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    path = _file(folder, method)
    try:
        found = _arrays(folder, path)
        if found is None or str(found["study"]) != study.key:
            return None
        key, card = [*map(str, found["key"].flat), ""][:2]
        made = Measured(key, found["clean"], found["scores"], card)
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
    files = {path.name for path in entries(folder / FOLDER, "*.npz")}
    names = sorted(Path(name).stem for name in files.union(packed_names(folder, FOLDER)))
    failed = {name for name, reason in study.left_out.items() if reason.startswith(FAILED)}
    found = {name: read_measured(folder, study, name) for name in names if name not in failed}
    known = {name: one for name, one in found.items() if one is not None}
    return (study, known) if known else None


def packable(folder: Path) -> dict[str, bytes]:
    """All that `read_invariance` reads, as members of an archive: name to content."""
    study, measured = read_invariance(folder) or (None, {})
    return {
        f"{FOLDER}/{_file(folder, name).name}": _to_bytes(study, one)
        for name, one in measured.items()
        if study
    }


def _to_bytes(study: Study, measured: Measured) -> bytes:
    content = io.BytesIO()
    arrays: dict[str, Any] = {"clean": measured.clean, "scores": measured.scores}
    key = [measured.key, measured.card] if measured.card else measured.key
    np.savez(content, key=np.array(key), study=np.array(study.key), **arrays)
    return content.getvalue()


def _arrays(folder: Path, path: Path) -> dict[str, NDArray[Any]] | None:
    """The arrays of a file, or of the member of its name; None if there is neither."""
    if path.exists():
        return read_arrays(path, *_ARRAYS)
    packed = read_packed(folder, f"{FOLDER}/{path.name}")
    if packed is None:
        return None
    try:
        with np.load(io.BytesIO(packed.content), allow_pickle=False) as found:
            return {name: found[name] for name in _ARRAYS}
    except Exception as error:  # whatever damage makes the reader raise
        raise DamagedError(f"{packed.place}: damaged ({error})") from error


def _file(folder: Path, method: str) -> Path:
    return folder / FOLDER / f"{method}.npz"
