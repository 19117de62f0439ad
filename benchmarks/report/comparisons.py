"""How the order of rows changes from one table to another, and what of that is significant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau

from retrieval.metrics import Values
from retrieval.statistics import LEVEL, compare


@dataclass(frozen=True)
class Change:
    """What became of the order.

    Attributes
    ----------
    tau : float
        Kendall's rank correlation of the two orders; 1 if nothing changed.
    reversed : list of tuple of str
        Pairs of rows of which the first is significantly better in the first table and the
        second in the second; the largest reversal first.
    """

    tau: float
    reversed: list[tuple[str, str]]


def change(before: Mapping[str, Values], after: Mapping[str, Values]) -> Change:
    """Compare the orders of the same rows, by a metric that is no probability of being right.

    Parameters
    ----------
    before, after : mapping of str to ndarray of float64
        Row name to its value of every query, lone queries left out.

    References
    ----------
    M. G. Kendall (1938), A new measure of rank correlation, Biometrika 30,
    doi:10.1093/biomet/30.1-2.81
    """
    names = [name for name in before if name in after]
    if len(names) < 2:
        return Change(float("nan"), [])
    first, second = _Side(names, before), _Side(names, after)
    pairs = [
        (first.lead(a, b) + second.lead(b, a), names[a], names[b])
        for a in range(len(names))
        for b in range(len(names))
        if first.is_better(a, b) and second.is_better(b, a)
    ]
    tau = float(kendalltau(first.means, second.means).statistic)
    return Change(tau, [(one, other) for _, one, other in sorted(pairs, reverse=True)])


class _Side:
    def __init__(self, names: Sequence[str], values: Mapping[str, Values]) -> None:
        matrix = np.stack([values[name] for name in names], axis=1)
        self.means = matrix.mean(axis=0)
        self._p_values = compare(matrix, binary=False).p_values

    def lead(self, one: int, other: int) -> float:
        return float(self.means[one] - self.means[other])

    def is_better(self, one: int, other: int) -> bool:
        return bool(self.lead(one, other) > 0 and self._p_values[one, other] < 1 - LEVEL)


def in_words(found: Change, before: str, after: str, shown: int = 10) -> str:
    """Say it in Markdown, without escapes."""
    text = f"Kendall's tau between the orders of {before} and {after}: {found.tau:.2f}."
    if not found.reversed:
        return f"{text} No pair of rows changes places significantly.\n"
    listed = "; ".join(f"{one} > {other}" for one, other in found.reversed[:shown])
    more = len(found.reversed) - shown
    tail = f" and {more} more" if more > 0 else ""
    return (
        f"{text} Pairs that change places, significantly so in both: {len(found.reversed)}. "
        f"Written as they stand with {before}: {listed}{tail}.\n"
    )
