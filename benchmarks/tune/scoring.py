"""Training images ask each other: what each candidate is worth, and whether any is better."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.pipeline.evaluation.fitted_method import Fitted
from benchmarks.pipeline.extraction.encode import distinct, folds
from benchmarks.pipeline.extraction.extract import Vectors as Made
from benchmarks.pipeline.methods.method import Combination
from benchmarks.pipeline.methods.space import Choice
from datasets.task import Dataset
from retrieval.metrics import Values, score
from retrieval.protocol import judge
from retrieval.ranking import summarise
from retrieval.statistics import LEVEL, intervals, sign_flip_test, step_down

CRITERION = "map"
_EQUAL = 1e-12
"""Scores closer than this are a tie."""


@dataclass(frozen=True)
class Asked:
    """What the training images found by a candidate.

    Attributes
    ----------
    scores : dict of str to ndarray of float64, shape (n_images,)
        Metric to value of each image; NaN for those that are alone in their class.
    dimensions : int
        Numbers that describe an image.
    """

    scores: dict[str, Values]
    dimensions: int


@dataclass(frozen=True)
class Trial:
    """A candidate that was tried.

    Attributes
    ----------
    choice : mapping of str to object
        Its parameters.
    dimensions : int
    map, low, high, top1 : float
        Mean average precision, its interval, and share of images that found one of their class
        first.
    change : float
        Of mAP, against the menu's own choice.
    p_value : float
        Of that change, corrected for all candidates; 1 for the menu's own.
    """

    choice: Choice
    dimensions: int
    map: float
    low: float
    high: float
    top1: float
    change: float
    p_value: float

    @property
    def is_better(self) -> bool:
        """Whether it is significantly better than the menu's own choice."""
        return self.change > 0 and self.p_value < 1 - LEVEL


def ask_each_other(row: Combination, dataset: Dataset, made: Made, cache: Path) -> Asked:
    """Let every training image ask for the others of its class, itself left out.

    Whatever learns from vectors (scaling, idf, whitening, weights of a fusion) has not seen the
    image that asks: it learns from four fifths of the images for the queries of the last fifth.
    Visual words and mixtures are learned from all of them, without classes.

    Whitening makes the images that it has seen look alike: all at one distance, where it keeps
    as many dimensions as they span. On Corel-1000 VLAD's 128 dimensions score 0.18 among the
    images that they were learned from, 0.32 by folds, and 0.39 on the gallery.

    Parameters
    ----------
    row : Combination
    dataset : Dataset
        Training images, and nothing else.
    made : benchmarks.pipeline.extraction.extract.Vectors
        Their vectors.
    cache : Path
        Where the temporary folder goes.

    Raises
    ------
    TooLittleError
        If there is too little to learn weights from.
    """
    images = distinct(dataset.training)
    learns = row.weighs or any(one.tail for one in row.rows)
    scores: dict[str, Values] = {}
    dimensions = 0
    for asking in folds(images) if learns else [np.arange(len(images))]:
        out = {images[index].sha256 for index in asking} if learns else set()
        known = tuple(image for image in dataset.training if image.sha256 not in out)
        with Fitted(row, replace(dataset, training=known), made, cache) as fitted:
            queries = [images[index] for index in asking]
            judgements = judge(queries, images, {})
            gallery = fitted.vectors(images)
            found = fitted.search(fitted.vectors(queries), gallery, judgements)
            for metric, values in score(summarise(found, judgements)).items():
                scores.setdefault(metric, np.empty(len(images)))[asking] = values
            dimensions = max(dimensions, sum(part.shape[1] for part in gallery))
    return Asked(scores, dimensions)


def compare(choices: Sequence[Choice], asked: Sequence[Asked]) -> list[Trial]:
    """Compare candidates with the first, the menu's own: intervals, and tests corrected (Holm).

    The test is the paired permutation test of every other table; see `retrieval.statistics`.
    """
    values = np.stack([one.scores[CRITERION] for one in asked], axis=1)
    kept = ~np.isnan(values[:, 0])
    values = values[kept]
    changes = values[:, 1:] - values[:, :1]
    p_values = [1.0, *step_down(sign_flip_test(changes)).tolist()]
    ends = intervals(values).tolist()
    means = values.mean(axis=0).tolist()
    return [
        Trial(
            choice,
            one.dimensions,
            mean,
            low,
            high,
            float(one.scores["top1"][kept].mean()),
            mean - means[0],
            p_value,
        )
        for choice, one, mean, (low, high), p_value in zip(
            choices, asked, means, ends, p_values, strict=True
        )
    ]


def choose(trials: Sequence[Trial]) -> Trial:
    """The best of those significantly better than the menu's own choice; else that.

    Of equally good ones the smallest vector, then the first declared.
    """
    better = [trial for trial in trials[1:] if trial.is_better]
    if not better:
        return trials[0]
    best = max(trial.map for trial in better)
    tied = [trial for trial in better if trial.map >= best - _EQUAL]
    return min(tied, key=lambda trial: trial.dimensions)
