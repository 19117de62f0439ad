"""The table of re-rankings, by the name that stands in a method's name."""

from typing import Protocol

from retrieval.reranking.diffusion import Diffusion
from retrieval.reranking.expansion import DatabaseAugmentation, QueryExpansion
from retrieval.reranking.k_reciprocal import KReciprocal
from retrieval.search import Search


class Reranking(Protocol):
    """A way of re-ranking."""

    def around(self, search: Search) -> Search:
        """Wrap a search in one that re-ranks its result.

        Parameters
        ----------
        search : Search
            A plain or fused search, or one that is re-ranked already.
        """
        ...


RERANKINGS: dict[str, Reranking] = {
    "average-qe": QueryExpansion(alpha=0.0),
    "alpha-qe": QueryExpansion(),
    "dba": DatabaseAugmentation(),
    "k-reciprocal": KReciprocal(),
    "diffusion": Diffusion(),
}
