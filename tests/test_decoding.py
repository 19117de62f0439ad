"""Odd and damaged pictures: pixels come before metadata, and every rule of depth and colour."""

import io
import os
import struct
import subprocess
import sys
import zlib
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage
import tifffile
from damaged import (
    HEIC,
    TURNED,
    bitmap,
    bitmap_with_empty_alpha,
    chunk,
    encoded,
    exif,
    jpeg,
    jpeg2000,
    png,
    profile,
    tiff,
)
from pictures import picture, scene
from PIL import Image, ImageCms, ImageOps

from datasets.decoding import render
from datasets.decoding.formats import identify
from datasets.decoding.jpeg import segments
from datasets.errors import NoPictureError, OtherFormatError, UnreadableImageError
from datasets.reading import decode, read_image

LEFT_OUT = "its metadata are damaged and left out"
ENDED = "its end is missing, its pixels are not"

SCENE = Image.fromarray(scene(1))


def written(values, **options):
    """A TIFF by another writer than Pillow."""
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


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


def put(folder, name, data):
    path = folder / name
    path.write_bytes(data)
    return path


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


WIDE = profile([(0.79767, 0.28804, 0), (0.13519, 0.71188, 0), (0.03134, 0.00009, 0.82491)], 1.8)
GREEN = (60, 195, 14)


def in_profile(icc, colour=GREEN, mode="RGB"):
    given = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    plain = Image.new("RGB", (8, 8), colour)
    made = ImageCms.profileToProfile(
        plain, ImageCms.createProfile("sRGB"), given, renderingIntent=1, outputMode=mode
    )
    made.putpixel((0, 0), 0 if mode == "L" else (0,) * len(mode))
    return made


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_colour_profiles_count(tmp_path, kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    options |= {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    data = encoded(in_profile(WIDE), kind, icc_profile=WIDE, **options)
    pixels = read_image(put(tmp_path, "a", data))
    assert np.abs(np.median(pixels[4:, 4:], axis=(0, 1)) - GREEN).max() <= 2


@pytest.mark.parametrize("way", [2, 3])
def test_the_profile_of_a_jpeg_2000_counts(tmp_path, way):
    data = jpeg2000(in_profile(WIDE).resize((64, 64), 0), bytes([way, 0, 0]) + WIDE)
    assert np.abs(read_image(put(tmp_path, "a", data))[32, 32].astype(int) - GREEN).max() <= 2


def test_the_profile_of_a_bmp_counts(tmp_path):
    data = bitmap(in_profile(WIDE), b"DEBM", icc=WIDE)
    assert np.abs(read_image(put(tmp_path, "a", data))[4, 4].astype(int) - GREEN).max() <= 2


def test_profiles_of_transparent_and_indexed_pictures_count(tmp_path):
    clear = in_profile(WIDE).convert("RGBA")
    clear.putpixel((0, 0), (0, 0, 0, 0))
    pixels = read_image(put(tmp_path, "a.png", encoded(clear, "PNG", icc_profile=WIDE)))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert np.abs(pixels[7, 7].astype(int) - GREEN).max() <= 2
    indexed = encoded(in_profile(WIDE).quantize(4), "PNG", icc_profile=WIDE)
    assert np.abs(read_image(put(tmp_path, "b.png", indexed))[7, 7].astype(int) - GREEN).max() <= 2


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_an_srgb_profile_changes_nothing(tmp_path, mode):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = picture(3).convert(mode)
    found = decode(put(tmp_path, "a.png", encoded(image, "PNG", icc_profile=srgb)))
    np.testing.assert_array_equal(found.pixels, np.array(image.convert("RGB")))
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("icc", "mode", "remark"),
    [
        (b"abc" * 100, "RGB", "its colour profile cannot be read and is ignored"),
        (WIDE, "CMYK", "its colour profile is for RGB, not for its pixels; ignored"),
    ],
)
def test_a_profile_that_cannot_be_used_is_ignored_and_named(tmp_path, icc, mode, remark):
    image = picture(3).convert(mode)
    found = decode(put(tmp_path, "a.tif", encoded(image, "TIFF", icc_profile=icc)))
    np.testing.assert_array_equal(found.pixels, np.array(image.convert("RGB")))
    assert found.remarks == (remark,)


def test_colours_in_words_of_png_count(tmp_path):
    grey = Image.new("RGB", (8, 8), (128, 128, 128))
    grey.putpixel((0, 0), (0, 0, 0))

    def middle(*chunks):
        return read_image(put(tmp_path, "a.png", png(b"".join(chunks), grey)))[7, 7].tolist()

    srgb = chunk(
        b"cHRM", np.array([31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000], ">u4").tobytes()
    )
    assert middle(chunk(b"gAMA", (45455).to_bytes(4, "big"))) == [128, 128, 128]
    assert middle(chunk(b"gAMA", (45455).to_bytes(4, "big")), srgb) == [128, 128, 128]
    # Light in proportion to the numbers: half of it is 188 of 255 in sRGB.
    linear = chunk(b"gAMA", (100_000).to_bytes(4, "big"))
    assert np.abs(np.array(middle(linear)) - 188).max() <= 1
    assert middle(chunk(b"sRGB", b"\0"), linear) == [128, 128, 128]


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (tiff(0, 16, np.full((8, 8), 58981, "<u2")), 26),
        (tiff(0, 8, np.full((8, 8), 229, "u1")), 26),
        (tiff(0, 1, np.full((8, 1), 0xFF, "u1")), 0),
        (tiff(1, 16, np.full((8, 8), 2048, "<u2")), 8),
        (tiff(1, 16, np.full((8, 8), 2048, "<u2"), (281, 3, 4095)), 128),
        (tiff(0, 16, np.full((8, 8), 2048, "<u2"), (281, 3, 4095)), 127),
        (tiff(1, 16, np.full((8, 8), 2048, "<u2"), (281, 3, 4095), (700, 3, 1)), 128),
        (written(np.full((8, 8), 58981, ">u2"), byteorder=">", photometric="miniswhite"), 26),
    ],
    ids=[
        *("inverted 16", "inverted 8", "inverted 1", "dark 16", "declared 12", "inverted 12"),
        *("declared 12 beside damage", "inverted 16, big-endian"),
    ],
)
def test_depths_of_grey(tmp_path, data, value):
    assert (read_image(put(tmp_path, "a.tif", data)) == value).all()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (tiff(1, 32, np.full((8, 8), 128, "<u4")), "deeper than 16 bit"),
        (tiff(1, 16, np.full((8, 8), -5, "<i2"), (339, 3, 2)), "signed"),
        (tiff(1, 16, np.full((8, 8), 5, "<i2"), (339, 3, 2)), "signed"),
        (tiff(1, 8, np.full((8, 8), 100, "i1"), (339, 3, 2)), "signed"),
        (tiff(1, 32, np.full((8, 8), 0.5, "<f4"), (339, 3, 3)), "floating-point"),
    ],
    ids=["32 bit", "negative", "signed 16", "signed 8", "float"],
)
def test_pixels_without_a_defined_white_are_refused(tmp_path, data, reason):
    with pytest.raises(UnreadableImageError, match=f"{reason}.*save 8 or 16 bit"):
        read_image(put(tmp_path, "a.tif", data))


def test_a_tiff_of_a_rare_kind_is_told_so(tmp_path):
    with pytest.raises(UnreadableImageError, match="floating-point"):
        read_image(Path(skimage.__file__).parent / "data" / "multipage_rgb.tif")
    rare = put(tmp_path, "a.tif", tiff(1, 64, np.full((8, 8), 9, "<u8")))
    with pytest.raises(
        UnreadableImageError, match="a TIFF of a rare or damaged kind; save it as PNG"
    ):
        read_image(rare)


DEEP = np.stack([np.full((16, 24), value, np.uint16) for value in (52000, 9000, 700)])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("layout", [{}, {"rowsperstrip": 4}, {"tile": (16, 16)}], ids=str)
def test_planes_of_deep_colour_are_read_like_pixels(tmp_path, layout, order):
    options = {"photometric": "rgb", "byteorder": order, **layout}
    apart = put(tmp_path, "a.tif", written(DEEP, planarconfig="separate", **options))
    assert read_image(apart)[5, 5].tolist() == [203, 35, 2]
    whole = put(tmp_path, "b.tif", written(DEEP.transpose(1, 2, 0), **options))
    np.testing.assert_array_equal(read_image(apart), read_image(whole))


def test_halved_colours_of_an_uncompressed_tiff_are_read(tmp_path):
    unit = np.tile(np.array([150] * 4 + [44, 21], np.uint8), 8 * 12)  # 2 x 2 pixels, and Cb and Cr
    data = encoded(Image.new("YCbCr", (24, 16)), "TIFF", tiffinfo={530: (2, 2)})
    with Image.open(io.BytesIO(data)) as image:
        place = image.tag_v2[273][0]
    data = data[:place] + unit.tobytes() + b"\0" * 24 * 16 * 3
    assert np.abs(read_image(put(tmp_path, "a.tif", data)).astype(int) - (0, 255, 1)).max() < 3


@pytest.mark.parametrize(
    ("values", "options"),
    [
        (DEEP.astype("u1"), {"photometric": "cielab"}),
        (DEEP.astype("u1")[:2], {"photometric": "minisblack", "extrasamples": [2]}),
    ],
    ids=["CIELab", "grey and alpha"],
)
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_planes_that_would_be_mistaken_are_refused(tmp_path, values, options, compression):
    data = written(values, planarconfig="separate", compression=compression, **options)
    with pytest.raises(UnreadableImageError, match="separate planes of a rare kind; save it"):
        read_image(put(tmp_path, "a.tif", data))


@pytest.mark.parametrize("rare", [b"\xff\xc1\0\x11\x0c", b"\xff\xf7\0\x11\x08"])
def test_a_jpeg_of_a_rare_kind_is_not_called_damaged_alone(tmp_path, rare):
    data = encoded(SCENE, "JPEG").replace(b"\xff\xc0\0\x11\x08", rare)
    with pytest.raises(UnreadableImageError, match="rare or damaged from the start; save it as"):
        read_image(put(tmp_path, "a.jpg", data))


def test_libtiff_is_quiet(tmp_path, capfd):
    data = encoded(SCENE, "TIFF", compression="tiff_lzw")
    for place in range(200, len(data), 4001):
        broken = bytearray(data)
        broken[place] ^= 16
        with suppress(UnreadableImageError):
            read_image(put(tmp_path, "a.tif", bytes(broken)))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ((9, 16), "BT.2020 and PQ, which is HDR"),
        ((9, 18), "BT.2020 and HLG, which is HDR"),
        ((12, 13), "Display P3"),
        ((1, 8), "linear light"),
        *(((1, 13), ""), ((1, 1), ""), ((2, 2), ""), ((1, 6), "")),
    ],
)
@pytest.mark.parametrize("form", ["PNG", "AVIF"])
def test_colours_that_a_file_names_without_a_profile_are_remarked(tmp_path, form, points, words):
    primaries, curve = points
    if form == "PNG":
        content = png(chunk(b"cICP", bytes([primaries, curve, 0, 1])))
    else:
        content = encoded(picture(21), "AVIF")
        place = content.index(b"colrnclx") + 8
        content = content[:place] + bytes([0, primaries, 0, curve]) + content[place + 4 :]
    said = (f"its colours are {words}, without a profile; read as sRGB",) if words else ()
    assert decode(put(tmp_path, "a.picture", content)).remarks == said


@pytest.mark.parametrize(
    ("space", "calibration", "words"),
    [
        (b"\0\0\0\0", struct.pack("<III", *[2**16] * 3), "calibrated by its header"),
        (b"KNIL", b"", "those of a linked file"),
        (b"DEBM", b"", "those of a profile that is missing"),
        (b"\0\0\0\0", b"", ""),
        (b"BGRs", b"", ""),
    ],
)
def test_colours_that_a_bmp_names_without_a_profile_are_remarked(
    tmp_path, space, calibration, words
):
    found = decode(put(tmp_path, "a.bmp", bitmap(picture(21), space, calibration)))
    np.testing.assert_array_equal(found.pixels, np.array(picture(21)))
    said = (f"its colours are {words}, without a profile; read as sRGB",) if words else ()
    assert found.remarks == said


def test_a_tiff_whose_first_page_is_a_thumbnail_is_remarked(tmp_path):
    small, large = picture(3, 8), picture(3, 40)
    for first, words in ((1, "its first page is a thumbnail"), (0, "")):
        path = tmp_path / f"{first}.tif"
        small.save(path, save_all=True, append_images=[large], tiffinfo={254: first})
        assert "".join(decode(path).remarks).startswith(words)
        assert bool(decode(path).remarks) == bool(words)
    small.save(path, tiffinfo={254: 1})  # alone it is the picture
    assert decode(path).remarks == ()


def test_a_palette_of_a_tiff_with_8_bits_is_remarked(tmp_path):
    content = encoded(picture(4).quantize(16), "TIFF")
    assert decode(put(tmp_path, "a.tif", content)).remarks == ()
    with Image.open(tmp_path / "a.tif") as image:
        values = image.tag_v2[320]
    whole, small = (struct.pack("<768H", *(v >> bits for v in values)) for bits in (0, 8))
    found = decode(put(tmp_path, "b.tif", content.replace(whole, small))).remarks
    assert found[0].startswith("its palette has 8 bits")


def test_dark_pictures_of_fewer_bits_are_remarked(tmp_path):
    values = np.arange(64, dtype="<u2").reshape(8, 8) * 60
    remarks = decode(put(tmp_path, "a.tif", tiff(1, 16, values))).remarks
    assert remarks == ("dark: its values use 12 of 16 bits; kept as they are",)


def test_the_transparent_value_of_deep_grey_is_white(tmp_path):
    values = np.full((4, 4), 40_000, np.uint16)
    values[0] = 7
    data = encoded(Image.fromarray(values), "PNG", transparency=7)
    assert read_image(put(tmp_path, "a.png", data))[:2, 0, 0].tolist() == [255, 156]


@pytest.mark.parametrize(
    ("kind", "bits", "samples", "transparent", "white"),
    [
        (0, 2, b"\x1b", b"\0\1", [0, 255, 170, 255]),
        (0, 4, b"\x01\x23", b"\0\2", [0, 17, 255, 51]),
        (2, 16, b"\0\1\0\2\0\3\xff\0\0\0\0\0", b"\0\1\0\2\0\3", [255, 255]),
    ],
)
def test_the_transparent_value_of_any_depth_is_white(
    tmp_path, kind, bits, samples, transparent, white
):
    header = struct.pack(">IIBBBBB", len(white), 1, bits, kind, 0, 0, 0)
    parts = [(b"IHDR", header), (b"tRNS", transparent), (b"IDAT", zlib.compress(b"\0" + samples))]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in (*parts, (b"IEND", b"")))
    assert read_image(put(tmp_path, "a.png", data))[0, :, 0].tolist() == white


def test_dark_colour_of_fewer_bits_is_remarked(tmp_path):
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    samples = np.array([[4095, 0, 0, 7, 80, 900]], ">u2").tobytes()
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" + samples)), (b"IEND", b"")]
    path = put(tmp_path, "a.png", b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*p) for p in parts))
    assert decode(path).remarks == ("dark: its values use 12 of 16 bits; kept as they are",)


def test_alpha_that_is_empty_everywhere_is_no_alpha(tmp_path):
    found = decode(put(tmp_path, "a.bmp", bitmap_with_empty_alpha(picture(1))))
    np.testing.assert_array_equal(found.pixels, np.array(picture(1)))
    assert found.remarks == ("its alpha is 0 everywhere and does not count",)


@pytest.mark.parametrize("shown", [{}, {"transparency": 0}], ids=["opaque", "transparent"])
def test_the_margin_of_a_gif_is_white(tmp_path, shown):
    image = Image.new("P", (20, 20), 1)
    image.putpalette([0, 0, 200, 255, 0, 0])
    data = bytearray(encoded(image, "GIF", optimize=False, **shown))
    data[6:10] = struct.pack("<HH", 40, 30)
    place = data.index(b",\0\0\0\0\x14\0\x14") + 1
    data[place : place + 4] = struct.pack("<HH", 15, 5)
    pixels = read_image(put(tmp_path, "a.gif", data))
    assert (pixels[5:25, 15:35] == (255, 0, 0)).all()
    assert (pixels == 255).all(axis=2).sum() == 40 * 30 - 20 * 20


def test_pictures_of_a_single_colour_are_remarked(tmp_path):
    icon = Image.new("RGBA", (8, 8), (255, 255, 255, 0))
    icon.putpixel((3, 3), (255, 255, 255, 255))
    white = decode(put(tmp_path, "a.png", encoded(icon, "PNG"))).remarks
    assert white == ("it is a single colour, white behind what is transparent",)
    plain = decode(put(tmp_path, "b.png", encoded(Image.new("RGB", (9, 9)), "PNG"))).remarks
    assert plain == ("it is a single colour",)


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
