"""Metrics against hand-computed cases and against a slow reference that tries every order."""

from itertools import permutations

import numpy as np
import pytest

from retrieval.knn import Block
from retrieval.metrics import METRICS, mean_scores
from retrieval.protocol import Judgement, Judgements
from retrieval.ranking import summarise


def ranking_of(relevant, distances):
    """Ranking of one query from relevance flags and distances in ranked order."""
    count = len(relevant)
    positive = np.flatnonzero(relevant)
    judgements = Judgements((Judgement(positive, np.array([], np.intp)),), count, 0)
    block = Block(0, np.asarray(distances, np.int32)[None])
    return summarise([block], judgements)


def slow(relevant):
    """Every metric of one strict order, straight from its definition."""
    ranks = [place for place, flag in enumerate(relevant, 1) if flag]
    total = len(ranks)
    values = {f"top{k}": float(any(relevant[:k])) for k in (1, 3, 5, 10)}
    values["map"] = sum((n + 1) / rank for n, rank in enumerate(ranks)) / total
    values["mrr"] = 1 / ranks[0]
    values["p10"] = sum(relevant[:10]) / 10
    values["rprec"] = sum(relevant[:total]) / total
    return values


def test_hand_computed_case():
    scores = mean_scores(ranking_of([0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0], range(12)))
    assert scores == pytest.approx(
        {
            "top1": 0,
            "top3": 1,
            "top5": 1,
            "top10": 1,
            "map": (1 / 2 + 2 / 5 + 3 / 11) / 3,
            "mrr": 1 / 2,
            "p10": 2 / 10,
            "rprec": 1 / 3,
        }
    )


@pytest.mark.parametrize("seed", range(20))
def test_strict_orders_agree_with_the_definitions(seed):
    relevant = np.random.default_rng(seed).random(40) < 0.2
    relevant[seed] = True
    assert mean_scores(ranking_of(relevant, np.arange(40))) == pytest.approx(slow(relevant))


@pytest.mark.parametrize("seed", range(20))
def test_ties_give_the_mean_over_all_orders(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.permutation([1, 2, 4, 3])
    group = np.repeat(np.arange(4), sizes)
    relevant = rng.random(10) < 0.4
    relevant[rng.integers(10)] = True

    def orders(groups):
        if not groups:
            yield []
            return
        for first in permutations(groups[0]):
            for rest in orders(groups[1:]):
                yield [*first, *rest]

    tried = [slow(order) for order in orders([relevant[group == g].tolist() for g in range(4)])]
    expected = {name: np.mean([values[name] for values in tried]) for name in METRICS}
    assert mean_scores(ranking_of(relevant, group)) == pytest.approx(expected)


def test_every_metric_is_named_and_says_its_direction():
    assert list(METRICS) == ["top1", "top3", "top5", "top10", "map", "mrr", "p10", "rprec"]
    assert all(metric.higher_is_better and metric.label for metric in METRICS.values())
