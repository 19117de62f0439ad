"""Vectors and feature maps on disk, under the content they were made from."""

import logging
import os
import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import (
    read_checked,
    remove_parts,
    write_checked,
    write_json,
    write_whole,
)
from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.cache.making import Filled, Making, UnlikeError, failed, unreadable
from benchmarks.pipeline.cache.segments import read_arrays, read_segment, segment_name
from benchmarks.pipeline.workers import CHUNK, WorkerKilledError, Workforce, cut
from datasets.errors import DamagedError, UnreadableImageError

_FIT = "fit.json"

_BLOCK = 2048
"""Rows gathered at a time."""

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")

log = logging.getLogger(__name__)


class Store(ABC, Generic[T]):
    """Values that one identity (an extractor, say) made of pictures, by the pictures' content.

    A folder of segments, each an ``.npz`` file of keys, what was made and seconds, written whole
    or not at all; so a crash loses only what was under way, and several processes may write to
    one store. Nobody waits for the disk: what a power cut damages is found by the checksums of
    the segments, and made again.

    Parameters
    ----------
    folder : Path
        Where stores lie.
    name : str
        For people who look into the folder.
    identity : dict
        What decides what is made, beside the picture. Another identity is another store.
    forget : bool
        Begin anew, as if nothing were stored.
    """

    def __init__(
        self, folder: Path, name: str, identity: Mapping[str, object], forget: bool = False
    ) -> None:
        self._own = digest(identity)[:16]
        self.folder = folder / f"{name}-{self._own}"
        self._places: dict[str, tuple[Path, int, float]] = {}
        if not (self.folder / "identity.json").exists():
            write_json(self.folder / "identity.json", identity)
        remove_parts(self.folder)
        # In order of writing: what was made anew counts, not what it was to replace.
        written = sorted((path.stat().st_mtime_ns, path) for path in self.folder.glob("*.npz"))
        self._newest = written[-1][0] if written else 0
        for _, path in () if forget else written:
            self._index(path)

    @property
    def fit_seconds(self) -> float | None:
        """Seconds that fitting took; 0 if nothing was fitted, None if they are not known."""
        path = self.folder / _FIT
        try:
            noted = read_checked(path, dict[str, float | None], "the duration of fitting is lost")
        except DamagedError as error:
            log.warning("%s", error)
            self.fit_seconds = None
            return None
        return 0.0 if noted is None else noted.get("seconds")

    @fit_seconds.setter
    def fit_seconds(self, seconds: float | None) -> None:
        write_checked(self.folder / _FIT, {"seconds": seconds})

    def missing(self, keys: Collection[str]) -> list[str]:
        """Those of the keys that have no value yet, each once, in their order."""
        return [key for key in dict.fromkeys(keys) if key not in self._places]

    def clear(self) -> None:
        """Remove all values."""
        for path in self.folder.glob("*.npz"):
            path.unlink(missing_ok=True)
        self._places.clear()

    @abstractmethod
    def add(self, keys: Sequence[str], values: Sequence[T], seconds: float) -> None:
        """Store one value per key, and how long making them all took."""

    def fill(
        self,
        items: Mapping[str, A],
        work: Callable[[Sequence[A]], Sequence[Any]],
        workforce: Workforce,
        label: str,
        chunk: int = CHUNK,
    ) -> dict[str, str]:
        """Make and store the values that are missing, in chunks and in parallel.

        Parameters
        ----------
        items : mapping of str
            Key to what its value is made from.
        work : callable
            Makes the values of a chunk of items, picklable; for a picture that cannot be read
            an `UnreadableImageError` in place of its value.
        workforce : Workforce
            The workers.
        label : str
            Text of the progress bar.
        chunk : int
            Number of items that a worker gets at a time.

        Returns
        -------
        dict of str to str
            Key to the reason why it has no value.
        """
        timed = partial(_timed, work)
        problems, errors = fill_all({"": self}, items, timed, workforce, label, chunk, unreadable)
        if errors:
            raise UnlikeError(errors[""])
        return problems

    def seconds(self, keys: Collection[str]) -> float | None:
        """Seconds that making the values of some keys took; None if one is not stored."""
        found = [self._places.get(key) for key in set(keys)]
        return None if None in found else sum(place[2] for place in found if place)

    def _write(self, keys: Sequence[str], seconds: float, **arrays: NDArray[np.generic]) -> None:
        path = self.folder / f"{segment_name([self._own, *keys])}.npz"

        def write(part: Path) -> None:
            with part.open("wb") as file:
                np.savez(file, keys=np.array(keys), seconds=np.float64(seconds), **arrays)  # type: ignore[arg-type]
            made = part.stat()
            # Later than all before it, though the clock may have been set back.
            self._newest = max(made.st_mtime_ns, self._newest + 1)
            os.utime(part, ns=(made.st_atime_ns, self._newest))

        write_whole(path, write)
        self._index(path)

    indexed: ClassVar[tuple[str, ...]] = ("keys", "seconds")
    """Arrays of a segment that are read when the store is opened."""

    def _note(self, keys: Sequence[str], segment: Mapping[str, NDArray[Any]]) -> None:
        """Look at a segment that is being indexed."""

    def _index(self, path: Path) -> None:
        try:
            keys, seconds = self._keys(path)
        except DamagedError as error:
            log.warning("%s; its pictures are described again", error)
            path.unlink(missing_ok=True)
            return
        for row, key in enumerate(keys):
            self._places[key] = (path, row, seconds / len(keys))

    def _keys(self, path: Path) -> tuple[list[str], float]:
        segment = read_arrays(path, *self.indexed)
        try:
            keys, seconds = segment["keys"].tolist(), float(segment["seconds"])
            self._note(keys, segment)
        except (TypeError, ValueError) as error:
            raise DamagedError(f"{path}: damaged ({error})") from error
        if path.stem != segment_name([self._own, *keys]):
            raise DamagedError(f"{path}: holds what another extractor made, or is not as written")
        return keys, seconds


def fill_all(
    stores: Mapping[str, Store[Any]],
    items: Mapping[str, A],
    work: Callable[[tuple[Sequence[str], Sequence[A]]], Mapping[str, Filled]],
    workforce: Workforce,
    label: str,
    chunk: int = CHUNK,
    killed: Callable[[WorkerKilledError, object], Filled] = failed,
) -> tuple[dict[str, str], dict[str, str]]:
    """Fill several stores in one pass over the items that any of them lacks.

    Parameters
    ----------
    stores : mapping of str to Store
        By name.
    items : mapping of str
        Key to what values are made from.
    work : callable
        From names of stores and a chunk of items to what each of these stores gets; picklable.
    workforce : Workforce
        The workers.
    label : str
        Text of the progress bar.
    chunk : int
        Number of items that a worker gets at a time.
    killed : callable
        What a store gets for an item that kills a worker.

    Returns
    -------
    problems : dict of str to str
        Key to the reason why its picture cannot be read.
    errors : dict of str to str
        Name of a store to its first error; what it lacks since then is not made.
    """
    lacking: dict[str, list[str]] = defaultdict(list)
    for name, store in stores.items():
        for key in store.missing(items):
            lacking[key].append(name)
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for key, names in lacking.items():
        together[tuple(names)].append(key)
    chunks = [(names, keys) for names, every in together.items() for keys in cut(every, chunk)]
    problems: dict[str, str] = {}
    errors: dict[str, str] = {}
    for keys, filled in Making(work, items, workforce, label, killed).make(chunks):
        for name, one in filled.items():
            if isinstance(one, str):
                errors.setdefault(name, one)
                continue
            values, seconds = one
            made = dict(zip(keys, values, strict=True))
            broken = {k: str(v) for k, v in made.items() if isinstance(v, UnreadableImageError)}
            problems |= broken
            good = [key for key in keys if key not in broken]
            if good and name not in errors:
                try:
                    stores[name].add(good, [made[key] for key in good], seconds)
                except UnlikeError as error:
                    errors[name] = str(error)
    return problems, errors


def _timed(
    work: Callable[[Sequence[A]], Sequence[Any]], job: tuple[Sequence[str], Sequence[A]]
) -> dict[str, Filled]:
    began = time.perf_counter()
    made = work(job[1])
    return {"": (made, time.perf_counter() - began)}


class ArrayStore(Store[NDArray[Any]]):
    """Arrays of one shape and type, of every picture one: vectors, hashes, sizes."""

    _shapes: frozenset[tuple[int, ...]] = frozenset()

    def add(self, keys: Sequence[str], values: Sequence[NDArray[Any]], seconds: float) -> None:
        """Store one array per key, and how long making them all took."""
        self._shapes |= {value.shape for value in values}
        if len(self._shapes) > 1:
            raise UnlikeError(f"vectors of unlike shapes: {sorted(self._shapes)}")
        self._write(keys, seconds, rows=np.stack(values))

    def made(
        self,
        items: Mapping[str, A],
        work: Callable[[Sequence[A]], Sequence[Any]],
        read: Callable[[str, NDArray[Any]], B],
        workforce: Workforce,
        label: str,
        chunk: int = CHUNK,
    ) -> tuple[dict[str, B], dict[str, str]]:
        """Make what is missing or damaged, and read all of it.

        Parameters
        ----------
        items, work, workforce, label, chunk
            As of `fill`.
        read : callable
            From a key and its array to what is wanted of it.

        Returns
        -------
        found : dict of str
            By key.
        problems : dict of str to str
            Key to the reason why it has no value.
        """
        problems = self.fill(items, work, workforce, label, chunk)
        known = [key for key in items if key not in problems]
        try:
            return self._read(known, read), problems
        except DamagedError:  # which was told, and is removed
            there = {path for path, _, _ in self._places.values() if path.exists()}
            self._places = {key: one for key, one in self._places.items() if one[0] in there}
        problems |= self.fill({key: items[key] for key in known}, work, workforce, label, chunk)
        return self._read([key for key in known if key not in problems], read), problems

    def _read(self, keys: Sequence[str], read: Callable[[str, NDArray[Any]], B]) -> dict[str, B]:
        rows = (row for block in self.blocks(keys) for row in block)
        return {key: read(key, row) for key, row in zip(keys, rows, strict=True)}

    def blocks(self, keys: Sequence[str]) -> Iterator[NDArray[Any]]:
        """The arrays of the keys in their order, some thousand at a time, stacked."""
        return map(self._block, cut(keys, _BLOCK))

    def _block(self, keys: Sequence[str]) -> NDArray[Any]:
        opened: dict[Path, NDArray[Any]] = {}
        rows = []
        for key in keys:
            path, row, _ = self._places[key]
            if path not in opened:
                opened[path] = read_segment(path)["rows"]
            rows.append(opened[path][row])
        return np.stack(rows)


class MapStore(Store[NDArray[np.floating]]):
    """The feature maps that a network made of pictures, in half precision."""

    def add(
        self, keys: Sequence[str], values: Sequence[NDArray[np.floating]], seconds: float
    ) -> None:
        """Store one map per key, and how long making them all took."""
        self._write(keys, seconds, maps=np.stack(values).astype(np.float16))

    def maps(self, keys: Sequence[str]) -> Iterator[NDArray[np.float16]]:
        """The maps of the keys in their order, one segment in memory at a time."""
        opened: tuple[Path, NDArray[np.float16]] | None = None
        for key in keys:
            path, row, _ = self._places[key]
            if opened is None or opened[0] != path:
                opened = path, read_segment(path)["maps"]
            yield opened[1][row]
