"""Weights of a fusion, learned by leave-one-out retrieval among training images alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from retrieval.fusion.late import Normalisation, on_grid, total, z_score
from retrieval.knn import FAR, Block, GridDistances
from retrieval.protocol import Judgement, Judgements
from retrieval.ranking import summarise
from retrieval.scoring import Values, average_precision

_STEPS = 10
"""Steps of each weight, for two and three searches."""

_DRAWN = 200
"""Weights tried for more searches, where a grid would be too large."""


_FOLDS = 5
"""Parts of the cross-validation over queries."""


class TooLittleError(ValueError):
    """The training images are too few, or no two are of one class."""


@dataclass(frozen=True)
class LearnedWeights:
    """Weights of a fusion, with scores on the training images.

    Attributes
    ----------
    weights : tuple of float
        One per search, adding up to 1: the best on all training images.
    cross_validated : float
        Mean average precision of weights chosen without the queries that they are scored on, so
        that it is no better than the choice deserves.
    singles : tuple of float
        Mean average precision of each search alone.
    """

    weights: tuple[float, ...]
    cross_validated: float
    singles: tuple[float, ...]


def learn_weights(
    distances: GridDistances,
    labels: Sequence[str],
    seed: int = 0,
    normalise: Normalisation = z_score,
) -> LearnedWeights:
    """Learn the weights of a sum of normalised scores.

    Every training image is a query for the others of its class, itself left out.

    Parameters
    ----------
    distances : ndarray of int32, shape (n_searches, n_training, n_training)
        Squared distances between training images on the grid.
    labels : sequence of str
        Classes of the training images.
    seed : int
        Seed of the folds and, for more than three searches, of the weights that are tried.
    normalise : callable
        Makes the scores of different searches comparable, as of `Weighted`.

    Raises
    ------
    TooLittleError
        If no class has two training images.
    """
    judgements = leave_one_out(labels)
    asked = [query for query, one in enumerate(judgements.of) if len(one.positive)]
    if not asked:
        raise TooLittleError("weights are learned from classes of at least two training images")
    tried = candidates(len(distances), seed)
    found = [
        _precision(distances[:, query], np.array(tried), normalise, judgements.of[query])
        for query in asked
    ]
    precision = np.stack(found, axis=1)
    fold = np.random.default_rng(seed).permutation(precision.shape[1]) % _FOLDS
    held_out = [
        precision[_best(precision[:, fold != number]), fold == number]
        for number in range(_FOLDS)
        if (fold == number).any() and (fold != number).any()
    ]
    singles = [precision[tried.index(corner)].mean() for corner in _corners(len(distances))]
    return LearnedWeights(
        tried[_best(precision)],
        float(np.concatenate(held_out).mean()) if held_out else float("nan"),
        tuple(float(value) for value in singles),
    )


def leave_one_out(labels: Sequence[str]) -> Judgements:
    """Judge images as queries for the others of their class.

    Parameters
    ----------
    labels : sequence of str
        Classes of the images.
    """
    names = np.array(labels)
    of = []
    for number, label in enumerate(labels):
        same = np.flatnonzero(names == label)
        of.append(Judgement(same[same != number], np.array([number], np.intp)))
    return Judgements(tuple(of), len(labels), 0)


def candidates(count: int, seed: int = 0) -> list[tuple[float, ...]]:
    """Weights to try: each search alone, all alike, and a grid or random ones between.

    Parameters
    ----------
    count : int
        Number of searches.
    seed : int
        Seed of the random ones, for more than three searches.
    """
    tried = [*_corners(count), (1 / count,) * count]
    if count <= 3:
        steps = [
            tuple(step / _STEPS for step in steps)
            for steps in product(range(_STEPS + 1), repeat=count)
            if sum(steps) == _STEPS
        ]
        tried += steps
    else:
        drawn = np.random.default_rng(seed).dirichlet(np.ones(count), _DRAWN)
        tried += [tuple(one) for one in drawn.round(3).tolist()]
    return list(dict.fromkeys(tried))


def _corners(count: int) -> list[tuple[float, ...]]:
    return [tuple(float(one == number) for one in range(count)) for number in range(count)]


def _precision(
    distances: GridDistances,
    weights: NDArray[np.float64],
    normalise: Normalisation,
    judgement: Judgement,
) -> Values:
    """Average precision of one query with each of the weightings, in their order."""
    size = distances.shape[1]
    others = np.delete(np.arange(size), judgement.excluded)
    fused = np.full((len(weights), size), FAR, np.int32)
    scores = weights.T[:, :, None] * normalise(distances[:, others])[:, None]
    fused[:, others] = on_grid(total(scores))
    judgements = Judgements((judgement,) * len(weights), size, 0)
    return average_precision(summarise([Block(0, fused)], judgements, depth=1))


def _best(precision: NDArray[np.float64]) -> int:
    """The first of the best: of equal weights the simplest, since single searches come first."""
    means = precision.mean(axis=1)
    return int(np.flatnonzero(means >= means.max() - 1e-12)[0])
