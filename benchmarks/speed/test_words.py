"""Visual words: finding and learning them, beside OpenCV and scikit-learn."""

import cv2
import numpy as np
import pytest
from pictures import scene
from sklearn.cluster import KMeans

from extractors.local_features.encoders import BagOfWords
from extractors.local_features.sift import Sift
from extractors.local_features.vocabulary import Vocabulary, learn_vocabulary

WORDS = 1000
PICTURES = 200


@pytest.fixture(scope="module")
def features():
    """SIFT features of seeded pictures."""
    return Sift().transform(scene(seed) for seed in range(PICTURES))


@pytest.fixture(scope="module")
def vocabulary(features):
    """A vocabulary learned from them."""
    drawn = np.concatenate([found.descriptors for found in features])
    return learn_vocabulary(drawn, WORDS, False, 0)


def learned_by_scikit_learn(values):
    """k-means with its defaults but one start."""
    return KMeans(WORDS, n_init=1, random_state=0).fit(values).cluster_centers_


def learned_by_opencv(values):
    """k-means++ as a bag-of-words trainer has it, one attempt."""
    # OpenCV 5 moved it into another module.
    home = cv2 if hasattr(cv2, "BOWKMeansTrainer") else cv2.xfeatures2d
    limit = (cv2.TERM_CRITERIA_MAX_ITER | cv2.TERM_CRITERIA_EPS, 30, 1e-3)
    trainer = home.BOWKMeansTrainer(WORDS, limit, 1, cv2.KMEANS_PP_CENTERS)
    return trainer.cluster(values)


FINDERS = ["ours", "cv2.BFMatcher, as in cv2.BOWImgDescriptorExtractor", "scikit-learn predict"]


@pytest.mark.parametrize("peer", FINDERS)
def test_find_words(benchmark, features, vocabulary, peer):
    benchmark.group = f"bags of {WORDS} words of {PICTURES} pictures, from their descriptors"
    benchmark.extra_info["peer"] = peer
    values = [found.descriptors.astype(np.float32) for found in features]
    encoder = BagOfWords(WORDS)
    encoder.vocabulary_ = vocabulary
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    means = KMeans(WORDS, init=vocabulary.words, n_init=1, max_iter=1).fit(np.concatenate(values))

    def with_opencv():
        for descriptors in values:
            matches = matcher.match(descriptors, vocabulary.words)
            np.bincount([match.trainIdx for match in matches], minlength=WORDS)

    def with_scikit_learn():
        for descriptors in values:
            np.bincount(means.predict(descriptors), minlength=WORDS)

    work = [lambda: encoder.transform(features), with_opencv, with_scikit_learn]
    benchmark.pedantic(work[FINDERS.index(peer)], rounds=3, warmup_rounds=1)


LEARNERS = {
    "ours": lambda drawn: learn_vocabulary(drawn, WORDS, False, 0).words,
    "scikit-learn KMeans": lambda drawn: learned_by_scikit_learn(drawn.astype(np.float32)),
    "cv2.BOWKMeansTrainer": lambda drawn: learned_by_opencv(drawn.astype(np.float32)),
}


@pytest.mark.parametrize("peer", LEARNERS)
def test_learn_words(benchmark, features, peer):
    drawn = np.concatenate([found.descriptors for found in features])
    benchmark.group = f"vocabulary of {WORDS} words from {len(drawn):,} descriptors"
    words = benchmark.pedantic(LEARNERS[peer], args=(drawn,), rounds=1)
    spread = distance_to_words(drawn.astype(np.float32), np.asarray(words))
    benchmark.extra_info["peer"] = f"{peer} (mean square distance {spread:,.0f})"


def distance_to_words(values, words):
    """Mean square distance to the nearest word."""
    nearest = Vocabulary(words, False).assign(values)
    return ((values - words[nearest]) ** 2).sum(axis=1).mean()
