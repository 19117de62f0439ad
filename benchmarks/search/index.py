"""An index: a gallery's vectors, mapped from disk, and everything that a search needs.

::

    <folder>/index.json                    what is searched by what; names the generation
    <folder>/<generation>/images.npy       id, path, content hash, class of each picture
    <folder>/<generation>/vectors-0.npy    its vectors, a matrix per extractor
    <folder>/<generation>/lengths-0.npy    their lengths
    <folder>/<generation>/learned-0/       what the extractor learned
    <folder>/<generation>/fusion.skops     what the fusion of several learned

A new generation is written beside the old one and takes its place at once.
"""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.names import parse_method
from benchmarks.pipeline.methods.presets import Preset, tuned_method
from benchmarks.search.encoder import QueryEncoder
from benchmarks.search.result import Neighbour
from datasets.errors import InputError
from datasets.json_files import read_json_as
from datasets.reading import as_pixels
from datasets.task import Image
from retrieval.knn import GRID, Block, GridDistances, first, nearest_of_many
from retrieval.protocol import Judgement, Judgements
from retrieval.search import Search, Vectors

INDEX = "index.json"
FORMAT = 2

_REMEDY = "damaged or of another version: remove this file and make the index anew"


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content of ``index.json``.

    Attributes
    ----------
    format : int
        Version of the files' layout.
    name, root : str
        Name and folder of what is searched.
    method : str
        Name of the method that it is searched by.
    epochs : int or None
        As given to `benchmarks.pipeline.methods.names.parse_method`.
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

    format: Literal[2]
    name: str
    root: str
    method: str
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


class Index:
    """An index, open to be searched.

    Parameters
    ----------
    folder : Path
        Where `benchmarks.search.build.build` put it.

    Attributes
    ----------
    about : About
        What is searched by what.
    generation : Path
        Folder of its files.

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
        self.generation = folder / about.generation
        self._images = self._mapped("images")

    @classmethod
    def at(cls, folder: Path) -> Self | None:
        """The index of a folder, or None if there is none, or its files are gone.

        Raises
        ------
        InputError
            If it is damaged or of another version, or cannot be read.
        """
        about = About.read(folder)
        if about is None or not (folder / about.generation / "images.npy").exists():
            return None
        return cls(folder)

    @cached_property
    def method(self) -> Method:
        """The method that it is searched by.

        Raises
        ------
        InputError
            If this version of the suite makes other vectors by that name.
        """
        where = f"--index {self.folder}"
        if self.about.preset:
            method = tuned_method(self.about.preset, where)
        else:
            method = parse_method(self.about.method, self.about.epochs)
        if identity_hash(method) != self.about.identity:
            raise InputError(
                f"{where}: {method.name} makes other vectors now (another version, other "
                "weights, another engine); bring it up to date with --pictures or --dataset"
            )
        return method

    @cached_property
    def encoder(self) -> QueryEncoder:
        """Makes vectors of pictures, by all that was learned."""
        return QueryEncoder(self.method, self.generation)

    @cached_property
    def vectors(self) -> Vectors:
        """The gallery's vectors, mapped from disk."""
        return [self._mapped(f"vectors-{n}") for n in range(self.about.matrices)]

    @cached_property
    def _search(self) -> Search:
        """The method's search, which keeps the gallery's neighbour graph from query to query."""
        return self.method.search(self.encoder.fusion)

    def __len__(self) -> int:
        return len(self._images)

    def image(self, index: int) -> Image:
        """One of the pictures."""
        row = self._images[index]
        path = Path(self.about.root, os.fsdecode(row["path"].item()))
        names = self.about.names
        label, distractor = int(row["label"]), int(row["distractor"])
        return Image(
            row["id"].item().decode(),
            path,
            row["sha256"].item().decode(),
            None if label < 0 else names[label],
            None if distractor < 0 else names[distractor],
        )

    def hashes(self) -> list[str]:
        """Content hash of every picture, in order."""
        return [sha.decode() for sha in self._images["sha256"].tolist()]

    def encode(self, picture: object) -> Vectors:
        """Make the vectors of a picture.

        Parameters
        ----------
        picture : path, PIL.Image.Image or ndarray of uint8
            As `datasets.reading.as_pixels` takes it.

        Raises
        ------
        InputError
            If it is no picture, with the way to make it one.
        """
        return self.encoder.encode(as_pixels(picture))

    def compare(self, query: Vectors, judgements: Judgements) -> Iterator[Block]:
        """Compare a query with the whole gallery, as the benchmark does.

        Parameters
        ----------
        query : sequence of ndarray, shape (1, n_dims)
            Made by `encode`.
        judgements : Judgements
            Of this query alone.
        """
        return self._search(query, self.vectors, judgements)

    def nearest(self, query: Vectors, k: int) -> tuple[NDArray[np.intp], GridDistances]:
        """Find the nearest pictures.

        Parameters
        ----------
        query : sequence of ndarray, shape (1, n_dims)
            Made by `encode`.
        k : int
            Number of pictures.

        Returns
        -------
        indices : ndarray of intp, shape (min(k, n_pictures),)
            By distance, then by index.
        distances : ndarray of int32, same shape
            Squared distances on the grid, see `retrieval.knn.GRID`.
        """
        if self.method.is_plain:
            (vectors,), (gallery,) = query, self.vectors
            return nearest_of_many(vectors[:], gallery[:], self._mapped("lengths-0"), k)
        none = Judgement(np.empty(0, np.intp), np.empty(0, np.intp))
        [block] = self.compare(query, Judgements((none,), len(self), 0))
        order = first(block.distances[0], k)
        return order, block.distances[0][order]

    def search(self, picture: object, k: int = 10) -> list[Neighbour]:
        """Find the pictures that are most like one.

        Parameters
        ----------
        picture : path, PIL.Image.Image or ndarray of uint8
            As `datasets.reading.as_pixels` takes it.
        k : int
            Number of neighbours, at least 1; fewer come back if there are fewer pictures.

        Raises
        ------
        InputError
            If it is no picture, with the way to make it one.
        """
        return list(self.neighbours(*self.nearest(self.encode(picture), k)))

    def neighbours(
        self,
        indices: NDArray[np.intp],
        distances: GridDistances,
        right: Sequence[bool] | None = None,
    ) -> Iterator[Neighbour]:
        """Describe the pictures that a search found.

        Parameters
        ----------
        indices : ndarray of intp, shape (n,)
            Nearest first.
        distances : ndarray of int32, shape (n,)
            Their squared distances on the grid.
        right : sequence of bool, optional
            Which of them are relevant, where that is known.
        """
        pairs = zip(indices.tolist(), distances.tolist(), strict=True)
        for rank, (index, distance) in enumerate(pairs):
            image = self.image(index)
            yield Neighbour(
                rank + 1,
                image.id,
                image.path,
                image.label,
                round(float(np.sqrt(distance * GRID)), 6),
                None if right is None else right[rank],
            )

    def _mapped(self, name: str) -> Any:
        try:
            return np.load(self.generation / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"--index {self.folder}: damaged ({error}); remove it and make it anew"
            ) from error


def identity_hash(method: Method) -> str:
    """Hash of everything that decides a method's vectors, data aside."""
    return digest(method.identity)
