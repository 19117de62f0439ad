"""Typefaces for names in any script: Matplotlib's own, and installed ones for what it lacks."""

import logging
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

log = logging.getLogger(__name__)

_EAST_ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "IDEOGRAPHIC")

_EMPTY = ("lastresort", "blank", "notdef")
"""In the names of typefaces that have a box for every character, and nothing else."""


_ADVICE = (
    r"characters that no installed typeface has are drawn as escapes such as \u65e5; install %s, "
    "and draw again"
)

_ADVISED: set[str] = set()
"""Typefaces that the log has named."""


@cache
def own_typeface() -> Path:
    """The typeface that comes with Matplotlib, which has signs for right and wrong."""
    from matplotlib import get_data_path

    return Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")


def typefaces(texts: Iterable[str]) -> list[Path]:
    """Files of the typefaces that texts need, our own first.

    Which others there are depends on the machine, in which order does not. Characters that none
    has are for `transcribed`; the log says once which typeface to install.
    """
    found = [own_typeface()]
    lacking = {ord(char) for text in texts for char in text if char.isprintable()}
    lacking -= _characters(found[0])
    for path in _installed() if lacking else ():
        if lacking & _characters(path):
            found.append(path)
            lacking -= _characters(path)
            if not lacking:
                break
    names = sorted({_remedy(chr(point)) for point in lacking} - _ADVISED)
    if names:
        _ADVISED.update(names)
        log.warning(_ADVICE, ", ".join(names))
    return found


def transcribed(text: str, paths: Sequence[Path]) -> str:
    """Write characters that no typeface has as Python's escapes."""
    return "".join(
        char
        if char == "\n" or any(ord(char) in _characters(path) for path in paths)
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def best_typeface(text: str, paths: Sequence[Path]) -> Path:
    """The one typeface that has most characters of a text."""
    return max(paths, key=lambda path: sum(ord(char) in _characters(path) for char in text))


@cache
def _installed() -> list[Path]:
    """Every typeface of the machine in its plain form, those that strive to be complete first."""
    from matplotlib.font_manager import findSystemFonts

    paths = sorted({Path(path) for path in findSystemFonts()}, key=lambda path: path.name)
    plain = [path for path in paths if not any(word in path.name.lower() for word in _EMPTY)]
    return sorted(plain, key=lambda path: not path.name.startswith("NotoSans"))


@cache
def _characters(path: Path) -> frozenset[int]:
    """Code points that a typeface draws; none if it is bold, slanted, coloured or damaged."""
    from matplotlib.ft2font import FaceFlags, FT2Font, StyleFlags

    try:
        face = FT2Font(str(path))
    except (OSError, RuntimeError):
        return frozenset()
    # Bitmaps in colour are of one size, and not for our painters.
    is_drawn = FaceFlags.SCALABLE in face.face_flags
    if not is_drawn or face.style_flags != StyleFlags.NORMAL or "color" in path.name.lower():
        return frozenset()
    return frozenset(face.get_charmap())


def _remedy(char: str) -> str:
    script = unicodedata.name(char, "UNKNOWN").split(" ")[0]
    if script in _EAST_ASIAN:
        return "Noto Sans CJK"
    if unicodedata.category(char).startswith("S"):
        return "Noto Emoji and Noto Sans Symbols"
    return f"Noto Sans {script.capitalize()}"
