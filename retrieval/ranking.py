"""What a search showed, small enough to keep: every metric can be computed from it alone."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from retrieval.knn import Block, Cells, first
from retrieval.protocol import Judgements

DEPTH = 50
"""Neighbours kept per query."""

_OUT = np.iinfo(np.int32).max
"""Distance of an image that does not take part: behind all others."""


@dataclass(frozen=True)
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
    """

    neighbours: NDArray[np.int32]
    candidates: NDArray[np.int32]
    relevant: NDArray[np.int32]
    group_query: NDArray[np.int32]
    group_start: NDArray[np.int32]
    group_size: NDArray[np.int32]
    group_relevant: NDArray[np.int32]

    @property
    def n_queries(self) -> int:
        """Number of queries, with or without relevant images."""
        return len(self.candidates)

    def save(self, path: Path) -> None:
        """Write an ``.npz`` file; the same ranking gives the same bytes."""
        with path.open("wb") as file:
            np.savez_compressed(
                file, **{item.name: getattr(self, item.name) for item in fields(self)}
            )

    @classmethod
    def load(cls, path: Path) -> "Ranking":
        """Read an ``.npz`` file.

        Raises
        ------
        ValueError
            If the file holds something else.
        """
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return cls(**{item.name: stored[item.name] for item in fields(cls)})
        except (KeyError, OSError, EOFError, ValueError, BadZipFile) as error:
            raise ValueError(f"{path} holds no ranking ({error})") from error


def summarise(blocks: Iterable[Block], judgements: Judgements, depth: int = DEPTH) -> Ranking:
    """Reduce a search to what the metrics need.

    Parameters
    ----------
    blocks : iterable of Block
        The search's result, see `retrieval.knn.distances`; what is excluded is overwritten.
    judgements : Judgements
        What counts for every query, in the same order.
    depth : int
        Neighbours kept per query.
    """
    neighbours = np.full((len(judgements.of), depth), -1, np.int32)
    groups: list[NDArray[np.intp]] = []
    for start, cells in blocks:
        for query, row in enumerate(cells, start):
            judgement = judgements.of[query]
            row[judgement.excluded] = _OUT
            nearest = first(row, depth)
            nearest = nearest[row[nearest] < _OUT]
            neighbours[query, : len(nearest)] = nearest
            groups.append(_groups(query, row, judgement.positive))
    columns = np.concatenate([np.empty((0, 4), np.intp), *groups]).T.astype(np.int32)
    return Ranking(
        neighbours,
        np.array([judgements.n_gallery - len(j.excluded) for j in judgements.of], np.int32),
        np.array([len(j.positive) for j in judgements.of], np.int32),
        *columns,
    )


def random_ranking(judgements: Judgements) -> Ranking:
    """Rank by chance: all candidates of a query in one tie group."""
    candidates = [judgements.n_gallery - len(j.excluded) for j in judgements.of]
    groups = [
        (query, 0, count, len(judgement.positive))
        for query, (count, judgement) in enumerate(zip(candidates, judgements.of, strict=True))
        if len(judgement.positive)
    ]
    columns = np.array(groups, np.int32).reshape(-1, 4).T
    return Ranking(
        np.full((len(candidates), 0), -1, np.int32),
        np.array(candidates, np.int32),
        np.array([len(j.positive) for j in judgements.of], np.int32),
        *columns,
    )


def _groups(query: int, row: Cells, positive: NDArray[np.intp]) -> NDArray[np.intp]:
    """Tie groups with relevant images: rows of query, start, size, relevant images."""
    ordered = np.sort(row)
    tied, counts = np.unique(row[positive], return_counts=True)
    starts = np.searchsorted(ordered, tied, side="left")
    ends = np.searchsorted(ordered, tied, side="right")
    return np.stack([np.full_like(starts, query), starts, ends - starts, counts], axis=1)
