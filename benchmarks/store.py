"""Vectors on disk, under the content they were made from: no work is done twice."""

import hashlib
import json
import logging
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.files import read_json, write_json, write_whole
from benchmarks.identity import digest

_BLOCK = 2048
"""Rows gathered at a time."""

log = logging.getLogger(__name__)


class VectorStore:
    """The vectors that one identity (an extractor, say) made of pictures, keyed by content.

    A folder of segments, each an ``.npz`` file of keys, rows and seconds, written whole or
    not at all; so a crash loses only what was under way, and several processes may write to
    one store.

    Parameters
    ----------
    folder : Path
        Where stores lie.
    name : str
        For people who look into the folder.
    identity : dict
        What decides the vectors, beside the picture. Another identity is another store.
    forget : bool
        Begin anew, as if nothing were stored.
    """

    def __init__(
        self, folder: Path, name: str, identity: dict[str, object], forget: bool = False
    ) -> None:
        self.folder = folder / f"{name}-{digest(identity)[:16]}"
        self._places: dict[str, tuple[Path, int, float]] = {}
        if not (self.folder / "identity.json").exists():
            write_json(self.folder / "identity.json", identity)
        if not forget:
            for path in sorted(self.folder.glob("*.npz")):
                self._index(path)

    @property
    def fit_seconds(self) -> float:
        """How long fitting took whatever makes the vectors; 0 if nothing was fitted."""
        noted = read_json(self.folder / "fit.json")
        return noted["seconds"] if noted else 0.0

    @fit_seconds.setter
    def fit_seconds(self, seconds: float) -> None:
        write_json(self.folder / "fit.json", {"seconds": seconds})

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Those of the keys that have no vector yet, each once, in their order."""
        return [key for key in dict.fromkeys(keys) if key not in self._places]

    def add(self, keys: Sequence[str], rows: NDArray[np.float32], seconds: float) -> None:
        """Store one vector per key, and how long making them all took."""
        name = hashlib.sha256(json.dumps(list(keys)).encode()).hexdigest()[:32]
        path = self.folder / f"{name}.npz"

        def write(part: Path) -> None:
            with part.open("wb") as file:
                np.savez(file, keys=np.array(keys), rows=rows, seconds=np.float64(seconds))

        write_whole(path, write)
        self._index(path)

    def seconds(self, keys: Sequence[str]) -> float:
        """How long the vectors of these keys took to make."""
        return sum(self._places[key][2] for key in set(keys))

    def blocks(self, keys: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        """The vectors of the keys in their order, some thousand rows at a time."""
        for start in range(0, len(keys), _BLOCK):
            part = keys[start : start + _BLOCK]
            yield np.stack(list(self._rows(part)))

    def _rows(self, keys: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        opened: dict[Path, NDArray[np.float32]] = {}
        for key in keys:
            path, row, _ = self._places[key]
            if path not in opened:
                with np.load(path, allow_pickle=False) as segment:
                    opened[path] = segment["rows"]
            yield opened[path][row]

    def _index(self, path: Path) -> None:
        try:
            # A file opened here is closed here, even if NumPy finds it damaged.
            with path.open("rb") as file, np.load(file, allow_pickle=False) as segment:
                keys, seconds = segment["keys"].tolist(), float(segment["seconds"])
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            log.warning("%s is damaged (%s); its pictures are described again", path, error)
            path.unlink()
            return
        for row, key in enumerate(keys):
            self._places[key] = (path, row, seconds / len(keys))
