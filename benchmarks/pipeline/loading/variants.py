"""Datasets made from a dataset: its queries as drawings, or everything with augmented copies."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmarks.pipeline.cache.fingerprint import computes, digest, imported_modules, libraries
from benchmarks.pipeline.loading.kept import make_pictures
from benchmarks.pipeline.loading.listed import read_listed
from benchmarks.pipeline.workers import Workforce
from datasets.errors import InputError
from datasets.reading import Pixels
from datasets.task import Dataset, Image, Relevance
from extractors.hand_crafted.lines import Lines
from extractors.networks.augmentation import Augmentation
from retrieval.protocol import Judge

EDGES = "query-edges"
_DRAWN = ("sketch", "edges", "drawing")


@dataclass(frozen=True)
class _Drawn:
    """Makes the drawing of a picture."""

    version: ClassVar[str] = "drawing 1"

    lines: Lines

    def names(self, image: Image) -> list[str]:
        return [f"{image.sha256}-0"]

    def __call__(self, image: Image) -> list[Pixels]:
        return [self.lines(read_listed(image))]


@dataclass(frozen=True)
class _Varied:
    """Makes the augmented copies of a picture; they depend on its bytes and the seed alone."""

    version: ClassVar[str] = "copying 1"

    augmentation: Augmentation
    seed: int

    def names(self, image: Image) -> list[str]:
        return [f"{image.sha256}-{number}" for number in range(self.augmentation.copies)]

    def __call__(self, image: Image) -> list[Pixels]:
        picture = read_listed(image)
        copies = range(self.augmentation.copies)
        chances = [(self.seed, int(image.sha256[:8], 16), number) for number in copies]
        return [
            self.augmentation.vary(picture, np.random.default_rng(chance)) for chance in chances
        ]


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
    edges = tuple(replace(drawing, id=f"{EDGES}/{drawing.id}") for [drawing] in drawn)
    judged = dict(dataset.relevance)
    judge = Judge(dataset.gallery, dataset.relevance)
    for photo, drawing in zip(queries, edges, strict=True):
        if (made := _relevance(photo, dataset, judge)) is not None:
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
            replace(copy, id=name)
            for copies in made
            for copy, name in zip(copies, _copy_names(copies[0].id, len(copies)), strict=True)
        ]
        return tuple(sorted([*images, *copies], key=lambda image: image.id))

    return replace(
        dataset,
        name=f"{dataset.name}-original-protocol",
        gallery=copied(dataset.gallery),
        queries={name: copied(images) for name, images in dataset.queries.items()},
        relevance=_judged_with_copies(dataset, augmentation.copies),
        split=f"{dataset.split}; gallery and queries with {augmentation.copies} augmented copies "
        "of each image, as the original project had it: a leak, for comparison only",
    )


def _copy_names(name: str, copies: int) -> list[str]:
    return [f"{name}-copy-{number}" for number in range(1, copies + 1)]


def _judged_with_copies(dataset: Dataset, copies: int) -> dict[str, Relevance]:
    """Judgements in which copies count as what they were made of, those of the query as found."""

    def copied(names: Iterable[str]) -> Iterator[str]:
        for name in names:
            yield from (name, *_copy_names(name, copies))

    content = {image.id: image.sha256 for images in dataset.queries.values() for image in images}
    by_content = {image.sha256: image.id for image in reversed(dataset.gallery)}
    judged: dict[str, Relevance] = {}
    for query, one in dataset.relevance.items():
        positive = one.positive
        if positive:
            itself = {by_content[content[query]]} if content.get(query) in by_content else set()
            positive = frozenset(copied(positive | itself - one.junk))
        grades = {name: one.grades[first] for first in one.grades for name in copied([first])}
        extended = Relevance(positive, frozenset(copied(one.junk)), grades)
        judged |= dict.fromkeys(copied([query]), extended)
    return judged


def _relevance(photo: Image, dataset: Dataset, judge: Judge) -> Relevance | None:
    """Relevant and junk images of a photograph's drawing, if its class does not tell them."""
    judged = dataset.relevance.get(photo.id)
    if judge.itself(photo) is None:
        return judged
    found = judge(photo)
    positive, junk = (
        frozenset(dataset.gallery[index].id for index in indices)
        for indices in (found.positive, found.excluded)
    )
    return replace(judged or Relevance(), positive=positive, junk=junk)


def _make(
    maker: _Drawn | _Varied,
    images: Sequence[Image],
    folder: Path,
    workforce: Workforce,
    label: str,
) -> list[list[Image]]:
    """Make pictures of each image, in a folder of all that decides how."""
    how = [computes(maker), libraries(*imported_modules(Lines.__module__))]
    place = folder.with_name(f"{folder.name}-{digest(how)[:16]}")
    return make_pictures(maker, images, place, workforce, label)
