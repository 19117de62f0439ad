"""Local features on disk, under the content of the pictures that they were found in."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.cache.segments import read_segment
from benchmarks.pipeline.cache.store import Store
from extractors.local_features.detector import LocalFeatures

_OPEN_SEGMENTS = 32
"""Segments of local features in memory at a time, some MB each."""

Place = tuple[Path, int]
"""A segment, and a position in it."""


class FeatureStore(Store[LocalFeatures]):
    """The local features that a detector found in pictures; parameters as of `Store`."""

    indexed = ("keys", "seconds", "ends")

    def __init__(
        self, folder: Path, name: str, identity: dict[str, object], forget: bool = False
    ) -> None:
        self._points: dict[str, int] = {}
        super().__init__(folder, name, identity, forget)

    def _note(self, keys: Sequence[str], segment: Mapping[str, NDArray[Any]]) -> None:
        counts = np.diff(segment["ends"], prepend=0).tolist()
        self._points |= dict(zip(keys, counts, strict=True))

    def points(self, key: str) -> int:
        """Number of keypoints of a picture."""
        return self._points[key]

    def add(self, keys: Sequence[str], values: Sequence[LocalFeatures], seconds: float) -> None:
        """Store the features of one picture per key, and how long finding them all took."""
        self._write(
            keys,
            seconds,
            ends=np.cumsum([len(found) for found in values]),
            points=np.concatenate([found.points for found in values]),
            descriptors=np.concatenate([found.descriptors for found in values]),
            frames=np.array([found.frame for found in values]),
            binary=np.array(values[0].binary),
        )

    def place(self, key: str) -> Place:
        """Segment and position of a picture's features."""
        return self._places[key][:2]

    def of(self, keys: Sequence[str]) -> "StoredFeatures":
        """The features of the keys in their order, read when they are asked for."""
        return StoredFeatures([self.place(key) for key in keys])


class StoredFeatures:
    """Local features on disk, a few pictures of them in memory at a time.

    Parameters
    ----------
    places : sequence of Place
        Of every picture.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[LocalFeatures]:
        opened: dict[Path, dict[str, NDArray[np.generic]]] = {}
        for path, index in self._places:
            if path not in opened:
                if len(opened) == _OPEN_SEGMENTS:
                    del opened[next(iter(opened))]
                opened[path] = read_segment(path)
            yield _features(opened[path], index)


def _features(segment: dict[str, Any], index: int) -> LocalFeatures:
    start = segment["ends"][index - 1] if index else 0
    part = slice(start, segment["ends"][index])
    width, height = segment["frames"][index].tolist()
    return LocalFeatures(
        segment["points"][part],
        segment["descriptors"][part],
        (width, height),
        bool(segment["binary"]),
    )
