"""A picture of what was found: the query, then its neighbours, framed as right or wrong."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from benchmarks.formats.files import write_whole
from datasets.errors import UnreadableImageError
from datasets.reading import read_image

RIGHT, WRONG, UNKNOWN, ASKED = "#009e73", "#d55e00", "#999999", "#000000"
MARKS = {True: "○", False: "✕", None: ""}

_SIDE = 168
_FRAME = 4
_COLUMNS = 6
_GAP = 14
_LINE = 17
_FONT = 13


def draw_contact_sheet(path: Path, query: Path, caption: str, neighbours: Sequence[Any]) -> None:
    """Draw a query and what was found for it, six pictures to a line, as a PNG.

    Parameters
    ----------
    path : Path
    query : Path
    caption : str
        Below the query.
    neighbours : sequence of Neighbour
        One that has gone since is left blank.
    """
    font = _font()
    tall, wide = _SIDE + 2 * _LINE + _GAP, _SIDE + _GAP
    cells = [(query, ASKED, "query", caption)]
    for one in neighbours:
        colour = {True: RIGHT, False: WRONG, None: UNKNOWN}[one.right]
        above = f"{one.rank} {MARKS[one.right]}".strip() + f"   {one.distance:.3f}"
        cells.append((one.path, colour, above, one.label or one.path.name))
    rows, columns = -(-len(cells) // _COLUMNS), min(_COLUMNS, len(cells))
    sheet = PILImage.new("RGB", (columns * wide + _GAP, rows * tall + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for place, (file, colour, above, below) in enumerate(cells):
        left = _GAP + place % columns * wide
        top = _GAP + place // columns * tall
        box = (left, top, left + _SIDE - 1, top + _SIDE - 1)
        pen.rectangle(box, "white", colour, _FRAME)
        _paste(sheet, file, left, top)
        for line, text in enumerate((above, below)):
            where = (left, top + _SIDE + 2 + line * _LINE)
            pen.text(where, _fitting(text, font), fill="black", font=font)
    write_whole(path, partial(sheet.save, format="PNG"))


def _paste(sheet: PILImage.Image, file: Path, left: int, top: int) -> None:
    try:
        picture = PILImage.fromarray(read_image(file))
    except UnreadableImageError:
        return
    room = _SIDE - 2 * _FRAME - 4
    picture.thumbnail((room, room))
    centre = [(_SIDE - length) // 2 for length in picture.size]
    sheet.paste(picture, (left + centre[0], top + centre[1]))


def _font() -> ImageFont.FreeTypeFont:
    import matplotlib  # its font has the marks

    file = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    return ImageFont.truetype(str(file), _FONT)


def _fitting(text: str, font: ImageFont.FreeTypeFont) -> str:
    """Cut a text to the width of a picture."""
    text = "".join(char if char.isprintable() else "�" for char in text)
    if font.getlength(text) <= _SIDE:
        return text
    while text and font.getlength(text + "…") > _SIDE:
        text = text[:-1]
    return text + "…"
