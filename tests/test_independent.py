"""Our metrics beside those of trec_eval, the evaluator of the text retrieval conferences.

trec_eval knows no ties: it is asked about every order of the tied images, or about many, and the
mean of its answers must be ours.
"""

import itertools

import numpy as np
import pytest
import pytrec_eval

from retrieval.knn import Block
from retrieval.metrics import METRICS, find_metrics, score
from retrieval.protocol import Judgement, Judgements
from retrieval.ranking import summarise

THEIRS = {
    "top1": "success_1",
    "top5": "success_5",
    "top10": "success_10",
    "map": "map",
    "mrr": "recip_rank",
    "p10": "P_10",
    "rprec": "Rprec",
    "recall5": "recall_5",
    "recall30": "recall_30",
    "p5": "P_5",
    "ndcg": "ndcg",
    "ndcg5": "ndcg_cut_5",
    "ndcg10": "ndcg_cut_10",
    "map5": "map_cut_5",
    "map30": "map_cut_30",
}
EVERY = METRICS | find_metrics(THEIRS)


def trec_eval(orders, grades):
    """Mean of every metric over rankings, each a sequence of image numbers, best first."""
    relevant = {str(image): grade for image, grade in grades.items()}
    truth = {str(n): relevant | {"absent": 0} for n in range(len(orders))}
    answers = {
        str(n): {str(image): float(len(order) - place) for place, image in enumerate(order)}
        for n, order in enumerate(orders)
    }
    measures = {
        "success",
        "map",
        "recip_rank",
        "P",
        "Rprec",
        "recall",
        "ndcg",
        "ndcg_cut",
        "map_cut",
    }
    found = pytrec_eval.RelevanceEvaluator(truth, measures).evaluate(answers)
    values = {
        ours: np.mean([one[theirs] for one in found.values()]) for ours, theirs in THEIRS.items()
    }
    for k in (5, 30):  # theirs is over R, ours over min(R, k)
        values[f"map{k}"] *= len(grades) / min(len(grades), k)
    return values


def ours(distances, grades, excluded):
    positive, junk = (np.array(sorted(images), np.intp) for images in (grades, excluded))
    judgements = Judgements((Judgement(positive, junk, grades),), distances.shape[0], 0)
    blocks = [Block(0, distances[None].astype(np.int32))]
    found = score(summarise(blocks, judgements), EVERY)
    return {name: values[0] for name, values in found.items()}


def graded(images, rng):
    """Images with grades of 1 to 3, or all with 1."""
    return dict(
        zip(images, rng.integers(1, rng.choice([2, 4]), len(images)).tolist(), strict=True)
    )


def orders_of(distances, allowed, rng, most=4000):
    """Every order of the allowed images that their distances permit, or many at random."""
    groups = [[i for i in allowed if distances[i] == d] for d in np.unique(distances[allowed])]
    ways = np.prod([float(np.prod(np.arange(1.0, len(g) + 1))) for g in groups])
    if ways <= most:
        every = itertools.product(*(itertools.permutations(group) for group in groups))
        return [[i for group in order for i in group] for order in every], True
    drawn = [[i for g in groups for i in rng.permutation(g)] for _ in range(most)]
    return drawn, False


@pytest.mark.parametrize("seed", range(12))
def test_without_ties_every_query_agrees(seed):
    rng = np.random.default_rng(seed)
    for _ in range(25):
        count = int(rng.integers(1, 40))
        distances = rng.permutation(10 * count)[:count]
        positive = set(np.flatnonzero(rng.random(count) < 0.3).tolist())
        excluded = set(np.flatnonzero(rng.random(count) < 0.15).tolist())
        positive = graded(sorted(positive - excluded), rng)
        allowed = [i for i in np.argsort(distances) if i not in excluded]
        found = ours(distances, positive, excluded)
        if not positive:
            assert all(np.isnan(value) for value in found.values())  # a lone query
            continue
        wanted = trec_eval([allowed], positive)
        assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("seed", range(12))
def test_with_ties_ours_is_the_mean_over_all_orders(seed):
    rng = np.random.default_rng(100 + seed)
    count = int(rng.integers(2, 13))
    distances = rng.integers(0, 6, count)
    positive = set(rng.choice(count, int(rng.integers(1, count)), replace=False).tolist())
    excluded = set(np.flatnonzero(rng.random(count) < 0.1).tolist()) - positive
    positive = graded(sorted(positive), rng)
    allowed = np.array([i for i in range(count) if i not in excluded])
    orders, every = orders_of(distances, allowed, rng)
    wanted = trec_eval(orders, positive)
    found = ours(distances, positive, excluded)
    tolerance = 1e-9 if every else 0.04
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=tolerance)


def test_a_gallery_smaller_than_k_agrees():
    wanted = trec_eval([[2, 0, 1]], {1: 1})
    found = ours(np.array([1, 2, 0]), {1: 1}, set())
    assert {name: found[name] for name in wanted} == pytest.approx(wanted)
    assert found["p10"] == pytest.approx(0.1)
