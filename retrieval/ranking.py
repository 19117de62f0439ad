"""A search's result, small enough to keep: every metric can be computed from it alone."""

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from retrieval import compact
from retrieval.knn import FAR, Block, GridDistances
from retrieval.protocol import Judgement, Judgements
from retrieval.threads import share

DEPTH = 50
"""Neighbours kept per query."""

_MANY = 2**15
_PORTION = 2**20
"""Images from which on threads gain, sorting being most of the work, and distances worth one."""

_STORED = {
    "distractors": "confusion",
    "distractors_before": "confusion_gap",
    "distractors_tied": "confusion_tied",
}
"""Fields to their names in files, so that rankings published under the former names are read."""

_DTYPES = {"grades": np.float64}
"""Types of fields in files, where they are not int32."""

_NO_GRADES = np.empty(0)

_random: "WeakKeyDictionary[Judgements, Ranking]" = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Ranking:
    """The nearest neighbours of every query and the places of all its relevant images.

    Images at equal distance share a tie group. A metric is the mean over all orders of the
    images within each group, so it does not depend on how ties are listed; neighbours are
    listed by distance, then by id.

    Attributes
    ----------
    neighbours : ndarray of int32, shape (n_queries, depth)
        Gallery indices in order; -1 where the gallery is exhausted.
    candidates : ndarray of int32, shape (n_queries,)
        Gallery images that took part (junk and the query itself did not).
    relevant : ndarray of int32, shape (n_queries,)
        Relevant images among them.
    group_query, group_start, group_size, group_relevant : ndarray of int32, shape (n_groups,)
        The tie groups that hold relevant images, in order of query and place: whose they are,
        images that stand before the group, images in it, relevant images in it.
    distractors : ndarray of int32, shape (n_queries, n_parts)
        Distractors of each part among the candidates, see `retrieval.protocol`; no columns
        for a gallery without distractors.
    distractors_before : ndarray of int32, shape (n_groups, n_parts)
        Distractors that stand between the query's tie group before this one, or the top of the
        ranking, and this one.
    distractors_tied : ndarray of int32, shape (n_groups, n_parts)
        Distractors in the group.
    grades : ndarray of float64, shape (n_relevant,)
        Grades of the relevant images of all queries, in order of the tie groups, within a group
        the highest first; empty where every grade is 1.
    """

    neighbours: NDArray[np.int32]
    candidates: NDArray[np.int32]
    relevant: NDArray[np.int32]
    group_query: NDArray[np.int32]
    group_start: NDArray[np.int32]
    group_size: NDArray[np.int32]
    group_relevant: NDArray[np.int32]
    distractors: NDArray[np.int32]
    distractors_before: NDArray[np.int32]
    distractors_tied: NDArray[np.int32]
    grades: NDArray[np.float64] = field(default_factory=_NO_GRADES.copy)

    def __post_init__(self) -> None:
        for item in fields(self):
            getattr(self, item.name).setflags(write=False)  # every metric is given the same

    @property
    def n_queries(self) -> int:
        """Number of queries, with or without relevant images."""
        return len(self.candidates)

    def in_random_order(self) -> "Ranking":
        """All candidates of each query in one tie group, without neighbours."""
        asked = np.flatnonzero(self.relevant).astype(np.int32)
        tied, levels = self.distractors[asked], self.distractors.shape[1]
        grades = self.grades
        if len(grades):
            query = np.repeat(self.group_query, self.group_relevant)
            grades = grades[np.lexsort((-grades, query))]
        return replace(
            self,
            neighbours=self.neighbours[:, :0],
            group_query=asked,
            group_start=np.zeros_like(asked),
            group_size=self.candidates[asked],
            group_relevant=self.relevant[asked],
            distractors_before=np.zeros((len(asked), levels), np.int32),
            distractors_tied=tied,
            grades=grades,
        )

    def with_distractors(self, levels: int) -> "Ranking":
        """Leave out all distractors but those of the first parts.

        The neighbours are not in the result: too few are kept to leave some out.

        Parameters
        ----------
        levels : int
            Number of parts that stay; 0 leaves out every distractor.
        """
        gone = self.distractors_before[:, levels:].sum(axis=1)
        tied = self.distractors_tied[:, levels:].sum(axis=1)
        behind = np.cumsum(gone + tied)
        first = np.searchsorted(self.group_query, self.group_query)  # the query's first group
        before = behind - tied - (behind - gone - tied)[first]
        missing = self.distractors[:, levels:].sum(axis=1)
        return replace(
            self,
            neighbours=self.neighbours[:, :0],
            candidates=(self.candidates - missing).astype(np.int32),
            group_start=(self.group_start - before).astype(np.int32),
            group_size=(self.group_size - tied).astype(np.int32),
            distractors=self.distractors[:, :levels],
            distractors_before=self.distractors_before[:, :levels],
            distractors_tied=self.distractors_tied[:, :levels],
        )

    def save(self, path: Path) -> None:
        """Write an ``.npz`` file; the same ranking gives the same bytes.

        Parameters
        ----------
        path : Path
            The file, overwritten if it is there.
        """
        arrays = {_stored(item.name): getattr(self, item.name) for item in fields(self)}
        if not len(self.grades):
            del arrays["grades"]
        with path.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Ranking":
        """Read an ``.npz`` file.

        Parameters
        ----------
        path : Path
            A file that `save` has written.

        Raises
        ------
        ValueError
            If there is no such file, or it holds something else.
        OSError
            If it cannot be read.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError as error:
            raise ValueError(f"{path}: no such file") from error
        try:
            with ZipFile(io.BytesIO(content)) as archive:
                if "groups.npy" in archive.namelist():
                    return cls(**compact.from_compact(_arrays(archive, compact.NAMES)))
                names = [item.name for item in fields(cls) if item.name != "grades"]
                stored = _arrays(archive, names)
            if any(array.dtype != _DTYPES.get(name, np.int32) for name, array in stored.items()):
                raise TypeError("its numbers are of another type")
            found = cls(**stored)
            if len(found.grades) not in (0, found.group_relevant.sum()):
                raise ValueError("its grades are not those of its relevant images")
            return found
        except Exception as error:  # whatever a damaged archive makes its readers raise
            raise ValueError(f"{path} holds no ranking ({error})") from error

    def to_compact(self) -> bytes:
        """Write it in few bytes, without what no metric needs, see `retrieval.compact`."""
        whole = {item.name: getattr(self, item.name) for item in fields(self)}
        stored: dict[str, Any] = compact.to_compact(whole)
        file = io.BytesIO()
        np.savez(file, **{_stored(name): stored[name] for name in sorted(stored)})
        return file.getvalue()

    @classmethod
    def from_compact(cls, content: bytes, place: str) -> "Ranking":
        """Read what `to_compact` has written.

        Parameters
        ----------
        content : bytes
            May be a stranger's; nothing in it becomes larger by being read.
        place : str
            Where it was, for messages.

        Raises
        ------
        ValueError
            If it is something else.
        """
        try:
            with ZipFile(io.BytesIO(content)) as archive:
                if sum(item.file_size for item in archive.infolist()) > len(content):
                    raise ValueError("its arrays are larger than the file")
                return cls(**compact.from_compact(_arrays(archive, compact.NAMES)))
        except Exception as error:  # whatever a damaged archive makes its readers raise
            raise ValueError(f"{place} holds no ranking ({error})") from error


def _arrays(archive: ZipFile, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Read arrays and grades, if there are any, each whole: only then is its checksum compared."""
    there = [*names, *["grades"] * ("grades.npy" in archive.namelist())]
    return {
        name: np.load(io.BytesIO(archive.read(f"{_stored(name)}.npy")), allow_pickle=False)
        for name in there
    }


def summarise(blocks: Iterable[Block], judgements: Judgements, depth: int = DEPTH) -> Ranking:
    """Reduce a search to its neighbours and the places of relevant images.

    Parameters
    ----------
    blocks : iterable of Block
        The search's result.
    judgements : Judgements
        Relevant and excluded images of every query, in the same order.
    depth : int
        Neighbours kept per query.
    """
    neighbours = np.full((len(judgements.of), depth), -1, np.int32)
    made: dict[int, _Places] = {}

    def work(portions: Iterator[Block]) -> None:
        for start, distances in portions:
            for query, row in enumerate(distances, start):
                nearest, made[query] = _summary(query, row, judgements, depth)
                neighbours[query, : len(nearest)] = nearest

    size = judgements.n_gallery
    step = max(1, _PORTION // size) if size >= _MANY else sys.maxsize
    for start, distances in blocks:
        firsts = range(0, len(distances), step)
        share(work, [Block(start + at, distances[at : at + step]) for at in firsts])
    return _ranking(judgements, neighbours, [made[query] for query in sorted(made)])


def random_ranking(judgements: Judgements) -> Ranking:
    """Rank by chance: all candidates of a query in one tie group.

    It is made once, so that its scores are known to all who ask again.

    Parameters
    ----------
    judgements : Judgements
        Relevant and excluded images of every query.
    """
    if judgements in _random:
        return _random[judgements]
    made = []
    for query, judgement in enumerate(judgements.of):
        size, relevant = judgements.n_gallery - len(judgement.excluded), len(judgement.positive)
        tied = judgements.distractors[query]
        if relevant:
            group = np.array([[query, 0, size, relevant]])
            distractors = np.stack([np.zeros_like(tied), tied])[:, None]
            made.append(_Places(group, distractors, _grades(judgement)))
    neighbours = np.full((len(judgements.of), 0), -1, np.int32)
    return _random.setdefault(judgements, _ranking(judgements, neighbours, made))


class _Places(NamedTuple):
    """Tie groups of a query, distractors before and in each, grades of the relevant images."""

    groups: NDArray[np.intp]
    distractors: NDArray[np.intp]
    grades: NDArray[np.float64]


def _summary(
    query: int, distances: GridDistances, judgements: Judgements, depth: int
) -> tuple[NDArray[np.intp], _Places]:
    """The nearest images of a query, and the places of its relevant ones."""
    judgement, row = judgements.of[query], distances.copy()
    row[judgement.excluded] = FAR
    ordered = np.sort(row)
    groups = _groups(query, row, ordered, judgement.positive)
    distractors = _distractors(row, ordered[groups[:, 1]], judgements.levels)
    return _first(row, ordered, depth), _Places(groups, distractors, _grades(judgement, row))


def _stored(field: str) -> str:
    return _STORED.get(field, field)


def _ranking(
    judgements: Judgements,
    neighbours: NDArray[np.int32],
    made: Sequence[_Places],
) -> Ranking:
    """Put the tie groups of all queries together."""
    levels = len(judgements.levels)
    none = _Places(np.empty((0, 4), np.intp), np.empty((2, 0, levels), np.intp), _NO_GRADES)
    groups, distractors, grades = zip(none, *made, strict=True)
    query, start, size, relevant = np.concatenate(groups).T
    before, tied = np.concatenate(distractors, axis=1)
    is_graded = any(judgement.grades for judgement in judgements.of)
    return Ranking(
        neighbours,
        np.array([judgements.n_gallery - len(j.excluded) for j in judgements.of], np.int32),
        np.array([len(j.positive) for j in judgements.of], np.int32),
        query.astype(np.int32),
        start.astype(np.int32),
        size.astype(np.int32),
        relevant.astype(np.int32),
        judgements.distractors,
        before.astype(np.int32),
        tied.astype(np.int32),
        np.concatenate(grades) if is_graded else _NO_GRADES,
    )


def _first(row: GridDistances, ordered: GridDistances, depth: int) -> NDArray[np.intp]:
    """First images that take part, by distance, then by index."""
    last = ordered[min(depth, len(ordered)) - 1] if len(ordered) else FAR
    near = np.flatnonzero(row <= min(last, FAR - 1))
    return near[np.argsort(row[near], kind="stable")][:depth]


def _groups(
    query: int, row: GridDistances, ordered: GridDistances, positive: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Tie groups with relevant images: rows of query, start, size, relevant images."""
    relevant = np.sort(row[positive])
    heads = np.flatnonzero(np.diff(relevant, prepend=relevant[:1] - 1))
    tied = relevant[heads]
    made = np.empty((len(tied), 4), np.intp)
    made[:, 0] = query
    made[:, 1] = np.searchsorted(ordered, tied, side="left")
    made[:, 2] = np.searchsorted(ordered, tied, side="right") - made[:, 1]
    made[:, 3] = np.diff(heads, append=len(relevant))
    return made


def _grades(judgement: Judgement, row: GridDistances | None = None) -> NDArray[np.float64]:
    """Grades of the relevant images by distance, if that is known, the highest first."""
    if not judgement.grades:
        return np.ones(len(judgement.positive))
    grades = np.array([judgement.grades.get(image, 1.0) for image in judgement.positive.tolist()])
    return grades[np.lexsort((-grades,) if row is None else (-grades, row[judgement.positive]))]


def _distractors(
    row: GridDistances, tied: GridDistances, levels: Sequence[NDArray[np.intp]]
) -> NDArray[np.intp]:
    """Distractors before and in the tie groups at these distances, (2, groups, levels)."""
    made = np.empty((2, len(tied), len(levels)), np.intp)
    for level, indices in enumerate(levels):
        ordered = np.sort(row[indices])
        starts = np.searchsorted(ordered, tied, side="left")
        ends = np.searchsorted(ordered, tied, side="right")
        made[0, :, level] = starts - np.r_[0, ends[:-1]][: len(starts)]
        made[1, :, level] = ends - starts
    return made
