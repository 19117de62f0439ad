"""Pairs of pictures side by side, on one sheet."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image as PILImage
from PIL import ImageDraw

from benchmarks.formats.files import write_whole
from datasets.reading import read_image

_SIDE = 128
_COLUMNS = 4
_CAPTION = 16
_GAP = 10


class Shown(NamedTuple):
    """Two picture files, and what to write below them."""

    one: Path
    other: Path
    caption: str = ""


def draw_sheet(path: Path, pairs: Sequence[Shown]) -> None:
    """Draw pairs of pictures, four to a line, as a PNG.

    Parameters
    ----------
    path : Path
    pairs : sequence of Shown
        At least one.
    """
    columns = min(_COLUMNS, len(pairs))
    rows = -(-len(pairs) // columns)
    wide, tall = 2 * _SIDE + _GAP, _SIDE + _CAPTION + _GAP
    sheet = PILImage.new("RGB", (columns * wide + _GAP, rows * tall + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for place, pair in enumerate(pairs):
        left = _GAP + place % columns * wide
        top = _GAP + place // columns * tall
        for number, file in enumerate((pair.one, pair.other)):
            picture = PILImage.fromarray(read_image(file))
            picture.thumbnail((_SIDE - 2, _SIDE - 2))
            sheet.paste(picture, (left + number * _SIDE, top))
        pen.text((left, top + _SIDE), pair.caption, fill="black")
    write_whole(path, partial(sheet.save, format="PNG"))
