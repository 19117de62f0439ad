"""How a gallery is searched: by one matrix of vectors, or by several whose searches are fused."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from retrieval.fusion.late import Fusion, fuse
from retrieval.knn import Block, Rows, distances
from retrieval.protocol import Judgements

Vectors = Sequence[Rows]
"""The vectors of the same images by one extractor or several, a matrix of each."""


class Search(Protocol):
    """Compares queries with a gallery. What re-ranks takes a search and is one."""

    def __call__(
        self, queries: Vectors, gallery: Vectors, judgements: Judgements
    ) -> Iterator[Block]:
        """Search.

        Parameters
        ----------
        queries, gallery : sequence of Rows
            As many matrices in one as in the other, of the same extractors in the same order.
        judgements : Judgements
            Each query's excluded images have no influence on what is found for it; of the
            judgements nothing else is looked at.

        Returns
        -------
        iterator of Block
            See `retrieval.knn.Block`; of excluded images, whatever.
        """
        ...


def single(queries: Vectors, gallery: Vectors, judgements: Judgements) -> Iterator[Block]:
    """Search by the one matrix that there is; see `Search`."""
    (asked,), (searched,) = queries, gallery
    return distances(asked, searched)


class Fused:
    """Search by every matrix and fuse what each finds; see `Search`.

    Parameters
    ----------
    fusion : Fusion
        Late fusion, of distances.
    """

    def __init__(self, fusion: Fusion) -> None:
        self.fusion = fusion

    def __call__(
        self, queries: Vectors, gallery: Vectors, judgements: Judgements
    ) -> Iterator[Block]:
        """See `Search`."""
        searches = [distances(*pair) for pair in zip(queries, gallery, strict=True)]
        return fuse(searches, self.fusion, judgements)
