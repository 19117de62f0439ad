"""Sheets of pictures with frames and captions, and pictures as files in the format they name."""

import re
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from benchmarks.formats.files import write_whole
from benchmarks.formats.typefaces import best_typeface, own_typeface, transcribed, typefaces
from datasets.errors import InputError, UnreadableImageError
from datasets.reading import read_image

_SIDE = 150
_FRAME = 4
_GAP = 14
_LINE = 17
_FONT = 13


_FORMATS: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG"},
    ".jpg": {"format": "JPEG", "quality": 90},
    ".jpeg": {"format": "JPEG", "quality": 90},
    ".webp": {"format": "WEBP", "quality": 90},
    # Equal pictures make equal files, so no dates.
    ".pdf": {"format": "PDF", "title": None, "creationDate": None, "modDate": None},
}
_BEGINNINGS = {
    "PNG": rb"\x89PNG",
    "JPEG": rb"\xff\xd8\xff",
    "WEBP": rb"RIFF....WEBP",
    "PDF": b"%PDF",
}

DRAWN = "picture of that format"
"""What `write_picture` writes, in words."""


def is_drawn(path: Path) -> bool:
    """Whether a file is in the format that its ending says, of those that are written here."""
    form = _FORMATS.get(path.suffix.lower(), {}).get("format")
    with path.open("rb") as file:
        return form is not None and bool(re.match(_BEGINNINGS[form], file.read(16), re.DOTALL))


def write_picture(path: Path, picture: PILImage.Image) -> None:
    """Write a picture in the format that the ending of its file says.

    Raises
    ------
    InputError
        If it says none that is written here, or if nothing can be written there.
    """
    settings = _FORMATS.get(path.suffix.lower())
    if settings is None:
        raise InputError(f"{path}: drawn are {', '.join(_FORMATS)}; end the name with one of them")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file")
    try:
        write_whole(path, partial(picture.save, **settings))
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error}); name another file"
        ) from error


class Cell(NamedTuple):
    """A picture on a sheet: its file, the colour of its frame, texts above and below it, its hash.

    A file of another hash is left blank, if one is given.
    """

    file: Path
    frame: str = "lightgrey"
    above: str = ""
    below: str = ""
    sha256: str = ""


def draw_sheet(path: Path, cells: Sequence[Cell], columns: int = 6, group: int = 1) -> None:
    """Draw pictures line by line; one that cannot be read is left blank.

    Parameters
    ----------
    path : Path
        The file; its ending says the format.
    cells : sequence of Cell
        At least one.
    columns : int
        Pictures in a line.
    group : int
        Pictures that stand side by side without a gap, such as 2 for pairs.
    """
    head, foot = (_LINE * any(texts) for texts in list(zip(*cells, strict=True))[2:4])
    tall, columns = head + _SIDE + foot + _GAP, min(columns, len(cells))
    width = columns * _SIDE + (-(-columns // group) + 1) * _GAP
    sheet = PILImage.new("RGB", (width, -(-len(cells) // columns) * tall + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    paths = typefaces(text for cell in cells for text in cell[2:4])
    for number, cell in enumerate(cells):
        row, column = divmod(number, columns)
        left, top = _GAP + column * _SIDE + column // group * _GAP, _GAP + row * tall + head
        pen.rectangle((left, top, left + _SIDE - 1, top + _SIDE - 1), "white", cell.frame, _FRAME)
        _paste(sheet, cell, left, top)
        _write(pen, (left, top - _LINE), cell.above, paths)
        _write(pen, (left, top + _SIDE + 2), cell.below, paths)
    write_picture(path, sheet)


def _paste(sheet: PILImage.Image, cell: Cell, left: int, top: int) -> None:
    """Paste a picture into the middle of a cell."""
    try:
        picture = PILImage.fromarray(read_image(cell.file, cell.sha256 or None))
    except UnreadableImageError:
        return
    room = _SIDE - 2 * _FRAME - 4
    picture.thumbnail((room, room))
    x, y = ((_SIDE - length) // 2 for length in picture.size)
    sheet.paste(picture, (left + x, top + y))


def _write(
    pen: ImageDraw.ImageDraw, place: tuple[int, int], text: str, paths: Sequence[Path]
) -> None:
    """Write a text, cut to the width of a cell."""
    text = "".join(char if char.isprintable() else "�" for char in text)
    path = best_typeface(text, paths)
    text, font = transcribed(text, [path]), _font(path)
    if font.getlength(text) > _SIDE:
        while text and font.getlength(text + "…") > _SIDE:
            text = text[:-1]
        text += "…"
    # Typefaces differ in height; baselines are where ours would have them.
    x, y = place
    pen.text((x, y + _font(own_typeface()).getmetrics()[0]), text, "black", font, anchor="ls")


@cache
def _font(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), _FONT)
