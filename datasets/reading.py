"""The one image reader that everybody uses, and the hash that names an image."""

import hashlib
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import ImageOps, UnidentifiedImageError

from datasets.decoding.arrays import from_array
from datasets.errors import InputError, UnreadableImageError

Pixels = NDArray[np.uint8]
"""A decoded picture: uint8 RGB, shape (height, width, 3), upright."""

VERSION = "reading 1"
"""Name and number of the pixels of the pictures, for cache keys: others need another number."""

MAX_PIXELS = 89_478_485
"""Largest picture that is decoded (Pillow's own limit: 256 MiB as RGB)."""

# Larger pictures are refused below with an error of our own; Pillow need not warn as well.
warnings.filterwarnings("ignore", category=PILImage.DecompressionBombWarning)


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex.

    Raises
    ------
    UnreadableImageError
        If the file cannot be opened.
    """
    if path.exists() and not path.is_file():
        raise UnreadableImageError("not a regular file")  # opening a pipe would wait for ever
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableImageError(f"cannot be opened ({error.strerror})") from error


@dataclass(frozen=True)
class Decoded:
    """A decoded picture.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Upright RGB.
    remarks : tuple of str
        What is odd about the file.
    """

    pixels: Pixels
    remarks: tuple[str, ...] = ()


def read_image(path: Path, max_pixels: int = MAX_PIXELS) -> Pixels:
    """Read a picture as upright 8-bit RGB; see `decode`."""
    return decode(path, max_pixels).pixels


def as_pixels(picture: object) -> Pixels:
    """Take whatever a user calls a picture.

    Parameters
    ----------
    picture : path, PIL.Image.Image or array
        A file; an image of Pillow, read like the file it came from; or an array of uint8, RGB
        (height, width, 3) as it is, grey, or with alpha. Anything with ``__array__`` is an
        array, such as a tensor.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)

    Raises
    ------
    InputError
        If it is none of these, or may be meant in several ways, with the way to convert it.
    """
    try:
        if isinstance(picture, str | os.PathLike):
            return read_image(Path(picture))
        if isinstance(picture, PILImage.Image):
            return _pixels(picture)
    except UnreadableImageError as error:
        named = "the image" if isinstance(picture, PILImage.Image) else picture
        raise InputError(f"{named}: {error}; give a picture") from error
    if not hasattr(picture, "__array__"):
        kind = type(picture).__name__
        raise InputError(f"a {kind} is no picture; give a path, an image of Pillow, or an array")
    array = from_array(np.asarray(picture))
    return array if array.shape[2] == 3 else _pixels(PILImage.fromarray(array))


def decode(path: Path, max_pixels: int = MAX_PIXELS) -> Decoded:
    """Decode a picture to upright 8-bit RGB.

    Grey is repeated, a palette resolved, 16 bits scaled to 8, CMYK converted, transparency
    laid over white, EXIF orientation applied; of an animation the first frame counts.

    Parameters
    ----------
    path : Path
        Any file that Pillow decodes (JPEG, PNG, WebP, GIF, BMP, TIFF, …), whatever its name.
    max_pixels : int
        Pictures with more pixels than this are refused before they are decoded.

    Returns
    -------
    Decoded

    Raises
    ------
    UnreadableImageError
        If the file is missing, empty, truncated, no picture, too large or has pixels
        without a defined range (floating point).
    """
    try:
        with PILImage.open(path) as image:
            if image.width * image.height > max_pixels:
                size = f"{image.width} x {image.height} pixels"
                raise UnreadableImageError(f"too large ({size}; at most {max_pixels} in all)")
            return Decoded(_pixels(image))
    except UnidentifiedImageError as error:
        empty = path.stat().st_size == 0
        raise UnreadableImageError("empty file" if empty else "not a picture") from error
    except PILImage.DecompressionBombError as error:
        raise UnreadableImageError(f"too large (at most {max_pixels} pixels)") from error
    except UnreadableImageError:
        raise
    except Exception as error:
        raise _undecodable(error) from error


def _pixels(image: PILImage.Image) -> Pixels:
    try:
        image.load()
        return np.array(_to_rgb(ImageOps.exif_transpose(image)))
    except UnreadableImageError:
        raise
    except Exception as error:
        raise _undecodable(error) from error


def _undecodable(error: Exception) -> UnreadableImageError:
    """Word what decoders raise on truncated and lying files: whatever they like."""
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return UnreadableImageError(f"cannot be decoded ({reason})")


def _to_rgb(image: PILImage.Image) -> PILImage.Image:
    if image.mode == "F":
        raise UnreadableImageError("floating-point pixels have no defined range; save 8 or 16 bit")
    if image.mode.startswith("I"):
        deep = np.asarray(image).astype(np.int64)
        if deep.min() < 0 or deep.max() > 0xFFFF:
            raise UnreadableImageError("pixels deeper than 16 bit; save 8 or 16 bit")
        return PILImage.fromarray(((deep + 128) // 257).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        white = PILImage.new("RGBA", layered.size, "white")
        return PILImage.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")


class LazyImages(Sequence[Pixels]):
    """Pictures that are decoded when they are asked for, so that any number fits in memory.

    Parameters
    ----------
    paths : sequence of Path
        The files, in the order in which they are given out.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> Pixels: ...
    @overload
    def __getitem__(self, index: slice) -> "LazyImages": ...
    def __getitem__(self, index: int | slice) -> "Pixels | LazyImages":
        if isinstance(index, slice):
            return LazyImages(self.paths[index])
        return read_image(self.paths[index])

    def __iter__(self) -> Iterator[Pixels]:
        return map(read_image, self.paths)
