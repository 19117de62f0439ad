"""The tables of metrics: each gives one value per query of a ranking.

Every metric takes a `Ranking` and gives one value per query: the mean over all orders of tied
images (McSherry and Najork 2008). Constant features therefore score exactly what chance
scores, and chance is the same function applied to a ranking that is one single tie.

References
----------
F. McSherry, M. Najork (2008), Computing information retrieval performance measures
efficiently in the presence of tied scores, ECIR, doi:10.1007/978-3-540-78646-7_38
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Protocol
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
    formula : str
        The mean in words, for legends and listings.
    source : str
        Whose convention it is.
    best : float
        The largest possible value; the smallest is 0.
    """

    label: str
    function: Callable[[Ranking], Values]
    is_binary: bool = False
    formula: str = ""
    source: str = ""
    best: float = 1.0


class _ValuesAtK(Protocol):
    def __call__(self, ranking: Ranking, k: int) -> Values: ...


@dataclass(frozen=True)
class MetricAtK:
    """Metrics of the first k images, one for each k; see `Metric`.

    Attributes
    ----------
    label : str
        Column heading, in which k stands for the number.
    function : callable
        From a `Ranking` and k to one value per query.
    is_binary : bool
        Whether a query's value is 1 or 0.
    formula, source : str
        The mean in words, and whose convention it is.
    """

    label: str
    function: _ValuesAtK
    is_binary: bool = False
    formula: str = ""
    source: str = ""

    def at(self, k: int) -> Metric:
        """The metric of the first k images."""
        values = partial(self.function, k=k)
        label = self.label.replace("k", str(k))
        return Metric(label, values, self.is_binary, self.formula, self.source)


Metrics = Mapping[str, Metric]
"""Some metrics, by the keys of their columns."""


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


def recall_at_k(ranking: Ranking, k: int) -> Values:
    """Expected share, of all relevant images, of those found among the first k."""
    return _expected_hits(ranking, k) / np.maximum(ranking.relevant, 1)


def n_s_score(ranking: Ranking) -> Values:
    """Expected number of relevant images among the first four."""
    return _expected_hits(ranking, 4)


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
    return _sum_over_relevant(ranking, _precision) / np.maximum(ranking.relevant, 1)


def average_precision_at_k(ranking: Ranking, k: int) -> Values:
    """Expected sum of the precisions at the relevant images among the first k, over min(R, k)."""
    total = _sum_over_relevant(ranking, _precision, np.full(ranking.n_queries, k))
    return total / np.clip(ranking.relevant, 1, k)


def average_precision_at_r(ranking: Ranking) -> Values:
    """Expected sum of the precisions at the relevant images among the first R, over R."""
    total = _sum_over_relevant(ranking, _precision, ranking.relevant)
    return total / np.maximum(ranking.relevant, 1)


def trapezoidal_average_precision(ranking: Ranking) -> Values:
    """Expected area below the curve of precision over recall, joined by straight lines."""
    return _sum_over_relevant(ranking, _trapezoid) / np.maximum(ranking.relevant, 1)


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
    found = _sum_by_query(ranking, gain / ranking.group_size * (first[end] - first[start]))
    query = ranking.group_query[group]
    best = np.lexsort((-grades, query))  # of each query, the highest grade first
    place = np.arange(len(query)) - np.searchsorted(query, query)
    gains = grades[best] * discounts[place]
    ideal = np.bincount(query, weights=gains, minlength=ranking.n_queries)
    return found / np.where(ideal > 0, ideal, 1)


_TREC = "trec_eval"
AT_K: dict[str, MetricAtK] = {
    "top": MetricAtK(
        "top-k",
        top_k,
        is_binary=True,
        formula="share of queries with a relevant image among the first k",
        source="Recall@k of metric learning, Oh Song et al. 2016, doi:10.1109/CVPR.2016.434; "
        f"success of {_TREC}",
    ),
    "p": MetricAtK(
        "P@k",
        precision_at_k,
        formula="share of relevant images among the first k",
        source=f"P of {_TREC}",
    ),
    "recall": MetricAtK(
        "recall@k",
        recall_at_k,
        formula="share of the relevant images that are among the first k (metric learning's "
        "Recall@k is top-k)",
        source=f"recall of {_TREC}",
    ),
    "map": MetricAtK(
        "mAP@k/min(R,k)",
        average_precision_at_k,
        formula="sum of the precisions at the relevant images among the first k, over R or k, "
        "whichever is less, R being the number of relevant images",
        source=f"Weyand et al. 2020, doi:10.1109/CVPR42600.2020.00265; map_cut of {_TREC} has R",
    ),
    "ndcg": MetricAtK(
        "nDCG@k",
        ndcg,
        formula="sum of the grades of the first k images, each over log2(1 + its rank), over that "
        "of the best order",
        source="Järvelin and Kekäläinen 2002, doi:10.1145/582415.582418; "
        f"ndcg_cut of {_TREC}; others have gains of 2^grade - 1",
    ),
}
"""Metrics of the first k images, by the beginning of their names: ``top`` has ``top1``, …"""

METRICS: dict[str, Metric] = {
    "top1": AT_K["top"].at(1),
    "top3": AT_K["top"].at(3),
    "top5": AT_K["top"].at(5),
    "top10": AT_K["top"].at(10),
    "map": Metric(
        "mAP",
        average_precision,
        formula="mean average precision over all relevant images",
        source=f"map of {_TREC}",
    ),
    "mrr": Metric(
        "MRR",
        reciprocal_rank,
        formula="mean of one over the rank of the first relevant image",
        source=f"recip_rank of {_TREC}",
    ),
    "p10": AT_K["p"].at(10),
    "rprec": Metric(
        "R-prec",
        r_precision,
        formula="precision at the number of relevant images",
        source=f"Rprec of {_TREC}",
    ),
}
"""Metrics of every record, and of tables where no others are asked for."""

FURTHER: dict[str, Metric] = {
    "mapr": Metric(
        "mAP@R",
        average_precision_at_r,
        formula="sum of the precisions at the relevant images among the first R, over R, their "
        "number",
        source="Musgrave et al. 2020, doi:10.1007/978-3-030-58595-2_41",
    ),
    "maptrapezoidal": Metric(
        "mAP, trapezoidal",
        trapezoidal_average_precision,
        formula="mean average precision, each precision averaged with that one image earlier",
        source="Philbin et al. 2007, doi:10.1109/CVPR.2007.383172 (Oxford and Paris)",
    ),
    "ndcg": Metric(
        "nDCG",
        ndcg,
        formula="sum of the grades of all images, each over log2(1 + its rank), over that of the "
        "best order",
        source=f"Järvelin and Kekäläinen 2002, doi:10.1145/582415.582418; ndcg of {_TREC}",
    ),
    "ns": Metric(
        "N-S",
        n_s_score,
        formula="number of relevant images among the first four",
        source="Nistér and Stewénius 2006, doi:10.1109/CVPR.2006.264 (UKBench, where a query "
        "finds itself as well)",
        best=4.0,
    ),
}
"""Metrics that tables show if asked, besides those of `AT_K`."""


def find_metrics(names: Iterable[str]) -> dict[str, Metric]:
    """Find metrics by their names.

    Parameters
    ----------
    names : iterable of str
        Keys of `METRICS` and `FURTHER`, or of `AT_K` with a number behind. Case does not
        matter, nor does a sign in between: ``nDCG@10`` is ``ndcg10``.

    Returns
    -------
    dict of str to Metric
        By key, in the order of the names.

    Raises
    ------
    ValueError
        If there is no such metric; names those that there are.

    Examples
    --------
    >>> {key: metric.label for key, metric in find_metrics(["map", "nDCG@5"]).items()}
    {'map': 'mAP', 'ndcg5': 'nDCG@5'}
    """
    found = {}
    _, without_k = menu()
    for name in names:
        key = re.sub(r"(?<=[A-Za-z])(, |[@_-])(?=\w)", "", name).lower()
        metric = without_k.get(key) or _at_k(key)
        if metric is None:
            known = ", ".join([*(f"{family}K" for family in AT_K), *without_k])
            raise ValueError(f"no metric {name!r}; it is one of {known}, K being a number")
        found[key] = metric
    return found


def menu() -> tuple[dict[str, MetricAtK], dict[str, Metric]]:
    """All metrics: those of the first k images, and those without a k, by name."""
    every = METRICS | FURTHER
    return AT_K, {name: metric for name, metric in every.items() if _at_k(name) is None}


_scores: WeakKeyDictionary[Ranking, dict[Metric, Values]] = WeakKeyDictionary()
"""Of rankings in use: every page asks for them again."""


def score(ranking: Ranking, metrics: Metrics = METRICS) -> dict[str, Values]:
    """Give metrics of every query; NaN where a query has no relevant image."""
    known, lone = _scores.setdefault(ranking, {}), ranking.relevant == 0
    for metric in metrics.values():
        if metric not in known:
            known[metric] = np.where(lone, np.nan, metric.function(ranking))
    return {name: known[metric] for name, metric in metrics.items()}


def mean_scores(ranking: Ranking, metrics: Metrics = METRICS) -> dict[str, float | None]:
    """Give metrics' means over the queries that have relevant images; None if none has."""
    scored = ranking.relevant > 0
    if not scored.any():
        return dict.fromkeys(metrics)
    return {name: float(values[scored].mean()) for name, values in score(ranking, metrics).items()}


def chance(judgements: Judgements, metrics: Metrics = METRICS) -> dict[str, float | None]:
    """Give metrics' expected means if the gallery is put in random order."""
    return mean_scores(random_ranking(judgements), metrics)


@cache
def _at_k(key: str) -> Metric | None:
    family = key.rstrip("0123456789")
    is_number = re.fullmatch(r"[1-9][0-9]{0,8}", key.removeprefix(family))
    return AT_K[family].at(int(is_number[0])) if is_number and family in AT_K else None


def _sum_over_relevant(
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
    before = _relevant_before(ranking)
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
    return _sum_by_query(ranking, total)


def _precision(found: NDArray[np.floating], rank: NDArray[np.integer]) -> Values:
    return found / rank


def _trapezoid(found: NDArray[np.floating], rank: NDArray[np.integer]) -> Values:
    """Mean of the precisions at a relevant image and before it, which is 1 at the first rank."""
    before = np.where(rank > 1, (found - 1) / np.maximum(rank - 1, 1), 1)
    return (before + found / rank) / 2


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
