"""PNG files as rows of chunks: few enough, and without those that are damaged and not needed."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO

from datasets.errors import UnreadableImageError

MOST_CHUNKS = 2**18
"""Chunks of a file; it would take minutes to go through millions of them."""

BEGIN = b"\x89PNG\r\n\x1a\n"
_NEEDED = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_SIZES = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1}
_MOST_EXIF = 2**16
_MOST_PROFILE = 2**20
_LEAST = 12
"""Bytes of an empty chunk."""
_MOST_LENGTH = 2**30
"""Bytes of a chunk that are read: memory is taken for all that it says it has."""
_AT_A_TIME = 2**20
"""Bytes of pixels that are unpacked at a time."""


def require_few_chunks(file: IO[bytes], size: int) -> None:
    """Refuse a file of more chunks than anybody writes.

    Parameters
    ----------
    file : file
        A PNG.
    size : int
        Its number of bytes.

    Raises
    ------
    UnreadableImageError
        If it has more than `MOST_CHUNKS`.
    """
    if size <= MOST_CHUNKS * _LEAST:
        return
    if sum(1 for _ in islice(chunks(file), MOST_CHUNKS + 1)) > MOST_CHUNKS:
        raise UnreadableImageError(f"a PNG of more than {MOST_CHUNKS:,} chunks; save it anew")


def require_sound_pixels(file: IO[bytes]) -> None:
    """Refuse a file whose pixels or palette are not those that were written.

    Decoders take what is left, or zeros in its place, for pixels. A wrong checksum beside pixels
    that unpack to their end, with the right one of their own, does no harm.

    Parameters
    ----------
    file : file
        A PNG.

    Raises
    ------
    UnreadableImageError
        If a checksum tells so.
    """
    wrong = {
        name
        for name, place in chunks(file)
        if name in (b"IDAT", b"PLTE") and not _is_intact(name, *_content(file, place))
    }
    if b"PLTE" in wrong:
        raise UnreadableImageError("cannot be decoded (its palette is damaged)")
    packed = (_content(file, place)[0] for name, place in chunks(file) if name == b"IDAT")
    if wrong and not _unpacks(packed):
        raise UnreadableImageError("cannot be decoded (pixels are damaged or missing)")


def _is_intact(name: bytes, content: bytes, checksum: bytes) -> bool:
    return zlib.crc32(content, zlib.crc32(name)).to_bytes(4, "big") == checksum


def _unpacks(parts: Iterable[bytes]) -> bool:
    """Whether pixels unpack to their end, with the checksum that stands there."""
    unpacking = zlib.decompressobj()
    try:
        for packed in parts:
            while packed:
                unpacking.decompress(packed, _AT_A_TIME)
                packed = unpacking.unconsumed_tail
    except zlib.error:
        return False
    return unpacking.eof


def _content(file: IO[bytes], place: int) -> tuple[bytes, bytes]:
    """Content of a chunk and its checksum, as much as there is."""
    file.seek(place - 8)
    length = min(int.from_bytes(file.read(4), "big"), _MOST_LENGTH)
    content = file.read(8 + length)[4:]
    return content[:-4], content[-4:]


def chunks(file: IO[bytes]) -> Iterator[tuple[bytes, int]]:
    """Name of every chunk of a PNG, and the place of its content."""
    place = len(BEGIN)
    while True:
        file.seek(place)
        head = file.read(8)
        if not head:
            return
        yield head[4:], place + 8
        place += _LEAST + int.from_bytes(head[:4], "big")


def without_metadata(data: bytes) -> bytes:
    """Copy a file without the chunks that cannot be right.

    Parameters
    ----------
    data : bytes
        A whole file.
    """
    return BEGIN + b"".join(_sound_chunks(data))


def _sound_chunks(data: bytes) -> Iterator[bytes]:
    place, kind = len(BEGIN), -1
    while place + 8 <= len(data):
        end = place + _LEAST + int.from_bytes(data[place : place + 4], "big")
        name, content = data[place + 4 : place + 8], data[place + 8 : end - 4]
        if name == b"IHDR" and len(content) == 13:
            kind = content[9]
        if name in _NEEDED or (
            _is_intact(name, content, data[end - 4 : end]) and _is_sound(name, content, kind)
        ):
            yield data[place:end]
        place = end


def _is_sound(name: bytes, content: bytes, kind: int) -> bool:
    """Whether the content of a chunk that need not be there can be right.

    Parameters
    ----------
    name, content : bytes
        Of the chunk.
    kind : int
        Colour type of the picture, as its header has it.
    """
    if name == b"tRNS":
        return len(content) == {0: 2, 2: 6}.get(kind, -1) or (kind == 3 and len(content) <= 256)
    if name == b"iCCP":
        _, _, packed = content.partition(b"\0")  # behind a name; its first byte is the method
        try:
            profile = zlib.decompressobj().decompress(packed[1:], _MOST_PROFILE)
        except zlib.error:
            return False
        return packed.startswith(b"\0") and len(profile) < _MOST_PROFILE
    if name == b"eXIf":
        return len(content) < _MOST_EXIF
    return _SIZES.get(name) == len(content)
