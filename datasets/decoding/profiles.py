"""Colour profiles: numbers of any colour space become those of sRGB.

Profiles are applied by littleCMS, with the relative colorimetric intent and black point
compensation. A profile by which no colour moves by more than one of 255 steps is sRGB, and
pixels stay as they are. PNG's own words for colour (gAMA and cHRM) are made into a profile; they
do not count beside a profile or a word that it is sRGB, nor if they say what sRGB says.

References
----------
ICC.1:2001-04, File format for color profiles; W3C, Portable Network Graphics, third edition,
section 11.3.2.
"""

import io
import struct
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PIL import Image as PILImage
from PIL import ImageCms

from datasets.decoding import bmp, jpeg2000
from datasets.decoding.code_points import colour_remark

_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_SRGB_GAMMA = 1 / 2.2
_SRGB_CHROMATICITY = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_NEARLY = 0.005
_STEPS = 18
"""Values of each channel that a profile is tried at."""

_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
"""Colour spaces of profiles, and Pillow's modes of their pixels."""


class Profile(NamedTuple):
    """A way to sRGB.

    Attributes
    ----------
    mode : str
        Pillow's mode of the pixels that it takes.
    transform : ImageCmsTransform or None
        None if they are sRGB already.
    """

    mode: str
    transform: ImageCms.ImageCmsTransform | None

    def to_srgb(self, image: PILImage.Image) -> PILImage.Image:
        """Convert pixels of the profile's mode to mode RGB."""
        if self.transform is None:
            return image.convert("RGB")
        made = ImageCms.applyTransform(image.convert(self.mode), self.transform)
        if made is None:
            raise ValueError("not converted")
        return made


def profile_of(image: PILImage.Image) -> tuple[Profile | None, list[str]]:
    """Find the colour profile of a picture.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened; its mode tells which kind of profile fits.

    Returns
    -------
    profile : Profile or None
        None if there is none, or none that can be used.
    remarks : list of str
        Why one that is there is not used, or which colours are named without one.
    """
    if image.mode == "LAB":
        return _lab(), []
    data = image.info.get("icc_profile") or _png_colours(image)
    data = data or bmp.profile_in(image) or jpeg2000.profile_in(image)
    if not data:
        return None, colour_remark(image)
    profile = _read(bytes(data))
    if profile is None:
        return None, ["its colour profile cannot be read and is ignored"]
    is_grey = image.mode in ("1", "L", "LA") or image.mode.startswith("I")
    own = "CMYK" if image.mode == "CMYK" else "L" if is_grey else "RGB"
    if profile.mode != own and not (own == "L" and profile.mode == "RGB"):
        return None, [f"its colour profile is for {profile.mode}, not for its pixels; ignored"]
    return profile, []


@lru_cache(maxsize=64)
def _read(data: bytes) -> Profile | None:
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(data))
        mode = _SPACES[given.profile.xcolor_space]
        transform = ImageCms.buildTransform(
            given, ImageCms.createProfile("sRGB"), mode, "RGB", _INTENT, _FLAGS
        )
        tried = _all_colours(mode)
        made = ImageCms.applyTransform(tried, transform)
    except (ImageCms.PyCMSError, OSError, KeyError, ValueError):
        return None
    if made is None or mode == "LAB":
        return None
    if mode == "CMYK":
        return Profile(mode, transform)
    moved = np.asarray(made).astype(int) - np.asarray(tried.convert("RGB"))
    return Profile(mode, transform if np.abs(moved).max() > 1 else None)


@lru_cache(maxsize=1)
def _lab() -> Profile:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return Profile("LAB", ImageCms.buildTransform(lab, srgb, "LAB", "RGB", _INTENT, _FLAGS))


def _all_colours(mode: str) -> PILImage.Image:
    """A picture of colours from the whole of a colour space."""
    if mode == "L":
        return PILImage.fromarray(np.arange(256, dtype=np.uint8)[None])
    if mode != "RGB":
        return PILImage.new(mode, (1, 1))
    values = np.linspace(0, 255, _STEPS).round().astype(np.uint8)
    grid = np.stack(np.meshgrid(values, values, values), axis=-1)
    return PILImage.fromarray(grid.reshape(_STEPS, -1, 3))


def _png_colours(image: PILImage.Image) -> bytes | None:
    """The profile that a PNG's gAMA and cHRM chunks stand for, if it is not sRGB's."""
    info = image.info
    gamma = info.get("gamma")
    if image.format != "PNG" or not gamma or "srgb" in info:
        return None
    places = info.get("chromaticity", _SRGB_CHROMATICITY)
    is_srgb = np.allclose(places, _SRGB_CHROMATICITY, atol=_NEARLY)
    if is_srgb and abs(gamma - _SRGB_GAMMA) < _NEARLY:
        return None
    return _matrix_profile(1 / gamma, tuple(map(float, places)))


@lru_cache(maxsize=64)
def _matrix_profile(gamma: float, places: tuple[float, ...]) -> bytes | None:
    """The smallest ICC profile of three primaries and one gamma.

    Parameters
    ----------
    gamma : float
        Exponent by which numbers become light.
    places : tuple of 8 float
        Chromaticities x and y of white, red, green and blue.
    """
    x, y = np.array(places[::2]), np.array(places[1::2])
    if (y <= 0).any() or not 0 < gamma < 256:
        return None
    white, *primaries = (np.array([a, b, 1 - a - b]) / b for a, b in zip(x, y, strict=True))
    columns = np.stack(primaries, axis=1)
    if abs(np.linalg.det(columns)) < 1e-6:
        return None
    columns = _to_d50(white) @ (columns * np.linalg.solve(columns, white))
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    tags = [
        (b"desc", b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + b"\0" * 78),
        (b"cprt", b"text\0\0\0\0none\0\0\0\0"),
        (b"wtpt", _xyz(_D50)),
        *((name, _xyz(c)) for name, c in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns.T, strict=True)),
        *((name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")),
    ]
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags:
        padded = data + b"\0" * (-len(data) % 4)
        table += name + struct.pack(">II", start + len(body), len(data))
        body += padded
    size = struct.pack(">I", 128 + len(table) + len(body))
    head = size + b"\0" * 4 + b"\x02\x10\0\0mntrRGB XYZ " + b"\0" * 12 + b"acsp" + b"\0" * 28
    illuminant = b"".join(map(_fixed, _D50))
    return (head + illuminant).ljust(128, b"\0") + table + body


_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def _to_d50(white: np.ndarray) -> np.ndarray:
    """The matrix that adapts colours under a white to those under D50, by Bradford's way."""
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    return np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(float(value) * 65536))


def _xyz(colour: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, colour))
