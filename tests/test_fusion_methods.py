"""Fusion methods: joined and weighed vectors of several extractors, against slow references."""

from pathlib import Path

import numpy as np
import pytest

from retrieval.fusion.base import Fold
from retrieval.fusion.methods import FUSION_METHODS, AdaptiveFusion, EarlyFusion, WeightedFusion
from retrieval.fusion.weights import TooLittleError
from retrieval.knn import GRID
from retrieval.metrics import chance, mean_scores
from retrieval.protocol import Judgement, Judgements
from retrieval.ranking import summarise
from retrieval.reranking.menu import RERANKINGS
from retrieval.scoring import average_precision

CLASSES = 4
NOBODY = np.empty(0, np.intp)


def labels(count):
    return [f"class-{number % CLASSES}" for number in range(count)]


def informed(count, seed, noise, dims=6, scale=1.0):
    """Vectors around a centre per class."""
    centres = np.random.default_rng(99).normal(size=(CLASSES, dims))
    rng = np.random.default_rng(seed)
    made = centres[np.arange(count) % CLASSES] + noise * rng.normal(size=(count, dims))
    return (scale * made).astype(np.float32)


def mute(count, seed, dims=6, scale=1.0):
    """Vectors that know nothing."""
    return (scale * np.random.default_rng(seed).normal(size=(count, dims))).astype(np.float32)


def judged(queries, gallery):
    of = [
        Judgement(np.flatnonzero(np.arange(gallery) % CLASSES == number % CLASSES), NOBODY)
        for number in range(queries)
    ]
    return Judgements(tuple(of), gallery, 0)


def precision(method, training, queries, gallery):
    method.fit(training, labels(len(training[0])))
    judgements = judged(len(queries[0]), len(gallery[0]))
    found = method.search(method.transform(queries), method.transform(gallery), judgements)
    return float(average_precision(summarise(found, judgements)).mean())


def parts(scale, noise=0.4):
    """An informed extractor, and one that knows nothing and whose vectors are `scale` long."""
    return [
        [informed(count, seed, noise), mute(count, seed + 50, scale=scale)]
        for count, seed in ((60, 1), (20, 2), (80, 3))
    ]


def test_raw_concatenation_drowns_the_better_and_learned_weights_do_not():
    training, queries, gallery = parts(scale=1000)
    alone = precision(EarlyFusion(), training[:1], queries[:1], gallery[:1])
    nothing = precision(EarlyFusion(), training[1:], queries[1:], gallery[1:])
    raw = precision(FUSION_METHODS["concat-raw"], training, queries, gallery)
    assert alone > 0.9 > 0.5 > nothing
    assert raw == pytest.approx(nothing, abs=0.02)
    assert precision(FUSION_METHODS["concat"], training, queries, gallery) > nothing + 0.2
    for name in ("weighted", "concat-weighted"):
        assert precision(FUSION_METHODS[name], training, queries, gallery) >= alone - 0.02


def test_weights_say_what_each_is_worth():
    training, _, _ = parts(scale=1)
    found = WeightedFusion().fit(training, labels(60)).learned
    assert sum(found["weights"]) == pytest.approx(1)
    assert found["weights"][0] > found["weights"][1]
    good, bad = found["training mAP of each alone"]
    assert good > bad
    assert found["training mAP, cross-validated"] >= good - 0.02


def test_joined_distances_are_the_weighted_sum_of_each_ones():
    one, other = informed(7, 1, 0.5), mute(7, 2, dims=3, scale=20)
    early = EarlyFusion(weighted=True)
    early.fit([informed(12, 3, 0.5), mute(12, 4, dims=3)], labels(12))
    early.weights_ = (0.3, 0.7)
    (joined,) = early.transform([one, other])
    assert joined.shape == (7, 9)
    blocks = early.search([joined], [joined], judged(7, 7))
    distances = np.concatenate([block.distances for block in blocks])
    for a in range(7):
        for b in range(7):
            expected = 0.0
            for weight, part in ((0.3, one), (0.7, other)):
                left, right = (
                    part[i] / np.sqrt(np.sum(part[i].astype(float) ** 2)) for i in (a, b)
                )
                expected += weight * float(np.sum((left - right) ** 2))
            assert distances[a, b] * GRID == pytest.approx(expected, abs=1e-6)


def test_whitened_vectors_have_unit_variance_on_training_images_and_few_dimensions():
    training = [informed(30, 5, 0.5), mute(30, 6, dims=200)]
    whitened = EarlyFusion(whitened=128).fit(training, labels(30))
    (joined,) = whitened.transform(training)
    assert joined.shape == (30, 29)
    assert np.var(joined[:], axis=0, ddof=1) == pytest.approx(np.ones(29), abs=1e-3)
    assert joined[0:0].shape[0] == 0


def test_pictures_in_which_nothing_was_found_are_like_nothing_when_whitened():
    training = [informed(30, 5, 0.5), mute(30, 6)]
    whitened = EarlyFusion(whitened=128).fit(training, labels(30))
    vectors = [informed(3, 7, 0.5), mute(3, 8)]
    for part in vectors:
        part[1:] = 0
    (joined,) = whitened.transform(vectors)
    assert joined[:].any(axis=1).tolist() == [True, False, False]


def test_equal_training_images_span_no_further_direction():
    rng = np.random.default_rng(0)
    vectors = [rng.normal(size=(9, 20)).astype(np.float32)]
    doubled = [np.concatenate([vectors[0], vectors[0]])]
    once = EarlyFusion(whitened=128).fit(vectors, labels(9)).transform(vectors)[0]
    twice = EarlyFusion(whitened=128).fit(doubled, labels(18)).transform(vectors)[0]
    assert once.shape == twice.shape == (9, 8)
    assert np.isfinite(twice[:]).all()
    assert np.abs(twice[:]).max() < 2 * np.abs(once[:]).max()


def test_adaptive_fusion_subtracts_what_training_images_usually_look_like():
    training, _, _ = parts(scale=1, noise=0.2)
    fusion = AdaptiveFusion().fit(training, labels(60)).fusion_
    assert len(fusion.references) == 2
    for curve in fusion.references:
        assert curve[0] == pytest.approx(1)
        assert curve == tuple(sorted(curve, reverse=True))
    # The informed extractor's curve falls off behind its own class, a quarter of the images.
    steep, flat = (curve[18] - curve[32] for curve in fusion.references)
    assert steep > 1.5 * flat


@pytest.mark.parametrize("name", FUSION_METHODS)
def test_constant_vectors_score_chance(name):
    constant = [np.ones((16, 3), np.float32), np.ones((16, 2), np.float32)]
    method = FUSION_METHODS[name].fit(constant, labels(16))
    judgements = judged(16, 16)
    vectors = method.transform(constant)
    found = mean_scores(summarise(method.search(vectors, vectors, judgements), judgements))
    for metric, value in chance(judgements).items():
        assert found[metric] == pytest.approx(value)


@pytest.mark.parametrize("name", [n for n, one in FUSION_METHODS.items() if one.learns])
def test_too_little_to_learn_from_is_said(name):
    alone = [np.ones((1, 3), np.float32), np.ones((1, 2), np.float32)]
    with pytest.raises(TooLittleError, match=r"learned from|learns from"):
        FUSION_METHODS[name].fit(alone, ["only"])


def test_extractors_are_weighed_by_what_has_not_learned_from_the_image_that_asks():
    """The first knows nothing of the images that it learned from, the second only of those."""
    seen = [mute(60, 7), informed(60, 8, 0.4)]
    unseen = [informed(60, 9, 0.4), mute(60, 10)]
    rounds = [Fold(np.arange(start, 60, 3), unseen) for start in range(3)]
    for name in ("weighted", "concat-weighted"):
        assert FUSION_METHODS[name].fit(seen, labels(60)).learned["weights"][0] < 0.5, name
        fitted = FUSION_METHODS[name].fit(seen, labels(60), rounds)
        assert fitted.learned["weights"][0] > 0.5, name
    fitted = WeightedFusion().fit(seen, labels(60), rounds)
    assert fitted.weights_ == WeightedFusion().fit(unseen, labels(60)).weights_
    curves = AdaptiveFusion().fit(seen, labels(60), rounds).fusion_
    assert curves == AdaptiveFusion().fit(unseen, labels(60)).fusion_


def test_the_readme_names_every_fusion_method_and_re_ranking():
    readme = Path(__file__).parents[1] / "retrieval" / "README.md"
    text = readme.read_text(encoding="utf-8")
    for name in (*FUSION_METHODS, *RERANKINGS):
        assert f"`{name}`" in text or f"`{name.partition('-')[0]}-…`" in text, name
