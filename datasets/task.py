"""A dataset: images in their parts, and the tasks that they make."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from datasets.protocols import Protocol

_LONGEST = 2**31
"""Pixels that no side of a picture has."""


class Box(NamedTuple):
    """A part of a picture, in pixels; right and bottom lie outside of it."""

    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of(cls, sides: Sequence[float]) -> "Box | None":
        """The box of four numbers, rounded; None where they make none."""
        if not all(0 <= side < _LONGEST for side in sides):  # neither is what is no number
            return None
        box = cls(*map(round, sides))
        return box if box.left < box.right and box.top < box.bottom else None


@dataclass(frozen=True)
class Image:
    """One readable picture.

    Attributes
    ----------
    id : str
        POSIX path relative to the dataset's root; the order of everything is by id.
    path : Path
        Where the file is on this machine; no part of the image's identity.
    sha256 : str
        Hash of the file's bytes, the image's identity.
    label : str or None
        Class name; None for a distractor and in unlabelled folders.
    distractor : str or None
        Name of the distractor's class (``""`` if it has none), None for all other images.
    further : tuple of str
        More labels: images with any label in common are relevant for each other.
    group : str or None
        Images of one group (a scene, a camera, a burst) are junk for each other.
    box : Box or None
        The part of the picture that is asked with; None for all of it.
    """

    id: str
    path: Path = field(compare=False)
    sha256: str
    label: str | None = None
    distractor: str | None = None
    further: tuple[str, ...] = ()
    group: str | None = None
    box: Box | None = None

    @property
    def labels(self) -> frozenset[str]:
        """All labels."""
        return frozenset(self.further if self.label is None else (self.label, *self.further))


class ProblemKind(IntEnum):
    """Kinds of problems, in their order in the table."""

    BROKEN = 0
    """A picture that cannot be read."""
    DATASET = 1
    """A picture or class that does not fit into the dataset."""
    REMARK = 2
    """A picture that is read and odd."""
    FORMAT = 3
    """A picture or film in a format that is not read."""
    PASSED_OVER = 4
    """Files that belong to a system or a program, counted."""


@dataclass(frozen=True)
class Problem:
    """A row in the table of image problems: which image, what is wrong, what became of it."""

    id: str
    what: str
    outcome: str
    kind: ProblemKind = ProblemKind.DATASET

    @property
    def order(self) -> tuple[ProblemKind, str, str]:
        """Key of its place in the table."""
        return self.kind, self.id, self.what


@dataclass(frozen=True)
class Relevance:
    """Judgements of a query, as ``relevance.json`` has them.

    Attributes
    ----------
    positive : frozenset of str or None
        Ids of the relevant gallery images; None where the class label tells them.
    junk : frozenset of str
        Ids of the gallery images that do not take part.
    grades : mapping of str to float
        Ids of relevant images to their grades, greater than 0, where those are not 1.
    """

    positive: frozenset[str] | None = None
    junk: frozenset[str] = frozenset()
    grades: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """Pictures in their parts. Every tuple is in order of id.

    Attributes
    ----------
    name : str
        Name in tables and file names.
    root : Path
        Folder that the ids are relative to.
    training, gallery : tuple of Image
        The images that ``fit`` may see, and those that are searched.
    queries : mapping of str to tuple of Image
        The query sets on the one gallery: ``query``, ``query-sketch``, …
    relevance : mapping of str to Relevance
        Judgements of single queries, per query id; mostly empty.
    problems : tuple of Problem
        What was found wrong with the files, and what was done about it.
    split : str
        How the images came into their parts, in words, for the protocol card.
    licence : str
        Terms and attribution of the pictures, shown wherever they are.
    layout : tuple of str
        What was understood of the folder, in a few lines.
    warnings : tuple of str
        What makes scores doubtful.
    protocols : mapping of str to Protocol
        Query set to the published protocol that it follows, where there is one.
    folders : mapping of str to str
        Part to the folder, below `root`, that holds its images, where the parts are folders.
    """

    name: str
    root: Path
    training: tuple[Image, ...]
    gallery: tuple[Image, ...]
    queries: Mapping[str, tuple[Image, ...]]
    relevance: Mapping[str, Relevance] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    split: str = "as the folders say"
    licence: str = ""
    layout: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    protocols: Mapping[str, Protocol] = field(default_factory=dict)
    folders: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def tasks(self) -> tuple["Task", ...]:
        """One task per query set."""
        return tuple(Task(self, name) for name in sorted(self.queries))

    @property
    def labelled(self) -> bool:
        """Whether anything is known about what a right answer is."""
        judged = any(one.positive for one in self.relevance.values())
        return judged or any(image.label for image in self.gallery)

    @cached_property
    def images(self) -> tuple[tuple[str, Image], ...]:
        """Every image with the name of its part: training, gallery, then the query sets."""
        parts = [("training", self.training), ("gallery", self.gallery)]
        parts += [(name, self.queries[name]) for name in sorted(self.queries)]
        return tuple((part, image) for part, images in parts for image in images)

    @cached_property
    def fingerprint(self) -> str:
        """Content hash of the whole split: every part, id, label, byte and judgement."""
        rows: list[object] = [
            (part, image.id, image.sha256, image.label, image.distractor)
            for part, image in self.images
        ]
        rows += [
            (part, image.id, sorted(image.further), image.group, image.box)
            for part, image in self.images
            if image.further or image.group is not None or image.box is not None
        ]
        rows += _judged(self.relevance)
        rows += [(task.query_set, "finds itself") for task in self.tasks if task.keeps_query]
        return _hash(rows)


@dataclass(frozen=True)
class Task:
    """One query set against the gallery: the unit that methods are scored on."""

    dataset: Dataset
    query_set: str

    @property
    def queries(self) -> tuple[Image, ...]:
        """The queries, in order of id."""
        return self.dataset.queries[self.query_set]

    @cached_property
    def fingerprint(self) -> str:
        """Content hash of its dataset without other query sets."""
        alone = {self.query_set: self.queries}
        return replace(self.dataset, queries=alone, relevance=self._relevance).fingerprint

    @cached_property
    def judgements_fingerprint(self) -> str | None:
        """Hash of what was judged relevant for its queries; None where classes alone say it."""
        return _hash(_judged(self._relevance)) if self._relevance else None

    @property
    def _relevance(self) -> dict[str, Relevance]:
        ids = {image.id for image in self.queries}
        return {name: one for name, one in self.dataset.relevance.items() if name in ids}

    @property
    def protocol(self) -> Protocol | None:
        """The published protocol that it follows, if there is one."""
        return self.dataset.protocols.get(self.query_set)

    @property
    def keeps_query(self) -> bool:
        """Whether a query that stands in the gallery finds itself."""
        return self.protocol is not None and self.protocol.keeps_query

    @property
    def differences(self) -> list[str]:
        """Words on what it differs in from its protocol."""
        if self.protocol is None:
            return []
        return [*self.protocol.differences(len(self.queries), len(self.dataset.gallery))]


def _judged(relevance: Mapping[str, Relevance]) -> list[object]:
    """All that judgements say, in order of the queries."""
    rows: list[object] = [
        (query, None if judged.positive is None else sorted(judged.positive), sorted(judged.junk))
        for query, judged in sorted(relevance.items())
    ]
    return rows + [
        (query, sorted(judged.grades.items()))
        for query, judged in sorted(relevance.items())
        if judged.grades
    ]


def _hash(rows: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
