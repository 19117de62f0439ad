"""Late fusion against slow references, with ties, exclusions and any order of the gallery."""

import math

import numpy as np
import pytest

from retrieval.fusion.late import (
    FUSIONS,
    CombMnz,
    CombSum,
    QueryAdaptive,
    Weighted,
    by_rank,
    fuse,
    min_max,
    reference_curve,
    z_score,
)
from retrieval.knn import Block
from retrieval.metrics import chance, mean_scores
from retrieval.protocol import Judgement, Judgements
from retrieval.ranking import summarise

NOBODY = np.array([], np.intp)
EVERY = {**FUSIONS, "adaptive": QueryAdaptive(), "weighted": Weighted((0.2, 0.5, 0.3))}


def searches(seed, queries=4, images=12, levels=30, count=3):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, levels, (queries, images)).astype(np.int32) for _ in range(count)]


def judged(queries, images, excluded=NOBODY):
    return Judgements((Judgement(NOBODY, excluded),) * queries, images, 0)


def fused(distances, fusion, judgements=None):
    judgements = judgements or judged(*distances[0].shape)
    [block] = fuse([[Block(0, one)] for one in distances], fusion, judgements)
    assert block.start == 0
    assert block.distances.dtype == np.int32
    return block.distances


def slow_ranks(row):
    """Mean rank of ties, counted."""
    return [1 + sum(x < y for x in row) + (sum(x == y for x in row) - 1) / 2 for y in row]


def slow_normalised(row, how):
    if how == "minmax":
        low, high = min(row), max(row)
        return [(high - x) / (high - low) if high > low else 0.0 for x in row]
    if how == "zscore":
        mean = sum(row) / len(row)
        spread = math.sqrt(sum((x - mean) ** 2 for x in row) / len(row))
        return [(mean - x) / spread if spread else 0.0 for x in row]
    return [(len(row) - r) / (len(row) - 1) for r in slow_ranks(row)]


def slow(name, rows):
    """Scores of one query as the definitions have them."""
    count = len(rows[0])
    if name == "rrf":
        return [sum(1 / (60 + slow_ranks(r)[i]) for r in rows) for i in range(count)]
    if name == "borda":
        return [sum(count - slow_ranks(r)[i] for r in rows) for i in range(count)]
    if name == "weighted":
        made = [slow_normalised(r, "zscore") for r in rows]
        return [0.2 * made[0][i] + 0.5 * made[1][i] + 0.3 * made[2][i] for i in range(count)]
    if name == "adaptive":
        made = [slow_normalised(r, "minmax") for r in rows]
        inverse = [len(m) / sum(m) for m in made]
        weights = [one / sum(inverse) for one in inverse]
        return [
            math.prod(max(m[i], 1e-6) ** w for m, w in zip(made, weights, strict=True))
            for i in range(count)
        ]
    how = name.split("-")[1]
    made = [slow_normalised(r, how) for r in rows]
    return [sum(m[i] for m in made) for i in range(count)]  # all are found: 12 of 100


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", EVERY)
def test_the_order_is_that_of_the_definition(name, seed):
    distances = searches(seed, levels=8 if seed % 2 else 1000)
    found = fused(distances, EVERY[name])
    for query in range(len(found)):
        wanted = np.array(slow(name, [one[query].tolist() for one in distances]))
        for one in range(12):
            for other in range(12):
                if abs(wanted[one] - wanted[other]) > 1e-7:
                    nearer = found[query, one] < found[query, other]
                    assert nearer == (wanted[one] > wanted[other])
                elif abs(wanted[one] - wanted[other]) < 1e-13:
                    assert found[query, one] == found[query, other]


@pytest.mark.parametrize("name", EVERY)
def test_the_gallerys_order_has_no_influence(name):
    distances = searches(7, images=300, levels=10_000)
    order = np.random.default_rng(1).permutation(300)
    straight = fused(distances, EVERY[name])
    moved = fused([one[:, order] for one in distances], EVERY[name])
    np.testing.assert_array_equal(moved, straight[:, order])


@pytest.mark.parametrize("name", EVERY)
def test_excluded_images_have_no_influence_and_come_last(name):
    distances = searches(3)
    out = np.array([2, 7])
    rest = np.setdiff1d(np.arange(12), out)
    found = fused(distances, EVERY[name], judged(4, 12, out))
    np.testing.assert_array_equal(
        found[:, rest], fused([c[:, rest] for c in distances], EVERY[name])
    )
    for one in distances:
        one[:, out] = 10**8
    np.testing.assert_array_equal(fused(distances, EVERY[name], judged(4, 12, out)), found)
    assert (found[:, out] > found[:, rest].max()).all()


@pytest.mark.parametrize("name", FUSIONS)
def test_a_search_fused_with_itself_keeps_its_order(name):
    [one] = searches(5, images=40, levels=20, count=1)
    found = fused([one, one], FUSIONS[name])
    np.testing.assert_array_equal(
        np.sign(found[:, :, None].astype(int) - found[:, None, :]),
        np.sign(one[:, :, None].astype(int) - one[:, None, :]),
    )


@pytest.mark.parametrize("name", EVERY)
def test_constant_searches_score_chance(name):
    distances = [np.full((3, 20), 5, np.int32)] * 3
    judgements = Judgements((Judgement(np.array([1, 4, 9]), NOBODY),) * 3, 20, 0)
    blocks = fuse([[Block(0, one)] for one in distances], EVERY[name], judgements)
    assert mean_scores(summarise(blocks, judgements)) == pytest.approx(chance(judgements))


def test_no_weight_is_no_influence():
    one, other = searches(9, count=2)
    alone = fused([one], Weighted((1.0,)))
    np.testing.assert_array_equal(fused([one, other], Weighted((1.0, 0.0))), alone)
    with pytest.raises(ValueError, match="2 weights for 3 searches"):
        fused(searches(0), Weighted((0.5, 0.5)))


def test_found_by_more_counts_for_more():
    first = np.array([[0, 1, 2, 9, 9, 9]], np.int32)
    second = np.array([[9, 1, 9, 0, 9, 9]], np.int32)
    distances = fused([first, second], CombMnz(min_max, depth=2))
    assert distances[0].argmin() == 1
    assert (fused([first, second], CombSum(min_max))[0] != distances[0]).any()


def test_a_steep_search_has_more_say_than_a_flat_one():
    steep = np.full((1, 50), 1000, np.int32)
    steep[0, 3] = 0
    flat = np.arange(50, dtype=np.int32)[None]
    for fusion in (QueryAdaptive(), QueryAdaptive(((0.0,) * 5, (0.0,) * 5))):
        assert fused([steep, flat], fusion)[0].argmin() == 3
        assert fused([flat, steep], fusion)[0].argmin() == 3


def test_a_reference_takes_away_what_every_query_has():
    """A search whose curve is always high tells nothing by it."""
    curve = reference_curve([np.linspace(1, 0.5, 30), np.linspace(1, 0.5, 70)])
    assert curve[0] == pytest.approx(1)
    assert curve[-1] == pytest.approx(0.5)
    assert len(curve) == 100
    assert reference_curve([]) == (0.0,) * 100


@pytest.mark.parametrize("normalise", [min_max, z_score, by_rank])
def test_one_image_and_equal_distances_are_defined(normalise):
    assert normalise(np.array([[7]], np.int32)).tolist() == [[0.0]]
    assert np.isfinite(normalise(np.full((2, 5), 7, np.int32))).all()


def test_searches_that_do_not_fit_are_refused():
    one, other = searches(0, count=2)
    judgements = judged(4, 12)
    for blocks in ([Block(1, other)], [Block(0, other[:, :5])]):
        with pytest.raises(ValueError, match="different queries or galleries"):
            list(fuse([[Block(0, one)], blocks], FUSIONS["rrf"], judgements))
    with pytest.raises(ValueError, match="shorter"):
        list(fuse([[Block(0, one)], []], FUSIONS["rrf"], judgements))
