"""Approximate nearest neighbours by indexes of faiss, an extra: fast, and not always right.

Distances are those of `retrieval.knn`: Euclidean, of vectors of length 1, and the square root of 2
from a zero vector to any other; two more dimensions see to that. One thread builds an index, so
that it is the same each time.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from retrieval.rows import Rows, normalise

_BLOCK = 65_536
"""Vectors that are added at a time."""

_CODEWORDS = 256
"""Of each part of a vector: a code of 8 bits."""

_SEED = 1234

_GALLERY, _QUERY = 0, 1
"""Dimensions behind a vector's own in which a zero vector has a one."""


class NoFaissError(RuntimeError):
    """The library is not installed; the message is the remedy."""


class TooFewError(ValueError):
    """There are too few vectors to learn codes from; the message says how many are needed."""


class Index:
    """A gallery in an index of faiss.

    Parameters
    ----------
    built : faiss.Index
        With all vectors in it.
    setting : str
        Name of its parameter that sets speed against accuracy.
    dims : int
        Dimensions that the index knows; vectors are filled up to them.
    """

    def __init__(self, built: Any, setting: str, dims: int) -> None:
        self._built = built
        self._setting = setting
        self._dims = dims

    @property
    def n_bytes(self) -> int:
        """Bytes that it takes, vectors or codes and all."""
        return int(_faiss().serialize_index(self._built).nbytes)

    def save(self, path: Path) -> None:
        """Write it to a file, which `Approximation.load` reads."""
        library = _faiss()
        with path.open("wb") as file:
            library.write_index(self._built, library.PyCallbackIOWriter(file.write))

    def nearest(
        self, queries: Rows, effort: int, k: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Find about the k nearest gallery vectors of every query.

        Parameters
        ----------
        queries : Rows
            Shape (n_queries, n_dims).
        effort : int
            The more, the slower and the more accurate; see the index's kind.
        k : int
            Neighbours wanted.

        Returns
        -------
        indices : ndarray of intp, shape (n_queries, k)
            Nearest first; -1 where none was found.
        distances : ndarray of float64, same shape
            Euclidean distances as the index knows them, infinite where none was found.
        """
        library = _faiss()
        library.ParameterSpace().set_index_parameter(self._built, self._setting, effort)
        values, indices = self._built.search(_units(queries[:], self._dims, _QUERY), k)
        is_cosine = self._built.metric_type == library.METRIC_INNER_PRODUCT
        values = values.astype(np.float64)
        distances = np.sqrt(np.maximum(2 - 2 * values if is_cosine else values, 0))
        distances[indices < 0] = np.inf
        return indices.astype(np.intp), distances


class Approximation(ABC):
    """A kind of index.

    Attributes
    ----------
    name : str
        As tables have it.
    setting : str
        What effort means.
    efforts : tuple of int
        Efforts that show the whole range.
    reference : str
        Source with its DOI.
    """

    name: ClassVar[str]
    setting: ClassVar[str]
    efforts: ClassVar[tuple[int, ...]]
    reference: ClassVar[str]

    def build(self, gallery: Rows, training: Rows) -> Index:
        """Put a gallery into an index.

        Parameters
        ----------
        gallery : Rows
            Shape (n_gallery, n_dims).
        training : Rows
            Vectors that codes and cells are learned from, where there are any.

        Raises
        ------
        NoFaissError
            If faiss is not installed.
        TooFewError
            If there are too few training vectors.
        """
        library = _faiss()
        threads = library.omp_get_max_threads()
        library.omp_set_num_threads(1)
        try:
            made, dims = self._empty(library, gallery.shape[0], training)
            for start in range(0, gallery.shape[0], _BLOCK):
                made.add(_units(gallery[start : start + _BLOCK], dims, _GALLERY))
        finally:
            library.omp_set_num_threads(threads)
        return Index(made, self.setting, dims)

    def load(self, path: Path) -> Index:
        """Read an index of this kind that was written on this machine.

        Its reader believes what is in the file, so a stranger's must never come here.

        Parameters
        ----------
        path : Path
            Written by `Index.save`.

        Raises
        ------
        NoFaissError
            If faiss is not installed.
        """
        library = _faiss()
        with path.open("rb") as file:
            made = library.read_index(library.PyCallbackIOReader(file.read))
        return Index(made, self.setting, made.d)

    @property
    def identity(self) -> dict[str, object]:
        """Everything that decides an index, its vectors aside.

        Raises
        ------
        NoFaissError
            If faiss is not installed.
        """
        return {"kind": self.name, "faiss": _faiss().__version__, "seed": _SEED} | vars(self)

    @abstractmethod
    def _empty(self, library: Any, size: int, training: Rows) -> tuple[Any, int]:
        """An index of faiss that has learned, and its dimensions."""


@dataclass(frozen=True)
class Hnsw(Approximation):
    """A graph of neighbours in layers (HNSW) that a search walks through; learns nothing.

    Parameters
    ----------
    links : int
        Neighbours of each vector.
    breadth : int
        Candidates that are kept while the graph is built.
    """

    name = "hnsw"
    setting = "efSearch"
    efforts = (8, 16, 32, 64, 128, 256)
    reference = (
        "Malkov and Yashunin (2020), Efficient and robust approximate nearest neighbor search "
        "using hierarchical navigable small world graphs, TPAMI, doi:10.1109/TPAMI.2018.2889473"
    )

    links: int = 32
    breadth: int = 200

    def _empty(self, library: Any, size: int, training: Rows) -> tuple[Any, int]:
        dims = training.shape[1] + 2
        made = library.IndexHNSWFlat(dims, self.links)
        made.hnsw.efConstruction = self.breadth
        return made, dims


@dataclass(frozen=True)
class IvfPq(Approximation):
    """Cells around learned centres, vectors in them as short codes (inverted file, IVF-PQ).

    Centres and codewords are learned from training images alone, as everything is here.

    Parameters
    ----------
    dims_per_byte : int
        Dimensions that share a byte of a vector's code.
    """

    name = "ivf-pq"
    setting = "nprobe"
    efforts = (1, 2, 4, 8, 16, 32)
    reference = (
        "Jégou et al. (2011), Product quantization for nearest neighbor search, TPAMI, "
        "doi:10.1109/TPAMI.2010.57"
    )

    dims_per_byte: int = 8

    def _empty(self, library: Any, size: int, training: Rows) -> tuple[Any, int]:
        count, dims = training.shape
        if count < _CODEWORDS:
            raise TooFewError(
                f"learns {_CODEWORDS} codewords from at least as many training images; there are "
                f"{count}"
            )
        parts = -(-(dims + 2) // self.dims_per_byte)
        filled = parts * self.dims_per_byte
        cells = max(1, min(round(4 * size**0.5), count // 8))
        # By cosines: codes make vectors shorter or longer, which squared distances would feel.
        centres = library.IndexFlatIP(filled)
        made = library.IndexIVFPQ(centres, filled, cells, parts, 8, library.METRIC_INNER_PRODUCT)
        for learned in (made.cp, made.pq.cp):
            learned.seed, learned.min_points_per_centroid = _SEED, 1
        made.train(_units(training[:], filled, _GALLERY))
        return made, filled


APPROXIMATIONS: tuple[Approximation, ...] = (Hnsw(), IvfPq())
"""The kinds of index."""


def _units(vectors: NDArray[np.floating], dims: int, side: int) -> NDArray[np.float32]:
    """Vectors of length 1 in float32, filled up with zeros."""
    units = np.zeros((len(vectors), dims), np.float32)
    own = vectors.shape[1]
    units[:, :own] = normalise(vectors)
    units[:, own + side] = ~units.any(axis=1)
    return units


def _faiss() -> Any:
    try:
        import faiss
    except ModuleNotFoundError as error:
        raise NoFaissError("needs faiss: pip install faiss-cpu (the extra faiss)") from error
    return faiss
