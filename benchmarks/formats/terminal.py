"""Text for terminals: marks that they can show, and no characters that control them."""

import codecs
import sys
from io import TextIOWrapper

from datasets.command_line import escaped
from datasets.command_line import visible as visible

_PLAIN = {
    **dict(zip("○✕◆•×–—−━╸╺“”„‘’", 'ox**x------"""\'\'', strict=True)),
    "→": "->",
    "…": "...",
    "≤": "<=",
    "≥": ">=",
    "°": " deg",
}
"""Marks of tables, bars and lists, and what stands for them where they cannot be written."""


def write_anything() -> None:
    """Make standard output and error take any text, whatever their encoding.

    What an encoding lacks is written in ASCII: marks as similar ones, other characters as
    Python's escapes.
    """
    codecs.register_error("plain", _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="plain")


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(char) or escaped(char) for char in lacking), error.end
