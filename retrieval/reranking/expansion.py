"""Query expansion and database augmentation: neighbours' vectors are added to a vector."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from retrieval.knn import Block
from retrieval.protocol import Judgements
from retrieval.reranking.neighbours import kept_for_last, near, nothing_excluded
from retrieval.rows import normalise, pick
from retrieval.search import Search, Vectors


@dataclass(frozen=True)
class QueryExpansion:
    """Search again, with each query replaced by the weighted sum of itself and its first images.

    Parameters
    ----------
    first : int
        Images that are added to a query, with all that are as far as the last of them.
    alpha : float
        Each added image has its cosine to this power for a weight, the query 1; at 0, all weigh
        the same.

    References
    ----------
    O. Chum et al. (2007), Total recall: automatic query expansion with a generative feature
    model for object retrieval, ICCV, doi:10.1109/ICCV.2007.4408891 (average); F. Radenović,
    G. Tolias, O. Chum (2019), Fine-tuning CNN image retrieval with no human annotation, TPAMI
    41(7), doi:10.1109/TPAMI.2018.2846566 (alpha)
    """

    version: ClassVar[str] = "query-expansion 2"

    first: int = 10
    alpha: float = 3.0

    def __post_init__(self) -> None:
        _require_positive(self.first)

    def around(self, search: Search) -> Search:
        """Wrap a search; with several matrices, each has its queries expanded in its own space."""

        def expanded(
            queries: Vectors, gallery: Vectors, judgements: Judgements
        ) -> Iterator[Block]:
            made = [np.zeros(matrix.shape, np.float32) for matrix in queries]
            for found in near(search, queries, gallery, judgements, self.first):
                _expand(found.query, found.indices, queries, gallery, self.alpha, made)
            return search(made, gallery, judgements)

        return expanded


@dataclass(frozen=True)
class DatabaseAugmentation:
    """Search a gallery in which each image is replaced by the sum of itself and its neighbours.

    The gallery is augmented once for all queries: no query takes part, and images that a query
    excludes from its own ranking are not left out.

    Parameters
    ----------
    first : int
        Neighbours of each image, with all that are as far as the last of them.
    alpha : float
        Each neighbour has its cosine to this power for a weight, the image itself 1.

    References
    ----------
    P. Turcot, D. G. Lowe (2009), Better matching with fewer features: the selection of useful
    features in large database recognition problems, ICCV workshops,
    doi:10.1109/ICCVW.2009.5457541; R. Arandjelović, A. Zisserman (2012), Three things everyone
    should know to improve object retrieval, CVPR, doi:10.1109/CVPR.2012.6248018
    """

    version: ClassVar[str] = "database-augmentation 2"

    first: int = 10
    alpha: float = 3.0

    def __post_init__(self) -> None:
        _require_positive(self.first)

    def around(self, search: Search) -> Search:
        """Wrap a search; with several matrices, each is augmented in its own space."""
        augmented_of = kept_for_last(partial(self._augment, search))

        def augmented(
            queries: Vectors, gallery: Vectors, judgements: Judgements
        ) -> Iterator[Block]:
            return search(queries, augmented_of(gallery), judgements)

        return augmented

    def _augment(self, search: Search, gallery: Vectors) -> Vectors:
        size = gallery[0].shape[0]
        made = [np.zeros(matrix.shape, np.float32) for matrix in gallery]
        # An image is the first of its own neighbours.
        nobody = nothing_excluded(size, size)
        for found in near(search, gallery, gallery, nobody, self.first + 1):
            others = found.indices[found.indices != found.query]
            _expand(found.query, others, gallery, gallery, self.alpha, made)
        return made


def _expand(
    number: int,
    neighbours: NDArray[np.intp],
    vectors: Vectors,
    gallery: Vectors,
    alpha: float,
    made: Sequence[NDArray[np.float32]],
) -> None:
    """Write one vector with its neighbours' added, in each space.

    Zeros stay zeros: where nothing was found, all are equally far, and none is a neighbour.
    """
    for matrix, searched, written in zip(vectors, gallery, made, strict=True):
        own = normalise(matrix[number : number + 1])[0]
        if not own.any():
            continue
        others = normalise(pick(searched, neighbours))
        weights = np.maximum(others @ own, 0) ** alpha
        written[number] = own + weights @ others


def _require_positive(first: int) -> None:
    if first < 1:
        raise ValueError(f"first must be at least 1, not {first}")
