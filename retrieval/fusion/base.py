"""The contract of fusion methods, and what those learn from that compare training images."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from retrieval.knn import grid_distances
from retrieval.search import Search, Vectors

LEARNED_FROM = 1500
"""Training images, at most, that weights are learned from: each is a query for all others."""

Learned = dict[str, list[float] | float | int]


@dataclass(frozen=True)
class Fold:
    """Training images as queries, with vectors by extractors that have not learned from them.

    An extractor's whitening, say, treats the vectors that it has learned from unlike all others,
    so an extractor judged by those would be misjudged.

    Attributes
    ----------
    queries : ndarray of intp
        Indices of the training images that are the queries of this fold.
    vectors : sequence of Rows
        A matrix of each extractor, of all training images; whatever it learns was learned from
        the images that are no queries here.
    """

    queries: NDArray[np.intp]
    vectors: Vectors


class FusionMethod(ABC):
    """Base of the fusion methods: `fit`, then `transform` vectors and search by `search`.

    Attributes
    ----------
    version : str
        Name and number; another number says that it gives other rankings.
    learns : bool
        Whether there is anything to fit.
    compares : bool
        Whether it learns from the distances between training images.
    """

    version: ClassVar[str]
    learns: bool = False
    compares: bool = False

    def fit(self, training: Vectors, labels: Sequence[str], folds: Sequence[Fold] = ()) -> Self:
        """Learn from training images; most methods have nothing to learn.

        Parameters
        ----------
        training : sequence of Rows
            A matrix of each extractor, float32, shape (n_images, its n_dims).
        labels : sequence of str
            The images' classes.
        folds : sequence of Fold
            Vectors by which the images are compared with each other; each image is a query in
            one of the folds. Without folds, `training` is used, as is right where no extractor
            has learned from it.

        Raises
        ------
        TooLittleError
            If the training images are too few.
        """
        return self

    @property
    def learned(self) -> Learned:
        """Learned numbers by their names, for the record; empty where nothing is learned."""
        return {}

    def transform(self, vectors: Vectors) -> Vectors:
        """Give the matrices to search by.

        Parameters
        ----------
        vectors : sequence of Rows
            A matrix of each extractor, of queries or of a gallery.
        """
        return vectors

    @property
    @abstractmethod
    def search(self) -> Search:
        """The search; its vectors have gone through `transform`."""


def among_themselves(
    training: Vectors, labels: Sequence[str], seed: int, folds: Sequence[Fold] = ()
) -> tuple[NDArray[np.int32], list[str]]:
    """Compare training images with each other, by each extractor.

    Parameters
    ----------
    training, labels, folds
        As of `FusionMethod.fit`.
    seed : int
        Seed of the sample of `LEARNED_FROM` images, drawn where there are more.

    Returns
    -------
    distances : ndarray of int32, shape (n_extractors, n_images, n_images)
        Squared distances on the grid, a row for each image as the query.
    labels : list of str
        Classes of these images.
    """
    count = training[0].shape[0]
    chosen = np.arange(count)
    if count > LEARNED_FROM:
        chosen = np.sort(np.random.default_rng(seed).permutation(count)[:LEARNED_FROM])
    distances = np.empty((len(training), len(chosen), len(chosen)), np.int32)
    for one in folds or [Fold(chosen, training)]:
        queries = np.flatnonzero(np.isin(chosen, one.queries))
        for number, part in enumerate(one.vectors):
            searched = part[:][chosen]
            for start, found in grid_distances(searched[queries], searched):
                distances[number, queries[start : start + len(found)]] = found
    return distances, [labels[index] for index in chosen.tolist()]
