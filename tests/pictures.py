"""Seeded pictures for small datasets."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.pipeline.evaluation import invariance
from datasets import transformations


def picture(seed: int, size: int = 24, hue: int = 0) -> Image.Image:
    """A seeded picture of soft blobs; pictures of one hue look alike."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 120, (4, 4, 3)).astype(np.uint8)
    coarse[..., hue % 3] += 120
    return Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)


def fill(folder: Path, count: int, seed: int, hue: int = 0) -> None:
    """Put pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        picture(1000 * seed + index, hue=hue).save(folder / f"{index:02}.png")


def scene(seed: int) -> np.ndarray:
    """A picture of many shapes, with a broad white margin."""
    rng = np.random.default_rng(seed)
    picture = np.full((360, 360, 3), 255, np.uint8)
    for _ in range(60):
        colour = tuple(int(value) for value in rng.integers(0, 230, 3))
        x, y = (int(value) for value in rng.integers(90, 270, 2))
        if rng.random() < 0.5:
            size = tuple(int(value) for value in rng.integers(4, 30, 2))
            cv2.ellipse(picture, (x, y), size, float(rng.uniform(0, 180)), 0, 360, colour, -1)
        else:
            corners = rng.integers(-25, 26, (4, 2)) + np.array([x, y])
            cv2.fillPoly(picture, [corners.astype(np.int32)], colour)
    return cv2.GaussianBlur(picture, (0, 0), 1)  # no staircases, which do not turn with the shapes


def unchanged(picture, *_):
    """The change of a transformation that changes nothing."""
    return picture


def use_unchanged(monkeypatch) -> None:
    """Put one transformation that changes nothing in place of all others."""
    one = transformations.Transformation("unchanged", "light", (1.0,), "", unchanged)
    for module in (transformations, invariance):
        monkeypatch.setattr(module, "TRANSFORMATIONS", (one,))
