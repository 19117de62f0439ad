"""Pictures transferred as text or in part are left out, and no sound one is taken for them."""

import numpy as np
import pytest
from damaged import encoded, put
from pictures import picture
from PIL import Image

from datasets.errors import UnreadableImageError
from datasets.reading import read_image

PHOTO = Image.fromarray(
    np.random.default_rng(3).integers(0, 256, (40, 60, 3)).astype(np.uint8)
).resize((300, 200), Image.Resampling.BICUBIC)


def to_crlf(data):
    return data.replace(b"\n", b"\r\n")


def to_lf(data):
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


COMPRESSED = [
    ("JPEG", {}),
    ("JPEG", {"progressive": True}),
    ("WEBP", {"quality": 90}),
    ("AVIF", {}),
    ("GIF", {}),
    ("JPEG2000", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
]


@pytest.mark.parametrize("transfer", [to_crlf, to_lf])
@pytest.mark.parametrize(("form", "options"), COMPRESSED, ids=str)
def test_a_picture_transferred_as_text_is_left_out(tmp_path, form, options, transfer):
    data = encoded(PHOTO, form, **options)
    with pytest.raises(UnreadableImageError, match=r"transferred as text|cannot be decoded"):
        read_image(put(tmp_path, "a.jpg", transfer(data)))


@pytest.mark.parametrize("form", ["BMP", "PPM", "JPEG"])
def test_line_ends_of_two_bytes_are_told(tmp_path, form):
    with pytest.raises(UnreadableImageError, match=r"transferred as text, .* anew as binary"):
        read_image(put(tmp_path, "a.bmp", to_crlf(encoded(PHOTO, form))))


@pytest.mark.parametrize("transfer", [to_crlf, to_lf])
def test_a_png_transferred_as_text_is_named(tmp_path, transfer):
    with pytest.raises(UnreadableImageError, match=r"not a picture .PNG, transferred as text"):
        read_image(put(tmp_path, "a.png", transfer(encoded(picture(1), "PNG"))))


def flat(*colour):
    return Image.new("RGB", (120, 90), colour)


MAP = Image.fromarray(np.random.default_rng(0).integers(0, 13, (90, 120)).astype(np.uint8))
"""Numbers of classes, among which no CR is."""

LINES = b"".join(b"line %d of a comment\r\n" % number for number in range(300))


@pytest.mark.parametrize(
    ("data", "colour"),
    [
        (encoded(flat(13, 10, 70), "PPM"), (13, 10, 70)),
        (encoded(flat(70, 10, 13), "BMP"), (70, 10, 13)),
        (encoded(flat(13, 10, 70), "TIFF"), (13, 10, 70)),
        (encoded(flat(10, 10, 10), "BMP"), (10, 10, 10)),
        (encoded(MAP, "TIFF", compression="packbits"), 6),
        (encoded(flat(255, 255, 255), "JPEG", comment=LINES), (255, 255, 255)),
        (
            encoded(flat(255, 255, 255), "JPEG", comment=LINES.replace(b"\r", b"")),
            (255, 255, 255),
        ),
        (to_crlf(b"P3\n2 2\n255\n" + b"9 9 9\n" * 4), (9, 9, 9)),
        (b"P3\n80 80\n255\n" + b"9 9 9\n" * 6400, (9, 9, 9)),
    ],
    ids=[
        "ppm",
        "bmp",
        "tiff",
        "bmp of LF",
        "packbits",
        "CR LF in text",
        "LF in text",
        "text",
        "LF",
    ],
)
def test_sound_pictures_with_ends_of_lines_are_read(tmp_path, data, colour):
    pixels = read_image(put(tmp_path, "a.ppm", data))
    assert np.abs(pixels.mean(axis=(0, 1)) - colour).max() <= 1


LARGE = PHOTO.resize((1200, 800), Image.Resampling.BICUBIC)
BLACK = Image.new("RGB", (1200, 800))
BLACK.paste(LARGE.crop((0, 0, 1200, 300)))
WITHOUT_CHECKS = [
    ("WEBP", {"quality": 90}),
    ("WEBP", {"lossless": True, "method": 0}),
    ("AVIF", {"quality": 90}),
]


@pytest.mark.parametrize("share", [0.3, 0.9])
@pytest.mark.parametrize(("form", "options"), WITHOUT_CHECKS, ids=str)
def test_a_picture_whose_end_was_never_written_is_left_out(tmp_path, form, options, share):
    data = encoded(LARGE, form, **options)
    written = data[: int(share * len(data))]
    with pytest.raises(UnreadableImageError, match="its end was never written"):
        read_image(put(tmp_path, "a.webp", written.ljust(len(data), b"\0")))


@pytest.mark.parametrize("image", [LARGE, BLACK, Image.new("RGB", (1200, 800))], ids=range(3))
@pytest.mark.parametrize(("form", "options"), WITHOUT_CHECKS, ids=str)
def test_sound_pictures_with_zeros_behind_them_are_read(tmp_path, form, options, image):
    data = encoded(image, form, exif=Image.Exif().tobytes() + bytes(6000), **options)
    sound = read_image(put(tmp_path, "a.webp", data))
    assert sound.shape == (800, 1200, 3)
    np.testing.assert_array_equal(read_image(put(tmp_path, "b.webp", data + bytes(9000))), sound)
