"""Colour spaces that files name by code points, or otherwise, instead of a profile.

PNG has them in its chunk cICP, AVIF and HEIC in a box of colour, BMP in its header.

References
----------
ITU-T H.273 (2021), Coding-independent code points for video signal type identification.
"""

from itertools import islice
from typing import IO

from PIL import Image as PILImage

from datasets.decoding.bmp import colours_in
from datasets.decoding.png import chunks

_PRIMARIES = {4: "BT.470 M", 5: "BT.470 BG", 6: "BT.601", 7: "SMPTE 240M", 8: "film"}
_PRIMARIES |= {9: "BT.2020", 10: "XYZ", 11: "DCI-P3", 12: "Display P3", 22: "EBU 3213"}
"""Those that are not sRGB's, which is 1."""

_CURVES = {4: "gamma 2.2", 5: "gamma 2.8", 8: "linear light", 9: "a logarithm", 10: "a logarithm"}
_CURVES |= {16: "PQ, which is HDR", 17: "gamma 2.6", 18: "HLG, which is HDR"}
"""Those that are not near sRGB's, which is 13; those of BT.601, 709 and 2020 are shown as it."""

_EXIF, _COLOUR_SPACE, _INTEROPERABILITY, _ADOBE = 0x8769, 0xA001, 0xA005, 2
"""Fields of EXIF, and the value that cameras write for Adobe RGB."""

_NCLX = b"colrnclx"
_HEAD = 2**16
_MOST_CHUNKS = 1000


def colour_remark(image: PILImage.Image) -> list[str]:
    """Tell of colours that are read as sRGB, and are said to be others.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened, of a file without a colour profile.
    """
    words = colours_in(image) or _by_code_points(image) or _by_exif(image)
    return [f"its colours are {words}, without a profile; read as sRGB"] if words else []


def _by_code_points(image: PILImage.Image) -> str:
    file = getattr(image, "fp", None)
    if file is None or image.format not in ("PNG", "AVIF", "HEIF"):
        return ""
    try:
        place = file.tell()
        primaries, curve = _of_png(file) if image.format == "PNG" else _of_boxes(file)
        file.seek(place)
    except (OSError, ValueError):  # a user's own picture, whose file is closed
        return ""
    named = [_PRIMARIES.get(primaries), _CURVES.get(curve)]
    return " and ".join(name for name in named if name)


def _by_exif(image: PILImage.Image) -> str:
    """The colour space that a camera has named in place of a profile."""
    if image.format not in ("JPEG", "MPO"):
        return ""
    try:
        found = image.getexif()
        space = found.get_ifd(_EXIF).get(_COLOUR_SPACE)
        index = str(found.get_ifd(_INTEROPERABILITY).get(1))
    except Exception:  # whatever damaged metadata make their reader raise
        return ""
    return "Adobe RGB" if space == _ADOBE or index.startswith("R03") else ""


def _of_png(file: IO[bytes]) -> tuple[int, int]:
    """Primaries and curve of a PNG; zeros where it names none."""
    for name, place in islice(chunks(file), _MOST_CHUNKS):
        if name == b"IDAT":
            break
        if name == b"cICP":
            file.seek(place)
            found = file.read(2)
            return (found[0], found[1]) if len(found) == 2 else (0, 0)
    return 0, 0


def _of_boxes(file: IO[bytes]) -> tuple[int, int]:
    """Primaries and curve of an AVIF or HEIC; zeros where it names none."""
    file.seek(0)
    _, found, after = file.read(_HEAD).partition(_NCLX)
    if not found or len(after) < 4:
        return 0, 0
    return int.from_bytes(after[:2], "big"), int.from_bytes(after[2:4], "big")
