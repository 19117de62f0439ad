"""Search: an index of pictures on disk, and the pictures in it that are most like another."""

from benchmarks.search.api import open_index, search

__all__ = ["open_index", "search"]
