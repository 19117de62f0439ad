"""Statistics of scores: intervals over queries, paired tests, and groups that differ.

Methods are compared on the same queries, so everything is paired. All functions take one value
per query and method and handle all methods, or all pairs of them, in one matrix product.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, norm, rankdata

Matrix = NDArray[np.float64]
"""One value per query and method, shape (n_queries, n_methods); no NaN."""

Pairs = NDArray[np.float64]
"""One value per pair of methods, shape (n_methods, n_methods), symmetric, 1 on the diagonal."""

LEVEL = 0.95
"""Confidence of intervals; tests are at 1 - LEVEL."""

DRAWS = 10_000
"""Resamples of bootstrap and permutation tests."""

_RADEMACHER = 3.18
"""A sum of terms with random signs is beyond any limit at most this many times as often as a
normal variable of its variance."""

_POWER = 0.8
_AT_ONCE = 1000
_MOST_KEPT = 2**27
"""Bytes of resamples that are kept: all metrics and pages are resampled alike."""

_DECIMALS = 9
"""Of means that are ranked: processors differ in further ones."""

_EQUAL = 1e-12
"""Differences closer than this are rounding."""


def intervals(values: Matrix, draws: int = DRAWS, seed: int = 0) -> NDArray[np.float64]:
    """Bootstrap interval of every method's mean: percentiles over resampled queries.

    Parameters
    ----------
    values : ndarray of float64, shape (n_queries, n_methods)
        One metric of each method.
    draws : int
        Resamples; each draws the same queries for all methods.
    seed : int
        Equal seeds give equal intervals.

    Returns
    -------
    ndarray of float64, shape (n_methods, 2)
        Lower and upper end; NaN without queries.

    References
    ----------
    B. Efron, R. J. Tibshirani (1993), An Introduction to the Bootstrap, Chapman & Hall,
    doi:10.1201/9780429246593
    """
    return _ends(_resampled_means(values, draws, seed))


def difference_intervals(
    values: Matrix, others: Matrix, paired: bool, draws: int = DRAWS, seed: int = 0
) -> NDArray[np.float64]:
    """Bootstrap interval of how much every method's mean changes from one query set to another.

    Parameters
    ----------
    values, others : ndarray of float64, shapes (n_queries, n_methods) and (n_others, n_methods)
        One metric of each method on either query set.
    paired : bool
        Whether the queries are the same in other form, in the same order; otherwise the two
        sets are resampled independently.
    draws, seed : int
        Number and seed of the resamples.

    Returns
    -------
    ndarray of float64, shape (n_methods, 2)
        Interval of the mean of `others` minus that of `values`.
    """
    if paired:
        return intervals(others - values, draws, seed)
    moved = _resampled_means(others, draws, seed + 1) - _resampled_means(values, draws, seed)
    return _ends(moved)


def ratio_intervals(
    values: Matrix, others: Matrix, draws: int = DRAWS, seed: int = 0
) -> NDArray[np.float64]:
    """Bootstrap interval of every column's mean of `values` over its mean of `others`.

    Parameters
    ----------
    values, others : ndarray of float64, shape (n_queries, n_columns)
        Of the same queries, which are resampled together. A mean of `others` that can come close
        to zero makes its interval meaningless.
    draws, seed : int
        Number and seed of the resamples.

    Returns
    -------
    ndarray of float64, shape (n_columns, 2)
    """
    means = _resampled_means(values, draws, seed)
    return _ends(means / _resampled_means(others, draws, seed))


def rank_intervals(
    tasks: Sequence[Matrix], draws: int = DRAWS, seed: int = 0
) -> NDArray[np.float64]:
    """Bootstrap interval of every method's mean rank over tasks.

    Parameters
    ----------
    tasks : sequence of ndarray of float64, shape (n_queries, n_methods)
        One metric of the same methods on each task, higher is better.
    draws, seed : int
        Number and seed of the resamples; every task's queries are drawn on their own.

    Returns
    -------
    ndarray of float64, shape (n_methods, 2)
        Interval of the mean rank; 1 is the best, methods of equal mean share theirs.
    """
    total = np.zeros((draws, tasks[0].shape[1]))
    for number, values in enumerate(tasks):
        means = _resampled_means(values, draws, seed + number).round(_DECIMALS)
        total += rankdata(-means, axis=1)
    return _ends(total / len(tasks))


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

    Under the null hypothesis two methods' values of a query might as well be exchanged. Where no
    random exchange reaches the observed difference, its p-value is bounded by a normal tail, so
    that correction for many pairs does not need millions of them.

    Parameters
    ----------
    differences : ndarray of float64, shape (n_queries, n_comparisons)
        Differences of two methods each.
    draws : int
        Random exchanges; the observed one counts as one more.
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
    count = len(differences)
    observed = np.abs(differences.sum(axis=0))
    rng = np.random.default_rng(seed)
    beyond = np.ones(differences.shape[1])
    for size in _portions(draws):
        signs = rng.integers(0, 2, (size, count)) * 2.0 - 1.0
        beyond += (np.abs(signs @ differences) >= observed - count * _EQUAL).sum(axis=0)
    p_values = beyond / (draws + 1)
    spread = np.sqrt((differences**2).sum(axis=0))
    bound = 2 * _RADEMACHER * norm.sf(observed / np.where(spread > 0, spread, 1))
    return np.where(beyond == 1, np.minimum(p_values, bound), p_values)


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


def letters(means: Sequence[float], p_values: Pairs, alpha: float = 1 - LEVEL) -> list[str]:
    """Letters that methods share unless they differ: the compact letter display.

    Parameters
    ----------
    means : sequence of float
        Mean of each method; the best has the letter a.
    p_values : ndarray of float64, shape (n_methods, n_methods)
        Corrected. Pairs below `alpha` differ.
    alpha : float
        Level of significance.

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
    for one, other in zip(*np.nonzero(np.triu(p_values < alpha, 1)), strict=True):
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
    methods disagree as much as the median pair here.

    Parameters
    ----------
    values : ndarray of float64, shape (n_queries, n_methods)
        At least two methods and two queries, or the answer is NaN.
    """
    count, methods = values.shape
    if count < 2 or methods < 2:
        return float("nan")
    first, second = np.triu_indices(methods, 1)
    spread = np.median((values[:, first] - values[:, second]).std(axis=0, ddof=1))
    quantiles = norm.ppf(1 - (1 - LEVEL) / 2) + norm.ppf(_POWER)
    return float(quantiles * spread / np.sqrt(count))


def _resampled_means(values: Matrix, draws: int, seed: int) -> Matrix:
    """Every method's mean in each resample, shape (draws, n_methods); NaN without queries."""
    count = len(values)
    if count == 0:
        return np.full((draws, values.shape[1]), np.nan)
    return np.concatenate(
        [one.astype(float) @ values / count for one in _resamples(count, draws, seed)]
    )


def _resamples(count: int, draws: int, seed: int) -> Iterable[NDArray[np.integer]]:
    """Times that each query is drawn in each resample, a portion of the resamples at a time."""
    if count * draws <= _MOST_KEPT:
        return _kept_resamples(count, draws, seed)
    return _drawn_resamples(count, draws, seed)


@lru_cache(maxsize=2)
def _kept_resamples(count: int, draws: int, seed: int) -> tuple[NDArray[np.integer], ...]:
    return tuple(_drawn_resamples(count, draws, seed))


def _drawn_resamples(count: int, draws: int, seed: int) -> Iterator[NDArray[np.integer]]:
    rng = np.random.default_rng(seed)
    for size in _portions(draws):
        drawn = rng.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        yield times.astype(np.min_scalar_type(times.max()))


def _ends(means: Matrix) -> NDArray[np.float64]:
    outside = (1 - LEVEL) / 2
    return np.quantile(means, (outside, 1 - outside), axis=0).T


def _portions(draws: int) -> Iterator[int]:
    for start in range(0, draws, _AT_ONCE):
        yield min(_AT_ONCE, draws - start)


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


def complementarity(values: Matrix, right: float = 1.0) -> Pairs:
    """Share of the queries that one method solves and another does not.

    Parameters
    ----------
    values : ndarray of float64, shape (n_queries, n_methods)
        Top-1, say.
    right : float
        From which value on a query is solved.

    Returns
    -------
    ndarray of float64, shape (n_methods, n_methods)
        Solved by the method of the row and not by that of the column; 0 on the diagonal.
    """
    solved = values >= right
    return (solved[:, :, None] & ~solved[:, None, :]).mean(axis=0)
