"""Boxes, which JPEG 2000, AVIF and HEIC files are made of.

References
----------
ISO/IEC 14496-12 (2022), ISO base media file format, section 4.2.
"""

from collections.abc import Iterator
from typing import IO

_MOST = 1000
"""Boxes beside one another that are looked at."""

_HEAD, _LONG_HEAD = 8, 16


def boxes(file: IO[bytes], place: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name of every box, and where its content begins and ends; up to one that cannot be.

    Parameters
    ----------
    file : file
        Which holds them.
    place, end : int
        Where the first begins, and the last ends.
    """
    for _ in range(_MOST):
        file.seek(place)
        head = file.read(_LONG_HEAD)
        size, name, start = int.from_bytes(head[:4], "big"), head[4:8], place + _HEAD
        if size == 1:
            size, start = int.from_bytes(head[8:], "big"), place + _LONG_HEAD
        after = min(place + size, end) if size else end
        if after < start:
            return
        yield name, start, after
        place = after
