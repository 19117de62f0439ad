"""TIFF files as lists of tags: which are no pictures of today, and copies without metadata."""

import io
import struct
from typing import IO, NamedTuple

from PIL import Image as PILImage
from PIL.TiffImagePlugin import TiffImageFile

from datasets.errors import UnreadableImageError

BEGIN = (b"II", b"MM")
"""The one of the byte order that the numbers are in."""

_TYPES = {1: "B", 3: "H", 4: "I"}
"""Types of whole numbers, and their letters in `struct`."""

_NEW_SUBFILE_TYPE, _PHOTOMETRIC, _SUB_IFDS, _SAMPLE_FORMAT = 254, 262, 330, 339
_COLOUR_MAP, _EXTRA_SAMPLES = 320, 338
_WIDTH, _LENGTH, _BITS, _COMPRESSION, _SAMPLES = 256, 257, 258, 259, 277
_RGB = 2
"""Value of the photometric tag."""
_PLANAR, _SEPARATE = 284, 2
_HARDLY = {1, 2, 3, 4, 32773}
"""Values of the tag of compression: none, runs of black and white, PackBits."""
_DNG_VERSION = 50706
_SENSOR = {32803, 34892}
"""Values of a camera's sensor: mosaic and linear."""

_FLOAT = 3
_PIXELS = {
    *range(254, 260),
    *(262, 266, 273, 274, 277, 278, 279, 280, 281, 284, 292, 293, 317),
    *(320, 321, 322, 323, 324, 325, 332, 338, 339, 340, 341, 347),
    *range(512, 522),
    *(529, 530, 531, 532, 34675),
}
"""Tags that decide pixels, among them orientation and colour profile."""

_OWN = 65000
"""The first of the tags that anybody may use, and that nobody reads."""


class _Entry(NamedTuple):
    place: int
    tag: int
    kind: int
    values: int


def _entries(file: IO[bytes]) -> tuple[str, list[_Entry]]:
    """Byte order and entries of the first directory; none of BigTIFF, which has other ones."""
    file.seek(0)
    head = file.read(8)
    order = "<" if head.startswith(b"II") else ">"
    if len(head) < 8 or struct.unpack(f"{order}H", head[2:4]) != (42,):
        return order, []
    (start,) = struct.unpack(f"{order}I", head[4:])
    file.seek(start)
    (count,) = struct.unpack(f"{order}H", file.read(2).ljust(2, b"\0"))
    table = file.read(12 * count)
    return order, [
        _Entry(start + 2 + 12 * n, *struct.unpack_from(f"{order}HHI", table, 12 * n))
        for n in range(len(table) // 12)
    ]


def _values(file: IO[bytes]) -> dict[int, int]:
    """The first value of each tag that holds whole numbers."""
    order, entries = _entries(file)
    found = {}
    for entry in entries:
        letter = _TYPES.get(entry.kind)
        if letter is None or not entry.values:
            continue
        size = struct.calcsize(letter)
        file.seek(entry.place + 8)
        value = file.read(4)
        if size * entry.values > 4:
            file.seek(*struct.unpack(f"{order}I", value))
            value = file.read(size)
        if len(value) >= size:
            (found[entry.tag],) = struct.unpack(f"{order}{letter}", value[:size])
    return found


def is_camera_raw(file: IO[bytes]) -> bool:
    """Whether a TIFF holds the values of a camera's sensor, beside a thumbnail at most.

    Parameters
    ----------
    file : file
        A TIFF.
    """
    tags = _values(file)
    is_thumbnail = tags.get(_NEW_SUBFILE_TYPE) == 1 and _SUB_IFDS in tags
    return is_thumbnail or _DNG_VERSION in tags or tags.get(_PHOTOMETRIC) in _SENSOR


def require_known_planes(image: PILImage.Image) -> None:
    """Refuse a TIFF whose planes of colour are mistaken for one another.

    Raises
    ------
    UnreadableImageError
        If it has CIELab, or grey or a palette with alpha, in planes of their own.
    """
    tags = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    if image.mode in ("LA", "PA", "LAB") and tags.get(_PLANAR) == _SEPARATE:
        raise UnreadableImageError("a TIFF with separate planes of a rare kind; save it as PNG")


def has_unnamed_channel(image: PILImage.Image) -> bool:
    """Whether a TIFF has a channel beside its colours of which nothing says that it is alpha."""
    tags = image.tag_v2 if isinstance(image, TiffImageFile) else {_EXTRA_SAMPLES: 0}
    return image.mode == "RGBA" and tags.get(_PHOTOMETRIC) == _RGB and _EXTRA_SAMPLES not in tags


def page_remarks(image: PILImage.Image) -> list[str]:
    """Tell of a first page that is not the picture, and of a palette of too small values.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened.
    """
    if not isinstance(image, TiffImageFile):
        return []
    remarks, tags = [], image.tag_v2
    kind = tags.get(_NEW_SUBFILE_TYPE)
    if isinstance(kind, int) and kind & 1 and tags.next:
        remarks.append("its first page is a thumbnail, which is read; save the picture alone")
    elif tags.next:
        remarks.append("it has further pages; the first is read")
    if image.mode in ("P", "PA") and 0 < max(tags.get(_COLOUR_MAP, (0,))) < 256:
        remarks.append("its palette has 8 bits in place of 16, so that it is black; save it anew")
    return remarks


def raw_size(file: IO[bytes]) -> int:
    """Bytes of the pixels of a TIFF that hardly compresses them; 0 of others.

    Parameters
    ----------
    file : file
        A TIFF.
    """
    tags = _values(file)
    if tags.get(_COMPRESSION, 1) not in _HARDLY:
        return 0
    samples, bits = tags.get(_SAMPLES, 1), tags.get(_BITS, 1)
    return tags.get(_WIDTH, 0) * tags.get(_LENGTH, 0) * samples * bits // 8


def bands(data: bytes) -> int:
    """Number of values that a TIFF has of each pixel.

    Parameters
    ----------
    data : bytes
        A whole file.
    """
    return _values(io.BytesIO(data)).get(_SAMPLES, 1)


def is_floating(data: bytes) -> bool:
    """Whether the pixels of a TIFF are floating-point numbers.

    Parameters
    ----------
    data : bytes
        A whole file.
    """
    return _values(io.BytesIO(data)).get(_SAMPLE_FORMAT) == _FLOAT


def without_metadata(data: bytes) -> bytes:
    """Copy a file with all tags made unknown that decide no pixels.

    Parameters
    ----------
    data : bytes
        A whole file.
    """
    order, entries = _entries(io.BytesIO(data))
    copy = bytearray(data)
    metadata = (entry for entry in entries if entry.tag not in _PIXELS)
    for entry, own in zip(metadata, range(_OWN, 2**16), strict=False):
        struct.pack_into(f"{order}HHII", copy, entry.place, own, 1, 1, 0)
    return bytes(copy)
