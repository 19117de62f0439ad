"""BMP files: the colours that headers of versions 4 and 5 name.

References
----------
Microsoft, Windows GDI, structures BITMAPV4HEADER and BITMAPV5HEADER.
"""

import struct

from PIL import Image as PILImage
from PIL.BmpImagePlugin import BmpImageFile

_BEFORE = 14
"""Bytes before the header, which places are counted from."""

_VERSION_4, _VERSION_5 = 108, 124
_CALIBRATED, _EMBEDDED, _LINKED = 0, 0x4D424544, 0x4C494E4B
_MISSING = {_LINKED: "those of a linked file", _EMBEDDED: "those of a profile that is missing"}


def profile_in(image: PILImage.Image) -> bytes | None:
    """Find the colour profile that a BMP embeds.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened, of any format.
    """
    header = _header(image)
    if len(header) < _VERSION_5 or _space(header) != _EMBEDDED:
        return None
    place, size = struct.unpack_from("<II", header, 112)
    return _at(image, _BEFORE + place, size)


def colours_in(image: PILImage.Image) -> str:
    """Name the colours of a BMP without a profile, if they may be others than sRGB's.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened, of any format.
    """
    header = _header(image)
    if len(header) < _VERSION_4:
        return ""
    if _space(header) == _CALIBRATED and any(header[60:_VERSION_4]):
        return "calibrated by its header"
    return _MISSING.get(_space(header), "")


def _header(image: PILImage.Image) -> bytes:
    size = int.from_bytes(_at(image, _BEFORE, 4), "little")
    return _at(image, _BEFORE, min(_VERSION_5, size))


def _at(image: PILImage.Image, place: int, size: int) -> bytes:
    """Bytes of a BMP that is not decoded yet; of other pictures there are none."""
    if not isinstance(image, BmpImageFile) or not image.tile or not image.fp:
        return b""
    image.fp.seek(place)
    return image.fp.read(size)


def _space(header: bytes) -> int:
    return int.from_bytes(header[56:60], "little")
