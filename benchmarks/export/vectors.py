"""Vectors of methods, as the cache has them."""

from pathlib import Path

import numpy as np

from benchmarks.formats.vectors import write_vectors
from benchmarks.pipeline.evaluation.fitted_method import FittedMethod
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.methods.extractor import feature_store
from benchmarks.pipeline.methods.method import Method
from datasets.errors import InputError
from datasets.task import Dataset
from retrieval.fusion.methods import EarlyFusion


def fitted(method: Method, dataset: Dataset, cache: Path) -> FittedMethod:
    """Make a method ready to search with the vectors of its extractors.

    Parameters
    ----------
    method : Method
        Was run on the dataset.
    dataset : Dataset
        Its pictures.
    cache : Path
        Folder with their vectors.

    Raises
    ------
    InputError
        If the cache lacks vectors, or the method cannot learn from the dataset.
    """
    return FittedMethod(method, dataset, _extracted(method, dataset, cache), cache)


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


def _extracted(method: Method, dataset: Dataset, cache: Path) -> dict[str, Extracted]:
    """The vectors of a method's extractors, all of them in the cache."""
    made = {}
    needed = {image.sha256 for _, image in dataset.images}
    if reason := method.untaught(dataset):
        raise InputError(f"--extractor {method.name}: {reason}")
    for one in method.extractors:
        mine = Extracted(one.store(cache, dataset))
        if method.verification and one.detector:
            mine.features = feature_store(one.detector, cache)
        missing = {key for store in mine.stores for key in store.missing(needed)}
        if missing and not one.given:
            raise InputError(
                f"--extractor {method.name}: {one.name} was not run on {dataset.name} with this "
                f"--cache, which lacks {len(missing):,} of {len(needed):,} vectors; run "
                f"python -m benchmarks.run --extractor {one.name} first, with the same options"
            )
        made[one.name] = mine
    return made
