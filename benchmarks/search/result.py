"""The result of a search: the neighbours of a picture, as text, JSON or one drawing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks.formats.files import Json
from benchmarks.formats.sheets import Cell
from benchmarks.formats.terminal import visible
from datasets.errors import UnreadableImageError
from datasets.reading import content_hash
from datasets.walk import as_text

TOPS = ("top1", "top3", "top5", "top10")

_MARKS = {True: "○", False: "✕", None: ""}
_GONE = " (gone)"
_FRAMES = {True: "#009e73", False: "#d55e00", None: "#999999"}


@dataclass(frozen=True)
class Neighbour:
    """A picture near another.

    Attributes
    ----------
    rank : int
        From 1.
    id : str
        Path below the folder that is searched.
    path : Path
        Its file.
    label : str or None
        Its class, if it has one.
    distance : float
        Euclidean distance of the normalised vectors, 0 to 2; of a fused or re-ranked search a
        number without unit, smaller for nearer.
    right : bool or None
        Whether it is of the query's class, where that is known.
    sha256 : str
        Hash of its content when it was described; empty where that is not known.
    """

    rank: int
    id: str
    path: Path
    label: str | None
    distance: float
    right: bool | None = None
    sha256: str = ""

    @cached_property
    def is_gone(self) -> bool:
        """Whether its file is no longer there, or another: an index is searched as it was made."""
        try:
            found = content_hash(self.path)
        except UnreadableImageError:
            return True
        return bool(self.sha256) and found != self.sha256


@dataclass(frozen=True)
class SearchResult:
    """The neighbours of a picture.

    Attributes
    ----------
    query : Path or None
        The picture's file, if it is one.
    label : str or None
        Its class, where it is known.
    searched : str
        Name of the folder or dataset that was searched.
    size : int
        Pictures in there.
    extractor : str
        Name of the method that it was searched by.
    neighbours : list of Neighbour
        Nearest first.
    top : dict of str to float
        Whether a relevant picture is among the first 1, 3, 5 and 10: 1 or 0, or between where a
        tie decides; empty where it is not known which are relevant.
    describe_ms, search_ms : float
        Milliseconds of describing the picture, and of the search.
    approximate : str or None
        Kind of the index that an approximate search went through, which may have missed some of
        the nearest; None for the exact search.
    """

    query: Path | None
    label: str | None
    searched: str
    size: int
    extractor: str
    neighbours: list[Neighbour]
    top: dict[str, float] = field(default_factory=dict)
    describe_ms: float = 0.0
    search_ms: float = 0.0
    approximate: str | None = None

    def to_json(self) -> Json:
        """Everything, as JSON can hold it."""
        made = asdict(self) | {"query": self.query and as_text(self.query)}
        made["neighbours"] = [asdict(one) | {"path": as_text(one.path)} for one in self.neighbours]
        made["gone"] = [one.id for one in self.neighbours if one.is_gone]
        return made

    def to_cells(self) -> list[Cell]:
        """The query and its neighbours as cells of a sheet of pictures."""
        cells = []
        if self.query:
            cells.append(Cell(self.query, "black", "query", self.label or self.query.name))
        for one in self.neighbours:
            above = f"{one.rank} {_MARKS[one.right]}".strip() + f"   {one.distance:.3f}"
            below = one.label or one.path.name
            cells.append(Cell(one.path, _FRAMES[one.right], above, below, one.sha256))
        return cells

    def to_text(self) -> str:
        """A table for the terminal."""
        asked = visible(self.query.name) if self.query else "the picture"
        asked += f" ({visible(self.label)})" if self.label else ""
        lines = [
            f"{asked}: the nearest {len(self.neighbours)} of {self.size:,} pictures in "
            f"{visible(self.searched)} by {self.extractor}"
        ]
        lines += _table(self.neighbours)
        if any(one.is_gone for one in self.neighbours):
            lines.append("gone: moved, deleted or changed since; --pictures makes the index anew")
        if self.top:
            marks = (f"{name[:3]}-{name[3:]} {_mark(value)}" for name, value in self.top.items())
            lines.append("   ".join(marks))
        if self.approximate:
            lines.append(f"approximate ({self.approximate}): nearer pictures may be missing")
        lines.append(f"described in {self.describe_ms:.0f} ms, found in {self.search_ms:.0f} ms")
        return "\n".join(lines) + "\n"


def _table(neighbours: Sequence[Neighbour]) -> list[str]:
    wide = max((len(visible(one.label or "")) for one in neighbours), default=0)
    return [
        f"{one.rank:3} {_MARKS[one.right] or ' '} {one.distance:.4f}  "
        f"{visible(one.label or ''):{wide}}  {visible(one.id)}".rstrip()
        + _GONE * one.is_gone
        for one in neighbours
    ]


def _mark(value: float) -> str:
    return {1.0: "○", 0.0: "✕"}.get(value, f"{value:.2f}")
