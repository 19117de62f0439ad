"""Fewer distractors, from one search: equal to a search without them."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.report.pages.distractors import share_of_distractors
from datasets.task import Image, Relevance
from retrieval.knn import grid_distances
from retrieval.metrics import METRICS, chance, score
from retrieval.protocol import LEVELS, deal, judge
from retrieval.ranking import Ranking, random_ranking, summarise


def one(name, sha256, label, distractor=None):
    return Image(name, Path(name), sha256, label, distractor)


def gallery(distractors=37):
    named = [one(f"g/{n:03}", f"g{n}", "abc"[n % 3]) for n in range(30)]
    return named + [one(f"x/{n:03}", f"x{n}", None, "xy"[n % 2]) for n in range(distractors)]


# The last query stands in the gallery itself, as a distractor.
QUERIES = [one(f"q/{n}", f"q{n}", "abcd"[n % 4]) for n in range(9)] + [one("q/9", "x4", "a")]


def vectors(images, coarse):
    """Seeded by content; coarse ones are often equal, so that there are ties."""
    made = []
    for image in images:
        seed = int.from_bytes(image.sha256.encode(), "big")
        made.append(np.random.default_rng(seed).normal(size=3))
    return np.round(np.array(made, np.float32) * (1 if coarse else 1000)) + np.float32(0.1)


def search(images, coarse):
    judged = judge(QUERIES, images, {})
    return summarise(grid_distances(vectors(QUERIES, coarse), vectors(images, coarse)), judged)


def assert_equal_scores(one, other):
    left, right = score(one), score(other)
    for name in METRICS:
        np.testing.assert_allclose(left[name], right[name], atol=1e-12, err_msg=name)


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("levels", range(LEVELS + 1))
def test_fewer_distractors_score_as_a_search_without_them(levels, coarse):
    images = gallery()
    kept = {int(index) for part in deal(images)[:levels] for index in part}
    fewer = [image for n, image in enumerate(images) if image.distractor is None or n in kept]
    reduced = search(images, coarse).with_distractors(levels)
    assert_equal_scores(reduced, search(fewer, coarse))
    np.testing.assert_array_equal(reduced.candidates, search(fewer, coarse).candidates)


def test_fewer_of_fewer_are_the_same():
    whole = search(gallery(), coarse=True)
    assert_equal_scores(whole.with_distractors(7).with_distractors(3), whole.with_distractors(3))
    assert_equal_scores(whole.with_distractors(LEVELS), whole)


@pytest.mark.parametrize("levels", [0, 4])
def test_chance_with_fewer_distractors(levels):
    images = gallery()
    kept = {int(index) for part in deal(images)[:levels] for index in part}
    fewer = [image for n, image in enumerate(images) if image.distractor is None or n in kept]
    reduced = random_ranking(judge(QUERIES, images, {})).with_distractors(levels)
    found = {name: np.nanmean(values) for name, values in score(reduced).items()}
    assert found == pytest.approx(chance(judge(QUERIES, fewer, {})))


def test_parts_are_nested_and_do_not_depend_on_the_order():
    images = gallery()
    parts = deal(images)
    assert len(parts) == LEVELS
    assert {len(part) for part in parts} == {3, 4}
    assert sorted(np.concatenate(parts)) == list(range(30, 67))
    other = deal(images[::-1])
    for part, twin in zip(parts, other, strict=True):
        assert {images[i].id for i in part} == {images[::-1][i].id for i in twin}
    again = deal(images, seed=1)
    assert any(not np.array_equal(a, b) for a, b in zip(parts, again, strict=True))
    assert deal(gallery(0)) == ()


def test_few_distractors_and_none():
    for count in (0, 1, 3):
        whole = search(gallery(count), coarse=False)
        assert_equal_scores(whole.with_distractors(0), search(gallery(0), coarse=False))


def test_it_is_kept_in_the_file(tmp_path):
    whole = search(gallery(), coarse=True)
    whole.save(tmp_path / "ranking.npz")
    assert_equal_scores(
        Ranking.load(tmp_path / "ranking.npz").with_distractors(2), whole.with_distractors(2)
    )
    assert whole.distractors.sum() == 37 * 10 - 1
    with np.load(tmp_path / "ranking.npz") as stored:  # as the published rankings name them
        assert {"confusion", "confusion_gap", "confusion_tied"} <= set(stored)


def test_chance_of_distractors_is_that_among_the_images_that_take_part():
    junk = {
        query.id: Relevance(None, frozenset(f"x/{n:03}" for n in range(30))) for query in QUERIES
    }
    images = gallery()
    judged = judge(QUERIES, images, junk)
    ranking = summarise(grid_distances(vectors(QUERIES, True), vectors(images, True)), judged)
    assert share_of_distractors(ranking) == pytest.approx(7 / 37)


def test_summarising_leaves_the_search_as_it_was():
    images = gallery()
    [block] = grid_distances(vectors(QUERIES, coarse=False), vectors(images, coarse=False))
    before = block.distances.copy()
    summarise([block], judge(QUERIES, images, {}))
    np.testing.assert_array_equal(block.distances, before)
