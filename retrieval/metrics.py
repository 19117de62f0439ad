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

from retrieval.protocol import Judgements
from retrieval.ranking import Ranking, random_ranking
from retrieval.scoring import (
    Values,
    average_precision,
    average_precision_at_k,
    average_precision_at_r,
    n_s_score,
    ndcg,
    precision_at_k,
    precision_until_last,
    r_precision,
    recall_at_k,
    reciprocal_rank,
    top_k,
    trapezoidal_average_precision,
)


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
    "mp": MetricAtK(
        "mP@k",
        precision_until_last,
        formula="share of relevant images among the first k, or down to the last relevant one "
        "where that comes earlier",
        source="Radenović et al. 2018, doi:10.1109/CVPR.2018.00598 (revisited Oxford and Paris)",
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
            known[metric].setflags(write=False)
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
