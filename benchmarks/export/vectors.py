"""Vectors of methods, as the cache has them."""

from pathlib import Path

import numpy as np

from benchmarks.formats.vectors import write_vectors
from benchmarks.pipeline.evaluation.fitted_method import FittedMethod
from benchmarks.pipeline.methods.method import Method
from datasets.errors import InputError
from datasets.task import Dataset
from retrieval.fusion.methods import EarlyFusion


def has_vectors(method: Method) -> bool:
    """Whether it compares vectors of its own, rather than distances or neighbours."""
    is_one = method.fusion is None or isinstance(method.fusion, EarlyFusion)
    return is_one and not (method.rerankings or method.verification)


def write(path: Path, ready: FittedMethod, dataset: Dataset) -> Path:
    """Write the vectors of all images of a dataset, with their ids.

    Parameters
    ----------
    path : Path
        The file, in the form that its ending says.
    ready : FittedMethod
        The method.
    dataset : Dataset
        Its pictures; those that vectors made elsewhere lack are left out.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the method has no vectors of its own.
    """
    method = ready.method
    if not has_vectors(method):
        raise InputError(
            f"--extractor {method.name}: has no vectors of its own, only distances by those of "
            f"{' and '.join(one.name for one in method.extractors)}; export these"
        )
    images = list({image.id: image for _, image in dataset.images}.values())
    if any(one.given for one in method.extractors):
        places = [ready.extracted[one.name].store for one in method.extractors]
        images = [i for i in images if not any(store.missing([i.sha256]) for store in places)]
    (matrix,) = ready.vectors(images)
    write_vectors(path, [image.id for image in images], np.asarray(matrix[:], np.float32))
    return path
