"""Galleries of any size: small crops of a few scenes, no two with the same bytes."""

from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.workers import Workforce

CLASSES = 20
"""Scenes; every picture is a crop of one."""

QUERIES = 100
"""Whatever the size of the gallery."""

SIDE = 64
"""Of a picture, in pixels."""

_SCENE = 192
_SHAPES = 40


def make_gallery(root: Path, size: int, workforce: Workforce) -> None:
    """Write a dataset in the folder layout, with `QUERIES` queries.

    Parameters
    ----------
    root : Path
        Gets ``gallery/`` and ``query/``, with a folder for each class.
    size : int
        Pictures in the gallery.
    workforce : Workforce
        The workers.
    """
    scenes = [_scene(number) for number in range(CLASSES)]
    parts = {"gallery": size, "query": QUERIES}
    for part in parts:
        for number in range(CLASSES):
            (root / part / f"class-{number:02}").mkdir(parents=True, exist_ok=True)
    paths = [
        root / part / f"class-{number % CLASSES:02}" / f"{number:07}.jpg"
        for part, count in parts.items()
        for number in range(count)
    ]
    for _ in workforce.each(partial(_write, scenes), paths, f"making {size:,} pictures"):
        pass


def _scene(number: int) -> NDArray[np.uint8]:
    """A square of coloured ellipses."""
    rng = np.random.default_rng(number)
    made = np.full((_SCENE, _SCENE, 3), rng.integers(0, 256, 3), np.uint8)
    for _ in range(_SHAPES):
        place, axes = rng.integers(0, _SCENE, 2).tolist(), rng.integers(5, 40, 2).tolist()
        colour, angle = rng.integers(0, 256, 3).tolist(), float(rng.uniform(0, 180))
        cv2.ellipse(made, place, axes, angle, 0, 360, colour, -1)
    return made


def _write(scenes: list[NDArray[np.uint8]], path: Path) -> None:
    number, is_query = int(path.stem), path.parts[-3] == "query"
    rng = np.random.default_rng((number, is_query))
    side = int(rng.integers(_SCENE // 2, _SCENE))
    top, left = rng.integers(0, _SCENE - side, 2)
    crop = scenes[number % CLASSES][top : top + side, left : left + side]
    small = cv2.resize(crop, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    # Noise of its own makes the bytes of each its own.
    noisy = small + rng.normal(0, 3, small.shape)
    cv2.imwrite(str(path), np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
