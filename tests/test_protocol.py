"""The traps of retrieval protocols, each with its test."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import hypergeom

from datasets.task import Image, Relevance
from retrieval.knn import grid_distances
from retrieval.metrics import METRICS, chance, mean_scores, score
from retrieval.protocol import judge
from retrieval.ranking import Ranking, summarise


def image(name, label, sha=None):
    return Image(name, Path(name), sha or name, label, "" if label is None else None)


def images(prefix, labels):
    return [image(f"{prefix}{number:03}", label) for number, label in enumerate(labels)]


def search(queries, gallery, query_vectors, gallery_vectors, relevance=None):
    judgements = judge(queries, gallery, relevance or {})
    return summarise(grid_distances(query_vectors, gallery_vectors), judgements), judgements


def on_circle(degrees):
    radians = np.deg2rad(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


@pytest.fixture
def unbalanced():
    """30 images of a, 7 of b, 2 of c, 21 confusion images; queries of all classes."""
    gallery = images("g", ["a"] * 30 + ["b"] * 7 + ["c"] * 2 + [None] * 21)
    queries = images("q", ["a", "a", "a", "b", "c"])
    return queries, gallery


def test_constant_features_score_exactly_chance(unbalanced):
    queries, gallery = unbalanced
    ones = np.ones((len(gallery), 5), np.float32)
    ranking, judgements = search(queries, gallery, ones[: len(queries)], ones)
    assert mean_scores(ranking) == chance(judgements)


def test_chance_of_top_k_is_hypergeometric(unbalanced):
    queries, gallery = unbalanced
    expected = chance(judge(queries, gallery, {}))
    relevant = [30, 30, 30, 7, 2]
    for k in (1, 3, 5, 10):
        exact = np.mean([1 - hypergeom.pmf(0, 60, count, k) for count in relevant])
        assert expected[f"top{k}"] == pytest.approx(exact, abs=1e-12)


def test_chance_is_the_mean_of_random_features(unbalanced):
    queries, gallery = unbalanced
    rng = np.random.default_rng(0)
    many = [
        mean_scores(search(queries, gallery, rng.normal(size=(5, 8)), rng.normal(size=(60, 8)))[0])
        for _ in range(600)
    ]
    expected = chance(judge(queries, gallery, {}))
    for name in METRICS:
        values = [scores[name] for scores in many]
        assert np.mean(values) == pytest.approx(expected[name], abs=4 * np.std(values) / 600**0.5)


def test_query_in_the_gallery_is_excluded_once():
    gallery = [image("g0", "a", "same"), image("g1", "a", "same"), image("g2", "b")]
    queries = [image("q", "a", "same")]
    ranking, judgements = search(queries, gallery, on_circle([0]), on_circle([0, 0, 90]))
    assert judgements.self_matches == 1
    assert ranking.candidates.tolist() == [2]
    assert ranking.relevant.tolist() == [1]  # positives are reduced by one
    assert ranking.neighbours[0, :3].tolist() == [1, 2, -1]


def test_average_precision_divides_by_relevant_images_not_by_hits():
    gallery = images("g", ["a", "b", "a", "b", "a"])
    ranking, _ = search(
        [image("q", "a")], gallery, on_circle([0]), on_circle([10, 20, 30, 40, 50])
    )
    assert score(ranking)["map"][0] == pytest.approx((1 / 1 + 2 / 3 + 3 / 5) / 3)


def test_lone_queries_are_left_out_of_every_mean():
    gallery = images("g", ["a", "a", "b"])
    queries = images("q", ["a", "nowhere", None])
    ranking, judgements = search(queries, gallery, on_circle([0, 0, 0]), on_circle([1, 2, 3]))
    assert ranking.relevant.tolist() == [2, 0, 0]
    assert mean_scores(ranking)["top1"] == 1
    assert chance(judgements)["top1"] == pytest.approx(2 / 3)
    assert all(np.isnan(values[1:]).all() for values in score(ranking).values())


def test_no_query_scored_gives_no_number():
    ranking, _ = search([image("q", "z")], images("g", ["a"]), np.ones((1, 2)), np.ones((1, 2)))
    assert mean_scores(ranking) == dict.fromkeys(METRICS)


def test_distractors_are_negatives():
    gallery = images("g", [None, "a"])
    ranking, _ = search([image("q", "a")], gallery, on_circle([0]), on_circle([1, 2]))
    assert mean_scores(ranking)["top1"] == 0
    assert mean_scores(ranking)["map"] == 0.5


def test_junk_is_removed_before_ranks_are_counted():
    gallery = images("g", ["a", "a", "b", "b"])
    judged = {"q": Relevance(frozenset({"g003"}), frozenset({"g000", "g001"}))}
    ranking, _ = search(
        [image("q", "a")], gallery, on_circle([0]), on_circle([1, 2, 3, 4]), judged
    )
    assert ranking.neighbours[0, :3].tolist() == [2, 3, -1]
    assert mean_scores(ranking)["map"] == 0.5


def test_k_larger_than_the_gallery():
    gallery = images("g", ["b", "a"])
    ranking, _ = search([image("q", "a")], gallery, on_circle([0]), on_circle([1, 2]))
    scores = mean_scores(ranking)
    assert (scores["top1"], scores["top10"]) == (0, 1)
    assert scores["p10"] == 0.1


def test_permuting_the_gallery_changes_no_metric(unbalanced):
    queries, gallery = unbalanced
    rng = np.random.default_rng(3)
    # Few values, so that nearly everything ties.
    vectors = rng.integers(0, 2, (len(gallery), 3)).astype(np.float32)
    asked = rng.integers(0, 2, (len(queries), 3)).astype(np.float32)
    expected = mean_scores(search(queries, gallery, asked, vectors)[0])
    for _ in range(5):
        order = rng.permutation(len(gallery))
        shuffled = [gallery[index] for index in order]
        found = mean_scores(search(queries, shuffled, asked, vectors[order])[0])
        assert found == pytest.approx(expected, abs=1e-12)


def test_ranking_survives_its_file_with_equal_bytes(tmp_path, unbalanced):
    queries, gallery = unbalanced
    rng = np.random.default_rng(4)
    ranking, _ = search(queries, gallery, rng.normal(size=(5, 4)), rng.normal(size=(60, 4)))
    ranking.save(tmp_path / "a.npz")
    ranking.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert mean_scores(Ranking.load(tmp_path / "a.npz")) == mean_scores(ranking)
    (tmp_path / "c.npz").write_bytes(b"text")
    with pytest.raises(ValueError, match="holds no ranking"):
        Ranking.load(tmp_path / "c.npz")
