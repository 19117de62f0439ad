"""Diffusion: similarity flows from a query along the gallery's own neighbourhoods."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import cg

from retrieval.fusion.late import STEPS, on_grid
from retrieval.knn import FAR, Block, GridDistances
from retrieval.protocol import Judgements
from retrieval.reranking.neighbours import (
    kept_for_last,
    near,
    nothing_excluded,
    similarity,
    sparse,
)
from retrieval.search import Search, Vectors

_TOLERANCE = 1e-12
"""Relative error of the solution, far below the grid."""

_REACHED = 1e-9
"""Share of the largest value from which on an image counts as reached."""

_EQUAL = 1e-9
"""Share of the largest value up to which values are equal but for the solver's error."""


@dataclass(frozen=True)
class Diffusion:
    """Rank by a random walk that starts, and restarts, at the query's neighbours.

    The graph has an edge between images that are among each other's first `k`. It is the
    gallery's own, the same for all queries. Images that the walk does not reach follow behind
    those that it does, by distance. The equations are solved anew for each query by conjugate
    gradients: with restarts as often as here they converge in some hundred steps whatever the
    gallery's size, and no factorisation has to be in memory.

    Parameters
    ----------
    k : int
        Neighbours of an image, and of a query; ties at the edge belong to them.
    alpha : float
        Probability that the walk goes on, from 0 to below 1.
    gamma : float
        Edges have the cosine to this power for a weight.

    References
    ----------
    A. Iscen, G. Tolias, Y. Avrithis, T. Furon, O. Chum (2017), Efficient diffusion on region
    manifolds: recovering small objects with compact CNN representations, CVPR,
    doi:10.1109/CVPR.2017.105
    """

    version: ClassVar[str] = "diffusion 1"

    k: int = 50
    alpha: float = 0.99
    gamma: float = 3.0

    def __post_init__(self) -> None:
        if self.k < 1 or not 0 <= self.alpha < 1:
            raise ValueError("k must be at least 1, and alpha from 0 to below 1")

    def around(self, search: Search) -> Search:
        """Wrap a search in one that ranks by diffusion."""
        system_of = kept_for_last(partial(self._system, search))

        def diffused(
            queries: Vectors, gallery: Vectors, judgements: Judgements
        ) -> Iterator[Block]:
            system = system_of(gallery)
            for found in near(search, queries, gallery, judgements, self.k):
                start = np.zeros(len(found.row))
                start[found.indices] = similarity(found.distances) ** self.gamma
                row = np.full(len(found.row), FAR, np.int32)
                allowed = judgements.taking_part(found.query)
                if allowed.any():
                    reached = self._solve(system, start)[allowed]
                    row[allowed] = _in_order(reached, found.row[allowed])
                yield Block(found.query, row[None])

        return diffused

    def _system(self, search: Search, gallery: Vectors) -> scipy.sparse.csr_array:
        """Identity less `alpha` times the normalised graph."""
        size = gallery[0].shape[0]
        indices, weights = [], []
        for found in near(search, gallery, gallery, nothing_excluded(size, size), self.k + 1):
            others = found.indices != found.query
            indices.append(found.indices[others])
            weights.append(similarity(found.distances[others]) ** self.gamma)
        directed = sparse(indices, size, weights)
        graph = directed.minimum(directed.T)
        degree = graph.sum(axis=1)
        scale = scipy.sparse.diags_array(1 / np.sqrt(np.where(degree > 0, degree, 1)))
        return scipy.sparse.csr_array(
            scipy.sparse.eye_array(size) - self.alpha * (scale @ graph @ scale)
        )

    def _solve(
        self, system: scipy.sparse.csr_array, start: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        if not start.any():
            return start
        solution, steps = cg(system, start, rtol=_TOLERANCE, maxiter=10_000)
        if steps:
            raise ValueError(f"diffusion does not converge with alpha {self.alpha}")
        return np.asarray(solution)


def _in_order(reached: NDArray[np.float64], distances: GridDistances) -> GridDistances:
    """Put reached images first, by their values, then the rest, by distance."""
    made = distances + np.int32(STEPS) + 1
    inside = reached > _REACHED * max(reached.max(), 0)
    if inside.any():
        values = reached[inside]
        # What the solver leaves undecided is a tie, and not to be stretched over the grid.
        is_tie = np.ptp(values) <= _EQUAL * values.max()
        made[inside] = 0 if is_tie else on_grid(values)
    return made
