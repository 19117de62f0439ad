"""Pictures given from Python: a path, an image of Pillow or an array, or one clear error."""

from pathlib import Path

import numpy as np
import pytest
from pictures import picture
from PIL import Image

from datasets.errors import InputError
from datasets.reading import as_pixels

PHOTO = np.array(picture(1))


class Tensor:
    """What any library's tensor offers."""

    def __array__(self, dtype=None, copy=None):
        return PHOTO


def test_bytes_are_taken_as_they_are():
    assert as_pixels(PHOTO) is PHOTO
    assert np.array_equal(as_pixels(Tensor()), PHOTO)
    mirrored = as_pixels(PHOTO[:, ::-1])
    assert np.array_equal(mirrored, PHOTO[:, ::-1])
    assert mirrored.flags.c_contiguous  # OpenCV wants it


def test_a_path_and_an_image_of_pillow_are_read_as_files_are(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "a.png"
    picture(1).save(path, exif=exif)
    turned = np.rot90(PHOTO, -1)
    for given in (path, str(path), Image.open(path)):
        assert np.array_equal(as_pixels(given), turned)
    assert np.array_equal(as_pixels(picture(1)), PHOTO)


def test_grey_is_repeated_and_black_and_white_stretched():
    grey = PHOTO[..., 0]
    for given in (grey, grey[..., None]):
        assert np.array_equal(as_pixels(given), np.dstack([grey] * 3))
    assert np.array_equal(as_pixels(grey > 99), np.dstack([np.where(grey > 99, 255, 0)] * 3))


def test_alpha_lies_over_white():
    alpha = np.full((*PHOTO.shape[:2], 1), 255, np.uint8)
    alpha[0, 0] = 0
    found = as_pixels(np.concatenate([PHOTO, alpha], axis=2))
    assert found[0, 0].tolist() == [255, 255, 255]
    assert np.array_equal(found[1:], PHOTO[1:])


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ((PHOTO / 255).astype("float32"), r"from 0 to 0\.96\d+; .*\(array \* 255\)"),
        (PHOTO.astype("float32"), r"float32 from \d+ to \d+; .*array.round\(\).astype"),
        (np.full((4, 4, 3), np.nan), "NaN or infinity; .*nan_to_num"),
        (PHOTO.astype("uint16") * 257, r"uint16 from .*\(array / 257\)"),
        (PHOTO.astype("int64"), "int64 from .*array.round"),
        (PHOTO.astype("int16") - 200, "scale its values"),
        (PHOTO.astype("complex64"), "complex64; give uint8"),
        (PHOTO[None], r"batch; .*array\[0\]"),
        (PHOTO.transpose(2, 0, 1), r"array.transpose\(1, 2, 0\)"),
        (PHOTO[..., :2], "2 channels"),
        (PHOTO[0, 0], "no picture"),
        (PHOTO[:0], "no pixels"),
        (np.ones((4, 4, 4), bool), "4 channels"),
        (Image.fromarray(PHOTO[..., 0]).convert("I"), r"int32 from .*array.round\(\).astype"),
        (Image.fromarray(PHOTO[..., 0]).convert("I;16"), r"uint16 from .*array.round\(\).astype"),
        (np.ma.masked_equal(PHOTO, PHOTO[0, 0, 0]), r"are masked; give array.filled\(255\)"),
        (b"\xff\xd8\xff", "a bytes is no picture"),
        (PHOTO.tolist(), "a list is no picture"),
        (None, "a NoneType is no picture"),
        (Path("nowhere.jpg"), "nowhere.jpg: .*give a picture"),
    ],
)
def test_what_may_be_meant_in_several_ways_is_refused_with_the_remedy(given, remedy):
    with pytest.raises(InputError, match=remedy):
        as_pixels(given)


def test_deep_images_are_read_like_their_files(tmp_path):
    deep = Image.fromarray(PHOTO[..., 0].astype("uint16") * 257)
    deep.save(tmp_path / "deep.png")
    dark = Image.fromarray(PHOTO[..., 0].astype("uint16"))
    dark.save(tmp_path / "dark.png")
    for given in (
        deep,
        Image.open(tmp_path / "deep.png"),
        Image.open(tmp_path / "deep.png").copy(),
    ):
        assert np.array_equal(as_pixels(given), np.dstack([PHOTO[..., 0]] * 3))
    assert as_pixels(Image.open(tmp_path / "dark.png")).max() <= 1
    assert np.array_equal(as_pixels(np.ma.array(PHOTO)), PHOTO)
