"""Transformations that pictures go through, each in documented, seeded strengths.

A transformed copy depends on its picture's bytes, the transformation and the strength alone, so
another picture in the folder changes none. Lengths go with the shorter side of the picture, so
that a strength looks alike at any size. Values of noise, blur, JPEG, brightness and contrast are
those of ImageNet-C, whose lengths are for 224 pixels; the others are this project's own.

References
----------
D. Hendrycks, T. Dietterich (2019), Benchmarking Neural Network Robustness to Common Corruptions
and Perturbations, ICLR, doi:10.48550/arXiv.1903.12261
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import cycle

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from datasets.reading import Pixels

VERSION = "transformations 1"
"""Changes with the pixels of any copy, and with nothing else: part of the keys of vectors."""

_IMAGENET_C = "ImageNet-C"

_SIDE = 224
"""Pixels of the shorter side that lengths of ImageNet-C are for."""

_WORDS = ("sale", "only today", "look at this", "free", "best of", "summer", "no comment")
_GREY = 128
_SCREENSHOT_QUALITY = 40
_TILT = 30
"""Degrees by which a watermark is turned."""

Change = Callable[[Pixels, float, np.random.Generator], Pixels]
"""From a picture, a value and a source of chance to a new picture."""


@dataclass(frozen=True)
class Transformation:
    """An entry of the table.

    Attributes
    ----------
    name : str
        Name in tables and files.
    kind : str
        Sort of change: ``coding``, ``geometry``, ``light`` or ``overlay``.
    values : tuple of float
        Parameter at strength 1, 2, …
    unit : str
        Unit and meaning of the values.
    change : callable
        Makes the copy.
    source : str
        Origin of the values.
    """

    name: str
    kind: str
    values: tuple[float, ...]
    unit: str
    change: Change
    source: str = "own"

    @property
    def strengths(self) -> range:
        """From 1; strength 0 is the picture itself."""
        return range(1, len(self.values) + 1)

    def __call__(self, image: Pixels, strength: int, sha256: str) -> Pixels:
        """Make the copy of a picture.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            RGB, of any size from 1 x 1; it stays as it is.
        strength : int
            One of `strengths`, or 0 for the picture itself.
        sha256 : str
            Hash of the picture's file, which seeds whatever is random.

        Returns
        -------
        ndarray of uint8, shape (new height, new width, 3)
        """
        if strength == 0:
            return image
        seed = hashlib.sha256(f"{sha256} {self.name} {strength}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(seed))
        return np.ascontiguousarray(self.change(image, self.values[strength - 1], rng))


def jpeg(image: Pixels, quality: float, _: object = None) -> Pixels:
    """Code a picture as JPEG and read it again."""
    file = BytesIO()
    PILImage.fromarray(image).save(file, format="JPEG", quality=int(quality))
    with PILImage.open(file) as coded:
        return np.asarray(coded.convert("RGB"))


def _blur(image: Pixels, sigma: float, _: object) -> Pixels:
    return cv2.GaussianBlur(image, (0, 0), sigma * _shorter(image) / _SIDE)  # type: ignore[return-value]


def _noise(image: Pixels, deviation: float, rng: np.random.Generator) -> Pixels:
    added = rng.standard_normal(image.shape, np.float32) * np.float32(deviation)
    return _from_unit(_to_unit(image) + added)


def _resolution(image: Pixels, share: float, _: object) -> Pixels:
    height, width = image.shape[:2]
    small = _smaller(image, share, share)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)  # type: ignore[return-value]


def _scale(image: Pixels, share: float, _: object) -> Pixels:
    return _smaller(image, share, share)


def _aspect(image: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    return _smaller(image, share, 1) if rng.random() < 0.5 else _smaller(image, 1, share)


def _rotation(image: Pixels, degrees: float, rng: np.random.Generator) -> Pixels:
    height, width = image.shape[:2]
    turn = degrees if rng.random() < 0.5 else -degrees
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), turn, 1)
    return cv2.warpAffine(  # type: ignore[return-value]
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )


def _mirror(image: Pixels, *_: object) -> Pixels:
    return image[:, ::-1]


def _crop(image: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    return image[_part(image.shape[0], share, rng), _part(image.shape[1], share, rng)]


def _occlusion(image: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    covered, side = image.copy(), share**0.5
    covered[_part(image.shape[0], side, rng), _part(image.shape[1], side, rng)] = _GREY
    return covered


def _brightness(image: Pixels, added: float, _: object) -> Pixels:
    seen = cv2.cvtColor(_to_unit(image), cv2.COLOR_RGB2HSV)
    seen[..., 2] = np.minimum(seen[..., 2] + added, 1)
    return _from_unit(cv2.cvtColor(seen, cv2.COLOR_HSV2RGB))


def _contrast(image: Pixels, share: float, _: object) -> Pixels:
    unit = _to_unit(image)
    mean = unit.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    return _from_unit(mean + (unit - mean) * np.float32(share))


def _colour_cast(image: Pixels, gain: float, rng: np.random.Generator) -> Pixels:
    warm = gain if rng.random() < 0.5 else -gain
    return _from_unit(_to_unit(image) * np.array([1 + warm, 1, 1 - warm], np.float32))


def _saturation(image: Pixels, share: float, _: object) -> Pixels:
    unit = _to_unit(image)
    grey = cv2.cvtColor(unit, cv2.COLOR_RGB2GRAY)[..., None]
    return _from_unit(grey + (unit - grey) * np.float32(share))


def _text(image: Pixels, lines: float, rng: np.random.Generator) -> Pixels:
    written = PILImage.fromarray(image)
    draw, size = ImageDraw.Draw(written), max(4, _shorter(image) // 10)
    font, outline = ImageFont.load_default(size), max(1, size // 16)
    words = cycle(rng.permutation(_WORDS).tolist())
    room = written.height / lines
    for line in range(int(lines)):
        top = room * line + rng.uniform(0, max(0, room - 1.3 * size))
        text = " ".join(next(words) for _ in range(2 + written.width // (6 * size)))
        draw.text((size / 3, top), text, "white", font, stroke_width=outline, stroke_fill="black")
    return np.asarray(written)


def _border(image: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    width = max(1, round(share * _shorter(image)))
    colour = rng.choice([[0, 0, 0], [255, 255, 255], rng.integers(0, 256, 3).tolist()]).tolist()
    return _framed(image, width, width, colour)


def _watermark(image: Pixels, opacity: float, rng: np.random.Generator) -> Pixels:
    height, width = image.shape[:2]
    size, side = max(4, _shorter(image) // 8), int(np.hypot(height, width)) + 2
    layer = PILImage.new("L", (side, side))
    draw, font = ImageDraw.Draw(layer), ImageFont.load_default(size)
    for row, top in enumerate(range(rng.integers(size), side, 2 * size)):
        left = -size * (row % 3) - float(rng.integers(size))
        draw.text((left, top), "preview  " * (2 + side // (4 * size)), font=font, fill=255)
    turned = layer.rotate(_TILT, PILImage.Resampling.BILINEAR)
    top, left = (side - height) // 2, (side - width) // 2
    cover = np.asarray(turned, np.float32)[top : top + height, left : left + width, None] / 255
    cover *= np.float32(opacity)
    return _from_unit(_to_unit(image) * (1 - cover) + cover)


def _screenshot(image: Pixels, share: float, _: object) -> Pixels:
    bar = max(1, round(share * image.shape[0]))
    return jpeg(_smaller(_framed(image, bar, 0, [32, 32, 32]), 1 / 2, 1 / 2), _SCREENSHOT_QUALITY)


TRANSFORMATIONS: tuple[Transformation, ...] = (
    Transformation("jpeg", "coding", (25, 18, 15, 10, 7), "JPEG quality", jpeg, _IMAGENET_C),
    Transformation(
        "blur",
        "coding",
        (1, 2, 3, 4, 6),
        "standard deviation of a Gaussian, pixels at a shorter side of 224",
        _blur,
        _IMAGENET_C,
    ),
    Transformation(
        "noise",
        "coding",
        (0.08, 0.12, 0.18, 0.26, 0.38),
        "standard deviation of normal noise in every pixel and channel, white being 1",
        _noise,
        _IMAGENET_C,
    ),
    Transformation(
        "resolution",
        "coding",
        (1 / 2, 1 / 3, 1 / 4, 1 / 6, 1 / 8),
        "share of the sides' pixels; scaled down by areas and up again bilinearly",
        _resolution,
    ),
    Transformation(
        "scale",
        "geometry",
        (0.75, 0.5, 0.35, 0.25, 0.18),
        "share of the sides' pixels; a smaller copy",
        _scale,
    ),
    Transformation(
        "aspect",
        "geometry",
        (0.9, 0.8, 0.7, 0.6, 0.5),
        "share that is left of one side, width or height at random",
        _aspect,
    ),
    Transformation(
        "rotation",
        "geometry",
        (5, 10, 20, 45, 90),
        "degrees about the centre, either way at random; the picture keeps its size, its "
        "reflection fills the corners",
        _rotation,
    ),
    Transformation("mirror", "geometry", (1,), "left to right, in one strength", _mirror),
    Transformation(
        "crop",
        "geometry",
        (0.9, 0.8, 0.7, 0.6, 0.5),
        "share that is left of both sides, anywhere in the picture",
        _crop,
    ),
    Transformation(
        "occlusion",
        "overlay",
        (0.05, 0.1, 0.2, 0.35, 0.5),
        "share of the area below a grey box, anywhere in the picture",
        _occlusion,
    ),
    Transformation(
        "brightness",
        "light",
        (0.1, 0.2, 0.3, 0.4, 0.5),
        "added to the value of HSV, white being 1",
        _brightness,
        _IMAGENET_C,
    ),
    Transformation(
        "contrast",
        "light",
        (0.4, 0.3, 0.2, 0.1, 0.05),
        "share that is left of the distance to each channel's mean",
        _contrast,
        _IMAGENET_C,
    ),
    Transformation(
        "colour-cast",
        "light",
        (0.1, 0.2, 0.3, 0.4, 0.5),
        "share by which red gains and blue loses, or the reverse at random",
        _colour_cast,
    ),
    Transformation(
        "saturation",
        "light",
        (0.8, 0.6, 0.4, 0.2, 0.0),
        "share that is left of the distance to grey",
        _saturation,
    ),
    Transformation(
        "text",
        "overlay",
        (1, 2, 3, 4, 6),
        "lines of white letters with black outlines, a tenth of the shorter side high",
        _text,
    ),
    Transformation(
        "border",
        "overlay",
        (0.03, 0.06, 0.1, 0.15, 0.25),
        "width of a frame around the picture, share of the shorter side; black, white or any "
        "colour at random",
        _border,
    ),
    Transformation(
        "watermark",
        "overlay",
        (0.1, 0.2, 0.3, 0.45, 0.6),
        "opacity of white words all over the picture, slanted",
        _watermark,
    ),
    Transformation(
        "screenshot",
        "overlay",
        (0.03, 0.06, 0.12, 0.25, 0.5),
        "height of dark bars above and below, share of the picture's; all of it scaled to half "
        f"the sides, then JPEG of quality {_SCREENSHOT_QUALITY}",
        _screenshot,
    ),
)


def copies() -> Iterator[tuple[Transformation, int]]:
    """Every transformation with each of its strengths, in the order of the table."""
    for transformation in TRANSFORMATIONS:
        for strength in transformation.strengths:
            yield transformation, strength


def _shorter(image: Pixels) -> int:
    return min(image.shape[:2])


def _to_unit(image: Pixels) -> NDArray[np.float32]:
    return image.astype(np.float32) / np.float32(255)


def _from_unit(values: NDArray[np.number]) -> Pixels:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _smaller(image: Pixels, across: float, down: float) -> Pixels:
    """Scale width and height to shares of theirs, averaging areas."""
    height, width = image.shape[:2]
    size = max(1, round(width * across)), max(1, round(height * down))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[return-value]


def _part(length: int, share: float, rng: np.random.Generator) -> slice:
    """A random part of a side, of at least one pixel."""
    kept = max(1, round(length * share))
    start = int(rng.integers(length - kept + 1))
    return slice(start, start + kept)


def _framed(image: Pixels, down: int, across: int, colour: list[int]) -> Pixels:
    """Put a frame around a picture: pixels above and below, and beside."""
    return cv2.copyMakeBorder(  # type: ignore[return-value]
        image, down, down, across, across, cv2.BORDER_CONSTANT, value=colour
    )
