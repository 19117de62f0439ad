"""Pictures that a program transferred as text, so that the ends of lines in them are others.

FTP in ASCII mode writes CR LF for every LF; others write LF for every CR LF and CR. Decoders take
what is left for pixels. In pictures the bytes 10 and 13 come by chance, and without each other.
"""

import os
import re
from typing import IO

from datasets.decoding import tiff
from datasets.errors import UnreadableImageError

_LOOKED_AT = 2**20
"""Bytes at the beginning of a file that tell."""

_ALONE = re.compile(rb"(?<!\r)\n")
_BEFORE_DATA = re.compile(rb"\r\n(?=([^\t\n\r -~]))")
"""CR LF, and the byte behind it that is no text: metadata are text, with whatever ends."""

_CONTEXT = re.compile(rb"(?s)(?=(.\n.))")
_MOST_FOLLOWERS, _MOST_CONTEXTS = 3, 19
"""Of a whole file: unlike bytes behind CR LF, unlike places of LF without any CR."""

_LEAST = 4096
"""Bytes of compressed data, of which one in ten million has no CR by chance."""

_SHARE = 512
"""Bytes of compressed data to which there is an LF: twice as many as by chance."""

_TEXTS = re.compile(rb"P[1-3]\s")
_HEADER = re.compile(rb"P[4-6]\r\n")


def require_binary(file: IO[bytes]) -> None:
    """Refuse a picture whose bytes are others since it was transferred as text.

    Parameters
    ----------
    file : file
        A picture in any format.

    Raises
    ------
    UnreadableImageError
        If it was.
    """
    file.seek(0)
    head = file.read(_LOOKED_AT)
    if _TEXTS.match(head):
        return
    is_raw = head.startswith(b"P") or _raw_size(file, head) > 0
    if b"\r" not in head:
        is_text = not is_raw and _has_no_returns(head)
    elif b"\n" not in head or _ALONE.search(head):
        is_text = False
    else:
        is_text = _has_grown(file, head) if is_raw else _is_between_data(head)
    if is_text:
        raise UnreadableImageError(
            "transferred as text, which changed its bytes; transfer it anew as binary"
        )


def _is_between_data(data: bytes) -> bool:
    """Whether CR LF stands among data that are no text."""
    return len({*_BEFORE_DATA.findall(data)}) > _MOST_FOLLOWERS


def _has_no_returns(data: bytes) -> bool:
    """Whether LFs are many, and at places as unlike as those of compressed data."""
    enough = len(data) >= _LEAST and data.count(b"\n") * _SHARE >= len(data)
    return enough and len({*_CONTEXT.findall(data)}) > _MOST_CONTEXTS


def _raw_size(file: IO[bytes], head: bytes) -> int:
    """Bytes of a BMP, or of a TIFF's pixels, where they stand as they are; 0 of others.

    Any byte may be frequent among them, or absent.
    """
    if head.startswith(tiff.BEGIN):
        return tiff.raw_size(file)
    return int.from_bytes(head[2:6], "little") if head.startswith(b"BM") else 0


def _has_grown(file: IO[bytes], head: bytes) -> bool:
    """Whether uncompressed pixels that are pairs of CR and LF cannot be meant."""
    if head.startswith(b"P"):
        return bool(_HEADER.match(head))
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    before = size - sum(piece.count(b"\n") for piece in iter(lambda: file.read(_LOOKED_AT), b""))
    if head.startswith(b"BM"):
        return before == _raw_size(file, head)
    return _is_between_data(head) and before >= _raw_size(file, head)
