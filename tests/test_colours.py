"""Every rule of depth, colour profiles and transparency, in every format that has it."""

import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import skimage
import tifffile
from damaged import (
    bitmap,
    bitmap_with_empty_alpha,
    chunk,
    encoded,
    jpeg2000,
    png,
    profile,
    put,
    tiff,
)
from pictures import picture, scene
from PIL import Image, ImageCms

from datasets.errors import UnreadableImageError
from datasets.reading import decode, read_image

SCENE = Image.fromarray(scene(1))


def written(values, **options):
    """A TIFF by another writer than Pillow."""
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


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
    for first, words in ((1, "its first page is a thumbnail"), (0, "it has further pages")):
        path = tmp_path / f"{first}.tif"
        small.save(path, save_all=True, append_images=[large], tiffinfo={254: first})
        [remark] = decode(path).remarks
        assert remark.startswith(words)
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
