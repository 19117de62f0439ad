"""Seeded pictures for small datasets."""

from pathlib import Path

import numpy as np
from PIL import Image


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
