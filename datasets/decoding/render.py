"""From an opened picture to pixels: depth, colour profile, transparency, size, orientation.

A picture is worked on in bands of rows, so that no second copy of a large one is ever in memory.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from datasets.decoding.depths import Depth, require_range
from datasets.decoding.jpeg2000 import header_of
from datasets.decoding.orientation import orientation_of, to_be_filled, upright
from datasets.decoding.profiles import Profile, profile_of
from datasets.decoding.tiff import has_unnamed_channel, page_remarks, require_known_planes
from datasets.errors import UnreadableImageError

LARGE = 2**25
"""Pixels from which on a picture is reduced; nothing here looks at more than a few hundred a
side."""

_LARGE_JPEG2000 = 2**24
"""The same of JPEG 2000, whose decoder needs 19 bytes a pixel."""

_WHOLE, _BAND = 2**22, 2**18
"""Pixels up to which a picture is worked on as a whole, and pixels of a band."""


_STEPS = {"L;2": 85, "L;4": 17}
"""Grey of fewer bits, and the steps in which it becomes 8."""


@dataclass(frozen=True)
class Decoded:
    """A decoded picture.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Upright sRGB.
    remarks : tuple of str
        What is odd about the file.
    is_reduced : bool
        Whether it is smaller than in the file, so that places in that do not fit.
    """

    pixels: NDArray[np.uint8]
    remarks: tuple[str, ...] = ()
    is_reduced: bool = False


def render(image: PILImage.Image) -> Decoded:
    """Turn a picture into upright 8-bit sRGB.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened, of any mode.

    Raises
    ------
    UnreadableImageError
        If its pixels have no defined range (floating point, signed, of more than 16 bits).
    """
    require_range(image)
    require_known_planes(image)
    depth = Depth(image) if image.mode.startswith("I") else None
    profile, remarks = profile_of(image)
    remarks += page_remarks(image)
    layout = _layout(image)
    _scale_transparent_value(image, layout)
    whole = image.size
    frame = _frame(image)
    _decode_smaller(image)
    image.load()
    factor = _factor(image.width * image.height)
    is_clear = image.has_transparency_data
    if is_clear and has_unnamed_channel(image):
        is_clear = False
        remarks.append("its fourth channel, which nothing names, does not count")
    if is_clear and "A" in image.getbands() and _is_invisible(image):
        is_clear = False
        remarks.append("its alpha is 0 everywhere and does not count")
    to_rgb = _over_white if is_clear else _to_rgb
    bands = (
        to_rgb(depth.to_grey(band) if depth else band, profile) for band in _bands(image, factor)
    )
    width, height = (-(-side // factor) for side in image.size)
    reduced = (one.reduce(factor) if factor > 1 else one for one in bands)
    pixels = _gather(reduced, width, height, orientation_of(image))
    if frame and not is_clear:
        _whiten_around(pixels, *(-(-side // factor) for side in frame))
    if depth:
        remarks += depth.remarks
    elif ";16" in layout and 0 < pixels.max() < 64:
        bits = 8 + int(pixels.max()).bit_length()
        remarks.append(f"dark: its values use {bits} of 16 bits; kept as they are")
    elif pixels[0, 0].max() <= 1 and pixels.max() == 1:  # most need not be looked at whole
        remarks.append(
            "nearly black: 0 and 1 only, as of a mask or of fractions; kept as they are"
        )
    if _is_uniform(pixels):
        ground = ", white behind what is transparent" if is_clear else ""
        remarks.append(f"it is a single colour{ground}")
    return Decoded(pixels, tuple(remarks), (width, height) != whole)


def _layout(image: PILImage.Image) -> str:
    """Pillow's name for the samples in the file, such as ``RGB;16B``; empty if decoded."""
    for tile in getattr(image, "tile", ()):
        return tile.args if isinstance(tile.args, str) else str(tile.args[0])
    return ""


def _scale_transparent_value(image: PILImage.Image, layout: str) -> None:
    """Scale the transparent value of a PNG as its pixels are, which Pillow does not."""
    value = image.info.get("transparency")
    if image.format == "PNG" and isinstance(value, int) and layout in _STEPS:
        image.info["transparency"] = value * _STEPS[layout]
    elif image.format == "PNG" and isinstance(value, tuple) and ";16" in layout:
        image.info["transparency"] = tuple(part >> 8 for part in value)


def _frame(image: PILImage.Image) -> tuple[int, int, int, int] | None:
    """Place of the first frame of a GIF, which need not cover the picture."""
    is_first = image.format == "GIF" and image.tell() == 0
    return next((tile.extents for tile in getattr(image, "tile", ()) if is_first), None)


def _whiten_around(
    pixels: NDArray[np.uint8], left: int, top: int, right: int, bottom: int
) -> None:
    """Lay a frame over white, where the decoder takes the palette's first colour."""
    pixels[:top] = pixels[bottom:] = 255
    pixels[:, :left] = pixels[:, right:] = 255


def _factor(pixels: int) -> int:
    """The whole number by which a picture is reduced."""
    return ceil(sqrt(pixels / LARGE))


def _decode_smaller(image: PILImage.Image) -> None:
    """Have a large picture reduced by its decoder, where the format allows that."""
    factor = _factor(image.width * image.height)
    if factor > 1:
        image.draft(None, (image.width // factor, image.height // factor))  # of JPEGs only
    if isinstance(image, Jpeg2KImageFile) and image.width * image.height > _LARGE_JPEG2000:
        header = header_of(image)
        image.reduce = min(1, header.levels) if header else 0


def _gather(
    bands: Iterable[PILImage.Image], width: int, height: int, orientation: int
) -> NDArray[np.uint8]:
    """Put bands of rows below one another, and all of them upright."""
    pixels, stored, top = None, None, 0
    for band in bands:
        if band.size == (width, height):
            return upright(_array(band), orientation)
        if stored is None:
            pixels, stored = to_be_filled(height, width, orientation)
        stored[top : top + band.height] = _array(band)
        top += band.height
    if pixels is None:
        raise UnreadableImageError("a picture without pixels")
    return pixels


def _array(band: PILImage.Image) -> NDArray[np.uint8]:
    """Pixels of an RGB or grey picture, as RGB."""
    if band.mode == "RGB":
        return np.array(band)
    return np.asarray(cv2.cvtColor(np.asarray(band), cv2.COLOR_GRAY2RGB), np.uint8)


def _bands(image: PILImage.Image, factor: int) -> Iterator[PILImage.Image]:
    """Bands of rows of a picture; the picture itself, if it is small."""
    if image.width * image.height <= _WHOLE:
        yield image
        return
    rows = max(1, _BAND // (image.width * factor)) * factor
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _is_invisible(image: PILImage.Image) -> bool:
    return all(not band.getchannel("A").getextrema()[1] for band in _bands(image, 1))


def _to_rgb(image: PILImage.Image, profile: Profile | None) -> PILImage.Image:
    if profile:
        return profile.to_srgb(image)
    return image if image.mode in ("RGB", "L") else image.convert("RGB")


def _over_white(image: PILImage.Image, profile: Profile | None) -> PILImage.Image:
    layered = image.convert("RGBA")
    if profile:
        colours = profile.to_srgb(image if image.mode == "LA" else layered)
        colours.putalpha(layered.getchannel("A"))
        layered = colours
    white = PILImage.new("RGBA", layered.size, "white")
    return PILImage.alpha_composite(white, layered).convert("RGB")


def _is_uniform(pixels: NDArray[np.uint8]) -> bool:
    """Whether all pixels of a picture of more than one are equal."""
    first = pixels[0, 0]
    few = pixels[:: 1 + pixels.shape[0] // 32, :: 1 + pixels.shape[1] // 32]
    if pixels.shape[0] * pixels.shape[1] == 1 or (few != first).any():
        return False
    return all((row == first).all() for row in pixels)
