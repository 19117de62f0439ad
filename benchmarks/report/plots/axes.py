"""Parts that charts share: marks, margins, titles, legends and names at the ends of lines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.isotonic import isotonic_regression

from benchmarks.report.families import FAMILIES
from benchmarks.report.format import broken
from benchmarks.report.plots.theme import COLOURS, MUTED

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

SIZE = 8.5
"""Points, of text within a chart."""

LINE = 1.25 * SIZE / 72
"""Inches that a line of text is high."""

LEFT = 0.7
"""Inches beside a chart, for an axis with numbers and its label."""

_DECADES = 1.6
"""A logarithmic axis that spans less has numbers between the powers of ten."""

_MARGINS = 0.8
"""Share of a figure's width that margins take at most."""

_LONGEST = 64
_DIGITS = 4
_LONG = 30
"""Characters of a line of a name."""

_MARKERS = "osD^PXv."
_DASHES = ("-", "--", "-.", ":")


@dataclass(frozen=True)
class Mark:
    """Colour, marker and dashes: nothing is told by colour alone.

    Attributes
    ----------
    number : int
        Of colour and marker; both begin again after their last. -1 is a random order's.
    dash : int
        Of the line.
    """

    number: int
    dash: int = 0

    @classmethod
    def of(cls, family: str, dash: int = 0) -> "Mark":
        """The mark of a family of extractors."""
        return cls(FAMILIES.index(family), dash)

    def style(self, is_line: bool = True) -> dict[str, Any]:
        """Arguments of `Axes.plot`, for a line or for markers alone."""
        if self.number < 0:
            return {"color": MUTED, "marker": "", "linestyle": ":"}
        return {
            "color": COLOURS[self.number % len(COLOURS)],
            "marker": _MARKERS[self.number % len(_MARKERS)],
            "linestyle": _DASHES[self.dash % len(_DASHES)] if is_line else "",
        }


@dataclass(frozen=True)
class Series:
    """Something with a name that a chart shows, such as a method.

    Attributes
    ----------
    name : str
        As readers know it.
    mark : Mark
        Of its family, or its own.
    values : ndarray or sequence of float
        As the chart wants them.
    """

    name: str
    mark: Mark
    values: Floats | Sequence[float]

    @classmethod
    def of_chance(cls, values: Floats | Sequence[float] | None) -> "list[Series]":
        """The score of a random order, if it is known."""
        return [] if values is None else [cls("chance", Mark(-1), values)]


def rounded(values: ArrayLike) -> Floats:
    """Round values to be drawn: processors differ in the last digits of a mean."""
    return np.asarray(np.round(np.asarray(values, np.float64), _DIGITS), np.float64)


def in_lines(name: str) -> str:
    """Break a name that is too long for the margin of a chart."""
    return broken(name, _LONG)


def cut(name: str) -> str:
    """A name, without its middle if it is too long for any margin."""
    half = _LONGEST // 2
    return name if len(name) <= _LONGEST else f"{name[:half]}…{name[-half:]}"


def text_width(figure: "Figure", texts: Iterable[str]) -> float:
    """Inches that the longest line of some texts takes."""
    from matplotlib.font_manager import FontProperties

    renderer, font = figure.canvas.get_renderer(), FontProperties(size=SIZE)  # type: ignore[attr-defined]
    lines = [line for text in texts for line in text.split("\n")]
    widths = (renderer.get_text_width_height_descent(line, font, False)[0] for line in lines)
    return max(widths, default=0.0) / figure.dpi


def names_width(figure: "Figure", series: Iterable[Series]) -> float:
    """Inches that the longest line of the names of some series takes."""
    return text_width(figure, (in_lines(one.name) for one in series))


def make_axes(
    figure: "Figure", left: float, right: float, top: float = 0.55, bottom: float = 0.55
) -> "Axes":
    """Make axes with margins in inches; no solver decides where anything lies."""
    width, height = figure.get_size_inches()
    narrowed = min(1.0, _MARGINS * width / (left + right))  # for names longer than the figure
    left, right = left * narrowed, right * narrowed
    size = (1 - (left + right) / width, 1 - (top + bottom) / height)
    return figure.add_axes((left / width, bottom / height, *size))


def write_legend(figure: "Figure", handles: "Sequence[Artist]") -> None:
    """Write a legend in one line below the title."""
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.0, 1 - 0.25 / figure.get_figheight()),
        ncols=len(handles),
        fontsize=SIZE,
        handletextpad=0.3,
        columnspacing=1.1,
    )


def name_ends(axes: "Axes", series: Sequence[Series], is_right: bool = True) -> None:
    """Write names beside the places where lines end, moved apart, each tied to its place.

    Parameters
    ----------
    axes : Axes
        Whose limits are set.
    series : sequence of Series
        The lines end at their last values, or begin at their first.
    is_right : bool
        Whether the ends are named, or the beginnings.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    box, edge = axes.get_window_extent(), axes.get_xlim()[is_right]
    ends = [np.ravel(one.values[-1 if is_right else 0])[0] for one in series]
    pixels = axes.transData.transform([(edge, end) for end in rounded(ends)])[:, 1]
    places = ((pixels - box.y0) / box.height).tolist()
    texts = [in_lines(one.name) for one in series]
    sizes = [LINE * (1 + text.count("\n")) * figure.dpi / box.height for text in texts]
    inch = figure.dpi / box.width * (1 if is_right else -1)
    tie = is_right + inch * np.array([0.06, 0.16])
    free: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False}
    spots = spread(places, sizes)
    for one, text, place, at in zip(series, texts, places, spots, strict=True):
        axes.plot(tie, [place, at], color=MUTED, linewidth=0.6, **free)
        axes.plot(is_right + 0.23 * inch, at, markersize=5, **one.mark.style(), **free)
        axes.text(
            is_right + 0.32 * inch,
            at,
            text,
            ha="left" if is_right else "right",
            va="center" if "\n" in text else "center_baseline",
            linespacing=1.1,
            fontsize=SIZE,
            **free,
        )


def spread(places: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Move things apart between 0 and 1, as little as possible, keeping their order.

    Parameters
    ----------
    places : sequence of float
        Middle of each.
    sizes : sequence of float
        Of each; less if there is no room for all.

    Returns
    -------
    list of float
        New middles, in the order given.
    """
    if not places:
        return []
    order = np.argsort(places, kind="stable")
    sized = np.asarray(sizes, float)[order]
    offsets = np.r_[0, np.cumsum((sized[1:] + sized[:-1]) / 2)]
    offsets *= min(1.0, 1 / max(offsets[-1], 1e-12))
    wanted = np.asarray(places, float)[order] - offsets
    made = np.empty(len(order))
    made[order] = isotonic_regression(wanted, y_min=0, y_max=1 - offsets[-1]) + offsets
    return made.tolist()


def number_decades(axis: Any, span: float) -> None:
    """Write plain numbers at a logarithmic axis, more of them where it spans few powers of ten.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        Of a chart.
    span : float
        Powers of ten from its beginning to its end.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_major_formatter("{x:,.10g}")
    axis.set_minor_formatter(NullFormatter())
    if span < _DECADES:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
