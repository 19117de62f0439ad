"""A search: it compares the vectors of queries with those of a gallery."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from retrieval.knn import Block, grid_distances
from retrieval.protocol import Judgements
from retrieval.rows import Rows

Vectors = Sequence[Rows]
"""The vectors of the same images by one extractor or several, a matrix of each."""


class Search(Protocol):
    """Compare queries with a gallery; a re-ranking takes a search and gives another."""

    def __call__(
        self, queries: Vectors, gallery: Vectors, judgements: Judgements
    ) -> Iterator[Block]:
        """Search.

        Parameters
        ----------
        queries, gallery : sequence of Rows
            As many matrices in one as in the other, of the same extractors in the same order.
        judgements : Judgements
            Each query's excluded images have no influence on its neighbours. A search looks at
            nothing else in the judgements.

        Returns
        -------
        iterator of Block
            Distances of every query to every gallery image, in order of the queries; those to
            its excluded images may be anything.
        """
        ...


def single(queries: Vectors, gallery: Vectors, judgements: Judgements) -> Iterator[Block]:
    """Search by Euclidean distance, where there is one matrix of vectors; a `Search`."""
    (asked,), (searched,) = queries, gallery
    return grid_distances(asked, searched)
