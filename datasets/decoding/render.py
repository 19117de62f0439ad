"""From an opened picture to pixels: depth, colour profile, transparency, size, orientation.

A picture is worked on in bands of rows, so that no second copy of a large one is ever in memory.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from datasets.decoding.depths import Depth, require_range
from datasets.decoding.orientation import orientation_of, upright
from datasets.decoding.profiles import Profile, profile_of
from datasets.errors import UnreadableImageError

LARGE = 2**25
"""Pixels from which on a picture is reduced; nothing here looks at more than a few hundred a
side."""

_LARGE_JPEG2000 = 2**24
"""The same of JPEG 2000, whose decoder needs 19 bytes a pixel."""

_WHOLE, _BAND = 2**22, 2**18
"""Pixels up to which a picture is worked on as a whole, and pixels of a band."""


@dataclass(frozen=True)
class Decoded:
    """A decoded picture.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Upright sRGB.
    remarks : tuple of str
        What is odd about the file.
    """

    pixels: NDArray[np.uint8]
    remarks: tuple[str, ...] = ()


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
    depth = Depth(image) if image.mode.startswith("I") else None
    profile, remarks = profile_of(image)
    _decode_smaller(image)
    image.load()
    factor = _factor(image.width * image.height)
    is_clear = image.has_transparency_data
    if is_clear and "A" in image.getbands() and _is_invisible(image):
        is_clear = False
        remarks.append("its alpha is 0 everywhere and does not count")
    to_rgb = _over_white if is_clear else _to_rgb
    bands = (
        to_rgb(depth.to_grey(band) if depth else band, profile) for band in _bands(image, factor)
    )
    width, height = (-(-side // factor) for side in image.size)
    pixels = _gather((one.reduce(factor) if factor > 1 else one for one in bands), width, height)
    remarks += depth.remarks if depth else []
    if _is_uniform(pixels):
        ground = ", white behind what is transparent" if is_clear else ""
        remarks.append(f"it is a single colour{ground}")
    return Decoded(upright(pixels, orientation_of(image)), tuple(remarks))


def _factor(pixels: int) -> int:
    """The whole number by which a picture is reduced."""
    return ceil(sqrt(pixels / LARGE))


def _decode_smaller(image: PILImage.Image) -> None:
    """Have a large picture reduced by its decoder, where the format allows that."""
    factor = _factor(image.width * image.height)
    if factor > 1:
        image.draft(None, (image.width // factor, image.height // factor))  # of JPEGs only
    if isinstance(image, Jpeg2KImageFile) and image.width * image.height > _LARGE_JPEG2000:
        image.reduce = 1


def _gather(bands: Iterable[PILImage.Image], width: int, height: int) -> NDArray[np.uint8]:
    """Put bands of rows below one another."""
    pixels, top = None, 0
    for band in bands:
        if band.size == (width, height):
            return np.array(band)
        if pixels is None:
            pixels = np.empty((height, width, 3), np.uint8)
        pixels[top : top + band.height] = np.asarray(band)
        top += band.height
    if pixels is None:
        raise UnreadableImageError("a picture without pixels")
    return pixels


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
    return image.convert("RGB")


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
    if pixels.shape[0] * pixels.shape[1] == 1:
        return False
    first = pixels[0, 0]
    sparse = bool((pixels[::16, ::16] == first).all())
    return sparse and all((row == first).all() for row in pixels)
