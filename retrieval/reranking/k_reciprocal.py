"""k-reciprocal re-ranking: images are alike if they stand in each other's neighbourhoods."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from retrieval.fusion.late import STEPS, on_grid
from retrieval.knn import FAR, Block, GridDistances
from retrieval.protocol import Judgements
from retrieval.reranking.neighbours import (
    Near,
    kept_for_last,
    near,
    nothing_excluded,
    sparse,
)
from retrieval.search import Search, Vectors

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class KReciprocal:
    """Mix distance with how little the neighbourhoods of query and image overlap.

    The published code ranks all queries together with the gallery, so that they help each
    other. Here a query is ranked as if it were the only one: the gallery's neighbourhoods are
    computed without any query, and an image has the query for its neighbour if the query is no
    farther than its own k-th neighbour. Distances are 1 less the cosine, or
    the scores of a fused search.

    Parameters
    ----------
    k1 : int
        Size of a neighbourhood, the image itself aside; ties at its edge belong to it.
    k2 : int
        Images over which a neighbourhood is averaged, the image itself among them.
    weight : float
        Share of the original distance, from 0 to 1.

    References
    ----------
    Z. Zhong, L. Zheng, D. Cao, S. Li (2017), Re-ranking person re-identification with
    k-reciprocal encoding, CVPR, doi:10.1109/CVPR.2017.389
    """

    version: ClassVar[str] = "k-reciprocal 2"

    k1: int = 20
    k2: int = 6
    weight: float = 0.3

    def __post_init__(self) -> None:
        if min(self.k1, self.k2) < 1 or not 0 <= self.weight <= 1:
            raise ValueError("k1 and k2 must be at least 1, and weight from 0 to 1")

    def around(self, search: Search) -> Search:
        """Wrap a search in one that ranks by k-reciprocal neighbourhoods."""
        known_of = kept_for_last(partial(self._look_around, search))

        def reciprocal(
            queries: Vectors, gallery: Vectors, judgements: Judgements
        ) -> Iterator[Block]:
            known = known_of(gallery)
            for found in near(search, queries, gallery, judgements, self.k1):
                row = np.full(len(found.row), FAR, np.int32)
                allowed = judgements.taking_part(found.query)
                distances = found.row[allowed]
                row[allowed] = 0  # if all are equally far, none is a neighbour
                if len(distances) and distances.min() < distances.max():
                    mixed = self._distances(found, allowed, known)
                    row[allowed] = on_grid(-mixed[allowed])
                yield Block(found.query, row[None])

        return reciprocal

    def _look_around(self, search: Search, gallery: Vectors) -> "_Gallery":
        """Work out the neighbourhood of every gallery image."""
        size = gallery[0].shape[0]
        nobody = nothing_excluded(size, size)
        wide, narrow, close = [], [], []
        reach = np.empty(size, np.int32)
        for found in near(search, gallery, gallery, nobody, self.k1 + 1):
            wide.append(found.indices)
            narrow.append(found.first(self.k1 // 2 + 1))
            close.append(found.first(self.k2))
            reach[found.query] = found.distances[-1]
        mutual, core = _mutual(sparse(wide, size)), _mutual(sparse(narrow, size))
        members = _extend(mutual, core)
        encoded = []
        for found in near(search, gallery, gallery, nobody, 1):
            inside = members.indices[slice(*members.indptr[found.query : found.query + 2])]
            encoded.append((inside, _weigh(found.row[inside])))
        codes = sparse([i for i, _ in encoded], size, [w for _, w in encoded])
        averaged = _mean_rows(sparse(close, size)) @ codes
        return _Gallery(core, reach, codes, averaged.tocsc())

    def _distances(self, found: Near, allowed: NDArray[np.bool_], known: "_Gallery") -> Numbers:
        """Of one query to every gallery image."""
        members = found.indices[found.distances <= known.reach[found.indices]]
        code = np.zeros(len(allowed))
        inside = _extend_one(members, known.core)
        code[inside] = _weigh(found.row[inside])
        # The query itself is the first of the images that its neighbourhood is averaged over.
        friends = found.first(self.k2 - 1) if self.k2 > 1 else found.indices[:0]
        code = (code + known.codes[friends].sum(axis=0)) / (1 + len(friends))
        code[~allowed] = 0
        total = code.sum()
        common = _common(code / total if total else code, known.averaged)
        jaccard = 1 - common / (2 - common)
        return (1 - self.weight) * jaccard + self.weight * found.row / STEPS


@dataclass(frozen=True)
class _Gallery:
    """Neighbourhoods of gallery images.

    Attributes
    ----------
    core : csr_array of float64
        Mutual neighbours in half the neighbourhood; 1 or nothing.
    reach : ndarray of int32, shape (n_gallery,)
        Distance of the last image in each one's neighbourhood.
    codes : csr_array of float64
        Each one's neighbourhood, every member with its weight, 1 in all.
    averaged : csc_array of float64
        The same, averaged over each one's nearest.
    """

    core: csr_array
    reach: GridDistances
    codes: csr_array
    averaged: csc_array


def _mutual(neighbours: csr_array) -> csr_array:
    return csr_array(neighbours.multiply(neighbours.T))


def _extend(mutual: csr_array, core: csr_array) -> csr_array:
    """Add the core of each member that shares two thirds of it with the neighbourhood."""
    shared = scipy.sparse.coo_array((mutual @ core.T).multiply(mutual))
    enough = shared.data >= 2 / 3 * core.sum(axis=1)[shared.coords[1]] - 1e-9
    kept = csr_array(
        (np.ones(enough.sum()), tuple(axis[enough] for axis in shared.coords)), mutual.shape
    )
    return csr_array(mutual + kept @ core)


def _extend_one(members: NDArray[np.intp], core: csr_array) -> NDArray[np.intp]:
    """`_extend`, of one neighbourhood."""
    inside = np.zeros(core.shape[0])
    inside[members] = 1
    cores = core[members]
    enough = cores @ inside >= 2 / 3 * cores.sum(axis=1) - 1e-9
    inside += cores[enough].sum(axis=0)
    return np.flatnonzero(inside)


def _weigh(distances: GridDistances) -> Numbers:
    weights = np.exp(-distances / STEPS)
    return weights / weights.sum() if len(weights) else weights


def _mean_rows(neighbours: csr_array) -> csr_array:
    counts = np.maximum(neighbours.sum(axis=1), 1)
    return csr_array(scipy.sparse.diags_array(1 / counts) @ neighbours)


def _common(code: Numbers, codes: csc_array) -> Numbers:
    """Sum of the smaller of two weights over all members, with every gallery image."""
    columns = np.flatnonzero(code)
    part = codes[:, columns]
    smaller = np.minimum(part.data, np.repeat(code[columns], np.diff(part.indptr)))
    return np.bincount(part.indices, smaller, minlength=codes.shape[0]).astype(np.float64)
