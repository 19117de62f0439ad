"""Precision over recall: as trec_eval has it, and chance where everything ties."""

import numpy as np
import pytest
import pytrec_eval

from retrieval.curves import LEVELS, precision_at_recall
from retrieval.knn import Block
from retrieval.protocol import Judgement, Judgements
from retrieval.ranking import random_ranking, summarise

NOBODY = np.array([], np.intp)


def judged(positive, count):
    return Judgements((Judgement(np.array(positive, np.intp), NOBODY),), count, 0)


@pytest.mark.parametrize("seed", range(20))
def test_it_agrees_with_trec_eval_without_ties(seed):
    rng = np.random.default_rng(seed)
    for _ in range(10):
        count = int(rng.integers(2, 60))
        positive = np.flatnonzero(rng.random(count) < 0.4)
        positive = positive if len(positive) else np.array([0])
        distances = rng.permutation(count).astype(np.int32)
        ranking = summarise([Block(0, distances[None])], judged(positive, count))
        [found] = precision_at_recall(ranking)
        truth = {"q": {str(image): 1 for image in positive}}
        answers = {"q": {str(image): -float(at) for image, at in enumerate(distances)}}
        evaluator = pytrec_eval.RelevanceEvaluator(truth, {"iprec_at_recall"})
        theirs = evaluator.evaluate(answers)["q"]
        wanted = np.array([theirs[f"iprec_at_recall_{level:.2f}"] for level in LEVELS])
        # It is content with a tenth of an image less, where that is just a whole number.
        exact = ~np.isclose(LEVELS * len(positive) % 1, 0.1)
        assert found[exact] == pytest.approx(wanted[exact], abs=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_with_ties_it_is_the_highest_precision_of_the_expected_numbers(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 30))
    positive = rng.choice(count, int(rng.integers(1, count)), replace=False)
    distances = rng.integers(0, 5, count).astype(np.int32)
    ranking = summarise([Block(0, distances[None])], judged(sorted(positive), count))
    is_relevant = np.isin(np.arange(count), positive)
    shares = [is_relevant[distances == one].mean() for one in np.sort(distances)]
    found = np.cumsum(shares)
    precision, recall = found / np.arange(1, count + 1), found / len(positive)
    wanted = [precision[recall >= level - 1e-9].max() for level in LEVELS]
    assert precision_at_recall(ranking)[0] == pytest.approx(wanted)


def test_chance_is_the_share_of_relevant_images_and_nobody_has_no_curve():
    judgements = Judgements((*judged([1, 5], 8).of, Judgement(NOBODY, NOBODY)), 8, 0)
    curve, nothing = precision_at_recall(random_ranking(judgements))
    assert curve == pytest.approx(np.full(len(LEVELS), 2 / 8))
    assert np.isnan(nothing).all()
