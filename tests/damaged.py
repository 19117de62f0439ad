"""Parts of picture files, put together by hand: sound, odd or damaged."""

import base64
import io
import struct
import zlib
from pathlib import Path

import numpy as np
from pictures import picture
from PIL import Image


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def exif(*entries: tuple[int, int, bytes]) -> bytes:
    """An APP1 segment of EXIF entries: tag, type and value."""
    head, body, start = struct.pack("<H", len(entries)), b"", 14 + 12 * len(entries)
    for tag, kind, data in entries:
        short = len(data) <= 4
        value = data.ljust(4, b"\0") if short else struct.pack("<I", start + len(body))
        head += struct.pack("<HHI", tag, kind, 1) + value
        body += b"" if short else data
    return b"Exif\0\0II*\0\x08\0\0\0" + head + b"\0\0\0\0" + body


TURNED = (0x112, 3, struct.pack("<H", 6))


def jpeg(content: bytes, marker: int = 0xE1) -> bytes:
    """A JPEG with one more segment at its beginning."""
    data = encoded(picture(20), "JPEG")
    size = struct.pack(">H", len(content) + 2)
    return data[:2] + bytes([0xFF, marker]) + size + content + data[2:]


def chunk(kind: bytes, data: bytes, spoil: int = 0) -> bytes:
    check = zlib.crc32(kind + data) ^ spoil
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def png(extra: bytes, image: Image.Image | None = None) -> bytes:
    """A PNG with more chunks behind its header."""
    data = encoded(image or picture(21), "PNG")
    return data[:33] + extra + data[33:]


def tiff(photometric: int, bits: int, values: np.ndarray, *more: tuple[int, int, int]) -> bytes:
    """A grey TIFF, uncompressed, with more tags."""
    height, width = values.shape[0], values.shape[1] * 8 * values.itemsize // bits
    entries = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1)]
    entries += [(262, 3, photometric), (273, 4, 0), (277, 3, 1), (278, 4, height)]
    entries += [(279, 4, values.nbytes), *more]
    start = 14 + 12 * len(entries)
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries))
    for tag, kind, value in entries:
        head += struct.pack("<HHII", tag, kind, 1, start if tag == 273 else value)
    return head + b"\0\0\0\0" + values.tobytes()


def profile(columns: list[tuple[float, ...]], gamma: float) -> bytes:
    """The smallest ICC profile: D50 XYZ of red, green and blue, one gamma."""

    def xyz(values: tuple[float, ...]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    about = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + b"\0" * 78
    tags = [(b"desc", about + b"\0\0"), (b"cprt", b"text\0\0\0\0none\0\0\0\0")]
    tags += [(b"wtpt", xyz((0.9642, 1, 0.8249)))]
    tags += [(name, xyz(c)) for name, c in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)]
    tags += [(name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")]
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags:
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data
    size = struct.pack(">I", 128 + len(table) + len(body))
    head = size + b"\0\0\0\0\x02\x10\0\0mntrRGB XYZ " + b"\0" * 12 + b"acsp" + b"\0" * 28
    return (head + xyz((0.9642, 1, 0.8249))[8:]).ljust(128, b"\0") + table + body


def box(kind: bytes, content: bytes) -> bytes:
    """A box of JPEG 2000, AVIF and HEIC."""
    return struct.pack(">I", 8 + len(content)) + kind + content


def jpeg2000(image: Image.Image, colour: bytes, more: bytes = b"") -> bytes:
    """A JPEG 2000 with another box of colour, and more boxes behind it."""
    data = encoded(image, "JPEG2000")
    start, colours, end = (data.index(name) - 4 for name in (b"jp2h", b"colr", b"jp2c"))
    head = box(b"jp2h", data[start + 8 : colours] + box(b"colr", colour) + more)
    return data[:start] + head + data[end:]


def bitmap(image: Image.Image, space: bytes, calibration: bytes = b"", icc: bytes = b"") -> bytes:
    """A BMP of version 5 that names its colours."""
    pixels = np.array(image)[::-1, :, ::-1].tobytes()
    about = struct.pack("<IiiHHIIiiII", 124, *image.size, 1, 24, 0, len(pixels), 0, 0, 0, 0)
    about += (bytes(16) + space).ljust(20, b"\0") + calibration.rjust(48, b"\0") + bytes(4)
    about += struct.pack("<III", 124 + len(pixels), len(icc), 0)
    size = 14 + len(about) + len(pixels) + len(icc)
    return b"BM" + struct.pack("<IHHI", size, 0, 0, 14 + len(about)) + about + pixels + icc


def bitmap_with_empty_alpha(image: Image.Image) -> bytes:
    """A BMP of version 5 with an alpha mask, alpha 0 everywhere."""
    pixels = np.array(image)[::-1, :, ::-1]
    data = np.dstack([pixels, np.zeros(pixels.shape[:2], np.uint8)]).tobytes()
    size = (124, *image.size, 1, 32, 3, len(data), 0, 0, 0, 0)
    about = struct.pack("<IiiHHIIiiII", *size)
    about += struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + b"\0" * 68
    start = 14 + len(about)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + about + data


HEIC = base64.b85decode(
    "0000SW^{RQXk}?*00000ZE0pPXk}?*ZE0a<0004eZDn*}000000000XXk=`10000000000aA{+70000000000000"
    "0000000B57=IV*mgE07O6l0RRC200001pa1~?00000007zm001LtX>Mi!000000RR916=`l}WdZ;I000310BCk&F"
    "#rGn01j|zbZr0t000010002|X>f9I0002oX>en20001WXm(>m0RwOV0058x000009`FGC{rLC*01pFT0096PKmiN"
    "^|NjGU00093kN^M!000939=ZZRVE_RDDMA4O18@KU0|1Z!00RI30{|YNAb|yz>aLpR;31&EfB*mtfB*mk0EA)y0R"
    "RR>0l{;@i2wiq6Ju{|a&BX6cmM$a4FCp!0000KX>)L8000000000$0000$0000eV{Bn?0000W000010000G00001"
    "|NsBs00002|NsBc000020000GaA|mH000000|*ER0000OX>e^}0000000001009Mo0s{qv0002uZDe6|0002iC;_"
    "hqG93H%@QEPszpsS<|L|4)m+em4POI*m4KMFq-"
    "~aCy{@+|9`aJLb6j;qCNY@wa?$tIbM9^r~3B&#6!Rwaf$bVM1|9t87nEXKdUXN1VneV5IgSvYBm1)g0I-"
    "h_Ljz%ZifHuL=2(}fBky^=J|8ta^2m6jPJdD5kKnY*{F9ycRYh`9rj#S027H9iI7C{@>zzypUi;jx~-"
    "~oRC25M2K)5kqPHznae<iAOOiT0u4P5;^(p#C`O$ffDP#lD6P*}?0SLQONimY330b}#"
)
"""A picture of 32 x 16 pixels, red on the left, blue on the right, for want of a free encoder."""


def heic_with_item(kind: bytes) -> bytes:
    """The HEIC with an item of metadata, of the given type."""
    places, items = HEIC.index(b"iloc") - 4, HEIC.index(b"iinf") - 4
    behind = items + int.from_bytes(HEIC[items : items + 4], "big")
    item = box(b"infe", b"\2\0\0\0\0\2\0\0" + kind + b"\0")
    item += HEIC[items + 14 : behind]
    told = box(b"iref", bytes(4) + box(b"cdsc", b"\0\2\0\1\0\1"))
    place = struct.pack(">HHIHII", 2, 0, 0, 1, 0, 16)
    more = len(place + item + told) - (behind - items - 14)
    begin = int.from_bytes(HEIC[places + 20 : places + 24], "big") + more
    located = HEIC[places + 8 : places + 14] + b"\0\2" + HEIC[places + 16 : places + 20]
    located += struct.pack(">I", begin) + HEIC[places + 24 : items] + place
    start = HEIC.index(b"meta") - 4
    size = int.from_bytes(HEIC[start : start + 4], "big") + more
    head = HEIC[:start] + struct.pack(">I", size) + HEIC[start + 4 : places]
    listed = box(b"iinf", HEIC[items + 8 : items + 12] + b"\0\2" + item)
    return head + box(b"iloc", located) + listed + told + HEIC[behind:]


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path
