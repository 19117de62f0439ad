"""Queries that are a part of a picture, cut out once and kept."""

from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image as PILImage

from benchmarks.formats.files import write_whole
from benchmarks.pipeline.cache.fingerprint import digest, module_identity
from benchmarks.pipeline.workers import Workforce
from datasets import reading
from datasets.errors import InputError, UnreadableImageError
from datasets.reading import content_hash, read_image
from datasets.task import Dataset, Image, Relevance


def with_crops(dataset: Dataset, cache: Path, workforce: Workforce) -> Dataset:
    """Replace queries that have a crop box by the part of the picture in it.

    The whole picture is junk for them, should it stand in the gallery.

    Parameters
    ----------
    dataset : Dataset
        Some of its queries may have a box.
    cache : Path
        The parts are kept there.
    workforce : Workforce
        The workers.

    Raises
    ------
    InputError
        If a box lies outside of its picture, or a picture has changed meanwhile.
    """
    boxed = [i for images in dataset.queries.values() for i in images if i.box is not None]
    if not boxed:
        return dataset
    folder = cache / "datasets" / f"crops-{digest(module_identity(reading))[:16]}"
    files = workforce.each(partial(_cut, folder), boxed, f"cropping queries of {dataset.name}")
    crops = {
        image.id: replace(image, path=path, sha256=content_hash(path), box=None)
        for image, path in zip(boxed, files, strict=True)
    }
    whole: dict[str, set[str]] = defaultdict(set)
    for image in dataset.gallery:
        whole[image.sha256].add(image.id)
    judged = dict(dataset.relevance)
    for image in boxed:
        if image.sha256 in whole:
            mine = judged.get(image.id, Relevance())
            judged[image.id] = replace(mine, junk=mine.junk | whole[image.sha256])
    queries = {
        name: tuple(crops.get(image.id, image) for image in images)
        for name, images in dataset.queries.items()
    }
    return replace(dataset, queries=queries, relevance=judged)


def _cut(folder: Path, image: Image) -> Path:
    """Write the part of a picture, unless it is there."""
    if image.box is None:
        return image.path
    path = folder / f"{'-'.join(map(str, (image.sha256, *image.box)))}.png"
    if path.exists():
        return path
    try:
        picture = read_image(image.path)
    except UnreadableImageError as error:
        raise InputError(f"{image.path}: {error}; it has changed meanwhile, run again") from error
    height, width = picture.shape[:2]
    left, top, right, bottom = image.box
    if not (0 <= left < right <= width and 0 <= top < bottom <= height):
        raise InputError(
            f"{image.path}: the crop box of {image.id} ({left}, {top}, {right}, {bottom}) lies "
            f"outside of the picture ({width} x {height} pixels); mend it where it is written"
        )
    part = PILImage.fromarray(np.ascontiguousarray(picture[top:bottom, left:right]))
    write_whole(path, partial(part.save, format="PNG"))
    return path
