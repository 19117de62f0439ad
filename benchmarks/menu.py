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


def make_row(name: str, epochs: int | None = None) -> Row:
    """Make a row, ready to work; its network, if any, is trained for `epochs` at most."""
    estimator = extractors.MENU[name.partition("+")[0]]
    return Row(name, estimator, RERANKED.get(name), epochs=epochs)
