"""Pairs of pictures side by side, on one sheet."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PIL import Image as PILImage
from PIL import ImageDraw

from benchmarks.files import write_whole
from benchmarks.leaks import Pair
from datasets.reading import read_image
from datasets.task import Image

_SIDE = 128
_COLUMNS = 4
_CAPTION = 16
_GAP = 10


def draw_pairs(path: Path, images: Sequence[Image], pairs: Sequence[Pair], most: int = 48) -> None:
    """Draw the first pairs, most similar first, as a PNG.

    Parameters
    ----------
    path : Path
    images : sequence of Image
        What the pairs' numbers count.
    pairs : sequence of Pair
    most : int
        Pairs that are drawn.
    """
    shown = pairs[:most]
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    wide, tall = 2 * _SIDE + _GAP, _SIDE + _CAPTION + _GAP
    sheet = PILImage.new("RGB", (columns * wide + _GAP, rows * tall + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for place, pair in enumerate(shown):
        left = _GAP + place % columns * wide
        top = _GAP + place // columns * tall
        for number, index in enumerate((pair.one, pair.other)):
            picture = PILImage.fromarray(read_image(images[index].path))
            picture.thumbnail((_SIDE - 2, _SIDE - 2))
            sheet.paste(picture, (left + number * _SIDE, top))
        what = "equal bytes" if pair.exact else f"{pair.bits} bits, cosine {pair.cosine:.3f}"
        pen.text((left, top + _SIDE), what, fill="black")
    write_whole(path, partial(sheet.save, format="PNG"))
