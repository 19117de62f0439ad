"""Pictures of which a program made the whole file, and did not write its end: WebP, AVIF, HEIC.

Their decoders take the zeros that are left for pixels.
"""

import os
from typing import IO

from datasets.decoding.boxes import boxes
from datasets.errors import UnreadableImageError

_WEBP, _BEGIN, _HEAD = b"WEBP", 12, 8
_IMAGES = (b"VP8 ", b"VP8L", b"ANMF")
"""Chunks of a WebP with a picture or a frame."""

_MOST = 1000
"""Chunks before the first of those that are looked at."""

_LEAST, _SHARE = 4096, 50
"""Zeros at the end of compressed pixels, and bytes to each, that are none by chance."""


def require_end(file: IO[bytes]) -> None:
    """Refuse a picture whose compressed pixels end in many zeros.

    Parameters
    ----------
    file : file
        A WebP, AVIF or HEIC; any other is let through.

    Raises
    ------
    UnreadableImageError
        If it does.
    """
    start, end = _pixels(file)
    tail = max(_LEAST, (end - start) // _SHARE)
    if end - start <= tail:
        return
    file.seek(end - tail)
    if not any(file.read(tail)):
        raise UnreadableImageError("truncated (its end was never written: zeros)")


def _pixels(file: IO[bytes]) -> tuple[int, int]:
    """Place of the compressed pixels, of the first frame if there are more; none of others."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(_BEGIN)
    if head.endswith(_WEBP):
        return _first_image(file, size)
    if head[4:8] == b"ftyp":
        data = [(start, end) for name, start, end in boxes(file, 0, size) if name == b"mdat"]
        return data[-1] if data else (0, 0)
    return 0, 0


def _first_image(file: IO[bytes], size: int) -> tuple[int, int]:
    place = _BEGIN
    for _ in range(_MOST):
        file.seek(place)
        head = file.read(_HEAD)
        length = int.from_bytes(head[4:], "little")
        if head[:4] in _IMAGES:
            return place + _HEAD, min(place + _HEAD + length, size)
        place += _HEAD + length + length % 2
    return 0, 0
