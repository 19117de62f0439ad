"""Statistics of scores: paired tests, and groups of methods that differ.

Methods are compared on the same queries, so everything is paired. All functions take one value
per query and method and handle all methods, or all pairs of them, in one matrix product.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, norm

from retrieval.bootstrap import DRAWS, LEVEL, Matrix, intervals, portions

Pairs = NDArray[np.float64]
"""One value per pair of methods, shape (n_methods, n_methods), symmetric, 1 on the diagonal."""


_RADEMACHER = 3.18
"""A sum of terms with random signs is beyond any limit at most this many times as often as a
normal variable of its variance."""

_POWER = 0.8


_EQUAL = 1e-12
"""Differences closer than this are rounding."""

_SMALL = 0.1
_MOST_SIGNS = 2 * 10**8
"""A p-value below the first is found by more exchanges, of no more random signs than these."""


def mcnemar(values: Matrix) -> Pairs:
    """Exact McNemar test of every pair of methods, two-sided.

    Only queries that one method of a pair does better on count; under the null hypothesis each is
    as often the one's as the other's. Where ties make top-k a probability this is the sign test.

    Parameters
    ----------
    values : ndarray of float64, shape (n_queries, n_methods)
        1 where the method is right, 0 where it is wrong, between where a tie decides.

    References
    ----------
    Q. McNemar (1947), Note on the sampling error of the difference between correlated
    proportions or percentages, Psychometrika, doi:10.1007/BF02295996
    """
    above = values[:, :, None] > values[:, None, :] + _EQUAL
    wins = above.sum(axis=0)
    fewer, contested = np.minimum(wins, wins.T), wins + wins.T
    return np.minimum(1.0, 2 * binom.cdf(fewer, contested, 0.5))


def permutation_test(values: Matrix, draws: int = DRAWS, seed: int = 0) -> Pairs:
    """Paired permutation test of every pair of methods' means, by `sign_flip_test`.

    Parameters
    ----------
    values : ndarray of float64, shape (n_queries, n_methods)
        One metric of each method.
    draws, seed : int
        Number and seed of the random exchanges.
    """
    methods = values.shape[1]
    first, second = np.triu_indices(methods, 1)
    p_values = sign_flip_test(values[:, first] - values[:, second], draws, seed)
    made = np.ones((methods, methods))
    made[first, second] = made[second, first] = p_values
    return made


def sign_flip_test(differences: Matrix, draws: int = DRAWS, seed: int = 0) -> NDArray[np.float64]:
    """Paired permutation test of whether differences are about zero, two-sided.

    Under the null hypothesis two methods' values of a query might as well be exchanged. Small
    p-values are found by up to ten times as many exchanges, so that they do not hang on the
    seed. Where no random exchange reaches the observed difference, its p-value is bounded by a
    normal tail, so that correction for many pairs does not need millions of them.

    Parameters
    ----------
    differences : ndarray of float64, shape (n_queries, n_comparisons)
        Differences of two methods each.
    draws : int
        Random exchanges, at least; the observed one counts as one more.
    seed : int
        Equal seeds give equal p-values.

    Returns
    -------
    ndarray of float64, shape (n_comparisons,)

    References
    ----------
    M. D. Smucker, J. Allan, B. Carterette (2007), A comparison of statistical significance
    tests for information retrieval evaluation, CIKM, doi:10.1145/1321440.1321528;
    V. Bentkus, D. Dzindzalieta (2015), A tight Gaussian bound for weighted sums of Rademacher
    random variables, Bernoulli 21(2), doi:10.3150/14-BEJ603
    """
    observed = np.abs(differences.sum(axis=0))
    rng = np.random.default_rng(seed)
    beyond = 1 + _reached(differences, observed, draws, rng)
    p_values = beyond / (draws + 1)
    more = max(0, min(9 * draws, _MOST_SIGNS // max(1, len(differences)) - draws))
    small = (beyond > 1) & (p_values < _SMALL)
    if more and small.any():
        beyond[small] += _reached(differences[:, small], observed[small], more, rng)
        p_values[small] = beyond[small] / (draws + more + 1)
    spread = np.sqrt((differences**2).sum(axis=0))
    bound = 2 * _RADEMACHER * norm.sf(observed / np.where(spread > 0, spread, 1))
    return np.where(beyond == 1, np.minimum(p_values, bound), p_values)


def _reached(
    differences: Matrix, observed: NDArray[np.float64], draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Number of random exchanges that reach the observed sums."""
    count, found = len(differences), np.zeros(differences.shape[1])
    for size in portions(draws):
        signs = rng.integers(0, 2, (size, count)) * 2.0 - 1.0
        found += (np.abs(signs @ differences) >= observed - count * _EQUAL).sum(axis=0)
    return found


def holm(p_values: Pairs) -> Pairs:
    """Correct the p-values of all pairs for being many, by `step_down`.

    Parameters
    ----------
    p_values : ndarray of float64, shape (n_methods, n_methods)
        Uncorrected; every pair counts once.
    """
    first, second = np.triu_indices(len(p_values), 1)
    made = np.ones_like(p_values)
    made[first, second] = made[second, first] = step_down(p_values[first, second])
    return made


def step_down(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correct p-values for being many (Holm's step-down method).

    Parameters
    ----------
    p_values : ndarray of float64, shape (n_comparisons,)
        The whole family.

    References
    ----------
    S. Holm (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal
    of Statistics 6(2), 65-70, https://www.jstor.org/stable/4615733
    """
    order = np.argsort(p_values, kind="stable")
    made = np.empty_like(p_values)
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    made[order] = np.minimum(1, np.maximum.accumulate(steps)) if len(steps) else steps
    return made


def letters(means: Sequence[float], p_values: Pairs) -> list[str]:
    """Letters that methods share unless they differ: the compact letter display.

    Parameters
    ----------
    means : sequence of float
        Mean of each method; the best has the letter a.
    p_values : ndarray of float64, shape (n_methods, n_methods)
        Corrected. Pairs below 1 - `LEVEL` differ.

    Returns
    -------
    list of str
        For each method its letters in order; after z come aa, ab, …, in brackets.

    References
    ----------
    H.-P. Piepho (2004), An algorithm for a letter-based representation of all-pairwise
    comparisons, Journal of Computational and Graphical Statistics, doi:10.1198/1061860043515
    """
    groups = [frozenset(range(len(means)))]
    for one, other in zip(*np.nonzero(np.triu(p_values < 1 - LEVEL, 1)), strict=True):
        split: list[frozenset[int]] = []
        for group in groups:
            both = one in group and other in group
            split += [group - {one}, group - {other}] if both else [group]
        groups = [g for g in dict.fromkeys(split) if not any(g < larger for larger in split)]
    rank = np.argsort(np.argsort([-mean for mean in means], kind="stable"))
    groups.sort(key=lambda group: sorted(rank[method] for method in group))
    return [
        "".join(_letter(number) for number, group in enumerate(groups) if method in group)
        for method in range(len(means))
    ]


@dataclass(frozen=True)
class Comparison:
    """Comparison of methods on one metric.

    Attributes
    ----------
    intervals : ndarray of float64, shape (n_methods, 2)
        Ends of the interval of each method's mean.
    p_values : ndarray of float64, shape (n_methods, n_methods)
        Corrected for all pairs.
    letters : list of str
        Letters of each method; methods that share one do not differ significantly.
    """

    intervals: NDArray[np.float64]
    p_values: Pairs
    letters: list[str]


def compare(values: Matrix, binary: bool, seed: int = 0) -> Comparison:
    """Compute intervals, corrected tests and letters of all methods.

    Parameters
    ----------
    values : ndarray of float64, shape (n_queries, n_methods)
        One metric of each method.
    binary : bool
        Whether values are right or wrong (McNemar) or anything else (permutation test).
    seed : int
        Seed of both kinds of resampling.
    """
    p_values = holm(mcnemar(values) if binary else permutation_test(values, seed=seed))
    means = values.mean(axis=0) if len(values) else np.zeros(values.shape[1])
    found = letters(list(means), p_values)
    return Comparison(intervals(values, seed=seed), p_values, found)


def resolvable(values: Matrix) -> float:
    """Smallest difference of two methods' means that this many queries would usually show.

    A single paired comparison at the usual level finds it in four of five cases, if the two
    methods disagree as much as the median pair that disagrees at all.

    Parameters
    ----------
    values : ndarray of float64, shape (n_queries, n_methods)
        NaN comes of methods that all agree, and of so few queries that no test of them can
        reach the level: exchanges of n queries give no p-value below 2 / 2ⁿ.
    """
    count, methods = values.shape
    if 2.0 ** (1 - count) > 1 - LEVEL:
        return float("nan")
    first, second = np.triu_indices(methods, 1)
    spreads = (values[:, first] - values[:, second]).std(axis=0, ddof=1)
    if not (disagree := spreads > _EQUAL).any():
        return float("nan")
    quantiles = norm.ppf(1 - (1 - LEVEL) / 2) + norm.ppf(_POWER)
    return float(quantiles * np.median(spreads[disagree]) / np.sqrt(count))


def _letter(number: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    if number < len(alphabet):
        return alphabet[number]
    high, low = divmod(number - len(alphabet), len(alphabet))
    return f"[{alphabet[high]}{alphabet[low]}]"


def oracle(values: Matrix) -> NDArray[np.float64]:
    """Give the best method's value of every query, a bound for choosing a method by query.

    Parameters
    ----------
    values : ndarray of float64, shape (n_queries, n_methods)
        One metric of each method.
    """
    return values.max(axis=1)


def complementarity(values: Matrix) -> Pairs:
    """Share of the queries that one method solves and another does not.

    Parameters
    ----------
    values : ndarray of float64, shape (n_queries, n_methods)
        Top-1, say; a query is solved where it is 1.

    Returns
    -------
    ndarray of float64, shape (n_methods, n_methods)
        Solved by the method of the row and not by that of the column; 0 on the diagonal.
    """
    solved = values >= 1
    return (solved[:, :, None] & ~solved[:, None, :]).mean(axis=0)
