"""Emoji drawings (SVG) to pictures: which layers, which pose, which background."""

import colorsys
import io
import math
import random
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import numpy as np
import resvg_py
from numpy.typing import NDArray
from PIL import Image as PILImage

from datasets.reading import Pixels

_SVG = "http://www.w3.org/2000/svg"
_SIDE = 72
"""The side of an OpenMoji drawing in its own units."""

_GROUND = 56
"""The side in pixels at which backgrounds are painted."""

ET.register_namespace("", _SVG)
ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")


@dataclass(frozen=True)
class Pose:
    """Place, size and turn of a drawing in its frame.

    Attributes
    ----------
    rotation : float
        Degrees, clockwise.
    scale : float
        Drawing's side over the frame's side.
    x, y : float
        Centre of the drawing, as shares of the frame.
    mirrored : bool
        Left and right exchanged.
    """

    rotation: float = 0.0
    scale: float = 1.0
    x: float = 0.5
    y: float = 0.5
    mirrored: bool = False

    @classmethod
    def draw(cls, rng: random.Random, may_mirror: bool) -> "Pose":
        """Choose a pose at random: up to 15 degrees, scale 0.7 to 1, anywhere inside."""
        scale = rng.uniform(0.7, 1.0)
        room = (1 - scale) / 2
        return cls(
            rotation=rng.uniform(-15, 15),
            scale=scale,
            x=0.5 + rng.uniform(-room, room),
            y=0.5 + rng.uniform(-room, room),
            mirrored=rng.random() < 0.5 and may_mirror,
        )

    def transform(self) -> str:
        """The pose as an SVG transform of the drawing's own coordinates."""
        flip = -self.scale if self.mirrored else self.scale
        return (
            f"translate({self.x * _SIDE:.4f} {self.y * _SIDE:.4f}) rotate({self.rotation:.4f}) "
            f"scale({flip:.5f} {self.scale:.5f}) translate({-_SIDE / 2:g} {-_SIDE / 2:g})"
        )


def render(svg: str, pose: Pose, background: Pixels, lines_only: bool = False) -> PILImage.Image:
    """Render a drawing onto a background.

    Parameters
    ----------
    svg : str
        An OpenMoji drawing.
    pose : Pose
        How the drawing lies in the picture.
    background : ndarray of uint8, shape (side, side, 3)
        What lies under the drawing, see `plain` and `soft`; its side is the picture's.
    lines_only : bool
        Keep the ``line`` layers alone: the sketch of the drawing.

    Returns
    -------
    PIL.Image.Image
        RGB picture.
    """
    drawing = ET.fromstring(svg)
    if lines_only:
        _keep_lines(drawing)
    inner = "".join(ET.tostring(child, encoding="unicode") for child in drawing)
    page = (
        f'<svg xmlns="{_SVG}" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {_SIDE} {_SIDE}"><g transform="{pose.transform()}">{inner}</g></svg>'
    )
    side = len(background)
    # The background is laid under here and not in the SVG because that halves the time.
    png = resvg_py.svg_to_bytes(svg_string=page, width=side, height=side, skip_system_fonts=True)
    picture = PILImage.fromarray(background)
    with PILImage.open(io.BytesIO(png)) as layer:
        picture.paste(layer, mask=layer)
    return picture


def plain(side: int) -> Pixels:
    """Return a white background."""
    return np.full((side, side, 3), 255, np.uint8)


def soft(side: int, rng: random.Random) -> Pixels:
    """Return a mild background: a gradient of paper tones with two soft blobs."""
    # Nothing in it is sharp, so a small picture enlarged is the same and much faster.
    y, x = np.mgrid[0:_GROUND, 0:_GROUND] / _GROUND - 0.5
    angle = rng.uniform(0, 2 * math.pi)
    along = np.clip(0.5 + x * math.cos(angle) + y * math.sin(angle), 0, 1)
    ground = _blend(_paper(rng), _paper(rng), along)
    for _ in range(2):
        distance = np.hypot(x - rng.uniform(-0.5, 0.5), y - rng.uniform(-0.5, 0.5))
        cover = 0.6 * np.clip(2 - 2 * distance / rng.uniform(0.1, 0.4), 0, 1)
        ground = _blend(ground, _paper(rng), cover)
    small = PILImage.fromarray(np.rint(ground).astype(np.uint8))
    return np.array(small.resize((side, side), PILImage.Resampling.BICUBIC))


def _blend(
    under: NDArray[np.float64], over: NDArray[np.float64], cover: NDArray[np.float64]
) -> NDArray[np.float64]:
    return under + (over - under) * cover[..., None]


def _paper(rng: random.Random) -> NDArray[np.float64]:
    # Any hue at all would drown the drawings' own in the colour features.
    hue = rng.uniform(0.07, 0.17)
    light = rng.uniform(0.92, 0.98)
    saturation = rng.uniform(0.05, 0.3)
    return 255 * np.array(colorsys.hls_to_rgb(hue, light, saturation))


def _keep_lines(element: ET.Element) -> None:
    """Remove everything that is neither a line layer nor above one nor a definition."""
    for child in list(element):
        if child.get("id", "").startswith("line") or child.tag == f"{{{_SVG}}}defs":
            continue
        _keep_lines(child)
        if len(child) == 0:
            element.remove(child)
