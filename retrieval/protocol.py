"""The protocol: gallery images that are relevant for a query, and those left out for it.

The gallery's distractors are dealt into `LEVELS` equal parts, by content. Leaving out all but the
first few parts gives nested subsets. A ranking keeps the number of distractors of each part at
each place, so every metric on every subset comes from one search.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

VERSION = "protocol 1"
"""Changes with the numbers that search, judging and metrics give for the same vectors, and with
nothing else: part of the keys of records."""

LEVELS = 10
"""Parts that distractors are dealt into."""


class Candidate(Protocol):
    """An image, as far as the protocol has to know it."""

    @property
    def id(self) -> str:
        """Name, unique in the dataset."""

    @property
    def sha256(self) -> str:
        """Hash of the content, the image's identity."""

    @property
    def labels(self) -> Collection[str]:
        """Class names."""

    @property
    def group(self) -> str | None:
        """Name of the scene or burst that it is of, None without one."""

    @property
    def distractor(self) -> str | None:
        """Class name of a distractor, None for any other image."""


class Judged(Protocol):
    """Judgements of one query."""

    @property
    def positive(self) -> Collection[str] | None:
        """Ids of the relevant gallery images; None where the query's label tells them."""

    @property
    def junk(self) -> Collection[str]:
        """Ids of the gallery images that do not take part."""

    @property
    def grades(self) -> Mapping[str, float]:
        """Ids of relevant images to their grades, where those are not 1."""


@dataclass(frozen=True)
class Judgement:
    """One query's right answers and excluded images, as sorted gallery indices.

    Attributes
    ----------
    positive : ndarray of intp
        Relevant images that take part.
    excluded : ndarray of intp
        Junk, and the query itself: neither right nor wrong, removed before ranks are counted.
    grades : mapping of int to float
        Gallery indices of relevant images to their grades, where those are not 1.
    """

    positive: NDArray[np.intp]
    excluded: NDArray[np.intp]
    grades: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Judgements:
    """The judgement of every query, in order of the queries.

    Attributes
    ----------
    of : tuple of Judgement
        One per query.
    n_gallery : int
        Images searched, before exclusion.
    self_matches : int
        Queries that stand in the gallery themselves, byte for byte, and were excluded there.
    levels : tuple of ndarray of intp
        The distractors, dealt into parts by `deal`; empty without any.
    """

    of: tuple[Judgement, ...]
    n_gallery: int
    self_matches: int
    levels: tuple[NDArray[np.intp], ...] = ()

    def taking_part(self, query: int) -> NDArray[np.bool_]:
        """Tell the gallery images that take part for a query: all but the excluded ones.

        Parameters
        ----------
        query : int
            Number of the query.
        """
        made = np.ones(self.n_gallery, bool)
        made[self.of[query].excluded] = False
        return made

    @cached_property
    def distractors(self) -> NDArray[np.int32]:
        """Distractors of each part that take part for each query; (n_queries, n_parts)."""
        counts = np.empty((len(self.of), len(self.levels)), np.int32)
        is_there = np.zeros(self.n_gallery, bool)
        for column, level in zip(counts.T, self.levels, strict=True):
            is_there[level] = True
            column[:] = [len(level) - np.count_nonzero(is_there[j.excluded]) for j in self.of]
            is_there[level] = False
        return counts


def judge(
    queries: Sequence[Candidate],
    gallery: Sequence[Candidate],
    relevance: Mapping[str, Judged],
    keeps_query: bool = False,
) -> Judgements:
    """Judge the gallery for every query.

    An image is relevant if it has a label of the query's; distractors have none and are
    negatives. Relevant images that `relevance` names replace the query's labels. Its junk, and
    images of the query's group, are excluded; so is the query itself, found in the gallery by
    its id or by content hash, once.

    Parameters
    ----------
    queries, gallery : sequence of Candidate
        Images asked with and images searched, the gallery in order of id.
    relevance : mapping of str to Judged
        Query id to its judgements; may be empty.
    keeps_query : bool
        Let a query that stands in the gallery find itself, as a right answer like any other.

    Returns
    -------
    Judgements
        One judgement per query, in their order.
    """
    judge_one = Judge(gallery, relevance, keeps_query)
    judgements = tuple(map(judge_one, queries))
    self_matches = sum(judge_one.itself(query) is not None for query in queries)
    return Judgements(judgements, len(gallery), self_matches, deal(gallery))


def deal(gallery: Sequence[Candidate], seed: int = 0) -> tuple[NDArray[np.intp], ...]:
    """Deal the distractors into parts, at random but the same whatever the order.

    Parameters
    ----------
    gallery : sequence of Candidate
        All images searched, distractors among them.
    seed : int
        Another seed gives other subsets.

    Returns
    -------
    tuple of ndarray of intp
        `LEVELS` sorted arrays of gallery indices, of sizes that differ by one at most; empty
        without distractors.
    """
    distractors = [index for index, image in enumerate(gallery) if image.distractor is not None]
    if not distractors:
        return ()

    def chance(index: int) -> str:
        return hashlib.sha256(f"{seed}/{gallery[index].sha256}".encode()).hexdigest()

    order = np.array(sorted(distractors, key=lambda index: (chance(index), index)), np.intp)
    return tuple(np.sort(part) for part in np.array_split(order, LEVELS))


class Judge:
    """Judges the gallery for one query at a time, by the rules of `judge`.

    Parameters
    ----------
    gallery, relevance, keeps_query
        As of `judge`.
    """

    def __init__(
        self,
        gallery: Sequence[Candidate],
        relevance: Mapping[str, Judged],
        keeps_query: bool = False,
    ) -> None:
        self._gallery, self._relevance, self._keeps_query = gallery, relevance, keeps_query
        self._by_label: dict[str, list[int]] = defaultdict(list)
        self._by_group: dict[str | None, list[int]] = defaultdict(list)
        self._by_content: dict[str, int] = {}
        self._by_id = {image.id: index for index, image in enumerate(gallery)}
        for index, image in enumerate(gallery):
            for label in image.labels:
                self._by_label[label].append(index)
            if image.group is not None:
                self._by_group[image.group].append(index)
            self._by_content.setdefault(image.sha256, index)

    def itself(self, query: Candidate) -> int | None:
        """Place of the query in the gallery, from which it is excluded; or None."""
        if self._keeps_query:
            return None
        own = self._by_id.get(query.id)
        if own is not None and self._gallery[own].sha256 == query.sha256:
            return own  # not a copy of it, which may have another class
        return self._by_content.get(query.sha256)

    def __call__(self, query: Candidate) -> Judgement:
        """Judge the gallery for a query."""
        judged, by_id = self._relevance.get(query.id), self._by_id
        # An image may be judged and yet be missing here: it was not readable.
        junk = judged.junk if judged else ()
        excluded = {by_id[name] for name in junk if name in by_id}
        excluded |= {*self._by_group.get(query.group, ())}
        if judged and judged.positive is not None:
            positive = {by_id[name] for name in judged.positive if name in by_id}
        else:
            labels = query.labels
            positive = {index for one in labels for index in self._by_label.get(one, ())}
        itself = self.itself(query)
        if itself is not None:
            excluded.add(itself)
        positive -= excluded
        given = judged.grades.items() if judged else ()
        grades = {by_id[name]: grade for name, grade in given if by_id.get(name) in positive}
        return Judgement(_sorted(positive), _sorted(excluded), grades)


def _sorted(indices: set[int]) -> NDArray[np.intp]:
    return np.array(sorted(indices), np.intp)
