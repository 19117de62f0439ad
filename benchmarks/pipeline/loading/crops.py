"""Queries that are a part of a picture, cut out once and kept."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.pipeline.cache.fingerprint import digest, module_identity
from benchmarks.pipeline.loading.kept import make_pictures
from benchmarks.pipeline.loading.listed import decode_listed
from benchmarks.pipeline.workers import Workforce
from datasets import reading
from datasets.decoding import render
from datasets.errors import InputError
from datasets.reading import Pixels
from datasets.task import Box, Dataset, Image, Relevance


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
    label = f"cropping queries of {dataset.name}"
    cut = make_pictures(_Cut(), boxed, folder, workforce, label)
    crops = {crop.id: replace(crop, box=None) for [crop] in cut}
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


class _Cut:
    """Cuts the part of a picture out."""

    def names(self, image: Image) -> list[str]:
        return ["-".join(map(str, (image.sha256, *_box(image))))]

    def __call__(self, image: Image) -> list[Pixels]:
        found = decode_listed(image)
        if found.is_reduced:
            raise InputError(
                f"{image.path}: a picture of more than {render.LARGE:,} pixels is reduced (JPEG "
                f"2000 of more than half of that), so that the crop box of {image.id} does not "
                "fit; make a smaller copy of it"
            )
        height, width = found.pixels.shape[:2]
        left, top, right, bottom = _box(image)
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise InputError(
                f"{image.path}: the crop box of {image.id} ({left}, {top}, {right}, {bottom}) "
                f"lies outside of the picture ({width} x {height} pixels); mend it where it is "
                "written"
            )
        return [np.ascontiguousarray(found.pixels[top:bottom, left:right])]


def _box(image: Image) -> Box:
    assert image.box is not None, "others are not cut"
    return image.box
