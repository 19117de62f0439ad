"""Metrics against hand-computed cases, definitions, and their own mean over every order."""

from collections import Counter
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
    """The known metrics of one strict order, straight from their definitions."""
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
    known = {
        "top1": 0,
        "top3": 1,
        "top5": 1,
        "top10": 1,
        "map": (1 / 2 + 2 / 5 + 3 / 11) / 3,
        "mrr": 1 / 2,
        "p10": 2 / 10,
        "rprec": 1 / 3,
    }
    assert {name: scores[name] for name in known} == pytest.approx(known)


@pytest.mark.parametrize("seed", range(20))
def test_strict_orders_agree_with_the_definitions(seed):
    relevant = np.random.default_rng(seed).random(40) < 0.2
    relevant[seed] = True
    found, known = mean_scores(ranking_of(relevant, np.arange(40))), slow(relevant)
    assert {name: found[name] for name in known} == pytest.approx(known)


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

    tried = Counter(map(tuple, orders([relevant[group == g].tolist() for g in range(4)])))
    strict = {order: mean_scores(ranking_of(order, range(10))) for order in tried}
    weights = list(tried.values())
    expected = {
        name: np.average([strict[order][name] for order in tried], weights=weights)
        for name in METRICS
    }
    assert mean_scores(ranking_of(relevant, group)) == pytest.approx(expected)


def test_binary_metrics_are_one_or_zero_and_the_best_order_scores_most():
    assert {"top1", "top3", "top5", "top10", "map", "mrr", "p10", "rprec"} <= set(METRICS)
    best = ranking_of([1] * 5 + [0] * 995, range(1000))
    worst = ranking_of([0] * 999 + [1], range(1000))
    high, low = mean_scores(best), mean_scores(worst)
    for name, metric in METRICS.items():
        assert metric.label
        assert high[name] > low[name], name
        assert not metric.is_binary or {high[name], low[name]} == {1, 0}, name
