"""Odd and damaged pictures: pixels come before metadata, and every format is read or named."""

import io
import os
import re
import struct
import subprocess
import sys
import zlib
from contextlib import suppress

import cv2
import numpy as np
import pytest
from damaged import (
    HEIC,
    TURNED,
    chunk,
    encoded,
    exif,
    jpeg,
    png,
    put,
    tiff,
)
from pictures import picture, scene
from PIL import Image, ImageOps

from datasets.decoding import render
from datasets.decoding.formats import identify
from datasets.decoding.jpeg import segments
from datasets.errors import NoPictureError, OtherFormatError, UnreadableImageError
from datasets.reading import decode, read_image

LEFT_OUT = "its metadata are damaged and left out"
ENDED = "its end is missing, its pixels are not"

SCENE = Image.fromarray(scene(1))
SIGNED = (0x11A, 10, b"\xff\xff\xff\xff\0\0\0\0")
NEGATIVE = (0x101, 9, b"\xff\xff\xff\xff")

UNTOUCHED = {
    "signed rational.jpg": jpeg(exif(TURNED, SIGNED)),
    "negative.jpg": jpeg(exif(TURNED, NEGATIVE)),
    "EXIF cut.jpg": jpeg(b"Exif\0\0II*\0"),
    "MPF.jpg": jpeg(b"MPF\0II*\0\x08\0\0\0garbage", 0xE2),
    "IPTC.jpg": jpeg(b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\xff\xffabc", 0xED),
    "XMP.jpg": jpeg(b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta \xff tiff:Orientation='zz'"),
    "JFIF.jpg": jpeg(b"JFIF\0\1", 0xE0),
    "Adobe.jpg": jpeg(b"Adobe\0", 0xEE),
    "long text.png": png(chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b"a" * 2_000_000))),
    "long profile.png": png(chunk(b"iCCP", b"p\0\0" + zlib.compress(b"a" * 2_000_000))),
    "EXIF.png": png(chunk(b"eXIf", b"\0\0\0\0")),
    "text check.png": png(chunk(b"tEXt", b"a\0b", spoil=1)),
    "short gamma.png": png(chunk(b"gAMA", b"\0")),
    "short size.png": png(chunk(b"pHYs", b"\0")),
    "short colours.png": png(chunk(b"cHRM", b"abc")),
    "short sRGB.png": png(chunk(b"sRGB", b"")),
    "transparency check.png": png(chunk(b"tRNS", b"\0\1\0\2\0\3", spoil=1)),
    "short transparency.png": png(chunk(b"tRNS", b"\0")),
    "packed profile.png": png(chunk(b"iCCP", b"p\0\5" + zlib.compress(b"abc"))),
    "XMP.tif": tiff(1, 8, np.arange(64, dtype="u1").reshape(8, 8), (700, 3, 1)),
    "many texts.png": png(chunk(b"tEXt", b"a\0b") * 70_000),
    "no end.jpg": encoded(picture(22, 256), "JPEG")[:-2],
    "half an end.jpg": encoded(picture(22, 256), "JPEG")[:-1],
    "no end, progressive.jpg": encoded(picture(22, 256), "JPEG", progressive=True)[:-2],
}

SOUND = {
    name: data.rstrip(b"\xff") + b"\xff\xd9" for name, data in UNTOUCHED.items() if "end" in name
}


@pytest.mark.parametrize("name", UNTOUCHED)
def test_damaged_metadata_never_cost_the_pixels(tmp_path, name):
    path = put(tmp_path, name, UNTOUCHED[name])
    sound = SOUND.get(name, UNTOUCHED[name])
    theirs = cv2.imdecode(np.frombuffer(sound, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(read_image(path), theirs[..., ::-1])


@pytest.mark.parametrize(
    "data",
    [encoded(SCENE, "JPEG")[:-400], encoded(SCENE, "PNG")[:-300], encoded(SCENE, "BMP")[:-2]],
    ids=["jpeg", "png", "bmp"],
)
def test_pictures_that_lack_pixels_are_kept_out(tmp_path, data):
    with pytest.raises(UnreadableImageError, match="cannot be decoded"):
        read_image(put(tmp_path, "a.jpg", data))


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"restart_marker_blocks": 4}, {"subsampling": 0}],
    ids=str,
)
def test_a_large_jpeg_that_ends_early_or_in_zeros_is_refused(tmp_path, options):
    large = SCENE.resize((600, 600), Image.Resampling.BICUBIC)
    data = encoded(large, "JPEG", quality=90, **options)
    restarts = [found.start() for found in re.finditer(rb"\xff[\xd0-\xd7]", data)]
    cuts = [*(int(len(data) * share) for share in (0.2, 0.5, 0.8, 0.95)), *restarts[1:-1:500]]
    for cut in cuts:
        for tail in (b"", bytes(len(data) - cut)):
            with pytest.raises(UnreadableImageError, match="truncated"):
                read_image(put(tmp_path, "a.jpg", data[:cut] + tail))
    sound = read_image(put(tmp_path, "sound.jpg", data))
    for whole in (data[:-2], data + bytes(500)):
        np.testing.assert_array_equal(read_image(put(tmp_path, "a.jpg", whole)), sound)


def test_a_png_with_pixels_that_were_not_written_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (128, 128, 3)).astype(np.uint8)
    noise[:, :, 0] = np.arange(128)[:, None] * 2
    data = encoded(Image.fromarray(noise), "PNG")
    place, middle = data.index(b"IDAT"), len(data) // 2
    for broken in (
        data[: len(data) * 3 // 10].ljust(len(data), b"\0"),
        data[:middle] + bytes(512) + data[middle + 512 :],
        data[:middle],
    ):
        with pytest.raises(UnreadableImageError, match="cannot be decoded"):
            read_image(put(tmp_path, "a.png", broken))
    length = int.from_bytes(data[place - 4 : place], "big")
    checksum = place + 4 + length
    changed = data[:checksum] + bytes(4) + data[checksum + 4 :]
    np.testing.assert_array_equal(read_image(put(tmp_path, "a.png", changed)), noise)


OPTIONS = [{"quality": 40}, {"quality": 75}, {"quality": 90, "progressive": True}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_cut_jpeg_is_whole_or_refused(tmp_path, options):
    """Whatever the number of bytes that are missing, and however small the picture."""
    kept = 0
    for number in range(4):
        small = SCENE.crop((100, 100, 140 + 7 * number, 130 + 5 * number))
        data = encoded(small, "JPEG", **options)
        sound = read_image(put(tmp_path, "sound.jpg", data))
        for missing in range(1, 30):
            with suppress(UnreadableImageError):
                found = read_image(put(tmp_path, "cut.jpg", data[:-missing]))
                np.testing.assert_array_equal(found, sound)
                kept += 1
    assert kept >= 8  # those that lack one or both bytes of the end marker


def test_a_progressive_jpeg_without_its_last_scans_is_kept_out(tmp_path):
    data = encoded(SCENE, "JPEG", progressive=True)
    scans = [start for marker, start, _ in segments(data) if marker == 0xDA]
    tables = [start for marker, start, _ in segments(data) if marker == 0xC4]
    for scan in scans[1:]:
        cut = max(start for start in (*tables, *scans) if start < scan)
        with pytest.raises(UnreadableImageError, match="truncated"):
            read_image(put(tmp_path, "a.jpg", data[:cut]))


def test_avif_with_damaged_exif_is_read(tmp_path):
    sound = encoded(SCENE, "AVIF", exif=exif((0x11A, 3, b"\1\0")))
    damaged = sound.replace(b"II*\0", b"junk")
    assert damaged != sound
    found = decode(put(tmp_path, "a.avif", damaged))
    np.testing.assert_array_equal(found.pixels, read_image(put(tmp_path, "b.avif", sound)))
    assert found.remarks == (LEFT_OUT,)


def test_a_large_progressive_jpeg_is_allowed_fewer_pixels(tmp_path, monkeypatch):
    """Its decoder holds all coefficients: of 4:4:4 more than of 4:2:0."""
    monkeypatch.setenv("IMAGE_RETRIEVAL_MAX_PIXELS", str(360 * 360))
    for sampling, plain in ((2, {}), (0, {"progressive": False})):
        options = {"progressive": True, "subsampling": sampling, **plain}
        read_image(put(tmp_path, "a.jpg", encoded(SCENE, "JPEG", **options)))
    full = put(tmp_path, "b.jpg", encoded(SCENE, "JPEG", progressive=True, subsampling=0))
    with pytest.raises(UnreadableImageError, match=r"too large .*at most 92,571"):
        read_image(full)


def test_a_png_of_millions_of_chunks_is_refused(tmp_path):
    path = put(tmp_path, "a.png", png(chunk(b"juNk", b"") * 2**18))
    with pytest.raises(UnreadableImageError, match="more than 262,144 chunks"):
        read_image(path)


def test_what_is_odd_is_remarked(tmp_path):
    names = ("no end.jpg", "Adobe.jpg", "long text.png")
    remarks = [decode(put(tmp_path, name, UNTOUCHED[name])).remarks for name in names]
    assert remarks == [(ENDED,), (LEFT_OUT,), (LEFT_OUT,)]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_orientation_in_every_format(tmp_path, kind, orientation):
    marked = Image.new("RGB", (64, 48), "white")
    marked.paste((0, 0, 0), (0, 0, 24, 16))
    tags = Image.Exif()
    tags[0x112] = orientation
    pixels = read_image(put(tmp_path, "a", encoded(marked, kind, exif=tags)))
    dark = np.argwhere(pixels[..., 0] < 128).mean(axis=0) / pixels.shape[:2] < 0.5
    assert pixels.shape == ((48, 64, 3) if orientation < 5 else (64, 48, 3))
    top_left = {
        1: (1, 1),
        2: (1, 0),
        3: (0, 0),
        4: (0, 1),
        5: (1, 1),
        6: (1, 0),
        7: (0, 0),
        8: (0, 1),
    }
    assert tuple(dark.astype(int)) == top_left[orientation]


OTHERS = {
    "heart.svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    "paper.pdf": (b"%PDF-1.7", "PDF"),
    "holiday.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "PostScript"),
    "film.mov": (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "QuickTime film"),
    "film.mp4": (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "MP4 film"),
    "raw.cr2": (b"II*\0\x10\0\0\0CR\x02\0", r"camera RAW \(CR2\)"),
    "raw.cr3": (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", r"camera RAW \(CR3\)"),
    "raw.dng": (tiff(1, 8, np.full((8, 8), 9, "u1"), (50706, 4, 1)), "camera RAW"),
    "phone.dng": (tiff(32803, 16, np.full((8, 8), 9, "<u2")), "camera RAW"),
    "a.tga": (encoded(SCENE, "TGA"), "TGA"),
    "a.pam": (b"P7\nWIDTH 1\n", "PAM"),
    "new.jxl": (b"\xff\x0a\xfa\x1f", "JPEG XL"),
    "light.hdr": (b"#?RADIANCE\n", "Radiance HDR"),
    "layers.psd": (b"8BPS\0\1", "Photoshop"),
    "left.jpg": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
    "unlocked.jpg": (b"/annex/objects/MD5E-s1--a.jpg\n", "pointer of git-annex"),
    "phone.png": (
        png(b"").replace(b"\x1a\n", b"\x1a\n" + chunk(b"CgBI", b"\x50\0\x20\6"), 1),
        r"PNG of an iPhone app \(Apple's CgBI\)",
    ),
}
NO_PICTURES = {
    "0.json": (b'{"title": "0.png"}', "JSON text"),
    "notes.txt": (b"no picture", "text"),
    "cars.txt": (b"BMW builds cars in Munich.", "text"),
    "plan.txt": (b"P5 is the fifth part.", "text"),
    "page.html": (b"<!DOCTYPE html><html>", r"web page \(HTML\)"),
    "lines.csv": ("a;é\n".encode(), "text"),
    "power.txt": ("a".encode("utf-16"), r"text \(UTF-16\)"),
    "pack.zip": (b"PK\x03\x04\0\0", "ZIP archive"),
    "book.db": (b"SQLite format 3\0", "SQLite database"),
    "tool.exe": (b"MZ\x90\0\0", "executable"),
    "blob.bin": (b"\0\1\2\3", "unknown data"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_formats_are_named_with_a_remedy(tmp_path, name):
    data, called = OTHERS[name]
    with pytest.raises(OtherFormatError, match=f"{called}, which is not read; "):
        read_image(put(tmp_path, name, data))


@pytest.mark.parametrize("name", NO_PICTURES)
def test_files_that_are_no_pictures_are_named(tmp_path, name):
    data, called = NO_PICTURES[name]
    with pytest.raises(NoPictureError, match=rf"^no picture \({called}"):
        read_image(put(tmp_path, name, data))
    with pytest.raises(UnreadableImageError, match=rf"^not a picture \({called}"):
        read_image(put(tmp_path, f"{name}.jpg", data))


def test_further_pages_are_remarked(tmp_path):
    first, *more = (picture(number) for number in range(3))
    first.save(tmp_path / "fax.tif", save_all=True, append_images=more)
    found = decode(tmp_path / "fax.tif")
    assert found.remarks == ("it has further pages; the first is read",)
    assert (found.pixels == np.asarray(first)).all()


def test_postscript_starts_no_program(tmp_path, monkeypatch):
    seen = tmp_path / "seen"
    program = put(tmp_path, "gs", f"#!/bin/sh\necho $@ >> {seen}\n".encode())
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(OtherFormatError):
        read_image(put(tmp_path, "holiday.jpg", OTHERS["holiday.jpg"][0]))
    assert not seen.exists()


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM"]
)
def test_formats_that_are_read_are_known_by_their_first_bytes(kind):
    assert identify(encoded(picture(1), kind)[:1024]) is None


def test_heic_is_read(tmp_path):
    pixels = read_image(put(tmp_path, "IMG_1.HEIC", HEIC))
    assert pixels.shape == (16, 32, 3)
    assert np.abs(pixels[:, 3].astype(int) - (200, 30, 30)).max() < 6
    assert np.abs(pixels[:, -3].astype(int) - (20, 40, 220)).max() < 6


def test_a_damaged_heic_says_so(tmp_path):
    with pytest.raises(UnreadableImageError, match="cannot be decoded"):
        read_image(put(tmp_path, "a.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 400))


def test_a_jpeg_of_hundreds_of_scans_is_refused_before_decoding(tmp_path):
    data = encoded(SCENE, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    assert read_image(put(tmp_path, "a.jpg", data)).shape == (360, 360, 3)
    bomb = data[:-2] + data[last:-2] * 150 + data[-2:]
    with pytest.raises(UnreadableImageError, match="more than 100 scans"):
        read_image(put(tmp_path, "b.jpg", bomb))
    # Bytes behind the picture are no scans: telephones append films.
    assert read_image(put(tmp_path, "c.jpg", data + b"\xff\xda" * 500)).shape == (360, 360, 3)


def test_large_pictures_are_reduced_band_by_band(tmp_path, monkeypatch):
    whole = np.array(SCENE)
    path = put(tmp_path, "a.png", encoded(SCENE, "PNG"))
    monkeypatch.setattr(render, "_WHOLE", 1)
    monkeypatch.setattr(render, "_BAND", 5_000)
    np.testing.assert_array_equal(read_image(path), whole)
    for orientation in range(1, 9):
        tags = exif((0x112, 3, struct.pack("<H", orientation)))
        turned = encoded(SCENE, "PNG", exif=tags[6:])
        expected = ImageOps.exif_transpose(Image.open(io.BytesIO(turned)))
        np.testing.assert_array_equal(read_image(put(tmp_path, "b.png", turned)), expected)
    monkeypatch.setattr(render, "LARGE", 360 * 360 // 4)
    np.testing.assert_array_equal(read_image(path), np.array(SCENE.reduce(2)))


MEASURE = """
import sys
from pathlib import Path
from datasets.reading import read_image


def peak():
    [line] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return int(line.split()[1])


before = peak()
print(read_image(Path(sys.argv[1])).shape, peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units elsewhere")
@pytest.mark.parametrize("mode", ["RGBA", "I;16"])
def test_the_largest_picture_needs_half_a_gigabyte(tmp_path, mode):
    path = tmp_path / "a.png"
    colour = 40_000 if mode == "I;16" else (9, 8, 7, 200)
    Image.new(mode, (9400, 9400), colour).save(path, compress_level=1)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True
    )
    shape, _, kilobytes = done.stdout.rpartition(" ")
    assert shape == "(4700, 4700, 3)"
    # What the libraries take before differs from machine to machine.
    assert int(kilobytes) < 450_000


@pytest.mark.parametrize(
    "fields", [{0xA001: 2}, {0xA001: 0xFFFF, 0xA005: {1: "R03", 2: b"0100"}}], ids=str
)
def test_adobe_rgb_that_exif_alone_names_is_told(tmp_path, fields):
    named = Image.Exif()
    named[0x8769] = fields
    found = decode(put(tmp_path, "a.jpg", encoded(SCENE, "JPEG", exif=named)))
    assert found.remarks == ("its colours are Adobe RGB, without a profile; read as sRGB",)
    named[0x8769] = {0xA001: 1}
    assert decode(put(tmp_path, "a.jpg", encoded(SCENE, "JPEG", exif=named))).remarks == ()


def test_pictures_that_look_black_are_told(tmp_path):
    values = np.random.default_rng(0).integers(0, 2**14, (20, 20)).astype(np.uint16)
    deep = encoded(Image.fromarray(values), "PNG")
    mask = encoded(Image.fromarray((values % 2).astype(np.uint8)), "PNG")
    assert decode(put(tmp_path, "a.png", deep)).remarks == (
        "dark: its values use 14 of 16 bits; kept as they are",
    )
    assert "nearly black: 0 and 1 only" in decode(put(tmp_path, "a.png", mask)).remarks[0]


def test_a_channel_that_nothing_names_is_no_transparency(tmp_path):
    image = Image.new("RGBA", (9, 9), (100, 50, 20, 60))
    image.putpixel((0, 0), (0, 0, 0, 60))
    data = encoded(image, "TIFF")
    extra = struct.pack("<HHI", 338, 3, 1)
    assert data.count(extra) == 1
    found = decode(put(tmp_path, "a.tif", data.replace(extra, struct.pack("<HHI", 65001, 3, 1))))
    assert found.pixels[1, 1].tolist() == [100, 50, 20]
    assert found.remarks == ("its fourth channel, which nothing names, does not count",)
    assert decode(put(tmp_path, "b.tif", data)).pixels[1, 1].tolist() != [100, 50, 20]
