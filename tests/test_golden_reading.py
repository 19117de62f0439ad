"""Golden pixels and hashes: the reader and pHash give what they did when they were recorded."""

import numpy as np
import pytest
from PIL import Image
from reference import PICTURES

from datasets import perceptual, reading
from datasets.perceptual import perceptual_hash
from datasets.reading import read_image

PHOTO = PICTURES[0]
GREY = (PHOTO.sum(axis=2) // 3).astype(np.uint8)
PALETTE = Image.fromarray(GREY // 32, "P")
PALETTE.putpalette(np.random.default_rng(0).integers(0, 256, 24).tolist())
TURNED = Image.Exif()
TURNED[0x0112] = 6

FILES = {
    "grey.png": (Image.fromarray(GREY), {}),
    "black and white.png": (Image.fromarray(GREY > 128), {}),
    "palette.gif": (PALETTE, {}),
    "transparent palette.png": (PALETTE, {"transparency": 3}),
    "16 bit.png": (Image.fromarray(GREY.astype(np.uint16) * 257 + 100), {}),
    "cmyk.tif": (Image.fromarray(np.dstack([PHOTO, 255 - PHOTO[..., :1]]), "CMYK"), {}),
    "transparent.png": (Image.fromarray(np.dstack([PHOTO, PHOTO[..., :1]])), {}),
    "turned.png": (Image.fromarray(PHOTO), {"exif": TURNED}),
    "colour.bmp": (Image.fromarray(PHOTO), {}),
}


@pytest.mark.parametrize("name", FILES)
def test_pixels_are_what_they_were(name, tmp_path, golden):
    picture, options = FILES[name]
    picture.save(tmp_path / name, **options)
    golden.check(reading.VERSION, [read_image(tmp_path / name)], name)


def test_perceptual_hashes_are_what_they_were(golden):
    hashes = [np.unpackbits(perceptual_hash(picture)) for picture in PICTURES]
    golden.check(perceptual.VERSION, hashes)
