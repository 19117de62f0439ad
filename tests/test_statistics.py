"""Intervals, tests and letters: against SciPy, by hand, and by what they must never do."""

import itertools

import numpy as np
import pytest
import scipy.stats

from retrieval.bootstrap import intervals, rank_intervals
from retrieval.statistics import (
    compare,
    holm,
    letters,
    mcnemar,
    permutation_test,
    resolvable,
    sign_flip_test,
)

RNG = np.random.default_rng(0)
RIGHT = (RNG.random((120, 4)) < (0.3, 0.5, 0.5, 0.9)).astype(float)
SCORES = RNG.beta(2, 3, (80, 1)) + RNG.normal(0, 0.1, (80, 4)) + (0, 0.005, 0.05, 0.2)


def test_intervals_are_those_of_scipy():
    found = intervals(SCORES)
    for row, interval in zip(SCORES.T, found, strict=True):
        wanted = scipy.stats.bootstrap(
            (row,), np.mean, n_resamples=10_000, method="percentile", rng=1
        ).confidence_interval
        np.testing.assert_allclose(interval, wanted, atol=0.004)
        assert interval[0] < row.mean() < interval[1]


def test_intervals_are_seeded_and_hold_the_truth_as_often_as_they_say():
    assert np.array_equal(intervals(RIGHT, seed=3), intervals(RIGHT, seed=3))
    assert not np.array_equal(intervals(SCORES, seed=3), intervals(SCORES, seed=4))
    samples = (np.random.default_rng(5).random((100, 400)) < 0.4).astype(float)
    found = intervals(samples, draws=2000)
    share = ((found[:, 0] <= 0.4) & (found[:, 1] >= 0.4)).mean()
    assert 0.91 < share < 0.98


def test_intervals_at_the_ends():
    assert intervals(np.ones((9, 1))).tolist() == [[1.0, 1.0]]
    assert np.isnan(intervals(np.empty((0, 2)))).all()


def test_mcnemar_is_the_exact_binomial_test():
    found = mcnemar(RIGHT)
    for one, other in itertools.combinations(range(4), 2):
        wins = int((RIGHT[:, one] > RIGHT[:, other]).sum())
        losses = int((RIGHT[:, one] < RIGHT[:, other]).sum())
        wanted = scipy.stats.binomtest(wins, wins + losses).pvalue
        assert found[one, other] == found[other, one] == pytest.approx(wanted)
    assert np.diag(found).tolist() == [1.0] * 4


def test_permutation_test_is_that_of_scipy():
    found = permutation_test(SCORES)
    for one, other in itertools.combinations(range(4), 2):
        wanted = scipy.stats.permutation_test(
            (SCORES[:, one], SCORES[:, other]),
            lambda a, b, axis: (a - b).mean(axis=axis),
            permutation_type="samples",
            n_resamples=9999,
            rng=2,
        ).pvalue
        assert found[one, other] == pytest.approx(wanted, abs=0.02)
    assert np.array_equal(found, permutation_test(SCORES))


def test_many_pairs_do_not_hide_a_clear_difference():
    """With 40 rows, Holm asks for less than what 10,000 exchanges alone can show."""
    rows = RNG.normal(0, 0.1, (150, 40))
    rows[:, 0] += 0.5
    found = compare(rows, binary=False).letters
    assert not set(found[0]) & set("".join(found[1:]))


@pytest.mark.parametrize("count", [3, 6, 10])
def test_a_bounded_p_value_is_never_below_the_exact_one(count):
    rng = np.random.default_rng(count)
    for _ in range(30):
        values = np.column_stack([rng.normal(0.8, 0.3, count), np.zeros(count)])
        signs = np.array(list(itertools.product((-1, 1), repeat=count)))
        sums = np.abs(signs @ values[:, 0])
        exact = (sums >= abs(values[:, 0].sum()) - 1e-12).mean()
        few = permutation_test(values, draws=1)[0, 1]
        assert few >= min(exact, 0.5) - 1e-12


def test_permutation_test_of_equal_rows_finds_nothing():
    twins = np.repeat(SCORES[:, :1], 2, axis=1)
    assert permutation_test(twins)[0, 1] == 1.0
    assert mcnemar(twins)[0, 1] == 1.0


def test_holm_by_hand():
    raw = np.ones((3, 3))
    for (one, other), p in {(0, 1): 0.01, (0, 2): 0.04, (1, 2): 0.03}.items():
        raw[one, other] = raw[other, one] = p
    found = holm(raw)
    assert found[0, 1] == pytest.approx(0.03)  # 3 x 0.01
    assert found[1, 2] == pytest.approx(0.06)  # 2 x 0.03
    assert found[0, 2] == pytest.approx(0.06)  # 1 x 0.04, but never below its predecessor
    assert np.array_equal(found, found.T)


def p_matrix(count, different):
    made = np.ones((count, count))
    for one, other in different:
        made[one, other] = made[other, one] = 0.001
    return made


def test_letters_by_hand():
    assert letters([3, 2, 1], p_matrix(3, [])) == ["a", "a", "a"]
    assert letters([3, 2, 1], p_matrix(3, [(0, 2)])) == ["a", "ab", "b"]
    assert letters([3, 2, 1], p_matrix(3, [(0, 1), (0, 2), (1, 2)])) == ["a", "b", "c"]
    assert letters([1, 2, 3], p_matrix(3, [(0, 2)])) == ["b", "ab", "a"]
    assert letters([1.0], p_matrix(1, [])) == ["a"]


@pytest.mark.parametrize("seed", range(8))
def test_rows_share_a_letter_exactly_if_they_do_not_differ(seed):
    rng = np.random.default_rng(seed)
    means = rng.random(12)
    apart = np.abs(means[:, None] - means) > rng.uniform(0.1, 0.6, (12, 12))
    different = [(i, j) for i, j in itertools.combinations(range(12), 2) if apart[i, j]]
    found = [set(text) for text in letters(list(means), p_matrix(12, different))]
    for one, other in itertools.combinations(range(12), 2):
        assert bool(found[one] & found[other]) == ((one, other) not in different)
    assert "a" in found[int(means.argmax())]


def test_more_groups_than_letters():
    everything = list(itertools.combinations(range(30), 2))
    found = letters(list(range(30, 0, -1)), p_matrix(30, everything))
    assert found[:2] == ["a", "b"]
    assert found[25:27] == ["z", "[aa]"]
    assert len(set(found)) == 30


def test_comparison_tells_apart_what_differs():
    made = compare(RIGHT, binary=True)
    assert made.letters[3] == "a"
    assert not set(made.letters[0]) & set(made.letters[3])
    assert made.intervals.shape == (4, 2)
    assert set(compare(SCORES, binary=False).letters[3]) == {"a"}
    assert compare(np.empty((0, 3)), binary=True).letters == ["a"] * 3


def test_what_can_be_resolved_is_found_four_times_in_five():
    rng = np.random.default_rng(7)
    base = rng.normal(0, 1, (20_000, 2))
    difference = 10 * resolvable(base)  # of a hundredth of the queries
    hits = 0
    for _ in range(300):
        pair = np.add(rng.normal(0, 1, (200, 2)), (0, difference))
        hits += scipy.stats.ttest_rel(*pair.T).pvalue < 0.05
    assert 0.7 < hits / 300 < 0.9
    assert np.isnan(resolvable(base[:, :1]))


def test_ranks_of_clear_and_of_equal_methods():
    clear = np.repeat([[0.9, 0.1, 0.5]], 20, axis=0)
    assert rank_intervals([clear, clear]).tolist() == [[1, 1], [3, 3], [2, 2]]
    assert rank_intervals([clear, 1 - clear]).tolist() == [[2, 2]] * 3
    same = np.repeat(RIGHT[:, :1], 3, axis=1)
    assert rank_intervals([same]).tolist() == [[2, 2]] * 3  # they share the mean of 1, 2 and 3


def test_ranks_of_methods_that_hardly_differ_are_uncertain():
    (low, high), *_, last = rank_intervals([SCORES, SCORES], seed=1)
    assert 2 <= low < high <= 4
    assert last.tolist() == [1, 1]
    np.testing.assert_array_equal(
        rank_intervals([SCORES], seed=3), rank_intervals([SCORES], seed=3)
    )


def test_a_small_p_value_hardly_hangs_on_the_seed():
    differences = np.random.default_rng(3).normal(0.16, 0.5, (90, 1))
    found = [sign_flip_test(differences, seed=seed)[0] for seed in range(5)]
    assert 0.001 < np.mean(found) < 0.1
    assert np.std(found) < 2 * np.sqrt(np.mean(found) / 100_000)
