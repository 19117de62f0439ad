"""What re-ranks a search, by the name that stands in a row's name."""

from typing import Protocol

from retrieval.search import Search


class Reranking(Protocol):
    """A way of re-ranking."""

    def around(self, search: Search) -> Search:
        """Wrap a search in one that re-ranks what it finds."""
        ...


RERANKINGS: dict[str, Reranking] = {}
