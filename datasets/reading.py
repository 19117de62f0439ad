"""The one image reader that everybody uses, and the hash that names an image."""

import hashlib
import io
import logging
import os
import warnings
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage
from PIL import UnidentifiedImageError
from PIL.ImageFile import ImageFile

from datasets.decoding.arrays import from_array
from datasets.decoding.depths import FLOATING
from datasets.decoding.formats import (
    HEAD,
    READ,
    require_no_camera_raw,
    require_readable,
    share_of_pixels,
)
from datasets.decoding.heif import require_text
from datasets.decoding.jpeg import BEGIN as JPEG
from datasets.decoding.jpeg import require_few_scans, require_written
from datasets.decoding.png import BEGIN as PNG
from datasets.decoding.png import require_few_chunks, require_sound_pixels
from datasets.decoding.render import Decoded, render
from datasets.decoding.repair import MOST_BYTES, repairs
from datasets.decoding.tiff import BEGIN as TIFF
from datasets.decoding.tiff import bands, is_floating
from datasets.decoding.transfer import require_binary
from datasets.decoding.unwritten import require_end
from datasets.errors import InputError, UnopenedError, UnreadableImageError
from datasets.opening import BinaryFile, DanglingError, NotRegularError, NotSharedError, open_file

Pixels = NDArray[np.uint8]
"""A decoded picture: uint8 RGB, shape (height, width, 3), upright."""

VERSION = "reading 7"
"""Name and number of the pixels of the pictures, for cache keys: others need another number."""

MAX_PIXELS = 89_478_485
"""Largest picture that is decoded, unless `LIMIT` says otherwise (Pillow's own limit)."""

LIMIT = "IMAGE_RETRIEVAL_MAX_PIXELS"
"""Environment variable that holds another limit, for worker processes as well."""

_MOST_BANDS = 4
"""Red, green and blue with alpha, or CMYK."""

_SENT = Path("sent.png")
"""Stands for the name of what somebody sent: it claims to be a picture."""

# Larger pictures are refused below with an error of our own; Pillow need neither warn nor stop.
PILImage.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", module=r"PIL\.")
# Its lines name no file, and the reason says it.
logging.getLogger("PIL").setLevel(logging.CRITICAL)


def max_pixels() -> int:
    """Number of pixels of the largest picture that is decoded.

    Raises
    ------
    InputError
        If the environment variable holds no such number.
    """
    given = os.environ.get(LIMIT, "")
    if given and not (given.isdecimal() and int(given)):
        raise InputError(f"{LIMIT}={given}: no number of pixels; write one, or unset it")
    return int(given) if given else MAX_PIXELS


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex.

    Raises
    ------
    UnreadableImageError
        If the file cannot be opened.
    """
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_picture(path: Path) -> None:
    """Refuse a file that is in none of the formats that are read, by its first bytes.

    Raises
    ------
    OtherFormatError, NoPictureError, UnreadableImageError
        See `datasets.decoding.formats.require_readable`.
    """
    with _opened(path) as file:
        require_readable(file.read(HEAD), path)


def read_image(path: str | Path, sha256: str | None = None) -> Pixels:
    """Read a picture as upright 8-bit sRGB; see `decode`."""
    return decode(Path(path), sha256).pixels


def read_bytes(data: bytes) -> Pixels:
    """Read a picture that somebody sent, of which there is no file; see `decode`.

    Parameters
    ----------
    data : bytes
        The content of a file that is said to be a picture.

    Raises
    ------
    UnreadableImageError
        As `decode` does.
    """
    return _decode_opened(io.BytesIO(data), _SENT).pixels


def as_pixels(picture: object) -> Pixels:
    """Take whatever a user calls a picture.

    Parameters
    ----------
    picture : path, PIL.Image.Image or array
        A file; an image of Pillow, read like the file it came from; or an array of uint8, RGB
        (height, width, 3) as it is, grey, or with alpha. Anything with ``__array__`` is an
        array, such as a tensor, and an image in memory whose mode has more bits than it uses.

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
            return read_image(os.fspath(picture))
        if isinstance(picture, PILImage.Image):
            if not _is_shallow(picture):
                return _rendered(picture)
            picture = np.asarray(picture)
    except UnreadableImageError as error:
        named = "the image" if isinstance(picture, PILImage.Image) else picture
        raise InputError(f"{named}: {error}; give a picture") from error
    if not hasattr(picture, "__array__"):
        kind = type(picture).__name__
        raise InputError(f"a {kind} is no picture; give a path, an image of Pillow, or an array")
    if np.ma.is_masked(picture):
        raise InputError("some pixels are masked; give array.filled(255), white, or another value")
    array = from_array(np.asarray(picture))
    return array if array.shape[2] == 3 else _rendered(PILImage.fromarray(array))


def _is_shallow(image: PILImage.Image) -> bool:
    """Whether 255 may mean white in an image that could hold more, and that no file explains."""
    is_deep = image.mode.startswith("I") and not isinstance(image, ImageFile)
    return is_deep and bool(np.asarray(image).max(initial=0) <= 255)


def decode(path: Path, sha256: str | None = None) -> Decoded:
    """Decode a picture to upright 8-bit sRGB.

    Pixels come before metadata: a file whose pixels are whole is read, whatever is wrong beside
    them. Grey is repeated, a palette resolved, colour profiles applied, deeper grey scaled to 8
    bits, CMYK converted, transparency laid over white, EXIF orientation applied; of an animation
    the first frame counts. Pictures of more than 2**25 pixels are reduced by a whole number.

    Parameters
    ----------
    path : Path
        A file of a format in `datasets.decoding.formats.READ`, whatever its name.
    sha256 : str, optional
        Content hash that the file had: other bytes are not decoded.

    Returns
    -------
    Decoded
        The pixels, and what is odd about the file.

    Raises
    ------
    UnreadableImageError
        If the file is missing, empty, truncated, in no format that is read (then it is an
        `OtherFormatError` or `NoPictureError`), larger than `max_pixels`, or has pixels without
        a defined range; if it has another content hash.
    """
    with _opened(path) as file:
        if sha256 is not None:
            # Of the very file that is decoded next, which one that replaces it leaves alone.
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise UnopenedError("other bytes than before")
            file.seek(0)
        return _decode_opened(file, path)


def _decode_opened(file: IO[bytes], path: Path) -> Decoded:
    limit = max_pixels()
    head = file.read(HEAD)
    require_readable(head, path)
    if head.startswith(JPEG):
        data = _content(file, head)
        require_binary(io.BytesIO(data))
        require_few_scans(data)
        require_written(data)
        return _decode(io.BytesIO(data), limit, data)
    if head.startswith(PNG):
        require_few_chunks(file, _size(file))
        require_sound_pixels(file)
    elif head.startswith(TIFF):
        require_no_camera_raw(file)
        require_binary(file)
    else:
        require_binary(file)
        require_end(file)
    file.seek(0)
    return _decode(file, limit)


def _opened(path: Path) -> BinaryFile:
    """Open a file; one that is no regular file would let us wait for ever."""
    try:
        return open_file(path)
    except DanglingError as error:
        raise UnopenedError(error.strerror) from error
    except FileNotFoundError as error:
        raise UnopenedError("no such file") from error
    except NotRegularError as error:
        raise UnopenedError("not a regular file") from error
    except NotSharedError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UnopenedError(f"cannot be opened ({reason})") from error


def _decode(file: IO[bytes], limit: int, whole: bytes = b"") -> Decoded:
    try:
        return _render(file, limit)
    except UnreadableImageError:
        raise
    except Exception as error:  # decoders raise whatever they like on truncated and lying files
        failed = error.with_traceback(None)  # lets go of what was decoded
    if not whole:
        file.seek(0)
        whole = _content(file)
    for data, remark in repairs(whole):
        try:
            found = _render(io.BytesIO(data), limit)
        except Exception:
            continue
        return replace(found, remarks=(*found.remarks, remark))
    raise _undecodable(failed, whole) from failed


def _content(file: IO[bytes], begin: bytes = b"") -> bytes:
    """The whole of a file, of which the beginning may be read, unless it is too large for that."""
    size = _size(file)
    if size > MOST_BYTES:
        raise UnreadableImageError(f"a damaged or odd file of more than {MOST_BYTES // 2**20} MiB")
    return begin + file.read(size)


def _size(file: IO[bytes]) -> int:
    place = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(place)
    return size


def _render(file: IO[bytes], limit: int) -> Decoded:
    if file.read(8).endswith(b"ftyp"):
        require_text(file)
    file.seek(0)
    with PILImage.open(file, formats=READ) as image:
        most = int(limit * share_of_pixels(image))
        if image.width * image.height > most:
            size = f"{image.width} x {image.height} pixels"
            raise UnreadableImageError(
                f"too large ({size}; at most {most:,} in all, --max-pixels allows more)"
            )
        return render(image)


def _rendered(image: PILImage.Image) -> Pixels:
    try:
        return render(image).pixels
    except UnreadableImageError:
        raise
    except Exception as error:
        raise _undecodable(error) from error


def _undecodable(error: Exception, data: bytes = b"") -> UnreadableImageError:
    if isinstance(error, UnidentifiedImageError) and data.startswith(TIFF):
        if is_floating(data):
            return UnreadableImageError(FLOATING)
        if (number := bands(data)) > _MOST_BANDS:
            return UnreadableImageError(
                f"a TIFF of {number} bands; save three of them as RGB, in a PNG"
            )
        return UnreadableImageError("a TIFF of a rare or damaged kind; save it as PNG")
    if isinstance(error, UnidentifiedImageError):
        return UnreadableImageError(
            "cannot be decoded (rare or damaged from the start; save it as PNG)"
        )
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return UnreadableImageError(f"cannot be decoded ({reason})")
