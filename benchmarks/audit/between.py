"""Near duplicates between two datasets: what one has in common with the other."""

from pathlib import Path

from benchmarks.audit.compare import compare_images
from benchmarks.audit.duplicates import Pair, describe_pairs
from benchmarks.formats.files import Json
from benchmarks.pipeline.extraction.extract import extract
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.records.card import commit, machine
from benchmarks.pipeline.workers import Workforce
from datasets.task import Dataset, Image


def audit_between(
    one: Dataset,
    other: Dataset,
    embedding: ExtractorSteps,
    cache: Path,
    workforce: Workforce,
) -> tuple[Json, list[Pair], list[Image]]:
    """Find near duplicates of one dataset's images among another's.

    Parameters
    ----------
    one, other : Dataset
        Are compared; what lies within either is not looked for.
    embedding : ExtractorSteps
        Its vectors tell near duplicates; it learns, if it must, from the training images of `one`.
    cache : Path
        Folder of vectors and hashes.
    workforce : Workforce
        The workers.

    Returns
    -------
    found : dict
        Content of ``leaks.json``.
    pairs : list of Pair
        All of them, the most similar first.
    images : list of Image
        The images that they number.
    """
    parts = [
        (f"{dataset.name}: {part}", image)
        for dataset in (one, other)
        for part, image in dataset.images
    ]
    images = [image for _, image in parts]
    learned = {image.sha256 for image in one.training}
    others = tuple(image for image in images if image.sha256 not in learned)
    both = Dataset(f"{one.name}-against-{other.name}", one.root, one.training, others, {})
    embedded = extract([embedding], both, cache, False, workforce)[embedding.name]
    pairs = compare_images(images, embedded, cache, workforce, len(one.images))
    found = {
        "dataset": f"{one.name} against {other.name}",
        "images": len(images),
        "embedding": embedding.name,
        **describe_pairs(pairs, parts),
        "queries": {},
        "scores": {},
        "card": {
            "split hashes": {each.name: each.fingerprint for each in (one, other)},
            "extractor": embedding.identity,
            "commit": commit(),
            "machine": machine(),
        },
    }
    return found, pairs, images
