"""The table of metrics: each gives one value per query of a ranking.

Every metric takes a `Ranking` and gives one value per query: the mean over all orders of tied
images (McSherry and Najork 2008). Constant features therefore score exactly what chance
scores, and chance is the same function applied to a ranking that is one single tie.

References
----------
F. McSherry, M. Najork (2008), Computing information retrieval performance measures
efficiently in the presence of tied scores, ECIR, doi:10.1007/978-3-540-78646-7_38
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from retrieval.protocol import Judgements
from retrieval.ranking import Ranking, random_ranking

Values = NDArray[np.float64]
"""One value per query, shape (n_queries,); NaN for a query without relevant images."""


@dataclass(frozen=True)
class Metric:
    """An entry of the table.

    Attributes
    ----------
    label : str
        Column heading.
    function : callable
        From a `Ranking` to one value per query, the larger the better; queries without relevant
        images may get anything, `score` leaves them out.
    is_binary : bool
        Whether a query's value is 1 or 0, ties aside: methods are then compared by McNemar's
        test, otherwise by a permutation test.
    """

    label: str
    function: Callable[[Ranking], Values]
    is_binary: bool = False


def top_k(ranking: Ranking, k: int) -> Values:
    """Probability of at least one relevant image among the first k."""
    log_miss = np.zeros(len(ranking.group_query))
    early = ranking.group_start < k  # the others are not drawn from
    size, relevant = ranking.group_size[early], ranking.group_relevant[early]
    drawn = _drawn(ranking, k)[early]
    log_miss[early] = _log_choose(size - relevant, drawn) - _log_choose(size, drawn)
    return 1 - np.exp(_sum_by_query(ranking, log_miss))


def precision_at_k(ranking: Ranking, k: int) -> Values:
    """Expected share of relevant images among the first k; a short gallery still counts k."""
    return _expected_hits(ranking, k) / k


def r_precision(ranking: Ranking) -> Values:
    """Expected share of relevant images among the first R, R their number."""
    hits = _expected_hits(ranking, ranking.relevant[ranking.group_query])
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
        log_share = _log_choose(size - place, relevant - 1) - _log_choose(size, relevant)
        values[ranking.group_query[group]] = np.sum(np.exp(log_share) / (start + place))
    return values


def average_precision(ranking: Ranking) -> Values:
    """Expected mean of the precisions at the relevant images, over *all* relevant images."""
    before = _relevant_before(ranking)
    # A group of one image gives one term; larger groups are rare, or the only one.
    total = (before + 1) / (ranking.group_start + 1.0)
    for group in np.flatnonzero(ranking.group_size > 1):
        size, relevant = ranking.group_size[group], ranking.group_relevant[group]
        place = np.arange(1, size + 1)
        others = (place - 1) * (relevant - 1) / (size - 1)
        precision = (before[group] + 1 + others) / (ranking.group_start[group] + place)
        total[group] = relevant / size * precision.sum()
    return _sum_by_query(ranking, total) / np.maximum(ranking.relevant, 1)


METRICS: dict[str, Metric] = {
    "top1": Metric("top-1", partial(top_k, k=1), is_binary=True),
    "top3": Metric("top-3", partial(top_k, k=3), is_binary=True),
    "top5": Metric("top-5", partial(top_k, k=5), is_binary=True),
    "top10": Metric("top-10", partial(top_k, k=10), is_binary=True),
    "map": Metric("mAP", average_precision),
    "mrr": Metric("MRR", reciprocal_rank),
    "p10": Metric("P@10", partial(precision_at_k, k=10)),
    "rprec": Metric("R-prec", r_precision),
}


_scores: WeakKeyDictionary[Ranking, dict[str, Values]] = WeakKeyDictionary()
"""Of rankings in use: every page asks for them again."""


def score(ranking: Ranking) -> dict[str, Values]:
    """Give every metric of every query; NaN where a query has no relevant image."""
    if ranking not in _scores:
        lone = ranking.relevant == 0
        _scores[ranking] = {
            name: np.where(lone, np.nan, metric.function(ranking))
            for name, metric in METRICS.items()
        }
    return dict(_scores[ranking])


def mean_scores(ranking: Ranking) -> dict[str, float | None]:
    """Give every metric's mean over the queries that have relevant images; None if none has."""
    scored = ranking.relevant > 0
    if not scored.any():
        return dict.fromkeys(METRICS)
    return {name: float(values[scored].mean()) for name, values in score(ranking).items()}


def chance(judgements: Judgements) -> dict[str, float | None]:
    """Give every metric's expected mean if the gallery is put in random order."""
    return mean_scores(random_ranking(judgements))


def _drawn(ranking: Ranking, k: int | NDArray[np.int32]) -> NDArray[np.int64]:
    """Number of images of each group among the first k."""
    return np.clip(np.int64(k) - ranking.group_start, 0, ranking.group_size).astype(np.int64)


def _expected_hits(ranking: Ranking, k: int | NDArray[np.int32]) -> Values:
    share = ranking.group_relevant / ranking.group_size
    return _sum_by_query(ranking, _drawn(ranking, k) * share)


def _relevant_before(ranking: Ranking) -> NDArray[np.int64]:
    """Relevant images of the same query in earlier groups."""
    running = np.cumsum(ranking.group_relevant) - ranking.group_relevant
    before_query = np.cumsum(ranking.relevant) - ranking.relevant
    return running - before_query[ranking.group_query]


def _sum_by_query(ranking: Ranking, values: Values) -> Values:
    sums = np.bincount(ranking.group_query, weights=values, minlength=ranking.n_queries)
    return sums.astype(np.float64)


def _log_choose(n: NDArray[np.integer], k: NDArray[np.integer]) -> Values:
    """Logarithm of the binomial coefficient; minus infinity where it is zero."""
    possible = (k >= 0) & (k <= n)
    n, k = np.where(possible, n, 0), np.where(possible, k, 0)
    logarithm = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.where(possible, logarithm, -np.inf)
