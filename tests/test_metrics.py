"""Metrics against hand-computed cases, definitions, and their own mean over every order."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from retrieval.knn import Block
from retrieval.metrics import FURTHER, METRICS, chance, find_metrics, mean_scores, menu, score
from retrieval.protocol import Judgement, Judgements
from retrieval.ranking import Ranking, random_ranking, summarise

AT_K = ("recall@1", "recall@4", "recall@100", "P@3", "mAP@1", "mAP@4", "mAP@100", "nDCG@3")
AT_K += ("mP@1", "mP@5", "mP@100")
EVERY = METRICS | FURTHER | find_metrics([*AT_K, "nDCG@100"])


def judged(relevant):
    """Judgements of one query from the grades of the gallery's images, 0 for negatives."""
    grades = {n: float(grade) for n, grade in enumerate(relevant) if grade and grade != 1}
    of = Judgement(np.flatnonzero(relevant), np.array([], np.intp), grades)
    return Judgements((of,), len(relevant), 0)


def ranking_of(relevant, distances):
    """Ranking of one query from relevance flags, or grades, and distances in ranked order."""
    block = Block(0, np.asarray(distances, np.int32)[None])
    return summarise([block], judged(relevant))


def test_a_metric_cannot_change_what_others_are_given():
    ranking = random_ranking(judged([1, 0, 1]))
    for array in (ranking.group_start, ranking.relevant, score(ranking)["map"]):
        with pytest.raises(ValueError, match="read-only"):
            array.sort()


def slow(relevant):
    """The known metrics of one strict order, straight from their definitions."""
    ranks = [place for place, flag in enumerate(relevant, 1) if flag]
    total = len(ranks)
    values = {f"top{k}": float(any(relevant[:k])) for k in (1, 3, 5, 10)}
    values["map"] = sum((n + 1) / rank for n, rank in enumerate(ranks)) / total
    values["mrr"] = 1 / ranks[0]
    values["p10"] = sum(relevant[:10]) / 10
    values["rprec"] = sum(relevant[:total]) / total
    values |= {f"recall{k}": sum(relevant[:k]) / total for k in (1, 4, 100)}
    values["p3"] = sum(relevant[:3]) / 3
    for k in (1, 5, 100):
        least = min(k, ranks[-1])
        values[f"mp{k}"] = sum(rank <= least for rank in ranks) / least
    for k in (1, 4, 100):
        found = [(n + 1) / rank for n, rank in enumerate(ranks) if rank <= k]
        values[f"map{k}"] = sum(found) / min(total, k)
    values["mapr"] = sum((n + 1) / rank for n, rank in enumerate(ranks) if rank <= total) / total
    values["ns"] = sum(relevant[:4])
    values["maptrapezoidal"] = oxford(relevant)
    values |= {f"ndcg{k or ''}": dcg(relevant, k) / dcg(sorted(relevant)[::-1], k) for k in CUTS}
    return values


CUTS = (None, 3, 100)


def dcg(grades, k):
    """Discounted cumulative gain."""
    return sum(grade / np.log2(place + 2) for place, grade in enumerate(grades[:k]))


def oxford(relevant):
    """Average precision step by step, as the programs of Oxford and Paris compute it."""
    old_recall, old_precision, area, found = 0.0, 1.0, 0.0, 0
    for place, flag in enumerate(relevant, 1):
        found += bool(flag)
        recall, precision = found / np.count_nonzero(relevant), found / place
        area += (recall - old_recall) * (old_precision + precision) / 2
        old_recall, old_precision = recall, precision
    return area


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
    found, known = mean_scores(ranking_of(relevant, np.arange(40)), EVERY), slow(relevant)
    assert {name: found[name] for name in known} == pytest.approx(known)


@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_ties_give_the_mean_over_all_orders(seed, graded):
    rng = np.random.default_rng(seed)
    sizes = rng.permutation([1, 2, 4, 3])
    group = np.repeat(np.arange(4), sizes)
    relevant = (rng.random(10) < 0.4).astype(float)
    relevant[rng.integers(10)] = 1
    relevant *= rng.choice([1, 2, 3.5], 10) if graded else 1

    def orders(groups):
        if not groups:
            yield []
            return
        for first in permutations(groups[0]):
            for rest in orders(groups[1:]):
                yield [*first, *rest]

    tried = Counter(map(tuple, orders([relevant[group == g].tolist() for g in range(4)])))
    strict = {order: mean_scores(ranking_of(order, range(10)), EVERY) for order in tried}
    weights = list(tried.values())
    expected = {
        name: np.average([strict[order][name] for order in tried], weights=weights)
        for name in EVERY
    }
    assert mean_scores(ranking_of(relevant, group), EVERY) == pytest.approx(expected)


@pytest.mark.parametrize("grades", [(1, 1, 1, 1), (3, 1, 2, 0.5)])
def test_chance_is_the_mean_over_random_orders(grades):
    rng = np.random.default_rng(0)
    relevant = np.r_[grades, np.zeros(21)]
    drawn = [
        mean_scores(ranking_of(rng.permutation(relevant), range(25)), EVERY) for _ in range(3000)
    ]
    for name, expected in chance(judged(relevant), EVERY).items():
        values = [one[name] for one in drawn]
        assert np.mean(values) == pytest.approx(expected, abs=4 * np.std(values) / 3000**0.5), name


def test_chance_has_the_closed_forms_of_the_literature():
    relevant = np.r_[np.ones(5), np.zeros(15)]
    found = chance(judged(relevant), EVERY)
    harmonic = np.sum(1 / np.arange(1, 21))
    assert found["recall4"] == pytest.approx(4 / 20)
    assert found["ns"] == pytest.approx(4 * 5 / 20)
    assert found["map"] == pytest.approx(4 / 19 + harmonic * 15 / (20 * 19))


def test_grades_matter_to_gains_alone_and_survive_the_file(tmp_path):
    graded, plain = ranking_of([0, 1, 3, 0, 2], range(5)), ranking_of([0, 1, 1, 0, 1], range(5))
    found, binary = mean_scores(graded, EVERY), mean_scores(plain, EVERY)
    gained = 1 / np.log2(3) + 3 / 2 + 2 / np.log2(6)
    assert found["ndcg"] == pytest.approx(gained / (3 + 2 / np.log2(3) + 1 / 2))
    assert {n for n in slow([1]) if found[n] != binary[n]} == {"ndcg", "ndcg3", "ndcg100"}
    for ranking in (graded, plain):
        ranking.save(tmp_path / "kept.npz")
        assert mean_scores(Ranking.load(tmp_path / "kept.npz"), EVERY) == mean_scores(
            ranking, EVERY
        )
    with np.load(tmp_path / "kept.npz") as stored:
        assert "grades" not in stored  # as before there were any


@pytest.mark.parametrize("relevant", [[0, 1, 3, 0, 2], [1, 0, 1]])
def test_a_ranking_tells_its_own_chance(relevant):
    ranking = ranking_of(relevant, range(len(relevant)))
    expected = mean_scores(random_ranking(judged(relevant)), EVERY)
    assert mean_scores(ranking.in_random_order(), EVERY) == expected


@pytest.mark.parametrize(
    ("written", "key", "label"),
    [
        ("nDCG@10", "ndcg10", "nDCG@10"),
        ("top-7", "top7", "top-7"),
        ("recall@100", "recall100", "recall@100"),
        ("mAP@100", "map100", "mAP@100/min(R,100)"),
        ("MAP@R", "mapr", "mAP@R"),
        ("R-prec", "rprec", "R-prec"),
        ("mAP", "map", "mAP"),
    ],
)
def test_metrics_are_found_as_papers_write_them(written, key, label):
    [(found, metric)] = find_metrics([written]).items()
    assert (found, metric.label) == (key, label)


@pytest.mark.parametrize(
    "name", ["", "recall", "top0", "top-05", "map@", "map@-3", "accuracy", "p1e3", "10"]
)
def test_an_unknown_metric_is_told_those_that_there_are(name):
    with pytest.raises(ValueError, match=r"no metric .*recallK, mapK.*maptrapezoidal.*, ns"):
        find_metrics([name])


def test_every_metric_says_what_it_is_and_whose():
    at_k, others = menu()
    assert {name for name in METRICS | FURTHER if not name[-1].isdigit()} == set(others)
    for metric in (*at_k.values(), *others.values()):
        assert metric.formula
        assert metric.source


def test_no_query_scores_more_than_the_best():
    best = score(ranking_of([1] * 5 + [0] * 200, range(205)), EVERY)
    assert all(values[0] <= EVERY[name].best + 1e-12 for name, values in best.items())
    reached = {name for name in slow([1]) if best[name][0] == pytest.approx(EVERY[name].best)}
    assert set(slow([1])) - reached == {"recall1", "recall4", "p10"}  # too few places, too many
