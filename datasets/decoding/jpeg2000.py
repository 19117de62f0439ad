"""JPEG 2000 files as boxes and markers: depth of the samples, smaller sizes, colours.

References
----------
ITU-T T.800 (2019), JPEG 2000 core coding system, annexes A (markers) and I (boxes).
"""

import os
import struct
from typing import IO, NamedTuple

from PIL import Image as PILImage
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

from datasets.decoding.boxes import boxes
from datasets.errors import UnreadableImageError

_BEGIN = b"\xff\x4f"
_SIZE, _CODING, _CODING_OF_ONE, _TILE = 0xFF51, 0xFF52, 0xFF53, 0xFF90
_MOST = 1000
"""Markers that are looked at."""

_NAMED, _PROFILES = 1, (2, 3)
"""Ways in which a box of colour tells the space: by a number, or by a profile."""

_SPACES = {12, 16, 17, 18}
"""Numbers of the spaces that the decoder knows: CMYK, sRGB, grey and sYCC."""

_OTHER_PROFILES = (b"CMYK", b"CMY ", b"Lab ", b"YCbr", b"")
"""Spaces of profiles whose pixels the decoder takes for RGB, with alpha if they are four."""


class Header(NamedTuple):
    """Facts about a JPEG 2000 file that tell whether its pixels are read rightly.

    Attributes
    ----------
    bits : tuple of int
        Depth of each component.
    is_signed : bool
        Whether the first component is.
    levels : int
        How often the decoder can halve the picture.
    colour, palette : bytes
        Contents of the boxes of colour and palette; empty if there is none.
    """

    bits: tuple[int, ...]
    is_signed: bool
    levels: int
    colour: bytes = b""
    palette: bytes = b""


def header_of(image: PILImage.Image) -> Header | None:
    """Read the header of a JPEG 2000 file that is not decoded yet; None of other pictures.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened.

    Raises
    ------
    UnreadableImageError
        If it is damaged.
    """
    file = image.fp if isinstance(image, Jpeg2KImageFile) and image.tile else None
    if file is None:
        return None
    place = file.tell()
    try:
        return _read(file)
    except (struct.error, ValueError) as error:
        raise UnreadableImageError("cannot be decoded (a damaged header)") from error
    finally:
        file.seek(place)


def require_depth(image: PILImage.Image) -> None:
    """Refuse samples that the decoder rounds beyond white, or does not scale.

    Raises
    ------
    UnreadableImageError
        Unless they have 8 bits, in the palette too if there is one, or are grey of 9 to 16.
    """
    header = header_of(image)
    if header is None:
        return
    read = range(9, 17) if image.mode == "I;16" else (8,)
    other = [bits for bits in header.bits if bits not in read]
    if other or header.is_signed:
        kind = "signed samples" if header.is_signed else f"samples of {other[0]} bit"
        raise UnreadableImageError(f"JPEG 2000 with {kind}, not read; save it with 8 bit")
    columns = header.palette[3 : 3 + sum(header.palette[2:3])]
    if header.palette and (image.mode not in ("P", "PA") or set(columns) != {7}):
        raise UnreadableImageError("JPEG 2000 with a rare palette, not read; save it as RGB")


def profile_in(image: PILImage.Image) -> bytes | None:
    """Find the colour profile of a JPEG 2000 file.

    Raises
    ------
    UnreadableImageError
        If its pixels are in a space that the decoder takes for another.
    """
    header = header_of(image)
    if header is None or not header.colour:
        return None
    way, content = header.colour[0], header.colour[3:]
    space = int.from_bytes(content[:4], "big") if way == _NAMED else None
    has_profile = way in _PROFILES and content[16:20] not in _OTHER_PROFILES
    if space in _SPACES or has_profile:
        return content if has_profile else None
    raise UnreadableImageError("JPEG 2000 in a rare colour space, not read; save it as RGB")


def _read(file: IO[bytes]) -> Header:
    file.seek(0)
    if file.read(2) == _BEGIN:
        return _codestream(file)
    told: dict[bytes, bytes] = {}
    end = file.seek(0, os.SEEK_END)
    for name, start, after in boxes(file, 0, end):
        if name == b"jp2h":
            told = _contents(file, start, after)
        elif name == b"jp2c":
            file.seek(start + 2)
            colour, palette = (told.get(name, b"") for name in (b"colr", b"pclr"))
            return _codestream(file)._replace(colour=colour, palette=palette)
    raise ValueError("no code stream")


def _contents(file: IO[bytes], start: int, after: int) -> dict[bytes, bytes]:
    """Contents of boxes; of several of a name the first counts."""
    found: dict[bytes, bytes] = {}
    for name, place, end in boxes(file, start, after):
        file.seek(place)
        found.setdefault(name, file.read(end - place))
    return found


def _codestream(file: IO[bytes]) -> Header:
    """Read the markers before the first tile."""
    sizes, levels = b"", b""
    for _ in range(_MOST):
        marker, length = struct.unpack(">HH", file.read(4))
        if marker == _TILE:
            break
        content = file.read(max(0, length - 2))
        if marker == _SIZE:
            sizes = content[36::3]
        elif marker in (_CODING, _CODING_OF_ONE):
            levels += content[5:6] if marker == _CODING else content[2:3]
    if not sizes or not levels:
        raise ValueError("no sizes")
    return Header(tuple((one & 127) + 1 for one in sizes), sizes[0] > 127, min(levels))
