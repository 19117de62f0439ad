"""Vectors that were made elsewhere, as an extractor that looks them up by the pictures' ids."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.vectors import VectorTable, require_each_once
from benchmarks.pipeline.cache.store import ArrayStore
from datasets.errors import InputError
from datasets.names import ends
from datasets.reading import Pixels
from datasets.task import Dataset, Image
from extractors import Extractor
from retrieval.rows import normalise

_SAME = 1e-3
"""Two vectors of one picture may differ by this, once normalised: another batch, another card."""


class GivenVectors(Extractor):
    """Vectors in a table, in place of an extractor that would make them.

    Parameters
    ----------
    table : VectorTable
        The vectors, with ids of a dataset's images: their paths, or unambiguous ends of these.
    """

    family = "other"
    summary = "Vectors that were made elsewhere"

    def __init__(self, table: VectorTable) -> None:
        self.table = table
        self._matched: dict[str, _Matched] = {}

    def __sklearn_clone__(self) -> Self:
        """Itself: it learns nothing, and its matrix may be larger than memory."""
        return self

    @property
    def identity(self) -> dict[str, object]:
        """The content of the table."""
        return {"version": "given vectors 1", "sha256": self.table.sha256}

    def transform(self, images: Iterable[Pixels]) -> NDArray[np.float32]:
        """Refuse: pixels do not tell which picture this is."""
        raise InputError(f"{self.table.path}: has no vector of this picture, only of its own ids")

    def store(self, dataset: Dataset) -> "GivenStore":
        """The vectors of a dataset's images, by their content.

        Raises
        ------
        InputError
            If one of the gallery or the queries has none, or one picture has two.
        """
        found = self._match(dataset)
        searched = [image for part, image in dataset.images if part != "training"]
        if missing := [image.id for image in searched if image.sha256 not in found.places]:
            named = f"{self.table.ids[0]!r}"
            raise InputError(
                f"{self.table.path}: no vectors of {len(missing):,} of {len(searched):,} gallery "
                f"and query images of {dataset.name}, first {missing[0]!r}; its ids are like "
                f"{named}, and have to be paths below the dataset's folder or ends of them"
            )
        return GivenStore(self.table, found.places)

    def untaught(self, dataset: Dataset) -> str | None:
        """Reason why nothing can be learned from a dataset's training images, if so."""
        places = self._match(dataset).places
        missing = [image.id for image in dataset.training if image.sha256 not in places]
        if not missing:
            return None
        return (
            f"learns from training images, and {self.table.path.name} has no vectors of "
            f"{len(missing):,} of {len(dataset.training):,} of them, first {missing[0]}"
        )

    def surplus(self, dataset: Dataset) -> str | None:
        """Words about ids that no image of a dataset has, if there are some."""
        found = self._match(dataset).surplus
        if not found:
            return None
        return (
            f"{self.table.path}: {len(found):,} of {len(self.table.ids):,} ids are of no image of "
            f"{dataset.name}, first {found[0]!r}"
        )

    def _match(self, dataset: Dataset) -> "_Matched":
        if dataset.fingerprint not in self._matched:
            images = [image for _, image in dataset.images]
            rows, surplus = _match_ids(self.table, images)
            places = _by_content(self.table, rows, images)
            self._matched[dataset.fingerprint] = _Matched(places, surplus)
        return self._matched[dataset.fingerprint]


@dataclass(frozen=True)
class _Matched:
    """Rows of the table by the content of the pictures, and ids that are of none."""

    places: dict[str, int]
    surplus: list[str]


class GivenStore(ArrayStore):
    """Vectors of a table by the pictures' content, read where they lie.

    Parameters
    ----------
    table : VectorTable
        The vectors.
    rows : mapping of str to int
        Hash of a picture to its row.
    """

    def __init__(self, table: VectorTable, rows: Mapping[str, int]) -> None:
        self.folder = table.path
        self._table = table
        self._places = {key: (table.path, row, 0.0) for key, row in rows.items()}

    @property
    def fit_seconds(self) -> float:
        """Nothing is fitted here."""
        return 0.0

    @fit_seconds.setter
    def fit_seconds(self, seconds: float) -> None:
        raise TypeError(f"{self.folder} is not written to")

    def seconds(self, keys: Iterable[str]) -> None:
        """Nobody knows how long making the vectors took."""

    def add(
        self, keys: Sequence[str], values: Sequence[NDArray[np.float32]], seconds: float
    ) -> None:
        """Refuse: the table is the user's."""
        raise TypeError(f"{self.folder} is not written to")

    def _block(self, keys: Sequence[str]) -> NDArray[np.float32]:
        return self._table[[self._places[key][1] for key in keys]]


def _match_ids(table: VectorTable, images: Sequence[Image]) -> tuple[dict[str, int], list[str]]:
    """Row of each image by its id, and ids of the table that are of no image."""
    known = {image.id for image in images}
    ids = [name if name in known else _slashed(name) for name in table.ids]
    require_each_once(ids, str(table.path))
    rows = {name: row for row, name in enumerate(ids) if name in known}
    others = [row for row, name in enumerate(ids) if name not in known]
    if len(rows) == len(known):
        return rows, [table.ids[row] for row in others]
    by_ends = _by_ends(known)
    by_end: dict[str, int] = {}
    surplus = []
    for row in others:
        found = by_ends.get(ids[row]) or {end for end in ends(ids[row]) if end in known}
        meant = sorted(found - rows.keys()) if len(found) == 1 else sorted(found)
        if len(meant) > 1:
            raise InputError(
                f"{table.path}: {table.ids[row]!r} may be {meant[0]!r} or {meant[1]!r}; write "
                "more of the path"
            )
        if not meant:
            surplus.append(table.ids[row])
            continue
        if by_end.setdefault(meant[0], row) != row:
            first = table.ids[by_end[meant[0]]]
            raise InputError(
                f"{table.path}: {first!r} and {table.ids[row]!r} are both {meant[0]!r}; keep one"
            )
    return rows | by_end, surplus


def _slashed(name: str) -> str:
    """A path as all systems but Windows write it."""
    return name.replace("\\", "/").removeprefix("./")


def _by_ends(names: Iterable[str]) -> dict[str, set[str]]:
    """Ends of paths to the paths that end so."""
    made: dict[str, set[str]] = {}
    for name in names:
        for end in ends(name):
            made.setdefault(end, set()).add(name)
    return made


def _by_content(
    table: VectorTable, rows: Mapping[str, int], images: Sequence[Image]
) -> dict[str, int]:
    """Rows by content; pictures of the same bytes are one, whichever of them has a vector."""
    places: dict[str, int] = {}
    first: dict[str, str] = {}
    for image in images:
        row = rows.get(image.id)
        if row is None:
            continue
        other = places.setdefault(image.sha256, row)
        named = first.setdefault(image.sha256, image.id)
        if other != row and not _alike(table[[other, row]]):
            raise InputError(
                f"{table.path}: {named!r} and {image.id!r} are the same picture, byte for byte, "
                "with different vectors; keep one of them"
            )
    return places


def _alike(pair: NDArray[np.float32]) -> bool:
    one, other = normalise(pair)
    return bool(np.abs(one - other).max() <= _SAME)
