"""What all plots have: marks, margins, titles, legends, names at the ends of lines.

Values are rounded before they are drawn: the last digits of a mean differ from processor to
processor, and must not move a pixel. Nothing is told by colour alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.report.families import FAMILIES
from benchmarks.report.plots.labels import LINE, SIZE, in_lines, spread
from benchmarks.report.plots.theme import Theme

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

Floats = NDArray[np.float64]

_DIGITS = 4
_MARKERS = "osD^PXv."
_DASHES = ("-", "--", "-.", ":")

LEFT = 0.7
"""Inches beside a plot, for an axis with numbers and its label."""


@dataclass(frozen=True)
class Mark:
    """How something looks: two things that share a colour differ in marker or dashes.

    Attributes
    ----------
    number : int
        Of colour and marker; without end.
    dash : int
        Of the line.
    """

    number: int
    dash: int = 0

    @classmethod
    def of(cls, kind: str, dash: int = 0) -> "Mark":
        """The mark of a kind of extractor."""
        return cls(FAMILIES.index(kind), dash)

    def colour(self, theme: Theme) -> str:
        """Its colour on a page."""
        return theme.colours[self.number % len(theme.colours)]

    @property
    def marker(self) -> str:
        """Its marker."""
        return _MARKERS[self.number % len(_MARKERS)]

    @property
    def line(self) -> str:
        """Its line style."""
        return _DASHES[self.dash % len(_DASHES)]


@dataclass(frozen=True)
class Curve:
    """A line with a name at its end.

    Attributes
    ----------
    name : str
    mark : Mark
    values : ndarray, shape (n_places,) or (n_places, 3)
        Alone, or with lower and upper ends.
    """

    name: str
    mark: Mark
    values: Floats


@dataclass(frozen=True)
class End:
    """Where a line ends.

    Attributes
    ----------
    name : str
    value : float
    mark : Mark, optional
        Of the line, repeated beside the name.
    """

    name: str
    value: float
    mark: Mark | None = None


@dataclass(frozen=True)
class Dot:
    """A row with a mean and its interval, or at a cost.

    Attributes
    ----------
    name, kind : str
    value : float
    low, high : float
        Of the interval.
    """

    name: str
    kind: str
    value: float
    low: float = 0.0
    high: float = 0.0


def make_axes(
    figure: "Figure", left: float, right: float, top: float = 0.55, bottom: float = 0.55
) -> "Axes":
    """Axes with margins in inches: no solver decides where anything lies."""
    width, height = figure.get_size_inches()
    box = (left / width, bottom / height, 1 - right / width, 1 - top / height)
    return figure.add_axes((box[0], box[1], box[2] - box[0], box[3] - box[1]))


def write_title(figure: "Figure", title: str) -> None:
    """Write the title."""
    height = float(figure.get_size_inches()[1])
    figure.text(0.012, 1 - 0.1 / height, title, fontsize=10.5, va="top", weight="normal")


def write_subtitle(figure: "Figure", theme: Theme, text: str) -> None:
    """Write a line below the title."""
    height = float(figure.get_size_inches()[1])
    figure.text(0.012, 1 - 0.32 / height, text, fontsize=SIZE, va="top", color=theme.muted)


def kind_handles(theme: Theme, kinds: Sequence[str]) -> list["Line2D"]:
    """What a legend says of kinds of extractors."""
    from matplotlib.lines import Line2D

    marks = {kind: Mark.of(kind) for kind in kinds}
    return [
        Line2D([], [], color=m.colour(theme), marker=m.marker, linestyle="", markersize=6, label=k)
        for k, m in marks.items()
    ]


def write_legend(figure: "Figure", handles: Sequence["Artist"]) -> None:
    """Write a legend in one line below the title."""
    height = float(figure.get_size_inches()[1])
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.0, 1 - 0.25 / height),
        ncols=len(handles),
        fontsize=SIZE,
        handletextpad=0.3,
        columnspacing=1.1,
    )


def name_ends(axes: "Axes", theme: Theme, ends: Sequence[End], is_right: bool = True) -> None:
    """Write names beside the places where lines end, moved apart, each tied to its place.

    Parameters
    ----------
    axes : Axes
        Whose limits are set.
    theme : Theme
    ends : sequence of End
    is_right : bool
        Which side they are on.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    box = axes.get_window_extent()
    edge = axes.get_xlim()[is_right]
    pixels = axes.transData.transform([(edge, end.value) for end in ends])[:, 1]
    places = ((pixels - box.y0) / box.height).tolist()
    inch = figure.dpi / box.width * (1 if is_right else -1)
    names = [in_lines(end.name) for end in ends]
    sizes = [LINE * (1 + name.count("\n")) * figure.dpi / box.height for name in names]
    across = axes.transAxes
    spots = spread(places, sizes, 0, 1)
    for end, name, place, at in zip(ends, names, places, spots, strict=True):
        tie = (is_right + np.array([0.06, 0.16]) * inch, [place, at])
        axes.plot(*tie, transform=across, color=theme.muted, linewidth=0.6, clip_on=False)
        if end.mark:
            axes.plot(
                is_right + 0.23 * inch,
                at,
                end.mark.marker,
                color=end.mark.colour(theme),
                markersize=5,
                transform=across,
                clip_on=False,
            )
        axes.text(
            is_right + 0.32 * inch,
            at,
            name,
            transform=across,
            ha="left" if is_right else "right",
            va="center_baseline" if "\n" not in name else "center",
            linespacing=1.1,
            fontsize=SIZE,
        )


def rounded(values: ArrayLike) -> Floats:
    """Values as they are drawn."""
    return np.asarray(np.round(np.asarray(values, np.float64), _DIGITS), np.float64)


def round_one(value: float) -> float:
    """A value as it is drawn."""
    return round(float(value), _DIGITS)
