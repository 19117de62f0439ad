"""AVIF and HEIC files as lists of items: those whose type is text, and copies without metadata."""

import io
import os
import re
from collections.abc import Iterator
from typing import IO

from datasets.decoding.boxes import boxes

_ITEM = re.compile(rb"(.{4})infe(?:\x02.{7}|[^\0-\x02].{9})(.{4})", re.DOTALL)
"""Size, and type, of an item in its list."""

_METADATA = (b"Exif", b"mime")


def require_text(file: IO[bytes]) -> None:
    """Refuse a file at which the decoder of HEIC would end the process.

    Parameters
    ----------
    file : file
        An AVIF or HEIC, or in another format.

    Raises
    ------
    ValueError
        If the type of an item is no text.
    """
    for _, words in _items(file):
        try:
            words.decode()
        except UnicodeDecodeError as error:
            raise ValueError("the type of an item is no text") from error


def without_metadata(data: bytes) -> bytes:
    """Copy a file with all items of metadata made unknown.

    Parameters
    ----------
    data : bytes
        A whole file.
    """
    copy = bytearray(data)
    for place, words in _items(io.BytesIO(data)):
        if words.startswith(_METADATA):
            copy[place : place + 4] = b"free"
    return bytes(copy)


def _items(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Place of the type of every item, and the type, which other words follow in some."""
    for name, start, end in boxes(file, 0, file.seek(0, os.SEEK_END)):
        if name == b"meta":
            file.seek(start)
            content = file.read(end - start)
            for item in _ITEM.finditer(content):
                after = item.start() + int.from_bytes(item[1], "big")
                words = content[item.start(2) : after] if item[2] == b"mime" else item[2]
                yield start + item.start(2), words
