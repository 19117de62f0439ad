"""Functions that score rankings, each the mean over all orders of tied images.

References
----------
F. McSherry, M. Najork (2008), Computing information retrieval performance measures
efficiently in the presence of tied scores, ECIR, doi:10.1007/978-3-540-78646-7_38
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from retrieval.ranking import Ranking
from retrieval.rows import number_within

Values = NDArray[np.float64]
"""One value per query, shape (n_queries,); anything for a query without relevant images."""


def top_k(ranking: Ranking, k: int) -> Values:
    """Probability of at least one relevant image among the first k."""
    log_miss = np.zeros(len(ranking.group_query))
    early = ranking.group_start < k  # the others are not drawn from
    size, relevant = ranking.group_size[early], ranking.group_relevant[early]
    seen = drawn(ranking, k)[early]
    log_miss[early] = log_choose(size - relevant, seen) - log_choose(size, seen)
    return 1 - np.exp(sum_by_query(ranking, log_miss))


def precision_at_k(ranking: Ranking, k: int) -> Values:
    """Expected share of relevant images among the first k; a short gallery still counts k."""
    return expected_hits(ranking, k) / k


def precision_until_last(ranking: Ranking, k: int) -> Values:
    """Expected share of relevant images among the first k, or down to the last relevant one.

    Where the last relevant image stands before rank k, at rank L, the first L images count, of
    which all relevant ones are some.
    """
    values = precision_at_k(ranking, k)
    last = np.r_[np.diff(ranking.group_query) != 0, True][: len(ranking.group_query)]
    for group in np.flatnonzero(last & (ranking.group_start < k)):
        start, size = ranking.group_start[group], ranking.group_size[group]
        relevant = ranking.group_relevant[group]
        query = ranking.group_query[group]
        # The last image stands at place j of its group if the others stand before it.
        place = np.arange(relevant, min(size, k - start) + 1)
        share = np.exp(log_choose(place - 1, relevant - 1) - log_choose(size, relevant))
        gain = np.sum(share * (1 / (start + place) - 1 / k))
        values[query] += ranking.relevant[query] * gain
    return values


def recall_at_k(ranking: Ranking, k: int) -> Values:
    """Expected share, of all relevant images, of those found among the first k."""
    return expected_hits(ranking, k) / np.maximum(ranking.relevant, 1)


def n_s_score(ranking: Ranking) -> Values:
    """Expected number of relevant images among the first four."""
    return expected_hits(ranking, 4)


def r_precision(ranking: Ranking) -> Values:
    """Expected share of relevant images among the first R, R their number."""
    hits = expected_hits(ranking, ranking.relevant[ranking.group_query])
    return hits / np.maximum(ranking.relevant, 1)


def reciprocal_rank(ranking: Ranking) -> Values:
    """Expected reciprocal of the first relevant image's rank."""
    first = np.r_[True, np.diff(ranking.group_query) != 0][: len(ranking.group_query)]
    values = np.zeros(ranking.n_queries)
    values[ranking.group_query[first]] = 1 / (ranking.group_start[first] + 1.0)
    for group in np.flatnonzero(first & (ranking.group_size > 1)):
        start, size = ranking.group_start[group], ranking.group_size[group]
        relevant = ranking.group_relevant[group]
        # The first of the relevant images stands at place j of the group if the others
        # stand behind it.
        place = np.arange(1, size - relevant + 2)
        log_share = log_choose(size - place, relevant - 1) - log_choose(size, relevant)
        values[ranking.group_query[group]] = np.sum(np.exp(log_share) / (start + place))
    return values


def average_precision(ranking: Ranking) -> Values:
    """Expected mean of the precisions at the relevant images, over *all* relevant images."""
    return sum_over_relevant(ranking, _precision) / np.maximum(ranking.relevant, 1)


def average_precision_at_k(ranking: Ranking, k: int) -> Values:
    """Expected sum of the precisions at the relevant images among the first k, over min(R, k)."""
    total = sum_over_relevant(ranking, _precision, np.full(ranking.n_queries, k))
    return total / np.clip(ranking.relevant, 1, k)


def average_precision_at_r(ranking: Ranking) -> Values:
    """Expected sum of the precisions at the relevant images among the first R, over R."""
    total = sum_over_relevant(ranking, _precision, ranking.relevant)
    return total / np.maximum(ranking.relevant, 1)


def trapezoidal_average_precision(ranking: Ranking) -> Values:
    """Expected area below the curve of precision over recall, joined by straight lines."""
    return sum_over_relevant(ranking, _trapezoid) / np.maximum(ranking.relevant, 1)


def ndcg(ranking: Ranking, k: int | None = None) -> Values:
    """Expected discounted gain of the first k images, or of all, over that of the best order.

    An image's gain is its grade, and its discount at rank i is log2(1 + i).
    """
    most = int(ranking.candidates.max(initial=0))
    discounts = 1 / np.log2(np.arange(2, most + 2))
    if k is not None:
        discounts[k:] = 0
    first = np.r_[0, np.cumsum(discounts)]
    group = np.repeat(np.arange(len(ranking.group_size)), ranking.group_relevant)
    grades = ranking.grades if len(ranking.grades) else np.ones(len(group))
    gain = np.bincount(group, weights=grades, minlength=len(ranking.group_size))
    start, end = ranking.group_start, ranking.group_start + ranking.group_size
    found = sum_by_query(ranking, gain / ranking.group_size * (first[end] - first[start]))
    query = ranking.group_query[group]
    best = np.lexsort((-grades, query))  # of each query, the highest grade first
    gains = grades[best] * discounts[number_within(query)]
    ideal = np.bincount(query, weights=gains, minlength=ranking.n_queries)
    return found / np.where(ideal > 0, ideal, 1)


def sum_over_relevant(
    ranking: Ranking,
    term: Callable[[NDArray[np.floating], NDArray[np.integer]], Values],
    first: NDArray[np.integer] | None = None,
) -> Values:
    """Expected sum of a term over a query's relevant images, or those among its first images.

    Parameters
    ----------
    ranking : Ranking
        Any.
    term : callable
        From the number of relevant images found up to a relevant image, itself included, and
        its rank; linear in the number, so that its expectation takes that of the number.
    first : ndarray of int, shape (n_queries,), optional
        The number of each query's first images; all of them if left out.
    """
    before = relevant_before(ranking)
    # A group of one image gives one term; larger groups are rare, or the only one.
    total = term(before + 1.0, ranking.group_start + 1)
    places = ranking.group_size
    if first is not None:
        places = np.clip(first[ranking.group_query] - ranking.group_start, 0, places)
        total[places == 0] = 0
    for group in np.flatnonzero((ranking.group_size > 1) & (places > 0)):
        size, relevant = ranking.group_size[group], ranking.group_relevant[group]
        place = np.arange(1, places[group] + 1)
        others = (place - 1) * (relevant - 1) / (size - 1)
        terms = term(before[group] + 1 + others, ranking.group_start[group] + place)
        total[group] = relevant / size * terms.sum()
    return sum_by_query(ranking, total)


def _precision(found: NDArray[np.floating], rank: NDArray[np.integer]) -> Values:
    return found / rank


def _trapezoid(found: NDArray[np.floating], rank: NDArray[np.integer]) -> Values:
    """Mean of the precisions at a relevant image and before it, which is 1 at the first rank."""
    before = np.where(rank > 1, (found - 1) / np.maximum(rank - 1, 1), 1)
    return (before + found / rank) / 2


def drawn(ranking: Ranking, k: int | NDArray[np.int32]) -> NDArray[np.int64]:
    """Number of images of each group among the first k."""
    return np.clip(np.int64(k) - ranking.group_start, 0, ranking.group_size).astype(np.int64)


def expected_hits(ranking: Ranking, k: int | NDArray[np.int32]) -> Values:
    """Expected number of relevant images among the first k, k for all or for each tie group."""
    share = ranking.group_relevant / ranking.group_size
    return sum_by_query(ranking, drawn(ranking, k) * share)


def relevant_before(ranking: Ranking) -> NDArray[np.int64]:
    """Relevant images of the same query in earlier groups."""
    running = np.cumsum(ranking.group_relevant) - ranking.group_relevant
    before_query = np.cumsum(ranking.relevant) - ranking.relevant
    return running - before_query[ranking.group_query]


def sum_by_query(ranking: Ranking, values: Values) -> Values:
    """Sum of a value of each tie group over the groups of each query."""
    sums = np.bincount(ranking.group_query, weights=values, minlength=ranking.n_queries)
    return sums.astype(np.float64)


def log_choose(n: NDArray[np.integer], k: NDArray[np.integer]) -> Values:
    """Logarithm of the binomial coefficient; minus infinity where it is zero."""
    possible = (k >= 0) & (k <= n)
    n, k = np.where(possible, n, 0), np.where(possible, k, 0)
    logarithm = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.where(possible, logarithm, -np.inf)
