"""Every row of the benchmark: the extractors, and those whose search is re-ranked."""

import extractors
from benchmarks.row import Row
from retrieval.geometry import Verification

RERANKED = {
    "rootsift-bovw+geometry": Verification(),
    "orb-bovw+geometry": Verification(),
}
"""Rows of the extractors' menu whose first images are re-ranked by verified matches."""


def row_names() -> list[str]:
    """Names of all rows, in order."""
    return [*extractors.MENU, *RERANKED]


def make_row(name: str) -> Row:
    """Make a row, ready to work."""
    return Row(name, extractors.MENU[name.partition("+")[0]], RERANKED.get(name))
