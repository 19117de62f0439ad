"""Methods compared on the same queries: differences of means, and changes of their order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau, rankdata

from benchmarks.formats.files import Json
from benchmarks.formats.markdown import DIGITS
from benchmarks.pipeline.methods.method import WEIGHTS_SEEN
from benchmarks.pipeline.methods.names import member_names
from benchmarks.pipeline.records.results import TaskResults
from retrieval.bootstrap import LEVEL, intervals, rank_intervals
from retrieval.metrics import METRICS, Metrics, score
from retrieval.ranking import Ranking
from retrieval.scoring import Values
from retrieval.statistics import compare, sign_flip_test

TRAINED = "training mAP, cross-validated"
"""Key, among what a method learned, of its score on training images."""


@dataclass(frozen=True)
class Difference:
    """Difference between two methods' means on the same queries.

    Attributes
    ----------
    method, other : str
        Names of the methods.
    change, low, high : float
        Mean of the first minus mean of the second, with its interval.
    p_value : float
        Of a paired permutation test, not corrected unless the maker says so.
    """

    method: str
    other: str
    change: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Scored:
    """Values of a metric of every method on a query set.

    Attributes
    ----------
    values : dict of str to ndarray of float64, shape (n_queries,)
        By method, without queries that have no relevant image.
    members : dict of str to list of str
        Extractors of each fused or re-ranked method; other methods are single extractors.
    """

    values: dict[str, Values]
    members: dict[str, list[str]]

    @property
    def singles(self) -> list[str]:
        """Methods that are one extractor and nothing more, best first."""
        return self.ordered(name for name in self.values if name not in self.members)

    @property
    def fused(self) -> list[str]:
        """Methods of several extractors, best first."""
        return self.ordered(name for name, parts in self.members.items() if len(parts) > 1)

    @property
    def reranked(self) -> list[str]:
        """Methods that re-rank the neighbours of one extractor, best first."""
        return self.ordered(name for name, parts in self.members.items() if len(parts) == 1)

    @property
    def complete(self) -> dict[str, list[str]]:
        """The members of those methods all of whose members have values.

        Of others nobody could say which member is the best: it may be one that did not run.
        """
        return {name: m for name, m in self.members.items() if self.values.keys() >= {*m}}

    def mean(self, name: str) -> float:
        """Mean over the queries."""
        return float(self.values[name].mean())

    def ordered(self, names: Iterable[str]) -> list[str]:
        """Those of the methods that have values, best first."""
        return sorted(set(names) & set(self.values), key=lambda name: (-self.mean(name), name))

    def stack(self, names: Sequence[str]) -> Values:
        """Values of some methods, shape (n_queries, n_methods)."""
        return np.stack([self.values[name] for name in names], axis=1)

    def differences(self, pairs: Sequence[tuple[str, str]]) -> list[Difference]:
        """Compare the first method of every pair with the second; p-values are not corrected."""
        if not pairs:
            return []
        values = self.stack([a for a, _ in pairs]) - self.stack([b for _, b in pairs])
        columns = (values.mean(axis=0), *intervals(values).T, sign_flip_test(values))
        return [
            Difference(*pair, *map(float, numbers))
            for pair, *numbers in zip(pairs, *columns, strict=True)
        ]


def estimate(values: Values) -> tuple[float, float, float]:
    """Mean of one method's values, with the ends of its interval."""
    low, high = intervals(values[:, None])[0]
    return float(values.mean()), float(low), float(high)


def values_of(ranking: Ranking, metrics: Metrics = METRICS) -> dict[str, Values]:
    """Values of every metric, without queries that have no relevant image."""
    scored = ranking.relevant > 0
    return {name: values[scored] for name, values in score(ranking, metrics).items()}


def score_task(task: TaskResults, metric: str, distractors: int | None = None) -> Scored:
    """Score the methods of a query set.

    Parameters
    ----------
    task : TaskResults
        Records and rankings of the query set.
    metric : str
        Key in `METRICS`.
    distractors : int, optional
        Level of distractors, see `Ranking.with_distractors`; all of them if left out.
    """
    values = {}
    for name, ranking in task.rankings.items():
        found = ranking if distractors is None else ranking.with_distractors(distractors)
        values[name] = values_of(found)[metric]
    return Scored(values, {r["method"]: parts for r in task.records if (parts := members(r))})


def members(record: Json) -> list[str]:
    """Extractors of a fused or re-ranked method, compressed as there; none of a single one."""
    if record["status"] != "ok":
        return []
    cards = record["card"]["extractor"].get("extractors", {})
    name = record["method"].partition("@")[0]  # a tuned method is called <name>@<dataset>
    parts = [part for part in name.split("+") if part in cards]
    return member_names(name, parts) or list(cards)  # it may have a name of its user's


def chosen(task: TaskResults, names: Iterable[str]) -> str | None:
    """The fused method whose learned weights did best on training images.

    Re-ranked methods are no candidates, since the training images did not see the re-ranking, nor
    are those whose members had seen the answers that the weights were learned by. Of equal
    methods the first by name: any other order would ask the queries.
    """
    trained = {
        record["method"]: record["learned"][TRAINED]
        for record in task.records
        if TRAINED in record.get("learned", {})
        and len(record["card"]["extractor"]["steps"]) == 1
        and WEIGHTS_SEEN not in (record.get("note") or "")
    }
    return max(sorted(trained.keys() & set(names)), key=trained.__getitem__, default=None)


@dataclass(frozen=True)
class RankChange:
    """Change of the methods' order from one query set, or gallery, to another.

    Attributes
    ----------
    tau : float
        Kendall's rank correlation of the two orders; 1 if nothing changed.
    reversed : list of tuple of str
        Pairs of methods of which the first is significantly better before and the second after;
        the largest reversal first.
    """

    tau: float
    reversed: list[tuple[str, str]]


def rank_change(before: Mapping[str, Values], after: Mapping[str, Values]) -> RankChange:
    """Compare the orders of the same methods, by a metric that is not 0 or 1 for a query.

    Parameters
    ----------
    before, after : mapping of str to ndarray of float64, shape (n_queries,)
        By method, without queries that have no relevant image.

    References
    ----------
    M. G. Kendall (1938), A new measure of rank correlation, Biometrika 30,
    doi:10.1093/biomet/30.1-2.81
    """
    names = [name for name in before if name in after]
    if len(names) < 2:
        return RankChange(float("nan"), [])
    first, second = (np.stack([one[name] for name in names], axis=1) for one in (before, after))
    tau = float(kendalltau(first.mean(axis=0), second.mean(axis=0)).statistic)
    leads, losses = _clear_leads(first), _clear_leads(second).T
    sizes = leads + losses
    places = np.argwhere((leads > 0) & (losses > 0)).tolist()
    pairs = sorted(((sizes[a, b], names[a], names[b]) for a, b in places), reverse=True)
    return RankChange(tau, [(one, other) for _, one, other in pairs])


def rank_methods(tasks: Mapping[str, Mapping[str, Values]]) -> Json | None:
    """Rank the methods that ran on all tasks, on each of them and in the mean.

    Parameters
    ----------
    tasks : mapping of str to mapping of str to ndarray of float64, shape (n_queries,)
        Task to the values of its methods.

    Returns
    -------
    dict or None
        ``tasks``, their names; ``methods``, best mean rank first, each with its ``ranks`` on the
        tasks, their ``mean``, and ``low`` and ``high``, the ends of its bootstrap interval; and
        ``taus``, task to Kendall's rank correlation with every task. None for fewer than two
        tasks or common methods.

    References
    ----------
    M. G. Kendall (1938), as in `rank_change`; J. Demšar (2006), Statistical comparisons of
    classifiers over multiple data sets, JMLR 7, https://jmlr.org/papers/v7/demsar06a.html
    """
    common = sorted(set.intersection(*(set(values) for values in tasks.values()))) if tasks else []
    if len(tasks) < 2 or len(common) < 2:
        return None
    stacks = [np.stack([values[name] for name in common], axis=1) for values in tasks.values()]
    means = [values.mean(axis=0) for values in stacks]
    ranks = np.stack([rankdata(-mean.round(DIGITS)) for mean in means], axis=1)
    ends = rank_intervals(stacks)
    methods = [
        {
            "method": name,
            "ranks": own.tolist(),
            "mean": float(own.mean()),
            "low": low,
            "high": high,
        }
        for name, own, (low, high) in zip(common, ranks, ends.tolist(), strict=True)
    ]
    taus = {
        task: [float(kendalltau(one, other).statistic) for other in means]
        for task, one in zip(tasks, means, strict=True)
    }
    methods.sort(key=lambda row: (row["mean"], row["method"]))
    return {"tasks": list(tasks), "methods": methods, "taus": taus}


def _clear_leads(values: Values) -> Values:
    """Lead of the first method of every pair over the second; 0 where it is not significant."""
    means = values.mean(axis=0)
    is_clear = compare(values, binary=False).p_values < 1 - LEVEL
    return np.where(is_clear, means[:, None] - means, 0.0)
