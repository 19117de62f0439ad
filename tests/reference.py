"""Reference pictures of the golden numbers: seeded, and drawn in whole numbers.

Every machine draws the same, to the pixel. Who changes them changes all golden numbers.
"""

import numpy as np


def smooth(picture: np.ndarray) -> np.ndarray:
    """Mean of 3 x 3 pixels."""
    height, width = picture.shape[:2]
    padded = np.pad(picture.astype(np.int64), ((1, 1), (1, 1), (0, 0)), mode="edge")
    shifts = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return (sum(shifts) // 9).astype(np.uint8)


def shapes(seed: int, height: int, width: int, count: int) -> np.ndarray:
    """Draw seeded ellipses and boxes of many colours over a slope of grey."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    picture = ((x + 2 * y) * 200 // (width + 2 * height))[..., None].repeat(3, axis=2)
    for _ in range(count):
        left, top, a, b, is_box, *colour = rng.integers(
            (0, 0, 4, 4, 0, 0, 0, 0), (width, height, width // 6, height // 6, 2, 256, 256, 256)
        )
        box = (abs(x - left) <= a) & (abs(y - top) <= b)
        ellipse = (b * (x - left)) ** 2 + (a * (y - top)) ** 2 <= (a * b) ** 2
        picture[box if is_box else ellipse] = colour
    return smooth(picture)


def texture() -> np.ndarray:
    """Draw coarse and fine noise and stripes, side by side."""
    rng = np.random.default_rng(2)
    coarse = rng.integers(0, 256, (15, 5, 3)).repeat(10, axis=0).repeat(10, axis=1)
    fine = rng.integers(0, 256, (50, 20, 3)).repeat(3, axis=0).repeat(3, axis=1)
    stripes = (np.arange(150)[:, None, None] // 6 % 2 * 180 + [20, 40, 60]).repeat(70, axis=1)
    return smooth(np.concatenate([coarse, fine, stripes], axis=1))


def silhouette() -> np.ndarray:
    """Draw one dark shape on white."""
    y, x = np.mgrid[:180, :160]
    shape = ((x - 70) ** 2 + (2 * (y - 80)) ** 2 < 50**2) | (
        (abs(x - 90) < 12) & (y > 60) & (y < 150)
    )
    return smooth(np.where(shape[..., None], [30, 60, 20], 255))


def drawing() -> np.ndarray:
    """Draw dark lines on white: the edges of flat shapes."""
    flat = shapes(3, 200, 200, 25).astype(np.int64).sum(axis=2) // 60
    edges = (flat[1:, 1:] != flat[:-1, 1:]) | (flat[1:, 1:] != flat[1:, :-1])
    return smooth(np.where(edges[..., None], 20, 255).repeat(3, axis=2))


PICTURES = [shapes(1, 210, 260, 70), texture(), silhouette(), drawing(), shapes(4, 40, 30, 6)]
