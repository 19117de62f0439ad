"""Vocabularies of visual words, learned from descriptors by clustering."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from extractors.local_features.detector import LocalFeatures, NoKeypointsError

_FRACTION = 32
"""Words are kept to this part of a descriptor's unit.

Products of whole-numbered descriptors and such words are exact in float32, so a descriptor's word
does not depend on which others it is looked up with.
"""

_BLOCK_VALUES = 2**22
"""Similarities of descriptors and words held at a time."""

_MAJORITY_ROUNDS = 5


class Vocabulary:
    """A set of visual words.

    Parameters
    ----------
    words : ndarray of float32, shape (n_words, n_dims)
        Cluster centres on a grid of 1/32; bits as -1 and 1 if binary.
    binary : bool
        Whether descriptors are packed bits and the nearest word is that of least Hamming
        distance.
    """

    def __init__(self, words: NDArray[np.float32], binary: bool) -> None:
        self.words = words
        self.binary = binary
        self._bias = np.einsum("ij,ij->i", words, words) / 2

    def __len__(self) -> int:
        return len(self.words)

    def assign(self, descriptors: NDArray[np.number]) -> NDArray[np.intp]:
        """Find the nearest word of every descriptor; among equals, the first.

        Parameters
        ----------
        descriptors : ndarray of uint8 or int8, shape (n, n_dims)
            Packed bits if the vocabulary is binary.

        Returns
        -------
        ndarray of intp, shape (n,)
            Numbers of the words.
        """
        at_a_time = max(1, _BLOCK_VALUES // len(self))
        nearest = np.empty(len(descriptors), np.intp)
        for start in range(0, len(descriptors), at_a_time):
            values = as_floats(descriptors[start : start + at_a_time], self.binary)
            nearest[start : start + at_a_time] = np.argmax(values @ self.words.T - self._bias, 1)
        return nearest

    def sums(
        self, values: NDArray[np.floating], nearest: NDArray[np.intp]
    ) -> NDArray[np.floating]:
        """Sum the values of each word's descriptors; zeros for a word that has none.

        Parameters
        ----------
        values : ndarray, shape (n, n_dims)
            A row for each descriptor.
        nearest : ndarray of intp, shape (n,)
            The descriptors' words.
        """
        order = np.argsort(nearest, kind="stable")
        members, starts = np.unique(nearest[order], return_index=True)
        sums = np.zeros(self.words.shape, values.dtype)
        sums[members] = np.add.reduceat(values[order], starts, axis=0)
        return sums


def as_floats(descriptors: NDArray[np.number], binary: bool) -> NDArray[np.float32]:
    """Convert descriptors to float32, packed bits to -1 and 1, whose products count agreements.

    Parameters
    ----------
    descriptors : ndarray of uint8 or int8, shape (n, n_dims)
        Whole numbers or packed bits.
    binary : bool
        Whether they are bits.
    """
    if not binary:
        return descriptors.astype(np.float32)
    bits = np.unpackbits(descriptors.astype(np.uint8), axis=1)
    return 2 * bits.astype(np.float32) - 1


def sample_descriptors(
    features: Iterable[LocalFeatures], size: int, seed: int
) -> NDArray[np.number]:
    """Draw descriptors, about equally many from every picture.

    Only the sample and one picture's features are in memory at a time.

    Parameters
    ----------
    features : iterable of LocalFeatures
        Local features of the training images; iterated over twice.
    size : int
        Descriptors wanted; fewer come if there are fewer.
    seed : int
        Seed of the sample.

    Returns
    -------
    ndarray, shape (about `size`, n_dims)
        The descriptors.

    Raises
    ------
    NoKeypointsError
        If no picture has a keypoint.
    """
    pictures = sum(1 for one in features if len(one))
    if not pictures:
        raise NoKeypointsError("no keypoints in any training image, nothing to learn from")
    each = -(-size // pictures)
    rng = np.random.default_rng(seed)
    drawn = []
    for one in features:
        take = rng.permutation(len(one))[:each]
        drawn.append(one.descriptors[np.sort(take)])
    return np.concatenate(drawn)


def learn_vocabulary(
    descriptors: NDArray[np.number], words: int, binary: bool, seed: int
) -> Vocabulary:
    """Cluster descriptors into a vocabulary.

    Real descriptors by mini-batch k-means; bits by k-majority, begun at the rounded centres of
    mini-batch k-means.

    Parameters
    ----------
    descriptors : ndarray of uint8 or int8, shape (n, n_dims)
        A sample of the training images' descriptors.
    words : int
        Clusters wanted; no more than there are descriptors.
    binary : bool
        Whether descriptors are packed bits.
    seed : int
        Seed of the first centres and the batches.

    References
    ----------
    D. Sculley (2010), Web-scale k-means clustering, WWW, doi:10.1145/1772690.1772862; C. Grana,
    D. Borghesani, M. Manfredi, R. Cucchiara (2013), A fast approach for integrating ORB
    descriptors in the bag of words model, SPIE 8667, doi:10.1117/12.2008460
    """
    from sklearn.cluster import MiniBatchKMeans  # here, so that listings need not wait for it

    values = as_floats(descriptors, binary)
    means = MiniBatchKMeans(
        min(words, len(values)), init="random", n_init=1, batch_size=1024, random_state=seed
    )
    centres = means.fit(values).cluster_centers_.astype(np.float32)
    if not binary:
        return Vocabulary(np.rint(centres * _FRACTION) / _FRACTION, binary)
    vocabulary = Vocabulary(_majority(centres), binary)
    for _ in range(_MAJORITY_ROUNDS):
        nearest = vocabulary.assign(descriptors)
        votes = vocabulary.sums(values, nearest)
        # A word that lost all its members stays where it was.
        empty = np.bincount(nearest, minlength=len(vocabulary)) == 0
        votes[empty] = vocabulary.words[empty]
        vocabulary = Vocabulary(_majority(votes), binary)
    return vocabulary


def _majority(votes: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.where(votes >= 0, 1, -1).astype(np.float32)
