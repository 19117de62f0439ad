"""Index of a gallery: vectors that are mapped from disk, and all that a search in them needs.

::

    <folder>/index.json                    what is searched by what; names the generation
    <folder>/<generation>/images.npy       id, path, content hash, size, class of each picture
    <folder>/<generation>/vectors-0.npy    its vectors, a matrix per extractor
    <folder>/<generation>/lengths-0.npy    their lengths
    <folder>/<generation>/learned-0/       what the extractor learned
    <folder>/<generation>/combining.skops  what combining several learned

A new generation is written beside the old one and takes its place at once.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.loading.folder import Known
from benchmarks.pipeline.methods.method import Combination
from benchmarks.pipeline.methods.names import make
from benchmarks.pipeline.methods.presets import Preset, tuned_row
from benchmarks.search.encoder import Asker
from datasets.errors import InputError
from datasets.json_files import read_json_as
from datasets.reading import Pixels, read_image
from datasets.task import Image
from retrieval.knn import GRID, Cells, first, nearest_of_many
from retrieval.protocol import Judgement, Judgements
from retrieval.search import Vectors

INDEX = "index.json"

_REMEDY = "damaged or of another version: remove this file and make the index anew"
_NOTHING = Judgement(np.empty(0, np.intp), np.empty(0, np.intp))


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content of ``index.json``.

    Attributes
    ----------
    format : int
        Version of the files' layout.
    name, root : str
        Name and folder of what is searched.
    row : str
        Name of the method that it is searched by.
    epochs : int or None
        As given to `benchmarks.pipeline.methods.names.make`.
    preset : Preset or None
        The preset that makes the method.
    identity : str
        Hash of everything but data that decides the vectors, see `identity_hash`.
    training : str or None
        Hash of the training images, if the method learns from any.
    generation : str
        Folder of the other files, 8 hexadecimal digits, in the index's own.
    names : list of str
        Names of classes, which the table of images counts in.
    matrices : int
        Number of matrices, one per extractor.
    """

    format: Literal[1]
    name: str
    root: str
    row: str
    epochs: Annotated[int, msgspec.Meta(ge=1)] | None
    preset: Preset | None
    identity: str
    training: str | None
    generation: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{8}\Z")]
    names: list[str]
    matrices: Annotated[int, msgspec.Meta(ge=1, le=1000)]

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read that of an index's folder, or None if there is none.

        Raises
        ------
        InputError
            If it is damaged or of another version, or cannot be read.
        """
        return read_json_as(folder / INDEX, cls, _REMEDY)


@dataclass(frozen=True)
class Neighbour:
    """A picture that was found.

    Attributes
    ----------
    rank : int
        From 1.
    id : str
        Path below the folder that is searched.
    path : Path
    label : str or None
        Class, if it has one.
    distance : float
        Euclidean distance of the normalised vectors, 0 to 2; of a fused or re-ranked search a
        number without unit, smaller for nearer.
    right : bool or None
        Whether it is of the query's class, where that is known.
    """

    rank: int
    id: str
    path: Path
    label: str | None
    distance: float
    right: bool | None = None


class Index:
    """An index, open to be asked.

    Parameters
    ----------
    folder : Path
        Where `benchmarks.search.build.build` put it.

    Attributes
    ----------
    about : About
        What is searched by what.

    Raises
    ------
    InputError
        If there is no index, or one that is damaged or of another version of this suite.
    """

    def __init__(self, folder: Path) -> None:
        about = About.read(folder)
        if about is None:
            raise InputError(
                f"--index {folder}: no index there; make one with --pictures or --dataset"
            )
        self.folder = folder
        self.about = about
        self.place = folder / about.generation
        self._images = self._mapped("images")

    @cached_property
    def combination(self) -> Combination:
        """The row that it is searched by.

        Raises
        ------
        InputError
            If this version of the suite makes other vectors by that name.
        """
        where = f"--index {self.folder}"
        if self.about.preset:
            made = tuned_row(self.about.preset, where)
        else:
            made = make(self.about.row, self.about.epochs)
        if identity_hash(made) != self.about.identity:
            raise InputError(
                f"{where}: {made.name} makes other vectors now (another version, other "
                "weights, another engine); bring it up to date with --pictures or --dataset"
            )
        return made

    @cached_property
    def asker(self) -> Asker:
        """Makes vectors of pictures, by all that was learned."""
        return Asker(self.combination, self.place)

    @cached_property
    def vectors(self) -> Vectors:
        """The gallery's, mapped from disk."""
        return [self._mapped(f"vectors-{n}") for n in range(self.about.matrices)]

    def __len__(self) -> int:
        return len(self._images)

    def image(self, index: int) -> Image:
        """One of the pictures."""
        row = self._images[index]
        path = Path(self.about.root, os.fsdecode(row["path"].item()))
        names = self.about.names
        label, kind = int(row["label"]), int(row["distractor"])
        return Image(
            row["id"].item().decode(),
            path,
            row["sha256"].item().decode(),
            None if label < 0 else names[label],
            None if kind < 0 else names[kind],
        )

    def known(self) -> dict[str, Known]:
        """What is known of the pictures' files, by id."""
        columns = (self._images[name].tolist() for name in ("id", "size", "changed", "sha256"))
        return {
            name.decode(): Known(size, changed, sha.decode())
            for name, size, changed, sha in zip(*columns, strict=True)
        }

    def hashes(self) -> list[str]:
        """Content hash of every picture, in order."""
        return [sha.decode() for sha in self._images["sha256"].tolist()]

    def ask(self, picture: Path | Pixels) -> Vectors:
        """Make the vectors of a picture.

        Raises
        ------
        UnreadableImageError
            If the file is no picture.
        """
        pixels = read_image(picture) if isinstance(picture, Path) else picture
        return self.asker(pixels)

    def nearest(
        self, asked: Vectors, k: int, judgement: Judgement = _NOTHING
    ) -> tuple[NDArray[np.intp], Cells]:
        """Find the nearest pictures: indices, and squared distances on the grid.

        Parameters
        ----------
        asked : sequence of ndarray, shape (1, n_dims)
            See `ask`.
        k : int
            How many.
        judgement : Judgement
            What is excluded does not come up.
        """
        out = judgement.excluded
        if self.combination.is_plain:
            (query,), (gallery,) = asked, self.vectors
            wanted = k + len(out)
            indices, cells = nearest_of_many(
                query[:], gallery[:], self._mapped("lengths-0"), wanted
            )
            kept = ~np.isin(indices, out)
            return indices[kept][:k], cells[kept][:k]
        search = self.combination.search(self.asker.combining)
        (block,) = search(asked, self.vectors, Judgements((judgement,), len(self), 0))
        taking_part = np.setdiff1d(np.arange(len(self)), out)
        order = taking_part[first(block.cells[0][taking_part], k)]
        return order, block.cells[0][order]

    def search(self, picture: str | Path | Pixels, k: int = 10) -> list[Neighbour]:
        """Find the pictures that are most like one.

        Parameters
        ----------
        picture : str, Path or ndarray of uint8, shape (height, width, 3)
            A file, or RGB pixels.
        k : int
            How many, at least 1; fewer come back if there are fewer.

        Raises
        ------
        UnreadableImageError
            If the file is no picture.
        """
        asked = self.ask(Path(picture) if isinstance(picture, str) else picture)
        return list(self.neighbours(*self.nearest(asked, k)))

    def neighbours(
        self, indices: NDArray[np.intp], cells: Cells, right: Sequence[bool] | None = None
    ) -> Iterator[Neighbour]:
        """Say what was found; `right` tells which of it is."""
        for rank, (index, cell) in enumerate(zip(indices.tolist(), cells.tolist(), strict=True)):
            image = self.image(index)
            yield Neighbour(
                rank + 1,
                image.id,
                image.path,
                image.label,
                round(float(np.sqrt(cell * GRID)), 6),
                None if right is None else right[rank],
            )

    def _mapped(self, name: str) -> Any:
        try:
            return np.load(self.place / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"--index {self.folder}: damaged ({error}); remove it and make it anew"
            ) from error

    @classmethod
    def at(cls, folder: Path) -> Self | None:
        """The index of a folder, or None if there is none, or its vectors are gone."""
        about = About.read(folder)
        if about is None or not (folder / about.generation / "images.npy").exists():
            return None
        return cls(folder)


def identity_hash(combination: Combination) -> str:
    """Hash of what decides a row's vectors, data aside."""
    return digest(combination.identity)
