"""Datasets made from a dataset: its queries as drawings, or everything with augmented copies."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image as PILImage

from benchmarks.formats.files import write_whole
from benchmarks.pipeline.cache.fingerprint import computes, digest, imported_modules, libraries
from benchmarks.pipeline.loading.dataset import read_listed
from benchmarks.pipeline.workers import Workforce
from datasets.errors import InputError
from datasets.reading import Pixels, content_hash
from datasets.task import Dataset, Image, Relevance
from extractors.hand_crafted.lines import Lines
from extractors.networks.augmentation import Augmentation

EDGES = "query-edges"
_DRAWN = ("sketch", "edges", "drawing")
_SUFFIX = ".png"


@dataclass(frozen=True)
class _Drawn:
    """Makes the drawing of a picture."""

    version: ClassVar[str] = "drawing 1"

    lines: Lines

    def __call__(self, image: Image) -> list[Pixels]:
        return [self.lines(read_listed(image.path))]


@dataclass(frozen=True)
class _Varied:
    """Makes the augmented copies of a picture; they depend on its bytes and the seed alone."""

    version: ClassVar[str] = "copying 1"

    augmentation: Augmentation
    seed: int

    def __call__(self, image: Image) -> list[Pixels]:
        picture = read_listed(image.path)
        chances = [(self.seed, int(image.sha256[:8], 16), n) for n in range(self.copies)]
        return [
            self.augmentation.vary(picture, np.random.default_rng(chance)) for chance in chances
        ]

    @property
    def copies(self) -> int:
        return self.augmentation.copies


def is_drawn(query_set: str) -> bool:
    """Whether a query set holds drawings, as its name says.

    >>> [name for name in ("query", "query-night", "query-sketch", EDGES) if is_drawn(name)]
    ['query-sketch', 'query-edges']
    """
    return any(word in query_set for word in _DRAWN)


def with_edges(dataset: Dataset, cache: Path, workforce: Workforce) -> Dataset:
    """Add the query set ``query-edges``: drawings of the photographs in ``query``.

    Parameters
    ----------
    dataset : Dataset
        Has photographs in its query set ``query``.
    cache : Path
        The drawings are kept there.
    workforce : Workforce
        The workers.

    Raises
    ------
    InputError
        If it has such a query set, or no ``query`` to draw.
    """
    if EDGES in dataset.queries or not dataset.queries.get("query"):
        raise InputError(f"--edges: {dataset.name} has a set {EDGES!r} already, or no 'query' set")
    queries = dataset.queries["query"]
    drawn = _make(_Drawn(Lines()), queries, cache / "datasets" / "edges", workforce, "drawing")
    edges = tuple(
        replace(image, id=f"{EDGES}/{image.id}", path=path, sha256=content_hash(path))
        for image, [path] in zip(queries, drawn, strict=True)
    )
    judged = dict(dataset.relevance)
    for photo, drawing in zip(queries, edges, strict=True):
        if (made := _relevance(photo, dataset)) is not None:
            judged[drawing.id] = made
    return replace(dataset, queries={**dataset.queries, EDGES: edges}, relevance=judged)


def with_copies(
    dataset: Dataset, cache: Path, workforce: Workforce, augmentation: Augmentation, seed: int
) -> Dataset:
    """Add augmented copies to gallery and query sets: the leak of the original project.

    Its copies made each of its queries stand among near copies of itself, and each relevant
    image count several times. For comparison only.

    Parameters
    ----------
    dataset : Dataset
        Its gallery and query images get copies.
    cache : Path
        The copies are kept there.
    workforce : Workforce
        The workers.
    augmentation : Augmentation
        Makes the copies.
    seed : int
        Seed of the copies.
    """
    vary, folder = _Varied(augmentation, seed), cache / "datasets" / "copies"

    def copied(images: tuple[Image, ...]) -> tuple[Image, ...]:
        made = _make(vary, images, folder, workforce, f"copying {dataset.name}")
        copies = [
            replace(image, id=f"{image.id}-copy-{n}", path=path, sha256=content_hash(path))
            for image, paths in zip(images, made, strict=True)
            for n, path in enumerate(paths, 1)
        ]
        return tuple(sorted([*images, *copies], key=lambda image: image.id))

    return replace(
        dataset,
        name=f"{dataset.name}-original-protocol",
        gallery=copied(dataset.gallery),
        queries={name: copied(images) for name, images in dataset.queries.items()},
        split=f"{dataset.split}; gallery and queries with {augmentation.copies} augmented copies "
        "of each image, as the original project had it: a leak, for comparison only",
    )


def _relevance(photo: Image, dataset: Dataset) -> Relevance | None:
    """Relevant and junk images of a photograph's drawing, if its class does not tell them."""
    judged = dataset.relevance.get(photo.id)
    itself = [image.id for image in dataset.gallery if image.sha256 == photo.sha256][:1]
    if not itself:
        return judged
    junk = frozenset(itself) | (judged.junk if judged else frozenset())
    if judged and judged.positive is not None:
        return replace(judged, positive=judged.positive - junk, junk=junk)
    positive = {image.id for image in dataset.gallery if image.labels & photo.labels}
    return Relevance(frozenset(positive) - junk, junk)


def _make(
    maker: _Drawn | _Varied,
    images: Sequence[Image],
    folder: Path,
    workforce: Workforce,
    label: str,
) -> list[list[Path]]:
    """Make pictures of each image that are not there yet; their files."""
    how = [computes(maker), libraries(*imported_modules(Lines.__module__))]
    place = folder.with_name(f"{folder.name}-{digest(how)[:16]}")
    return list(workforce.each(partial(_write, maker, place), images, label))


def _write(maker: _Drawn | _Varied, folder: Path, image: Image) -> list[Path]:
    count = maker.copies if isinstance(maker, _Varied) else 1
    paths = [folder / f"{image.sha256}-{number}{_SUFFIX}" for number in range(count)]
    if not all(path.exists() for path in paths):
        for path, picture in zip(paths, maker(image), strict=True):
            write_whole(path, partial(PILImage.fromarray(picture).save, format="PNG"))
    return paths
