"""Sheets of pictures with frames and captions, as PNG files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from benchmarks.formats.files import write_whole
from datasets.errors import UnreadableImageError
from datasets.reading import read_image

_SIDE = 150
_FRAME = 4
_GAP = 14
_LINE = 17
_FONT = 13


class Cell(NamedTuple):
    """A picture on a sheet: its file, the colour of its frame, and texts above and below it."""

    file: Path
    frame: str = "lightgrey"
    above: str = ""
    below: str = ""


def draw_sheet(path: Path, cells: Sequence[Cell], columns: int = 6, group: int = 1) -> None:
    """Draw pictures line by line; one that cannot be read is left blank.

    Parameters
    ----------
    path : Path
        The PNG file.
    cells : sequence of Cell
        At least one.
    columns : int
        Pictures in a line.
    group : int
        Pictures that stand side by side without a gap, such as 2 for pairs.
    """
    import matplotlib  # for its typeface, which has signs for right and wrong

    file = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    font = ImageFont.truetype(str(file), _FONT)
    head, foot = (_LINE * any(texts) for texts in list(zip(*cells, strict=True))[2:])
    tall, columns = head + _SIDE + foot + _GAP, min(columns, len(cells))
    width = columns * _SIDE + (-(-columns // group) + 1) * _GAP
    sheet = PILImage.new("RGB", (width, -(-len(cells) // columns) * tall + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        left, top = _GAP + column * _SIDE + column // group * _GAP, _GAP + row * tall + head
        pen.rectangle((left, top, left + _SIDE - 1, top + _SIDE - 1), "white", cell.frame, _FRAME)
        _paste(sheet, cell.file, left, top)
        pen.text((left, top - _LINE), _fitting(cell.above, font), fill="black", font=font)
        pen.text((left, top + _SIDE + 2), _fitting(cell.below, font), fill="black", font=font)
    write_whole(path, partial(sheet.save, format="PNG"))


def _paste(sheet: PILImage.Image, file: Path, left: int, top: int) -> None:
    """Paste a picture into the middle of a cell."""
    try:
        picture = PILImage.fromarray(read_image(file))
    except UnreadableImageError:
        return
    room = _SIDE - 2 * _FRAME - 4
    picture.thumbnail((room, room))
    x, y = ((_SIDE - length) // 2 for length in picture.size)
    sheet.paste(picture, (left + x, top + y))


def _fitting(text: str, font: ImageFont.FreeTypeFont) -> str:
    """Cut a text to the width of a cell."""
    text = "".join(char if char.isprintable() else "�" for char in text)
    if font.getlength(text) <= _SIDE:
        return text
    while text and font.getlength(text + "…") > _SIDE:
        text = text[:-1]
    return text + "…"
