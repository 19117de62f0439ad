"""Weights find what tells, from training images alone; and what rows could do together."""

import numpy as np
import pytest

from retrieval.fusion.weights import candidates, learn_weights, leave_one_out
from retrieval.knn import grid_distances
from retrieval.statistics import complementarity, oracle

RNG = np.random.default_rng(0)
LABELS = [f"class {number % 4}" for number in range(48)]


def between(vectors):
    [block] = grid_distances(vectors.astype(np.float32), vectors.astype(np.float32))
    return block.distances


def telling(noise, groups=(0, 1, 2, 3)):
    """Vectors that tell apart what class numbers are mapped to."""
    return 3 * np.eye(8)[np.array(groups)[np.arange(48) % 4]] + RNG.normal(0, noise, (48, 8))


def test_noise_gets_no_weight_and_the_telling_search_all():
    distances = np.stack([between(RNG.normal(size=(48, 8))), between(telling(0.5))])
    found = learn_weights(distances, LABELS)
    assert found.weights[1] >= 0.7
    assert found.singles[1] > found.singles[0] + 0.3
    assert found.cross_validated > found.singles[1] - 0.02


def test_two_halves_are_worth_more_together_and_it_shows():
    halves = (telling(0.8, (0, 0, 1, 1)), telling(0.8, (0, 1, 0, 1)))
    distances = np.stack([between(half) for half in halves])
    found = learn_weights(distances, LABELS)
    assert 0.2 <= found.weights[0] <= 0.8
    assert found.cross_validated > max(found.singles) + 0.05


def test_only_noise_is_not_made_to_look_good():
    distances = np.stack([between(RNG.normal(size=(48, 4))) for _ in range(3)])
    found = learn_weights(distances, LABELS)
    assert found.cross_validated < max(found.singles) + 0.01


def test_weights_are_the_same_again_and_add_up():
    distances = np.stack([between(telling(1.0)) for _ in range(4)])
    found = learn_weights(distances, LABELS)
    assert found == learn_weights(distances, LABELS)
    assert sum(found.weights) == pytest.approx(1, abs=5e-3)
    order = RNG.permutation(48)
    moved = distances[:, order][:, :, order]
    assert learn_weights(moved, [LABELS[i] for i in order]).weights == found.weights


def test_an_image_does_not_ask_for_itself():
    judged = leave_one_out(["a", "b", "a"])
    assert [one.positive.tolist() for one in judged.of] == [[2], [], [0]]
    assert [one.excluded.tolist() for one in judged.of] == [[0], [1], [2]]
    with pytest.raises(ValueError, match="at least two training images"):
        learn_weights(np.zeros((2, 2, 2), np.int32), ["a", "b"])


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_candidates_are_on_the_simplex_with_all_corners(count):
    tried = candidates(count)
    assert len(set(tried)) == len(tried)
    assert np.allclose(np.sum(tried, axis=1), 1, atol=5e-3)
    assert np.min(tried) >= 0
    assert np.array_equal(np.array(tried[:count]), np.eye(count))


def test_oracle_and_complementarity_by_hand():
    values = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0.0]])
    assert oracle(values).tolist() == [1, 1, 1, 0]
    wanted = np.array([[0, 1, 2], [1, 0, 2], [0, 0, 0]]) / 4
    np.testing.assert_array_equal(complementarity(values), wanted)
    ties = np.array([[0.5, 1.0]])
    assert complementarity(ties).tolist() == [[0, 0], [1, 0]]
