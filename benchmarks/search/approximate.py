"""Approximate search of an index, by an index of faiss beside it.

faiss believes what is in a file that it reads, and an index may be somebody else's. So nothing of
faiss lies in an index's folder: it is built here, from the index's vectors, and kept in the user's
own cache under their SHA-256, where no index from elsewhere can put a file::

    <cache>/approximate/<kind>-<key>/index.faiss    written by faiss
    <cache>/approximate/<kind>-<key>/sum.json       its checksum; written last, verified first

What faiss finds is compared exactly afterwards, so the distances that are shown are true ones;
that a nearer picture was missed is what makes it approximate.
"""

import hashlib
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import read_checked, write_checked, write_whole
from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.workers import Workforce
from benchmarks.search.files import FileSum
from datasets.errors import DamagedError, InputError
from retrieval.approximate import APPROXIMATIONS, NoFaissError, TooFewError
from retrieval.approximate import Index as Built
from retrieval.knn import GridDistances, nearest_among
from retrieval.rows import release

KINDS = {kind.name: kind for kind in APPROXIMATIONS}
"""By the names that ``--approximate`` takes."""

_INDEX, _SUM = "index.faiss", "sum.json"

_WIDER = 10
"""Times as many neighbours are found as are wanted, then compared exactly."""

_LEARNED_FROM = 65_536
"""Vectors that codes and cells are learned from, at most: evenly spaced ones of the gallery."""

_BLOCK = 4096
"""Vectors hashed at a time."""


class ApproximateSearch:
    """A search that finds most of the nearest, faster than one that looks at every vector.

    Parameters
    ----------
    gallery : ndarray of float32, shape (n_images, n_dims)
        The vectors of an index; may be mapped from a file.
    name : str
        One of `KINDS`.
    cache : Path
        The user's own cache, where the index of faiss is kept.
    workforce : Workforce
        Shows messages.

    Raises
    ------
    InputError
        If faiss is not installed, or there are too few vectors to learn from.
    """

    def __init__(
        self, gallery: NDArray[np.float32], name: str, cache: Path, workforce: Workforce
    ) -> None:
        self.name = name
        self._gallery = gallery
        self._kind = KINDS[name]
        try:
            key = digest(self._kind.identity | {"vectors": _hash(gallery), "from": _LEARNED_FROM})
            self._built = self._opened(cache / "approximate" / f"{name}-{key[:32]}", workforce)
        except NoFaissError as error:
            raise InputError(f"--approximate {name}: {error}") from error
        except TooFewError as error:
            raise InputError(
                f"--approximate {name}: {error} (of the gallery, here); leave it away or take hnsw"
            ) from error

    def nearest(
        self, query: NDArray[np.floating], k: int
    ) -> tuple[NDArray[np.intp], GridDistances]:
        """Find about the k nearest, with their exact distances; as of `nearest_among`.

        Parameters
        ----------
        query : ndarray of float32, shape (1, n_dims)
            The query's vector.
        k : int
            Neighbours wanted, at least 1; fewer may come back.
        """
        wanted = min(_WIDER * k, len(self._gallery))
        [found], _ = self._built.nearest(query, self._kind.efforts[-1], wanted)
        return nearest_among(query, self._gallery, found[found >= 0], k)

    def _opened(self, folder: Path, workforce: Workforce) -> Built:
        """Read what is kept if it is whole, else build and keep it."""
        try:
            noted = read_checked(folder / _SUM, FileSum)
            if noted is not None and FileSum.of(folder / _INDEX) == noted:
                return self._kind.load(folder / _INDEX)
        except (DamagedError, FileNotFoundError):
            pass  # it is made anew, as if it were not there
        size = len(self._gallery)
        workforce.log(f"building an approximate index ({self.name}) of {size:,} vectors")
        built = self._kind.build(self._gallery, self._gallery[:: -(-size // _LEARNED_FROM)])
        (folder / _SUM).unlink(missing_ok=True)
        write_whole(folder / _INDEX, built.save)
        write_checked(folder / _SUM, msgspec.to_builtins(FileSum.of(folder / _INDEX)))
        return built


def _hash(gallery: NDArray[np.float32]) -> str:
    """SHA-256 of a matrix: unlike a CRC-32, nobody can make another with the same."""
    made = hashlib.sha256(repr(gallery.shape).encode())
    for start in range(0, len(gallery), _BLOCK):
        block = gallery[start : start + _BLOCK]
        made.update(np.ascontiguousarray(block).data)
        release(block)
    return made.hexdigest()
