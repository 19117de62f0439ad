"""Near duplicates among images, by their bytes, perceptual hashes and embeddings."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.audit.duplicates import Pair, find_pairs
from benchmarks.pipeline.cache.fingerprint import module_identity
from benchmarks.pipeline.cache.store import ArrayStore
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.loading.listed import read_listed
from benchmarks.pipeline.workers import Workforce
from datasets import perceptual
from datasets.errors import InputError
from datasets.perceptual import perceptual_hash
from datasets.task import Image


def compare_images(
    images: Sequence[Image],
    embedded: Extracted,
    cache: Path,
    workforce: Workforce,
    first: int | None = None,
) -> list[Pair]:
    """Find near duplicates among images.

    Parameters
    ----------
    images : sequence of Image
        Are compared.
    embedded : Extracted
        Their vectors by the extractor that tells near duplicates.
    cache : Path
        Folder of perceptual hashes.
    workforce : Workforce
        Makes the hashes.
    first : int, optional
        Number of images that are compared with all behind them only; see `find_pairs`.

    Raises
    ------
    InputError
        If the embedding has no vectors of these pictures.
    """
    if not embedded.is_usable:
        raise InputError(f"--embedding: {embedded.obstacle}")
    keys = [image.sha256 for image in images]
    vectors = np.concatenate(list(embedded.store.blocks(keys)))
    hashes = perceptual_hashes(images, cache, workforce)
    return find_pairs(keys, hashes, vectors, first)


def perceptual_hashes(
    images: Sequence[Image], cache: Path, workforce: Workforce
) -> NDArray[np.uint8]:
    """Perceptual hashes of images, from the cache where they were made before.

    Returns
    -------
    ndarray of uint8, shape (n_images, 2, 8)
        See `datasets.perceptual.perceptual_hash`.
    """
    store = ArrayStore(cache / "hashes", "phash", module_identity(perceptual))
    named = {image.sha256: image for image in images}
    found, problems = store.made(named, _hashes, _as_it_is, workforce, "perceptual hashes")
    for key, problem in problems.items():
        raise InputError(f"{named[key].path}: {problem}; leave it out, or run again")
    return np.stack([found[image.sha256] for image in images])


def _as_it_is(key: str, row: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return row


def _hashes(images: Sequence[Image]) -> list[NDArray[np.uint8]]:
    return [perceptual_hash(read_listed(image)) for image in images]
