"""Methods made ready to search with the vectors that the cache has."""

from pathlib import Path

from benchmarks.pipeline.evaluation.fitted_method import CANNOT_LEARN, FittedMethod
from benchmarks.pipeline.extraction.inputs import training_drawings
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.methods.extractor import feature_store
from benchmarks.pipeline.methods.method import Method
from datasets.errors import InputError
from datasets.task import Dataset


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
    extracted = _extracted(method, dataset, cache)
    try:
        return FittedMethod(method, dataset, extracted, cache)
    except CANNOT_LEARN as error:
        raise InputError(f"--extractor {method.name}: {error}") from error


def _extracted(method: Method, dataset: Dataset, cache: Path) -> dict[str, Extracted]:
    """The vectors of a method's extractors, all of them in the cache."""
    made = {}
    needed = {image.sha256 for _, image in dataset.images}
    if reason := method.untaught(dataset):
        raise InputError(f"--extractor {method.name}: {reason}")
    for one in method.extractors:
        whole = method.name if method.centring else one.name
        mine = Extracted(one.store(cache, dataset))
        if method.verification and one.detector:
            mine.features = feature_store(one.detector, cache)
        missing = {key for store in mine.stores for key in store.missing(needed)}
        if method.centring:
            drawings = training_drawings(dataset, method.centring.lines)
            missing |= {*mine.store.missing([drawing.key for drawing in drawings])}
        if missing and not one.given:
            raise InputError(
                f"--extractor {method.name}: {one.name} was not run on {dataset.name} with this "
                f"--cache, which lacks {len(missing):,} of its vectors; run "
                f"python -m benchmarks.run --force --extractor {whole}, with the same options"
            )
        made[one.name] = mine
    return made
