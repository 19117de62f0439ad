"""Files whose pixels are whole though something beside them is damaged."""

import io
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image as PILImage

from datasets.errors import UnreadableImageError

MOST_SCANS = 100
"""Scans of a progressive JPEG; each is a pass over all pixels, and files have about ten."""

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"}
_PNG_SIZES = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1}
_MOST_EXIF = 2**16
_MOST_PROFILE = 2**20

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_ALONE = {0x01, *range(0xD0, 0xD9)}
"""Markers of JPEG without a length: TEM, RSTn and SOI."""


def without_metadata(data: bytes) -> bytes | None:
    """Copy a picture without the metadata that cannot be right.

    Parameters
    ----------
    data : bytes
        A whole file.

    Returns
    -------
    bytes or None
        A file of the same pixels; None for formats other than JPEG and PNG.
    """
    if data.startswith(_PNG):
        return _PNG + b"".join(_png_chunks(data))
    if data.startswith(b"\xff\xd8"):
        return b"\xff\xd8" + b"".join(_jpeg_segments(data))
    return None


def _png_chunks(data: bytes) -> Iterator[bytes]:
    place = len(_PNG)
    while place + 8 <= len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        name = data[place + 4 : place + 8]
        end = place + 12 + size
        if name in _PNG_KEPT or _is_sound(name, data[place + 8 : end - 4], data[end - 4 : end]):
            yield data[place:end]
        place = end


def _is_sound(name: bytes, content: bytes, check: bytes) -> bool:
    if zlib.crc32(name + content).to_bytes(4, "big") != check:
        return False
    if name == b"iCCP":
        _, _, packed = content.partition(b"\0")
        try:
            profile = zlib.decompressobj().decompress(packed[1:], _MOST_PROFILE)
        except zlib.error:
            return False
        return len(profile) < _MOST_PROFILE
    if name == b"eXIf":
        return len(content) < _MOST_EXIF
    return _PNG_SIZES.get(name) == len(content)


def _jpeg_segments(data: bytes) -> Iterator[bytes]:
    for marker, start, end in _segments(data):
        content = data[start + 4 : end]
        is_app = 0xE0 <= marker <= 0xEF or marker == 0xFE
        kept = (
            (marker == 0xE0 and content.startswith(b"JFIF\0") and len(content) >= 14)
            or (marker == 0xE1 and content.startswith(b"Exif\0\0"))
            or (marker == 0xE2 and content.startswith(b"ICC_PROFILE\0"))
            or (marker == 0xEE and content.startswith(b"Adobe") and len(content) >= 12)
        )
        if not is_app or kept:
            yield data[start:end]


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment up to the first scan, which ends with the file."""
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            place += 1
            continue
        marker = data[place + 1]
        if marker in (0xFF, 0x00) or marker in _ALONE:
            place += 1 if marker == 0xFF else 2
            continue
        end = place + 2 + int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == _SOS:
            yield marker, place, len(data)
            return
        yield marker, place, end
        place = end


def require_few_scans(data: bytes) -> None:
    """Refuse a JPEG that would be passed over hundreds of times.

    Parameters
    ----------
    data : bytes
        A whole file.

    Raises
    ------
    UnreadableImageError
        If its first picture has more than `MOST_SCANS` scans.
    """
    if data.count(b"\xff\xda") <= MOST_SCANS:
        return
    scans, place = 0, 2
    while 0 <= place < len(data) - 3:
        marker = data[place + 1]
        if data[place] == 0xFF and marker == _EOI:
            return
        scans += marker == _SOS
        if scans > MOST_SCANS:
            raise UnreadableImageError(f"a JPEG of more than {MOST_SCANS} scans; save it anew")
        if marker not in _ALONE and marker not in (0x00, 0xFF):
            place += int.from_bytes(data[place + 2 : place + 4], "big")
        place = _next_marker(data, place + 2)


def _next_marker(data: bytes, place: int) -> int:
    """Place of the next marker that is not part of a scan; -1 if there is none."""
    while (place := data.find(b"\xff", place)) >= 0:
        if place + 1 < len(data) and data[place + 1] not in (0x00, 0xFF, *range(0xD0, 0xD8)):
            return place
        place += 1
    return -1


def completed(data: bytes) -> bytes | None:
    """End a JPEG whose end is missing, if nothing else is.

    What is appended to data that are not whole is taken for some of the missing pixels, so two
    unlike endings then give two pictures.

    Parameters
    ----------
    data : bytes
        A file that ends too early.

    Returns
    -------
    bytes or None
        The file with its end; None if pixels are missing, too, or if it is no JPEG.
    """
    if not data.startswith(b"\xff\xd8"):
        return None
    whole = data.rstrip(b"\xff") + b"\xff\xd9"
    other = data.rstrip(b"\xff") + b"\x55" * 64 + b"\xff\xd9"
    first, second = (
        np.asarray(PILImage.open(io.BytesIO(one), formats=["JPEG"])) for one in (whole, other)
    )
    return whole if np.array_equal(first, second) else None


def repairs(data: bytes) -> Iterator[tuple[bytes, str]]:
    """Files that hold the same pixels as one that cannot be decoded, with a remark on each.

    Parameters
    ----------
    data : bytes
        A whole file.
    """
    bare = without_metadata(data)
    if bare is not None and bare != data:
        yield bare, "its metadata are damaged and left out"
    try:
        ended = completed(data if bare is None else bare)
    except Exception:  # decoders raise whatever they like: then it cannot be told
        return
    if ended is not None:
        yield ended, "its end is missing, its pixels are not"
