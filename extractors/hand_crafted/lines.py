"""Preprocessing that turns photographs into drawings of lines (XDoG)."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.preprocessing import LongestSide, Pixels, Preprocess, grey, once


@dataclass(frozen=True)
class Lines:
    """Dark lines on white where a picture has edges, as in an ink drawing.

    Texture is smoothed away first and edges are kept (bilateral filter), then lines come from
    a difference of Gaussians with a soft threshold (XDoG), and specks are wiped out. A drawing
    of lines stays what it is, a little softened.

    Parameters
    ----------
    scale : Preprocess
        Preprocessing of each picture; the other lengths are pixels of its result.
    smoothings : int
        Times that the bilateral filter is applied.
    sigma : float
        Width of the lines.
    sharpening : float
        Weight of the difference of Gaussians.
    threshold : float
        Brightness, 0 to 1, below which the sharpened picture becomes ink.
    softness : float
        Steepness of the threshold: larger is harder.
    speck : int
        Pixels that connected ink must have to stay.
    then : Preprocess, optional
        Preprocessing of the drawing, where an extractor needs another size.
    """

    summary = "Drawn as lines of ink"
    reference = (
        "Winnemöller, Kyprianidis and Olsen (2012), XDoG: An eXtended difference-of-Gaussians "
        "compendium including advanced image stylization, Computers & Graphics 36(6), "
        "doi:10.1016/j.cag.2012.03.004; Tomasi and Manduchi (1998), Bilateral filtering for gray "
        "and color images, ICCV, doi:10.1109/ICCV.1998.710815"
    )
    version = "lines 1"

    scale: Preprocess = LongestSide(256)
    smoothings: int = 3
    sigma: float = 1.2
    sharpening: float = 30.0
    threshold: float = 0.75
    softness: float = 8.0
    speck: int = 25
    then: Preprocess | None = None

    def __call__(self, image: Pixels) -> Pixels:
        """Return the drawing, RGB."""
        drawing = once(replace(self, then=None), image, self._draw)
        return self.then(drawing) if self.then else drawing

    def _draw(self, image: Pixels) -> Pixels:
        smooth = self.scale(image)
        for _ in range(self.smoothings):
            smooth = cv2.bilateralFilter(smooth, 7, 25, 4)  # type: ignore[assignment]
        light = grey(smooth).astype(np.float32) / 255
        narrow = cv2.GaussianBlur(light, (0, 0), self.sigma)
        wide = cv2.GaussianBlur(light, (0, 0), 1.6 * self.sigma)
        # Relative to white, so that flat areas are paper, whatever their shade.
        response = 1 + self.sharpening * (narrow - wide)
        ink = np.where(
            response >= self.threshold,
            1.0,
            1 + np.tanh(self.softness * (response - self.threshold)),
        )
        drawn = np.rint(255 * ink).astype(np.uint8)
        drawn[_specks(drawn < 128, self.speck)] = 255
        return np.repeat(drawn[..., None], 3, axis=2)


def _specks(ink: NDArray[np.bool_], smallest: int) -> NDArray[np.bool_]:
    """Mask the ink that is connected to too few pixels."""
    _, parts, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8))
    small = stats[:, cv2.CC_STAT_AREA] < smallest
    small[0] = False
    return small[parts]
