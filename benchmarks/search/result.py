"""The answer to a question: what was found, how good that is, and how long it took."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.formats.files import Json
from benchmarks.formats.sheets import Cell
from benchmarks.search.index import Neighbour

TOPS = ("top1", "top3", "top5", "top10")

_MARKS = {True: "○", False: "✕", None: ""}
_FRAMES = {True: "#009e73", False: "#d55e00", None: "#999999"}


@dataclass(frozen=True)
class Answer:
    """What was found for a picture.

    Attributes
    ----------
    query : Path
        The picture.
    label : str or None
        Its class, where it is known.
    searched : str
        What was searched.
    size : int
        Pictures in there.
    extractor : str
        The row that it was searched by.
    neighbours : list of Neighbour
        Nearest first.
    top : dict of str to float
        Whether a right one is among the first 1, 3, 5 and 10: 1 or 0, or between where a tie
        decides; empty where nothing is known to be right.
    describe_ms, search_ms : float
        What describing the picture and the search took.
    """

    query: Path
    label: str | None
    searched: str
    size: int
    extractor: str
    neighbours: list[Neighbour]
    top: dict[str, float] = field(default_factory=dict)
    describe_ms: float = 0.0
    search_ms: float = 0.0

    def to_json(self) -> Json:
        """Everything, as JSON can hold it."""
        made = asdict(self) | {"query": _text(self.query)}
        made["neighbours"] = [asdict(one) | {"path": _text(one.path)} for one in self.neighbours]
        return made

    def to_cells(self) -> list[Cell]:
        """The query and its neighbours as cells of a sheet of pictures."""
        cells = [Cell(self.query, "black", "query", self.label or self.query.name)]
        for one in self.neighbours:
            above = f"{one.rank} {_MARKS[one.right]}".strip() + f"   {one.distance:.3f}"
            below = one.label or one.path.name
            cells.append(Cell(one.path, _FRAMES[one.right], above, below))
        return cells

    def to_text(self) -> str:
        """A table for the terminal."""
        asked = _shown(self.query.name) + (f" ({_shown(self.label)})" if self.label else "")
        lines = [
            f"{asked}: the nearest {len(self.neighbours)} of {self.size:,} pictures in "
            f"{_shown(self.searched)} by {self.extractor}"
        ]
        lines += _table(self.neighbours)
        if self.top:
            marks = (f"{name[:3]}-{name[3:]} {_mark(value)}" for name, value in self.top.items())
            lines.append("   ".join(marks))
        lines.append(f"described in {self.describe_ms:.0f} ms, found in {self.search_ms:.0f} ms")
        return "\n".join(lines) + "\n"


def _table(neighbours: Sequence[Neighbour]) -> list[str]:
    wide = max((len(_shown(one.label or "")) for one in neighbours), default=0)
    return [
        f"{one.rank:3} {_MARKS[one.right] or ' '} {one.distance:.4f}  "
        f"{_shown(one.label or ''):{wide}}  {_shown(one.id)}".rstrip()
        for one in neighbours
    ]


def _mark(value: float) -> str:
    return {1.0: "○", 0.0: "✕"}.get(value, f"{value:.2f}")


def _text(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _shown(text: str) -> str:
    """A name that cannot play tricks with the terminal."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
