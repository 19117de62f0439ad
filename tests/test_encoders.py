"""Encoders against slow references, and what happens at the edges."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfTransformer

from extractors.local_features.detector import LocalFeatures
from extractors.local_features.encoders import BagOfWords, Fisher, Vlad, rootsift
from extractors.local_features.vocabulary import (
    Vocabulary,
    as_floats,
    learn_vocabulary,
    sample_descriptors,
)
from extractors.whitening import Whitening


def features(seed: int, count: int, dims: int = 16, binary: bool = False) -> LocalFeatures:
    rng = np.random.default_rng(seed)
    points = np.column_stack([rng.uniform(0, 60, count), rng.uniform(0, 40, count)])
    points = np.column_stack([points, np.ones((count, 3))]).astype(np.float32)
    return LocalFeatures(
        points, rng.integers(0, 256, (count, dims)).astype(np.uint8), (60, 40), binary
    )


TRAINING = [features(seed, 40) for seed in range(12)]
BITS = [features(seed, 40, 4, binary=True) for seed in range(12)]
ENCODERS = {
    "bovw": BagOfWords(words=8),
    "pyramid": BagOfWords(words=8, grids=(1, 2)),
    "vlad": Vlad(words=4),
    "fisher": Fisher(components=3, dims=5),
}
every_encoder = pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)


def nearest_words(found, words):
    return [min(range(len(words)), key=lambda w: ((d - words[w]) ** 2).sum()) for d in found]


@pytest.mark.parametrize("root", [False, True])
def test_bag_of_words_counts_the_nearest_words(root):
    encoder = BagOfWords(words=8, root=root, power=0.5, grids=(1, 2)).fit(TRAINING)
    found = features(99, 30)
    descriptors = found.descriptors.astype(float)
    if root:
        descriptors = np.minimum(
            np.round(512 * np.sqrt(descriptors / descriptors.sum(axis=1, keepdims=True))), 255
        )
    words = nearest_words(descriptors, encoder.vocabulary_.words.astype(float))
    expected = np.zeros(5 * 8)
    for (x, y), word in zip(found.points[:, :2], words, strict=True):
        expected[word] += 1
        cell = 1 + 2 * (y >= 20) + (x >= 30)
        expected[8 * int(cell) + word] += 1
    assert encoder.encode(found) == pytest.approx(np.sqrt(expected))


def test_tf_idf_weighs_words_by_how_few_training_images_have_them():
    encoder = BagOfWords(words=8).fit(TRAINING)
    counts = encoder.transform(TRAINING)
    query = encoder.transform([features(99, 30)])
    weighted = TfidfTransformer().fit(counts).transform(query).toarray()[0]
    having = [sum(counts[image, word] > 0 for image in range(12)) for word in range(8)]
    expected = [query[0, w] * (np.log((1 + 12) / (1 + having[w])) + 1) for w in range(8)]
    assert weighted == pytest.approx(np.array(expected) / np.linalg.norm(expected), rel=1e-5)


def test_vlad_sums_differences_from_words():
    encoder = Vlad(words=4).fit(TRAINING)
    found = features(99, 30)
    words = encoder.vocabulary_.words.astype(float)
    sums = np.zeros((4, 16))
    descriptors = found.descriptors.astype(float)
    for descriptor, word in zip(descriptors, nearest_words(descriptors, words), strict=True):
        sums[word] += descriptor - words[word]
    sums = np.array([row / np.linalg.norm(row) if row.any() else row for row in sums]).ravel()
    assert encoder.encode(found) == pytest.approx(sums / np.linalg.norm(sums), abs=1e-6)


def test_fisher_vector_is_the_normalised_gradient():
    encoder = Fisher(components=3, dims=5).fit(TRAINING)
    found = features(99, 30)
    values = encoder.pca_.transform(found.descriptors / encoder.scale_)
    mixture = encoder.mixture_
    weight, mean, variance = mixture.weights_, mixture.means_, mixture.covariances_
    by_weight, by_mean, by_variance = np.zeros(3), np.zeros((3, 5)), np.zeros((3, 5))
    for x in values:
        density = np.array(
            [
                weight[k]
                * np.prod(
                    np.exp(-((x - mean[k]) ** 2) / (2 * variance[k]))
                    / np.sqrt(2 * np.pi * variance[k])
                )
                for k in range(3)
            ]
        )
        posterior = density / density.sum()
        for k in range(3):
            z = (x - mean[k]) / np.sqrt(variance[k])
            by_weight[k] += (posterior[k] - weight[k]) / np.sqrt(weight[k]) / 30
            by_mean[k] += posterior[k] * z / np.sqrt(weight[k]) / 30
            by_variance[k] += posterior[k] * (1 - z * z) / np.sqrt(2 * weight[k]) / 30
    expected = np.concatenate([by_weight, by_mean.ravel(), by_variance.ravel()])
    expected = np.sign(expected) * np.sqrt(np.abs(expected))
    assert encoder.encode(found) == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)


def test_hamming_words_are_bits_and_nearest_in_bits():
    encoder = BagOfWords(words=6).fit(BITS)
    words = encoder.vocabulary_.words
    assert set(np.unique(words)) == {-1, 1}
    found = BITS[3]
    bits = np.unpackbits(found.descriptors, axis=1)
    expected = [int(np.argmin([(b != (w > 0)).sum() for w in words])) for b in bits]
    assert encoder.vocabulary_.assign(found.descriptors).tolist() == expected


def slow_k_majority(bits, k, seed, rounds=20):
    rng = np.random.default_rng(seed)
    words = bits[rng.permutation(len(bits))[:k]]
    for _ in range(rounds):
        nearest = (bits[:, None] != words).sum(axis=2).argmin(axis=1)
        for word in range(k):
            if (nearest == word).any():
                words[word] = bits[nearest == word].mean(axis=0) >= 0.5
    return (bits[:, None] != words).sum(axis=2).min(axis=1).mean()


def test_hamming_words_are_as_good_as_those_of_k_majority():
    rng = np.random.default_rng(0)
    centres = rng.integers(0, 2, (10, 64))
    bits = centres[rng.integers(0, 10, 2000)] ^ (rng.random((2000, 64)) < 0.15)
    packed = np.packbits(bits.astype(np.uint8), axis=1)
    words = learn_vocabulary(packed, 10, True, 0).words > 0
    ours = (bits[:, None] != words).sum(axis=2).min(axis=1).mean()
    assert ours <= 1.02 * slow_k_majority(bits.astype(bool), 10, 0)


def test_a_word_does_not_depend_on_what_else_is_looked_up():
    rng = np.random.default_rng(0)
    descriptors = rng.integers(0, 90, (5000, 128)).astype(np.uint8)
    vocabulary = learn_vocabulary(descriptors, 200, False, 0)
    together = vocabulary.assign(descriptors)
    alone = np.concatenate([vocabulary.assign(part) for part in np.array_split(descriptors, 617)])
    assert np.array_equal(together, alone)
    exact = np.rint(vocabulary.words.astype(float) * 32)
    # Whole numbers throughout: the product below cannot round.
    score = 2 * 32 * descriptors.astype(np.int64) @ exact.astype(np.int64).T
    score -= (exact.astype(np.int64) ** 2).sum(axis=1)
    chosen = score[np.arange(len(score)), together]
    assert (chosen >= score.max(axis=1) - 16).all()


def test_sample_is_balanced_and_seeded():
    crowded = [features(0, 1000), *(features(seed, 10) for seed in range(1, 5))]
    drawn = sample_descriptors(crowded, 50, seed=0)
    assert len(drawn) == 50
    from_first = {bytes(row) for row in crowded[0].descriptors}
    assert sum(bytes(row) in from_first for row in drawn) == 10
    assert np.array_equal(drawn, sample_descriptors(crowded, 50, seed=0))
    assert not np.array_equal(drawn, sample_descriptors(crowded, 50, seed=1))


@every_encoder
def test_pictures_with_none_or_one_key_point_have_a_defined_vector(encoder):
    encoder.fit(TRAINING)
    none, one, many = encoder.transform([features(0, 0), features(0, 1), features(0, 9)])
    assert not none.any()
    assert one.any()
    assert np.isfinite(one).all()
    assert none.shape == one.shape == many.shape


@every_encoder
def test_fewer_descriptors_than_words_make_a_smaller_vocabulary(encoder):
    few = [features(0, 1), features(1, 0), features(2, 1)]
    vectors = encoder.fit(few).transform(few)
    assert np.isfinite(vectors).all()
    assert vectors.shape[0] == 3
    encoder.fit(TRAINING)


@every_encoder
def test_nothing_to_learn_from_is_an_error(encoder):
    with pytest.raises(ValueError, match="no keypoints in any training image"):
        encoder.fit([features(0, 0)])


@every_encoder
def test_encoders_learn_alike_each_time_and_encode_pictures_alone(encoder):
    first = encoder.fit(TRAINING).transform(TRAINING)
    again = type(encoder)(**encoder.get_params()).fit(iter_twice(TRAINING)).transform(TRAINING)
    assert np.array_equal(first, again)
    alone = [encoder.transform([found])[0] for found in reversed(TRAINING)]
    assert np.array_equal(first, np.stack(alone)[::-1])


class iter_twice:  # noqa: N801
    """An iterable that is no list."""

    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


def test_root_sift_compares_as_hellinger_does():
    found = np.array([[10, 30, 0], [0, 0, 0]], np.uint8)
    assert rootsift(found, True).tolist() == [[255, 255, 0], [0, 0, 0]]
    wide = np.full((1, 128), 7, np.uint8)
    assert rootsift(wide, True)[0].tolist() == [round(512 * np.sqrt(1 / 128))] * 128


def test_bits_become_minus_and_plus_one():
    assert as_floats(np.array([[0b10100000]], np.uint8), True).tolist() == [
        [1, -1, 1, -1, -1, -1, -1, -1]
    ]


def test_ties_go_to_the_first_word():
    vocabulary = Vocabulary(np.array([[0, 4], [4, 0]], np.float32), False)
    assert vocabulary.assign(np.array([[2, 2], [4, 1]], np.uint8)).tolist() == [0, 1]


def test_whitening_gives_unit_variance_and_few_dimensions():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 10)) * np.arange(1, 11)
    white = Whitening(4).fit(vectors).transform(vectors)
    assert white.shape == (60, 4)
    assert np.cov(white.T) == pytest.approx(np.eye(4), abs=1e-6)
    assert Whitening(128).fit(vectors[:3]).transform(vectors).shape == (60, 2)
    # Equal images span no further dimension, which would be rounding blown up.
    assert Whitening(128).fit(vectors[[0, 1, 2, 0, 1, 2]]).transform(vectors).shape == (60, 2)
    with pytest.raises(ValueError, match="two training images"):
        Whitening(4).fit(vectors[:1])
