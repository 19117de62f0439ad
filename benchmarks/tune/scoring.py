"""Leave-one-out retrieval among training images, to compare candidates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.pipeline.evaluation.fitted_method import FittedMethod
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.loading.training import distinct, folds
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.presets import Trial
from benchmarks.pipeline.methods.space import Choice
from datasets.task import Dataset
from retrieval.bootstrap import intervals
from retrieval.metrics import score
from retrieval.protocol import judge
from retrieval.ranking import summarise
from retrieval.scoring import Values
from retrieval.statistics import sign_flip_test, step_down

CRITERION = "map"


@dataclass(frozen=True)
class LeaveOneOut:
    """Scores of a candidate among the training images.

    Attributes
    ----------
    scores : dict of str to ndarray of float64, shape (n_images,)
        Metric to value of each image; NaN for those that are alone in their class.
    dimensions : int
        Numbers that describe an image.
    """

    scores: dict[str, Values]
    dimensions: int


def leave_one_out(
    method: Method, dataset: Dataset, extracted: Mapping[str, Extracted], cache: Path
) -> LeaveOneOut:
    """Let every training image be a query for the others of its class, itself left out.

    Whatever learns from vectors (scaling, idf, whitening, weights of a fusion) has not seen the
    query: it learns from four fifths of the images for the queries of the last fifth.
    Vocabularies and mixtures are learned from all of them, without classes.

    Whitening makes the images that it has seen look alike: all at one distance, where it keeps
    as many dimensions as they span. On Corel-1000 VLAD's 128 dimensions score 0.18 among the
    images that they were learned from, 0.32 by folds, and 0.39 on the gallery.

    Parameters
    ----------
    method : Method
        The candidate.
    dataset : Dataset
        Training images, and nothing else.
    extracted : mapping of str to Extracted
        Their vectors.
    cache : Path
        Folder on the disk that holds the matrices.

    Raises
    ------
    TooLittleError
        If there is too little to learn weights from.
    """
    images = distinct(dataset.training)
    learns = method.fusion_learns or any(one.postprocessing for one in method.extractors)
    scores: dict[str, Values] = {}
    dimensions = 0
    for asking in folds(images) if learns else [np.arange(len(images))]:
        out = {images[index].sha256 for index in asking} if learns else set()
        rest = tuple(image for image in dataset.training if image.sha256 not in out)
        fitted = FittedMethod(method, replace(dataset, training=rest), extracted, cache)
        queries = [images[index] for index in asking]
        judgements = judge(queries, images, {})
        gallery = fitted.vectors(images)
        blocks = fitted.search(fitted.vectors(queries), gallery, judgements)
        for metric, values in score(summarise(blocks, judgements)).items():
            scores.setdefault(metric, np.empty(len(images)))[asking] = values
        dimensions = max(dimensions, sum(part.shape[1] for part in gallery))
    return LeaveOneOut(scores, dimensions)


def compare(choices: Sequence[Choice], results: Sequence[LeaveOneOut]) -> list[Trial]:
    """Compare candidates with the first, the menu's own: intervals, and tests corrected (Holm).

    The test is the paired permutation test of every other table; see `retrieval.statistics`.

    Parameters
    ----------
    choices : sequence of Choice
        The candidates' parameters.
    results : sequence of LeaveOneOut
        Their scores, in the same order.
    """
    values = np.stack([one.scores[CRITERION] for one in results], axis=1)
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
            choices, results, means, ends, p_values, strict=True
        )
    ]
