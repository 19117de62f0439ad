"""Markdown and CSV."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any, TextIO

DIGITS = 9
"""Decimals of computed numbers: fewer than processors agree on, more than anybody needs."""

_MARKS = re.compile(r"(?P<plain>(?<=[^\W_])_+(?=[^\W_])|(?<!\S)\*+(?!\S))|[\\`|<>\[\]&*~$_]")
"""What Markdown takes for more than itself; plain are `_` inside a word, and `*` beside none."""


class Markup(str):
    """Text that is Markdown or HTML already, and made of nothing that would have to be escaped."""


def markdown(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """Format a Markdown table: numbers right, the first column and other text left."""
    columns = list(zip(*cells, strict=True))[1:] if cells else [()] * (len(headings) - 1)
    rules = ["---:" if all(map(_is_number, column)) else "---" for column in columns]
    lines = [headings, ["---", *rules], *cells]
    return "".join("| " + " | ".join(map(escape, line)) + " |\n" for line in lines)


def table(text: str) -> str:
    r"""Format lines of Markdown, with ``|`` between their cells, as a table.

    Parameters
    ----------
    text : str
        The headings on the first line; blank lines are left out.

    Examples
    --------
    >>> print(table("method | mAP\nhog | 0.361"), end="")
    | method | mAP |
    | --- | ---: |
    | hog | 0.361 |
    """
    lines = [re.split(r"(?<!\\)\|", line) for line in text.splitlines() if line.strip()]
    headings, *cells = [[Markup(cell.strip()) for cell in line] for line in lines]
    return markdown(headings, cells)


def _is_number(cell: str) -> bool:
    """Tell whether a cell holds a number, with whatever stands behind it, or is empty."""
    return cell in ("", "–") or cell.lstrip("*\\")[:1] in set("+-.<0123456789")


def escape(text: str) -> str:
    """Keep a name from breaking the Markdown around it; `Markup` stays as it is."""
    if isinstance(text, Markup):
        return text
    text = _MARKS.sub(lambda found: found[0] if found["plain"] else rf"\{found[0]}", text)
    return "".join(char if char.isprintable() else _named(char) for char in text)


def _named(char: str) -> str:
    r"""A character that is not shown, by its number: ``\\x0a`` or ``\\u202e``."""
    return f"\\\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\\\u{ord(char):04x}"


def csv_writer(file: TextIO) -> Any:
    """A writer of CSV as RFC 4180 has it, but with Unix line ends."""
    # It quotes what ends its lines alone, and a name may hold either half of this end.
    lines = SimpleNamespace(write=lambda line: file.write(f"{line[:-2]}\n"))
    return csv.writer(lines, lineterminator="\r\n")


def to_csv(header: Iterable[str], lines: Iterable[Iterable[object]]) -> str:
    """Format CSV; see `write_csv`."""
    buffer = io.StringIO()
    write_csv(buffer, header, lines)
    return buffer.getvalue()


def write_csv(file: TextIO, header: Iterable[str], lines: Iterable[Iterable[object]]) -> None:
    """Write CSV; None is an empty field, and floats have `DIGITS` decimals at most."""
    writer = csv_writer(file)
    writer.writerow(header)
    rounded = ([round(v, DIGITS) if isinstance(v, float) else v for v in line] for line in lines)
    writer.writerows(rounded)
