"""Pictures whose files are made of boxes: JPEG 2000, AVIF and HEIC."""

import struct
import subprocess
import sys

import cv2
import numpy as np
import pytest
from damaged import box, encoded, heic_with_item, jpeg2000
from pictures import picture
from PIL import Image

from datasets.decoding import render
from datasets.errors import UnreadableImageError
from datasets.reading import decode, read_bytes

BRIGHT = np.full((32, 48, 4), 65535, np.uint16)
BRIGHT[8:20, 8:20] = 9000, 9000, 52000, 65535
NAMED = b"\1\0\0"


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_deep_colour_in_jpeg_2000_is_refused(channels, bits):
    """The decoder rounds white up to black."""
    data = cv2.imencode(".jp2", BRIGHT[..., :channels])[1].tobytes()
    data = data.replace(b"\x0f\1\1", bytes([bits - 1]) + b"\1\1")
    with pytest.raises(UnreadableImageError, match=f"samples of {bits} bit, not read; save it"):
        read_bytes(data)


@pytest.mark.parametrize(("size", "kind"), [(3, "of 4 bit"), (0, "of 1 bit"), (0x87, "signed")])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_other_depths_of_jpeg_2000_are_refused(mode, size, kind):
    data = encoded(picture(1).convert(mode), "JPEG2000", no_jp2=True)
    data = data.replace(b"\7\1\1", bytes([size, 1, 1]), 3)
    with pytest.raises(UnreadableImageError, match=f"{kind}.*, not read; save it with 8 bit"):
        read_bytes(data)


@pytest.mark.parametrize("no_jp2", [False, True], ids=["boxes", "code stream"])
def test_deep_grey_in_jpeg_2000_is_read(no_jp2):
    grey = Image.fromarray(np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64))
    pixels = read_bytes(encoded(grey, "JPEG2000", no_jp2=no_jp2))
    np.testing.assert_array_equal(pixels[..., 0], np.round(np.asarray(grey) / 257))


@pytest.mark.parametrize("space", [0, 11, 14, 15, 24])
def test_colours_that_the_decoder_of_jpeg_2000_mistakes_are_refused(space):
    with pytest.raises(
        UnreadableImageError, match="a rare colour space, not read; save it as RGB"
    ):
        read_bytes(jpeg2000(picture(1), NAMED + struct.pack(">I", space)))


def test_a_cmyk_profile_of_a_jpeg_2000_is_refused():
    profile = b"\2\0\0" + bytes(16) + b"CMYK" + bytes(200)
    with pytest.raises(UnreadableImageError, match="a rare colour space"):
        read_bytes(jpeg2000(picture(1).convert("RGBA"), profile))


@pytest.mark.parametrize(("bits", "is_read"), [(8, True), (4, False), (12, False)])
def test_palettes_of_jpeg_2000(bits, is_read):
    colours = np.array([[0, 0, 0], [255, 0, 0]]) * (2**bits - 1) // 255
    values = colours.astype("u1" if bits <= 8 else ">u2").tobytes()
    palette = box(b"pclr", struct.pack(">HB", 2, 3) + bytes([bits - 1] * 3) + values)
    palette += box(b"cmap", b"".join(struct.pack(">HBB", 0, 1, one) for one in range(3)))
    image = Image.new("L", (64, 64), 1)
    image.putpixel((9, 9), 0)
    data = jpeg2000(image, NAMED + struct.pack(">I", 16), palette)
    if is_read:
        assert read_bytes(data)[:2, 0].tolist() == [[255, 0, 0]] * 2
    else:
        with pytest.raises(UnreadableImageError, match="a rare palette, not read; save it as RGB"):
            read_bytes(data)


@pytest.mark.parametrize(("sizes", "reduced"), [(1, 64), (2, 32), (6, 32)])
def test_a_large_jpeg_2000_is_reduced_if_it_has_smaller_sizes(
    tmp_path, monkeypatch, sizes, reduced
):
    monkeypatch.setattr(render, "_LARGE_JPEG2000", 500)
    path = tmp_path / "a.jp2"
    picture(1, 64).save(path, num_resolutions=sizes)
    found = decode(path)
    assert found.pixels.shape == (reduced, reduced, 3)
    assert found.is_reduced == (reduced < 64)


def test_a_jpeg_2000_without_smaller_sizes_is_allowed_fewer_pixels(monkeypatch):
    monkeypatch.setenv("IMAGE_RETRIEVAL_MAX_PIXELS", str(64 * 64))
    read_bytes(encoded(picture(1, 64), "JPEG2000"))
    with pytest.raises(UnreadableImageError, match=r"too large .*at most 1,077"):
        read_bytes(encoded(picture(1, 64), "JPEG2000", num_resolutions=1))


def test_an_item_of_a_heic_whose_type_is_no_text_ends_no_process():
    script = "import sys; from datasets.reading import read_bytes as read; "
    script += "read(sys.stdin.buffer.read())"
    sound, damaged = (
        subprocess.run(
            [sys.executable, "-c", script], input=data, capture_output=True, check=False
        )
        for data in (heic_with_item(b"Exif"), heic_with_item(b"Ex\xf5f"))
    )
    assert (sound.returncode, damaged.returncode) == (0, 1)
    assert b"cannot be decoded (the type of an item is no text)" in damaged.stderr
