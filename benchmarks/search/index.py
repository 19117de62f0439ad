"""An index: a gallery's vectors, mapped from disk, and everything that a search needs."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.cli.arguments import a_whole_number, require_flag
from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.names import parse_method
from benchmarks.pipeline.methods.presets import tuned_method
from benchmarks.pipeline.workers import Workforce
from benchmarks.search.approximate import ApproximateSearch
from benchmarks.search.encoder import QueryEncoder
from benchmarks.search.files import About, Generation
from benchmarks.search.result import Neighbour
from datasets.errors import DamagedError, InputError
from datasets.reading import as_pixels, content_hash
from datasets.task import Image
from extractors.networks.saving import DamagedNetworkError
from retrieval.knn import GRID, Block, GridDistances, first, nearest_on_grid
from retrieval.protocol import Judgement, Judgements
from retrieval.search import Search, Vectors


class Index:
    """An index, open to be searched; what is done to its folder changes nothing for it.

    Parameters
    ----------
    generation : Generation
        Its files.

    Attributes
    ----------
    about : About
        What is searched by what.
    method : Method
        The method that it is searched by.
    encoder : QueryEncoder
        Makes vectors of pictures, by all that was learned.
    vectors : list of ndarray of float32, shape (n_images, n_dims)
        The gallery's vectors, mapped from disk.
    lengths : list of ndarray of float32, shape (n_images,)
        Their lengths.

    Raises
    ------
    InputError
        If this version of the suite makes other vectors by that name.
    DamagedError
        If what was learned cannot be loaded.
    """

    def __init__(self, generation: Generation) -> None:
        self.about = generation.about
        self.vectors: Vectors = generation.vectors
        self.lengths = generation.lengths
        self._images = generation.images
        self._approximate: ApproximateSearch | None = None
        self.method = _method(generation)
        try:
            self.encoder = QueryEncoder(self.method, generation.place)
        except (DamagedError, DamagedNetworkError, FileNotFoundError) as error:
            raise generation.damaged(error) from error

    @cached_property
    def _search(self) -> Search:
        """The method's search, which keeps the gallery's neighbour graph from query to query."""
        return self.method.search(self.encoder.fusion)

    def __len__(self) -> int:
        return len(self._images)

    def approximate(self, kind: str, cache: Path, workforce: Workforce) -> None:
        """Search approximately from now on.

        Parameters
        ----------
        kind : str
            One of `benchmarks.search.approximate.KINDS`.
        cache : Path
            The user's own cache, where the index of faiss is kept.
        workforce : Workforce
            Shows messages.

        Raises
        ------
        InputError
            If the method or the gallery does not allow it, or faiss is not installed.
        """
        if not self.method.is_plain:
            raise InputError(
                f"--approximate {kind}: an approximate index holds one vector of each picture, "
                f"and {self.method.name} is fused or re-ranked; leave it away"
            )
        self._approximate = ApproximateSearch(self.vectors[0][:], kind, cache, workforce)

    @property
    def approximation(self) -> str | None:
        """Kind of the approximate index that is searched; None for the exact search."""
        return self._approximate.name if self._approximate else None

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the table of pictures: indexes of the same pictures have the same."""
        return hashlib.sha256(self._images.tobytes()).hexdigest()

    def image(self, index: int) -> Image:
        """One of the pictures."""
        row = self._images[index]
        path = Path(os.fsdecode(row["path"].item()))
        names = self.about.names
        label, distractor = int(row["label"]), int(row["distractor"])
        return Image(
            row["id"].item().decode(),
            path,
            row["sha256"].item().decode(),
            None if label < 0 else names[label],
            None if distractor < 0 else names[distractor],
        )

    def folders(self) -> set[Path]:
        """The folders that its pictures were listed in, or that those of other ids lie in."""
        paths = (path.replace(os.sep.encode(), b"/") for path in self._images["path"].tolist())
        found = {
            path[: -len(name)] if path.endswith(b"/" + name) else path[: path.rfind(b"/") + 1]
            for path, name in zip(paths, self._images["id"].tolist(), strict=True)
        }
        return {Path(os.fsdecode(folder)) for folder in found}

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

    def copies(self, picture: object) -> NDArray[np.intp]:
        """Find a file among the pictures: the indices of those with the same bytes.

        Raises
        ------
        InputError
            If it is no file.
        """
        if not isinstance(picture, str | os.PathLike):
            raise InputError("a picture is left out by its file's bytes; give its path")
        return np.flatnonzero(self._images["sha256"] == content_hash(Path(picture)).encode())

    def nearest(
        self, query: Vectors, k: int, without: Sequence[int] | NDArray[np.intp] = ()
    ) -> tuple[NDArray[np.intp], GridDistances]:
        """Find the nearest pictures.

        Parameters
        ----------
        query : sequence of ndarray, shape (1, n_dims)
            Made by `encode`.
        k : int
            Number of pictures.
        without : sequence of int
            Indices of pictures that take no part.

        Returns
        -------
        indices : ndarray of intp, shape (at most k,)
            By distance, then by index.
        distances : ndarray of int32, same shape
            Squared distances on the grid, see `retrieval.knn.GRID`.
        """
        if self._approximate:
            return _kept(*self._approximate.nearest(query[0][:], k + len(without)), k, without)
        search = None if self.method.is_plain else self._search
        return nearest(search, query, self.vectors, self.lengths[0], k, without)

    def search(
        self, picture: object, k: int = 10, leave_out_query: bool = False
    ) -> list[Neighbour]:
        """Find the pictures that are most like one.

        Parameters
        ----------
        picture : path, PIL.Image.Image or ndarray of uint8
            As `datasets.reading.as_pixels` takes it.
        k : int
            Number of neighbours, at least 1; fewer come back if there are fewer pictures.
        leave_out_query : bool
            Leave out pictures with the same bytes as the file.

        Raises
        ------
        InputError
            If it is no picture, with the way to make it one, or `k` is no such number.
        """
        k = a_whole_number("k", k)
        require_flag(leave_out_query=leave_out_query)
        query = self.encode(picture)
        without = self.copies(picture) if leave_out_query else ()
        return list(self.neighbours(*self.nearest(query, k, without)))

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
                image.sha256,
            )


def nearest(
    search: Search | None,
    query: Vectors,
    gallery: Vectors,
    lengths: NDArray[np.float32],
    k: int,
    without: Sequence[int] | NDArray[np.intp] = (),
) -> tuple[NDArray[np.intp], GridDistances]:
    """Find the nearest images of one query by any search; result as of `Index.nearest`.

    Parameters
    ----------
    search : Search or None
        None for one matrix, searched by Euclidean distance, for which there is a faster way.
    query, gallery : Vectors
        As the search takes them.
    lengths : ndarray of float32, shape (n_images,)
        Lengths of the gallery's first vectors.
    k : int
        Number of images.
    without : sequence of int
        Indices of images that take no part.
    """
    many = k + len(without)
    if search is None:
        [order], [distances] = nearest_on_grid(query[0][:], gallery[0][:], many, lengths)
    else:
        judgement = Judgement(np.empty(0, np.intp), np.array(without, np.intp))
        [block] = search(query, gallery, Judgements((judgement,), gallery[0].shape[0], 0))
        order = first(block.distances[0], many)
        distances = block.distances[0][order]
    return _kept(order, distances, k, without)


def _kept(
    order: NDArray[np.intp],
    distances: GridDistances,
    k: int,
    without: Sequence[int] | NDArray[np.intp],
) -> tuple[NDArray[np.intp], GridDistances]:
    """The first k that take part."""
    kept = ~np.isin(order, without)
    return order[kept][:k], distances[kept][:k]


def _method(generation: Generation) -> Method:
    about, folder = generation.about, generation.folder
    method = method_by(about, folder, about.epochs)
    if identity_hash(method) != about.identity:
        raise InputError(
            f"--index {folder}: {method.name} makes other vectors now (another version, other "
            "weights, another engine); bring it up to date with --pictures or --dataset"
        )
    return method


def method_by(about: About, folder: Path, epochs: int | None) -> Method:
    """The method that an index is by, as this version makes it."""
    if about.preset:
        return tuned_method(about.preset, f"--index {folder}")
    return parse_method(about.method, epochs)


def require_index_by(method: Method, about: About, folder: Path) -> None:
    """Require an index to be that of a method; of a preset, with the same parameters.

    Raises
    ------
    InputError
        Naming both.
    """
    option = "--preset" if method.tuning else "--extractor"
    is_another = method.tuning and identity_hash(method) != about.identity
    if is_another or method.name != about.method:
        other = "another " * (method.name == about.method)
        raise InputError(
            f"{option} {method.name}: {folder} is an index by {other}{about.method}; make another "
            "for it"
        )


def identity_hash(method: Method) -> str:
    """Hash of everything that decides a method's vectors, data aside."""
    return digest(method.identity)
