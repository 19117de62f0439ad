"""Bootstrap intervals of means over queries, and of what is computed from means.

Methods are compared on the same queries, which are resampled together.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import scipy.stats
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
"""One value per query and method, shape (n_queries, n_methods); no NaN."""

LEVEL = 0.95
"""Confidence of intervals; tests are at 1 - LEVEL."""

DRAWS = 10_000
"""Resamples of bootstrap and permutation tests."""

FEW = 10
"""Resamples of fewer queries hardly vary; a bootstrap's interval is then too narrow."""

_AT_ONCE = 1000

_MOST_KEPT = 2**27
"""Bytes of resamples that are kept: all metrics and pages are resampled alike."""

_DECIMALS = 9
"""Of means that are ranked: processors differ in further ones."""


def too_few(number: int, which: str = "") -> str:
    """Tell that resampling says little about so few queries; empty text if there are enough.

    Parameters
    ----------
    number : int
        Queries that are scored.
    which : str
        Words behind their number.
    """
    if number == 1:
        return f"a single query{which} has no interval; it is printed without width"
    if 1 < number < FEW:
        return f"{number} queries{which} are too few for intervals and tests to say much"
    return ""


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
        total += scipy.stats.rankdata(-means, axis=1)
    return _ends(total / len(tasks))


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
    for size in portions(draws):
        drawn = rng.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)
        yield times.astype(np.min_scalar_type(times.max()))


def _ends(means: Matrix) -> NDArray[np.float64]:
    outside = (1 - LEVEL) / 2
    return np.quantile(means, (outside, 1 - outside), axis=0).T


def portions(draws: int) -> Iterator[int]:
    """Cut a number of draws into those that are made at a time."""
    for start in range(0, draws, _AT_ONCE):
        yield min(_AT_ONCE, draws - start)
