"""The one image reader: every format a folder may hold, and every way a file may lie."""

import struct
from pathlib import Path

import numpy as np
import pytest
from damaged import put, tiff
from pictures import picture
from PIL import Image

from benchmarks.pipeline.loading.listed import LazyImages, read_listed
from datasets import task
from datasets.errors import InputError, UnreadableImageError
from datasets.reading import LIMIT, content_hash, read_image

RED = (200, 30, 30)


def save(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "bmp", "tif", "gif"])
def test_formats_decode_to_upright_rgb(tmp_path, ending):
    path = save(Image.new("RGB", (7, 5), RED), tmp_path / f"a.{ending}")
    pixels = read_image(path)
    assert pixels.shape == (5, 7, 3)
    assert pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - RED).max() <= 8


def test_name_does_not_matter(tmp_path):
    path = save(picture(1), tmp_path / "picture", format="PNG")
    assert np.array_equal(read_image(path), np.array(picture(1)))


def test_transparency_lies_over_white(tmp_path):
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    clear.putpixel((0, 0), (0, 0, 255, 255))
    pixels = read_image(save(clear, tmp_path / "a.png"))
    assert pixels[0, 0].tolist() == [0, 0, 255]
    assert (pixels[1:] == 255).all()
    half = Image.new("LA", (4, 4), (0, 128))
    assert np.abs(read_image(save(half, tmp_path / "b.png")).astype(int) - 127).max() <= 1


def test_transparent_palette_entry_is_white(tmp_path):
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    path = save(image, tmp_path / "a.png", transparency=0)
    assert (read_image(path) == 255).all()


def test_palette_is_resolved(tmp_path):
    path = save(Image.new("RGB", (4, 4), RED).quantize(4), tmp_path / "a.png")
    assert (read_image(path) == RED).all()


def test_sixteen_bits_are_scaled_to_eight(tmp_path):
    deep = np.array([[0, 257 * 100, 65535]], np.uint16)
    path = save(Image.fromarray(deep), tmp_path / "a.png")
    assert read_image(path)[0, :, 0].tolist() == [0, 100, 255]


def test_cmyk_and_grey_and_bilevel_become_rgb(tmp_path):
    white = save(Image.new("CMYK", (4, 4), (0, 0, 0, 0)), tmp_path / "a.jpg")
    assert (read_image(white) > 250).all()
    grey = read_image(save(Image.new("L", (4, 4), 90), tmp_path / "b.png"))
    assert (grey == 90).all()
    assert (read_image(save(Image.new("1", (4, 4), 1), tmp_path / "c.png")) == 255).all()


def test_exif_orientation_is_honoured(tmp_path):
    image = Image.new("RGB", (6, 4), "white")
    image.putpixel((0, 0), (0, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    pixels = read_image(save(image, tmp_path / "a.png", exif=exif))
    assert pixels.shape == (6, 4, 3)
    assert pixels[0, 3].tolist() == [0, 0, 0]


def test_first_frame_of_an_animation_counts(tmp_path):
    frames = [Image.new("RGB", (4, 4), "black"), Image.new("RGB", (4, 4), "white")]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    assert (read_image(path) == 0).all()


def _truncated(path: Path) -> None:
    picture(1, size=200).save(path, format="JPEG")
    path.write_bytes(path.read_bytes()[:600])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.write_text("no picture"), "not a picture"),
        (lambda path: path.write_bytes(b""), "empty file"),
        (_truncated, "cannot be decoded"),
        (lambda path: Image.new("F", (2, 2)).save(path, format="TIFF"), "floating-point"),
        (lambda path: None, "no such file"),
    ],
    ids=["text", "empty", "truncated", "float", "missing"],
)
def test_lying_files_say_why(tmp_path, make, reason):
    path = tmp_path / "a.jpg"
    make(path)
    with pytest.raises(UnreadableImageError, match=reason):
        read_image(path)


def test_whatever_a_decoder_raises_is_a_reason(tmp_path, monkeypatch):
    picture(1).save(tmp_path / "a.png")

    def load(self):
        raise RuntimeError("avifDecoderNextImage: truncated")

    monkeypatch.setattr(Image.Image, "load", load)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(UnreadableImageError, match="truncated"):
        read_image(tmp_path / "a.png")


def test_decompression_bomb_is_refused_before_decoding(tmp_path, monkeypatch):
    path = save(Image.new("1", (20_000, 20_000)), tmp_path / "a.png")
    assert path.stat().st_size < 100_000
    with pytest.raises(UnreadableImageError, match="too large"):
        read_image(path)
    small = save(picture(1), tmp_path / "b.png")
    monkeypatch.setenv(LIMIT, "100")
    with pytest.raises(UnreadableImageError, match=r"too large \(24 x 24 pixels; at most 100"):
        read_image(small)
    monkeypatch.setenv(LIMIT, "many")
    with pytest.raises(InputError, match="no number of pixels"):
        read_image(small)


def test_lazy_images_decode_on_demand(tmp_path):
    paths = [save(picture(seed), tmp_path / f"{seed}.png") for seed in range(3)]
    images = LazyImages([task.Image(path.name, path, content_hash(path)) for path in paths])
    assert len(images) == 3
    assert np.array_equal(images[1], np.array(picture(1)))
    assert [image.shape for image in images[1:]] == [(24, 24, 3)] * 2
    assert len(list(images)) == len(list(images))  # may be read again


def test_a_listed_picture_that_is_another_by_now_is_not_read(tmp_path):
    path = save(picture(1), tmp_path / "a.png")
    listed = task.Image("a.png", path, content_hash(path))
    assert np.array_equal(read_listed(listed), np.array(picture(1)))
    save(picture(2), path)
    with pytest.raises(InputError, match=r"a.png: other bytes than before; .* run again"):
        read_listed(listed)


def test_content_hash_is_of_bytes(tmp_path):
    first = save(picture(1), tmp_path / "a.png")
    second = tmp_path / "b.png"
    second.write_bytes(first.read_bytes())
    assert content_hash(first) == content_hash(second)
    with pytest.raises(UnreadableImageError, match="no such file"):
        content_hash(tmp_path / "c.png")


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("../.git/annex/objects/a/MD5E-s1--a.jpg", "not here; get its content by: git annex get"),
        ("nowhere.png", "^a link to a file that is not there$"),
    ],
)
def test_a_link_to_nothing_says_so(tmp_path, target, reason):
    (tmp_path / "a.png").symlink_to(target)
    for read in (read_image, content_hash):
        with pytest.raises(UnreadableImageError, match=reason):
            read(tmp_path / "a.png")


def test_bands_beside_the_colours_are_counted(tmp_path, capfd):
    one, many = (struct.pack("<HHII", 277, 3, 1, number) for number in (1, 13))
    data = tiff(1, 16, np.zeros((4, 4, 13), "<u2")).replace(one, many)
    with pytest.raises(UnreadableImageError, match="a TIFF of 13 bands; save three of them"):
        read_image(put(tmp_path, "a.tif", data))
    assert capfd.readouterr().err == ""
