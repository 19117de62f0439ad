"""JPEG files as rows of segments: few enough scans, no damaged metadata, an end."""

import io
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

from datasets.errors import UnreadableImageError

MOST_SCANS = 100
"""Scans of a progressive JPEG; each is a pass over all pixels, and files have about ten."""

BEGIN = b"\xff\xd8"
_END = b"\xff\xd9"
_EOI, _SOS = 0xD9, 0xDA
_SOF = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_ALONE = {0x01, 0xD8}
"""Markers without a length that are no part of a scan: TEM and SOI."""

_ZEROS = bytes(64)
"""The end of a file that was never written whole, such as a download's."""

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
"""The next marker that is no part of a scan."""

_RESTARTS, _BETWEEN = 80, 48
"""Restarts in data that may be taken for missing pixels, and bytes between them."""


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment of the first picture; a header has its scan with it.

    Parameters
    ----------
    data : bytes
        A whole file.
    """
    found = _MARKER.search(data, len(BEGIN))
    while found:
        start, marker = found.start(), data[found.end() - 1]
        if marker == _EOI:
            yield marker, start, start + 2
            return
        end = start + 2
        if marker not in _ALONE:
            end += int.from_bytes(data[end : end + 2], "big")
            found = _MARKER.search(data, end)
            if marker == _SOS:
                end = found.start() if found else len(data)
            yield marker, start, end
        else:
            found = _MARKER.search(data, end)


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
    if sum(marker == _SOS for marker, _, _ in segments(data)) > MOST_SCANS:
        raise UnreadableImageError(f"a JPEG of more than {MOST_SCANS} scans; save it anew")


def require_written(data: bytes) -> None:
    """Refuse a JPEG whose pixels end in zeros, which decoders take for some.

    Parameters
    ----------
    data : bytes
        A whole file.

    Raises
    ------
    UnreadableImageError
        If its first picture has no end, and the file ends in zeros.
    """
    if data.endswith(_ZEROS) and all(marker != _EOI for marker, _, _ in segments(data)):
        raise UnreadableImageError("truncated (its end was never written: zeros)")


def without_metadata(data: bytes) -> bytes:
    """Copy a file without the metadata that cannot be right, nor what is behind its end.

    Parameters
    ----------
    data : bytes
        A whole file.
    """
    kept = [data[a:b] for marker, a, b in segments(data) if _is_kept(marker, data[a + 4 : b])]
    return BEGIN + b"".join(kept)


def _is_kept(marker: int, content: bytes) -> bool:
    is_metadata = 0xE0 <= marker <= 0xEF or marker == 0xFE
    return (
        not is_metadata
        or (marker == 0xE0 and content.startswith(b"JFIF\0") and len(content) >= 14)
        or (marker == 0xE1 and content.startswith(b"Exif\0\0"))
        or (marker == 0xE2 and content.startswith(b"ICC_PROFILE\0"))
        or (marker == 0xEE and content.startswith(b"Adobe") and len(content) >= 12)
    )


def completed(data: bytes) -> bytes | None:
    """End a JPEG whose end is missing, if nothing else is.

    What is appended to data that are not whole is taken for some of the missing pixels, whatever
    follows those, so unlike endings then give unlike pictures. A progressive file must have
    brought every coefficient in full, too.

    Parameters
    ----------
    data : bytes
        A file that ends too early.

    Returns
    -------
    bytes or None
        The file with its end; None if pixels are missing, too.
    """
    if _lacks_scans(data):
        return None
    begun = data.rstrip(b"\xff")
    whole, *others = (begun + tail + _END for tail in (b"", _tail(0), _tail(1)))
    pixels = _pixels(whole)
    return whole if all(np.array_equal(pixels, _pixels(other)) for other in others) else None


def _tail(seed: int) -> bytes:
    """Data that may be taken for missing pixels: without them, a decoder waits for a restart."""
    rng = np.random.default_rng(seed)
    return b"".join(
        # 255 begins a marker, and is not in between.
        rng.integers(0, 255, _BETWEEN, np.uint8).tobytes() + bytes([0xFF, 0xD0 + number % 8])
        for number in range(_RESTARTS)
    )


def _pixels(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(PILImage.open(io.BytesIO(data), formats=["JPEG"]))


def _lacks_scans(data: bytes) -> bool:
    """Whether scans are missing: a component's coefficients, or the last bits of some."""
    due: set[tuple[int, int]] = set()
    for marker, start, end in segments(data):
        content = data[start + 4 : end]
        if marker in _SOF:
            ids = content[6 : 6 + 3 * content[5] : 3]
            due = {(one, place) for one in ids for place in range(64)}
        elif marker == _SOS:
            count = content[0]
            ids = content[1 : 1 + 2 * count : 2]
            first, last, bits = content[1 + 2 * count : 4 + 2 * count]
            if not bits & 15:
                due -= {(one, place) for one in ids for place in range(first, last + 1)}
    return bool(due)
