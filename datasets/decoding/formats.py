"""Formats of files, told by their first bytes: those that are read, and the names of others."""

import ctypes
import re
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

import pi_heif
from PIL import Image as PILImage
from PIL import TiffImagePlugin, _imaging, features
from PIL.JpegImagePlugin import JpegImageFile

from datasets.decoding.jpeg2000 import header_of
from datasets.decoding.tiff import is_camera_raw
from datasets.errors import NoPictureError, OtherFormatError, UnreadableImageError

READ = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "AVIF", "HEIF", "JPEG2000", "PPM")
"""Pillow's names of the formats that are read, and no other decoder is ever started."""

# HEIC and HEIF, by a decoder without parts under the GPL.
pi_heif.register_heif_opener()

with suppress(OSError, AttributeError):
    # Its lines name no file, and what it says is said in the reason; not where it is built in.
    _libtiff = ctypes.CDLL(_imaging.__file__)
    _libtiff.TIFFSetErrorHandler(None)
    _libtiff.TIFFSetWarningHandler(None)

# Pillow's own reader of uncompressed TIFFs is wrong for planes of 16 bit and for halved colours.
TiffImagePlugin.READ_LIBTIFF = bool(features.check("libtiff"))
# It knows grey of 16 bit whose zero is white in one of both byte orders only.
TiffImagePlugin.OPEN_INFO.setdefault((b"MM", 0, (1,), 1, (16,), ()), ("I;16B", "I;16B"))

HEAD = 1024
"""Bytes at the beginning of a file that its format is told by."""


class Format(NamedTuple):
    """A format that is not read.

    Attributes
    ----------
    name : str
        For messages.
    remedy : str
        A way to a format that is read; empty for files that are no pictures.
    """

    name: str
    remedy: str = ""


_EXPORT = "export it as PNG or JPEG"
_DEVELOP = "develop it to JPEG or PNG"
_FRAMES = "save its frames as pictures"

_TGA = (b"\x00\x02\0", b"\x00\x03\0", b"\x00\x0a\0", b"\x00\x0b\0", b"\x01\x01\0")
"""Bytes 1 to 3 of common TGA files, which begin with no magic number; of icons, 4 is a count."""

_PNG_AS_TEXT = Format("PNG, transferred as text; transfer it anew as binary")

_MAGIC: tuple[tuple[int, bytes | tuple[bytes, ...], Format], ...] = (
    (12, b"CgBI", Format("PNG of an iPhone app (Apple's CgBI)", _EXPORT)),
    (0, (b"\x89PNG\r\r\n", b"\x89PNG\n"), _PNG_AS_TEXT),
    (0, b"%PDF", Format("PDF", _EXPORT)),
    (0, (b"%!PS", b"\xc5\xd0\xd3\xc6"), Format("PostScript", _EXPORT)),
    (0, b"8BPS", Format("Photoshop", _EXPORT)),
    (0, b"gimp xcf", Format("GIMP", _EXPORT)),
    (0, (b"\xff\x0a", b"\0\0\0\x0cJXL "), Format("JPEG XL", _EXPORT)),
    (0, b"II\xbc", Format("JPEG XR", _EXPORT)),
    (0, b"#?R", Format("Radiance HDR", _EXPORT)),
    (0, b"v/1\x01", Format("OpenEXR", _EXPORT)),
    (0, b"\0\0\x01\0", Format("Windows icon", _EXPORT)),
    (0, tuple(b"\0" + kind + b"\0\0" for kind in _TGA), Format("TGA", _EXPORT)),
    (0, b"\0\0\x02\0", Format("Windows cursor", _EXPORT)),
    (0, b"P7\n", Format("PAM", _EXPORT)),
    (0, (b"PF\n", b"Pf\n"), Format("float map (PFM)", _EXPORT)),
    (0, b"icns", Format("Apple icon", _EXPORT)),
    (0, b"qoif", Format("QOI", _EXPORT)),
    (0, b"DDS ", Format("DirectDraw surface", _EXPORT)),
    (0, b"SIMPLE  =", Format("FITS", _EXPORT)),
    (0, b"AT&TFORM", Format("DjVu", _EXPORT)),
    (0, b"\xd7\xcd\xc6\x9a", Format("Windows metafile", _EXPORT)),
    (0, b"BPG\xfb", Format("BPG", _EXPORT)),
    (128, b"DICM", Format("DICOM", _EXPORT)),
    (0, b"FUJIFILMCCD-RAW", Format("camera RAW (RAF)", _DEVELOP)),
    (0, (b"IIRO", b"IIRS", b"MMOR"), Format("camera RAW (ORF)", _DEVELOP)),
    (0, b"IIU\0", Format("camera RAW (RW2)", _DEVELOP)),
    (0, b"FOVb", Format("camera RAW (X3F)", _DEVELOP)),
    (8, b"CR\x02", Format("camera RAW (CR2)", _DEVELOP)),
    (4, b"ftypcrx", Format("camera RAW (CR3)", _DEVELOP)),
    (4, (b"ftypqt", b"moov", b"mdat", b"wide"), Format("QuickTime film", _FRAMES)),
    (4, b"ftypM4A", Format("sound (M4A)")),
    (8, b"AVI ", Format("AVI film", _FRAMES)),
    (8, b"WAVE", Format("sound (WAV)")),
    (0, b"\x1aE\xdf\xa3", Format("Matroska or WebM film", _FRAMES)),
    (0, (b"\0\0\x01\xba", b"\0\0\x01\xb3"), Format("MPEG film", _FRAMES)),
    (0, b"FLV", Format("Flash film", _FRAMES)),
    (0, b"0&\xb2u\x8ef\xcf\x11", Format("Windows Media film", _FRAMES)),
    (0, b"OggS", Format("Ogg sound or film", _FRAMES)),
    (0, b"ID3", Format("sound (MP3)")),
    (0, b"fLaC", Format("sound (FLAC)")),
    (0, b"PK\x03\x04", Format("ZIP archive or office document")),
    (0, b"PK\x05\x06", Format("empty ZIP archive")),
    (0, b"Rar!", Format("RAR archive")),
    (0, b"7z\xbc\xaf", Format("7z archive")),
    (0, b"\x1f\x8b", Format("gzip archive")),
    (0, b"BZh", Format("bzip2 archive")),
    (0, b"\xfd7zXZ", Format("xz archive")),
    (257, b"ustar", Format("tar archive")),
    (0, b"SQLite format 3", Format("SQLite database")),
    (0, b"\xd0\xcf\x11\xe0", Format("office document")),
    (0, (b"\x7fELF", b"MZ"), Format("executable")),
    (0, b"\x93NUMPY", Format("NumPy array")),
    (0, b"\x89HDF", Format("HDF5 file")),
    (0, b"PAR1", Format("Parquet table")),
)

_HEIF = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1", b"avif", b"avis", b"miaf")
"""Brands of ``ftyp`` files that are pictures; all others are films."""

_PPM = re.compile(rb"P[1-6]\s+[\d#]")

_FILM = Format("MP4 film", _FRAMES)
_SVG = Format("SVG", _EXPORT)

_TEXTS = (
    (b"<!doctype html", Format("web page (HTML)")),
    (b"<html", Format("web page (HTML)")),
    (b"<", Format("XML text")),
    (b"version https://git-lfs", Format("pointer of Git LFS", "get its content by: git lfs pull")),
    (b"/annex/objects/", Format("pointer of git-annex", "get its content by: git annex get")),
    (b"{", Format("JSON text")),
    (b"[", Format("JSON text")),
)

ENDINGS = {
    *("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "gif", "bmp", "dib", "tif"),
    *("tiff", "avif", "heic", "heif", "hif", "jp2", "j2k", "jpf", "jpx"),
    *("ppm", "pgm", "pbm", "pnm"),
}
"""Endings that claim a format that is read."""


def require_readable(head: bytes, path: Path) -> None:
    """Refuse a file that is in none of the formats that are read.

    Parameters
    ----------
    head : bytes
        The first `HEAD` bytes of the file, or all.
    path : Path
        The file; its ending tells what it claims to be.

    Raises
    ------
    OtherFormatError
        If it is in a known format of pictures, documents or films; names a remedy.
    NoPictureError
        If it is no picture and does not claim to be one.
    UnreadableImageError
        If it is empty, or claims to be a picture and is something else.
    """
    claims = path.suffix[1:].lower() in ENDINGS
    if not head:
        raise UnreadableImageError("empty file") if claims else NoPictureError("empty file")
    found = identify(head)
    if found is None:
        return
    if found.remedy:
        raise OtherFormatError(f"{found.name}, which is not read; {found.remedy}")
    if claims:
        raise UnreadableImageError(f"not a picture ({found.name})")
    raise NoPictureError(f"no picture ({found.name})")


def identify(head: bytes) -> Format | None:
    """Name the format of a file that is not read; None if it may be read.

    Parameters
    ----------
    head : bytes
        The beginning of the file.
    """
    if _is_read(head):
        return None
    for offset, magic, named in _MAGIC:
        if head.startswith(magic, offset):
            return named
    if head.startswith(b"ftyp", 4):
        return _FILM
    return _text(head) or Format("unknown data")


def _is_read(head: bytes) -> bool:
    if head.startswith(b"ftyp", 4):
        return any(brand in head[8:32] for brand in _HEIF) and not head.startswith(b"ftypcrx", 4)
    if head.startswith(b"RIFF"):
        return head.startswith(b"WEBP", 8)
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return not head.startswith(b"CR\x02", 8)
    if head.startswith(b"BM"):
        return head[15:18] == b"\0\0\0"  # words begin with these letters as well
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return not head.startswith(b"CgBI", 12)
    starts = (b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
    jpeg2000 = (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
    return head.startswith((*starts, *jpeg2000)) or bool(_PPM.match(head))


def _text(head: bytes) -> Format | None:
    """The kind of a text, if it is one."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Format("text (UTF-16)")
    plain = head.removeprefix(b"\xef\xbb\xbf")
    if any(byte < 32 and byte not in b"\t\n\r\f" for byte in plain):
        return None
    begin = plain.lstrip()[:512].lower()
    if b"<svg" in plain.lower():
        return _SVG
    return next((named for start, named in _TEXTS if begin.startswith(start)), Format("text"))


_BYTES_PER_PIXEL = {"WEBP": 16, "AVIF": 9, "HEIF": 9}
"""Memory that decoders need, where it is more than Pillow's own `_BYTES`."""

_BYTES = 5
_BYTES_OF_WHOLE_JPEG2000 = 19
"""Of one that its decoder cannot reduce."""


def share_of_pixels(image: PILImage.Image) -> float:
    """The share of the largest number of pixels that a format is allowed, by its memory.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened, not decoded.
    """
    needed: float = _BYTES_PER_PIXEL.get(image.format or "", _BYTES)
    if isinstance(image, JpegImageFile) and "progressive" in image.info:
        sizes = [across * down for _, across, down, _ in image.layer]
        needed = 2 * sum(sizes) / max(sizes) + 1  # its decoder holds all coefficients
    elif (header := header_of(image)) and not header.levels:
        needed = _BYTES_OF_WHOLE_JPEG2000
    return min(1, _BYTES / needed)


def require_no_camera_raw(file: IO[bytes]) -> None:
    """Refuse camera RAW in the form of a TIFF, of which only a thumbnail would be read.

    Parameters
    ----------
    file : file
        A TIFF.

    Raises
    ------
    OtherFormatError
        If it is.
    """
    if is_camera_raw(file):
        raise OtherFormatError(f"camera RAW, which is not read; {_DEVELOP}")
