"""The query encoder: vectors of a picture that is in no dataset."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.cache import estimators
from benchmarks.pipeline.evaluation.fitted_method import FittedMethod, postprocess
from benchmarks.pipeline.extraction.contract import as_matrix
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.method import Method
from datasets.reading import Pixels
from retrieval.search import Vectors

FUSION = "fusion.skops"


class QueryEncoder:
    """Makes the vectors of one picture at a time, by all that was learned.

    Parameters
    ----------
    method : Method
        Its extractors and fusion.
    folder : Path
        A generation of an index, in which `save` kept what was learned.

    Attributes
    ----------
    extractors : tuple of ExtractorSteps
        Fitted.
    fusion : FusionMethod or None
        Fitted.
    """

    def __init__(self, method: Method, folder: Path) -> None:
        self.extractors = method.extractors
        for number, one in enumerate(self.extractors):
            one.load(_learned_folder(folder, number))
        self.fusion = method.fresh_fusion()
        if self.fusion and self.fusion.learns:
            self.fusion = estimators.load(folder / FUSION, type(self.fusion))
        elif self.fusion:
            self.fusion.fit([], [])

    @staticmethod
    def save(fitted: FittedMethod, folder: Path) -> None:
        """Keep what a method has learned, its heads included, in a generation of an index."""
        for number, one in enumerate(fitted.method.extractors):
            one.save(_learned_folder(folder, number))
        if fitted.fusion and fitted.fusion.learns:
            estimators.save(fitted.fusion, folder / FUSION)

    def encode(self, pixels: Pixels) -> Vectors:
        """Give the picture's vectors, a matrix of one row for each that is searched by."""
        made = [postprocess(one, describe(one, pixels)) for one in self.extractors]
        if self.fusion is None:
            return made
        return [np.asarray(part[:1]) for part in self.fusion.transform(made)]


def describe(extractor: ExtractorSteps, pixels: Pixels) -> NDArray[np.float32]:
    """Describe a picture by an extractor's head, fitted.

    Parameters
    ----------
    extractor : ExtractorSteps
        Its head is fitted.
    pixels : ndarray of uint8, shape (height, width, 3)
        RGB.

    Returns
    -------
    ndarray of float32, shape (1, n_dims)
    """
    picture = pixels.view()
    picture.setflags(write=False)  # every extractor of a method is given the same
    given: Any = [picture]
    if extractor.detector:
        given = extractor.detector.transform(given)
    elif extractor.stem:
        # At the precision that maps are kept at, so that equal pictures have equal vectors.
        given = extractor.stem.transform(given).astype(np.float16)
    return as_matrix(extractor.head.transform(given), 1)


def _learned_folder(folder: Path, number: int) -> Path:
    return folder / f"learned-{number}"
