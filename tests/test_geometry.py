"""Matches, their verification, and the re-ranking by them, on made-up points."""

import numpy as np
import pytest

from retrieval.knn import Block
from retrieval.protocol import Judgement, Judgements
from retrieval.ranking import summarise
from retrieval.reranking.spatial import MINIMUM, Verification, candidates, match, rerank


def transformed(points, linear, shift):
    return points @ np.array(linear).T + shift


@pytest.fixture
def views():
    """100 described points; 60 of them again, turned and scaled, among 40 others."""
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 300, (100, 2))
    descriptors = rng.integers(0, 256, (100, 32)).astype(np.uint8)
    turn = 0.8 * np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    others = np.concatenate(
        [transformed(points[:60], turn, [40, 7]), rng.uniform(0, 300, (40, 2))]
    )
    seen = np.concatenate([descriptors[:60], rng.integers(0, 256, (40, 32)).astype(np.uint8)])
    return points, descriptors, others, seen


@pytest.mark.parametrize("model", ["affine", "homography"])
@pytest.mark.parametrize("binary", [False, True])
def test_points_that_moved_together_are_inliers(views, model, binary):
    found = Verification(model).inliers(*views, binary)
    agreeing = found.pairs[found.inliers]
    assert agreeing.tolist() == [[index, index] for index in range(60)]


def test_looks_without_agreement_are_no_inliers(views):
    points, descriptors, _, seen = views
    scattered = np.random.default_rng(1).uniform(0, 300, (100, 2))
    found = Verification().inliers(points, descriptors, scattered, seen, False)
    assert len(found.pairs) >= 60
    assert found.inliers.sum() < 12


def test_mirrored_and_collapsed_views_are_refused(views):
    points, descriptors, _, _ = views
    for linear in ([[-1, 0], [0, 1]], [[0.01, 0], [0, 0.01]]):
        others = transformed(points, linear, [300, 0])
        found = Verification().inliers(points, descriptors, others, descriptors, False)
        assert not found.inliers.any()


def test_unknown_model_is_refused(views):
    with pytest.raises(ValueError, match="neither 'affine' nor 'homography'"):
        Verification("rigid").inliers(*views, False)


def test_ratio_test_keeps_clear_matches_only():
    asked = np.array([[10, 0], [100, 100]], np.uint8)
    others = np.array([[12, 0], [0, 10], [100, 107], [107, 100]], np.uint8)
    # 2 against 14.1 is clear; 7 against 7 is not.
    assert match(asked, others, False, 0.8).tolist() == [[0, 0]]
    assert match(asked, others, False, 1.1).tolist() == [[0, 0], [1, 2]]


def test_hamming_matches_count_bits():
    asked = np.array([[0b11110000]], np.uint8)
    others = np.array([[0b00001111], [0b11110001], [0b11111111]], np.uint8)
    assert match(asked, others, True, 0.8).tolist() == [[0, 1]]
    assert match(asked, others, True, 0.2).tolist() == []


def test_a_point_is_matched_once_by_its_nearest():
    asked = np.array([[0, 3], [0, 1], [0, 2]], np.uint8)
    others = np.array([[0, 0], [200, 200]], np.uint8)
    assert match(asked, others, False).tolist() == [[1, 0]]


def test_too_few_points_match_nothing():
    some, none = np.ones((3, 4), np.uint8), np.empty((0, 4), np.uint8)
    for asked, others in ((some, none), (none, some), (some, some[:1])):
        assert match(asked, others, False).shape == (0, 2)
    found = Verification().inliers(np.empty((0, 5)), none, np.zeros((3, 5)), some, False)
    assert len(found.inliers) == 0


def judgements(excluded, n_gallery=6):
    positive = np.array([], np.intp)
    return Judgements((Judgement(positive, np.array(excluded, np.intp)),), n_gallery, 0)


def block(*distances):
    return [Block(0, np.array([distances], np.int32))]


def test_candidates_are_the_nearest_that_take_part():
    distances = (50, 10, 10, 40, 20, 30)
    assert candidates(block(*distances), judgements([]), 3).tolist() == [[1, 2, 4]]
    assert candidates(block(*distances), judgements([1, 5]), 3).tolist() == [[2, 4, 3]]
    assert candidates(block(*distances), judgements([0]), 9).tolist() == [
        [1, 2, 4, 5, 3, -1, -1, -1, -1]
    ]


def order(distances, found, inliers):
    [reranked] = rerank(
        block(*distances), np.array([found], np.int32), np.array([inliers], np.int32)
    )
    return reranked.distances[0]


def test_more_inliers_come_first_and_the_others_keep_their_order():
    distances = order((50, 10, 10, 40, 20, 30), [1, 2, 4], [0, MINIMUM, MINIMUM + 5])
    assert np.argsort(distances, kind="stable").tolist() == [4, 2, 1, 5, 3, 0]
    assert distances[[1, 5, 3, 0]].tolist() == [10, 30, 40, 50]


def test_equal_inliers_go_by_distance_and_stay_tied_at_equal_distance():
    distances = order((50, 10, 10, 40, 20, 30), [1, 2, 4], [9, 9, 9])
    assert distances[1] == distances[2] < distances[4] < 0


def test_few_inliers_are_chance():
    distances = (50, 10, 10, 40, 20, 30)
    assert order(distances, [1, 2, 4], [MINIMUM - 1] * 3).tolist() == list(distances)
    assert order(distances, [1, -1, -1], [0, 99, 99]).tolist() == list(distances)


def test_permuting_the_gallery_changes_nothing():
    rng = np.random.default_rng(0)
    distances = rng.integers(0, 6, (8, 30)).astype(np.int32)
    right = rng.random(30) < 0.3
    support = rng.integers(0, 12, (8, 30)).astype(np.int32)

    def places(permutation):
        positive = np.flatnonzero(right[permutation])
        judged = Judgements((Judgement(positive, np.array([], np.intp)),) * 8, 30, 0)
        shuffled = distances[:, permutation]
        found = candidates([Block(0, shuffled.copy())], judged, 30)
        inliers = np.take_along_axis(support[:, permutation], found, axis=1)
        ranking = summarise(rerank([Block(0, shuffled.copy())], found, inliers), judged)
        return [ranking.group_start, ranking.group_size, ranking.group_relevant]

    for before, after in zip(places(np.arange(30)), places(rng.permutation(30)), strict=True):
        assert np.array_equal(before, after)
