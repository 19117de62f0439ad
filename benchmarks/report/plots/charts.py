"""The sorts of charts: intervals, scores against costs, curves, slopes, heat maps, trainings."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

import numpy as np
from numpy.typing import ArrayLike

from benchmarks.report.families import FAMILIES
from benchmarks.report.format import hundredths, score
from benchmarks.report.plots.axes import (
    LEFT,
    LINE,
    SIZE,
    Floats,
    Mark,
    Series,
    cut,
    in_lines,
    make_axes,
    name_ends,
    names_width,
    number_decades,
    rounded,
    text_width,
    write_legend,
)
from benchmarks.report.plots.theme import GRID, MUTED, QUIET

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 8.3
"""Inches; as wide as a page shows a picture."""

ROWS = 30
"""Methods that a heat map shows: more rows with their numbers nobody reads."""

_SLANT = 40
"""Degrees by which the names of a heat map's columns are turned."""

_ABOVE: dict[str, Any] = {"clip_on": False, "zorder": 3}


@dataclass(frozen=True, kw_only=True)
class Chart(ABC):
    """A chart: its words, what it shows, and how it is drawn.

    Attributes
    ----------
    title : str
        Above everything.
    subtitle : str
        Below the title.
    xlabel, ylabel : str
        Of the axes.
    series : sequence of Series
        Whatever has a name.
    """

    title: str
    subtitle: str = ""
    xlabel: str = ""
    ylabel: str = ""
    series: Sequence[Series] = ()

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        return WIDTH, self._height()

    def paint(self, figure: "Figure") -> None:
        """Fill an empty figure of this size."""
        height = figure.get_figheight()
        figure.text(0.012, 1 - 0.1 / height, self.title, fontsize=10.5, va="top")
        below: dict[str, Any] = {"fontsize": SIZE, "color": MUTED, "va": "top"}
        figure.text(0.012, 1 - 0.32 / height, self.subtitle, **below)
        self._fill(figure)

    def _height(self) -> float:
        return 4.3

    def _write_families(self, figure: "Figure") -> None:
        """Write a legend of the families of the series."""
        from matplotlib.lines import Line2D

        numbers = sorted({one.mark.number for one in self.series})
        looks = {FAMILIES[number]: Mark(number).style(is_line=False) for number in numbers}
        write_legend(figure, [Line2D([], [], label=name, **look) for name, look in looks.items()])

    @abstractmethod
    def _fill(self, figure: "Figure") -> None:
        """Draw below the title."""


@dataclass(frozen=True, kw_only=True)
class Intervals(Chart):
    """Methods below each other, each with its interval and its number.

    Attributes
    ----------
    series : sequence of Series
        From the top; values are a mean and the lower and upper end of its interval.
    chance : float, optional
        Mean of a random order.
    """

    chance: float | None = None

    def _height(self) -> float:
        return 1.5 + 0.185 * max(4, len(self.series))

    def _fill(self, figure: "Figure") -> None:
        names = [one.name for one in self.series]
        self._write_families(figure)
        axes = make_axes(figure, text_width(figure, names) + 0.2, 0.6, 0.78)
        across = axes.get_yaxis_transform()
        axes.hlines(range(len(names)), 0, 1, color=GRID, linewidth=0.6, transform=across)
        for place, one in enumerate(self.series):
            value, low, high = rounded(one.values)
            style = one.mark.style()
            axes.hlines(place, low, high, color=style["color"], linewidth=1.6, zorder=3)
            axes.plot(value, place, markersize=5.5, zorder=4, **style)
            number = f" {score(one.values[0])}"
            axes.text(1, place, number, transform=across, va="center_baseline", fontsize=SIZE)
        if self.chance is not None:
            at, text = float(rounded(self.chance)), f" chance {score(self.chance)}"
            style = {"color": MUTED, "zorder": 2}
            axes.axvline(at, linestyle="--", linewidth=1, **style)
            above = axes.get_xaxis_transform()
            axes.text(at, 1, text, transform=above, va="bottom", fontsize=SIZE - 1, **style)
        axes.set(xlabel=self.xlabel, xlim=(0, None), ylim=(len(names) - 0.4, -0.6))
        axes.set_yticks(range(len(names)), names, fontsize=SIZE)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")


@dataclass(frozen=True, kw_only=True)
class Costs(Chart):
    """Methods by cost and score; those that no other beats in both have a colour and a name.

    Attributes
    ----------
    series : sequence of Series
        Values are a cost, greater than 0, and a score.
    front : sequence of int
        Methods that no other beats, cheapest first.
    """

    front: Sequence[int]

    def _height(self) -> float:
        lines = sum(1 + in_lines(one.name).count("\n") for one in self._named())
        return max(4.6, 1.5 + LINE * lines)

    def _fill(self, figure: "Figure") -> None:
        self._write_families(figure)
        axes = make_axes(figure, LEFT, names_width(figure, self._named()) + 0.45, 0.85)
        costs, scores = np.array([one.values for one in self.series]).T
        scores = rounded(scores)
        span = 0.3 + np.log10(costs.max() / costs.min())
        right = float(costs.max() * 10 ** (0.05 * span))
        axes.set(xlabel=self.xlabel, ylabel=self.ylabel, xscale="log")
        axes.set(xlim=(costs.min() / 10 ** (0.05 * span), right))
        axes.set(ylim=(0, 1.05 * scores.max() or 1.0))
        number_decades(axes.xaxis, span)
        axes.grid(axis="x")
        for one, cost, value in zip(self.series, costs, scores, strict=True):
            style = one.mark.style() | {"color": QUIET}
            axes.plot(cost, value, markersize=5, zorder=3, **style)
        front = list(self.front)
        axes.hlines(scores[front], costs[front], right, color=QUIET, linewidth=0.6, zorder=1)
        axes.step(costs[front], scores[front], where="post", color=MUTED, linewidth=1.1)
        for place in front:
            style = self.series[place].mark.style()
            axes.plot(costs[place], scores[place], markersize=7, zorder=4, **style)
        name_ends(axes, self._named())

    def _named(self) -> list[Series]:
        """The front, with scores in the names."""
        front = [self.series[place] for place in self.front]
        return [replace(one, name=f"{score(one.values[1])} {one.name}") for one in front]


@dataclass(frozen=True, kw_only=True)
class Curves(Chart):
    """Curves, each named at its right end.

    Attributes
    ----------
    across : sequence of float
        Places along the horizontal axis.
    series : sequence of Series
        Values have shape (n_places,), or (n_places, 3) with lower and upper ends.
    others : sequence of ndarray, shape (n_places,)
        Curves in the background, without names.
    chance : ndarray, shape (n_places,), optional
        Scores of a random order.
    ticks : sequence of float
        Places that the axis names; it is logarithmic then.
    """

    across: Sequence[float]
    others: Sequence[Floats] = ()
    chance: Floats | None = None
    ticks: Sequence[float] = ()

    def _fill(self, figure: "Figure") -> None:
        lines = [*self.series, *Series.of_chance(self.chance)]
        axes = make_axes(figure, LEFT, names_width(figure, lines) + 0.45)
        across = list(self.across)
        marked = [across.index(tick) for tick in self.ticks]
        every: Any = marked or max(1, round(len(across) / 10))
        for other in self.others:
            axes.plot(across, rounded(other), color=QUIET, linewidth=0.8, zorder=1)
        for one in lines:
            values, style = rounded(one.values), one.mark.style()
            middle = values if values.ndim == 1 else values[:, 0]
            axes.plot(across, middle, markevery=every, markersize=5, **style, **_ABOVE)
            if values.ndim > 1:
                band = {"color": style["color"], "alpha": 0.13, "linewidth": 0}
                axes.fill_between(across, *values[:, 1:].T, **band)
        if self.ticks:
            axes.set_xscale("log")
            axes.set_xticks(self.ticks, [f"{tick:,g}" for tick in self.ticks])
            axes.minorticks_off()
        axes.set(xlabel=self.xlabel, ylabel=self.ylabel, ylim=(0, None))
        axes.set_xlim(across[0], across[-1] if across[-1] > across[0] else across[0] + 1)
        axes.grid(axis="y")
        name_ends(axes, lines)


@dataclass(frozen=True, kw_only=True)
class Slopes(Chart):
    """Methods as lines from one score to another, by logarithm, some named at both ends.

    Attributes
    ----------
    sides : tuple of str
        Names of the left and the right side.
    series : sequence of Series
        Two values each.
    others : sequence of ndarray, shape (2,)
        In the background, without names.
    chance : ndarray, shape (2,)
        Scores of a random order.
    """

    sides: tuple[str, str]
    others: Sequence[Floats]
    chance: Floats

    def _height(self) -> float:
        return 5.2

    def _fill(self, figure: "Figure") -> None:
        self._write_families(figure)
        lines = [*self.series, *Series.of_chance(self.chance)]
        room = names_width(figure, lines) + 0.85
        axes = make_axes(figure, room, room, 0.85)
        for other in self.others:
            axes.plot((0, 1), _seen(other), color=QUIET, linewidth=0.8, zorder=1)
        for one in lines:
            style = one.mark.style() | _ABOVE
            axes.plot((0, 1), _seen(one.values), linewidth=1.8, markersize=6, **style)
        whole = _seen(np.array([*self.others, *(one.values for one in lines)]))
        axes.set(xlim=(0, 1), yscale="log", ylim=(0.9 * whole.min(), 1.1 * whole.max()))
        axes.set_xticks((0, 1), self.sides, fontsize=10)
        axes.yaxis.set_visible(False)
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.vlines((0, 1), 0, 1, color=GRID, transform=axes.get_xaxis_transform(), zorder=0)
        for side, order in enumerate(("{1} {0:.3f}", "{0:.3f} {1}")):
            ends = [
                Series(order.format(one.values[side], one.name), one.mark, _seen(one.values))
                for one in lines
            ]
            name_ends(axes, ends, bool(side))


@dataclass(frozen=True, kw_only=True)
class HeatMap(Chart):
    """A matrix as colours with its numbers.

    Attributes
    ----------
    rows, columns : sequence of str
        Names, from the top and from the left.
    values : ndarray, shape (n_rows, n_columns)
        At least 0.
    """

    rows: Sequence[str]
    columns: Sequence[str]
    values: Floats

    def __post_init__(self) -> None:
        for name in ("rows", "columns"):
            object.__setattr__(self, name, tuple(map(cut, getattr(self, name))))

    @property
    def size(self) -> tuple[float, float]:
        """Inches: as the names and the numbers want them."""
        width = 0.075 * max(map(_columns, self.rows), default=0) + 0.42 * len(self.columns) + 0.4
        height = 0.6 + self._foot() + 0.2 * max(2, len(self.rows))
        return min(max(5.0, width), WIDTH), height

    def _fill(self, figure: "Figure") -> None:
        slanted = text_width(figure, self.columns[:1]) * np.cos(np.radians(_SLANT))
        left = max(text_width(figure, self.rows) + 0.15, slanted)
        axes = make_axes(figure, left, 0.1, 0.55, self._foot())
        values = rounded(self.values)
        top = float(values.max(initial=0)) or 1.0
        axes.imshow(
            values, cmap="cividis", aspect="auto", vmin=0, vmax=top, interpolation="nearest"
        )
        axes.set_xticks(range(len(self.columns)), self.columns, fontsize=SIZE)
        axes.set_yticks(range(len(self.rows)), self.rows, fontsize=SIZE)
        for tick in axes.get_xticklabels():
            tick.set(rotation=_SLANT, ha="right", rotation_mode="anchor")
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        for (row, column), value in np.ndenumerate(values):
            colour = "black" if value > 0.55 * top else "white"
            axes.text(
                column, row, hundredths(value), ha="center", va="center", color=colour, fontsize=7
            )

    def _foot(self) -> float:
        return 0.25 + 0.047 * max(map(_columns, self.columns), default=0)


@dataclass(frozen=True, kw_only=True)
class Training(Chart):
    """Loss and accuracy of a training, side by side.

    Attributes
    ----------
    epochs : sequence of int
        Their numbers, from 1.
    learned, held_out : mapping of str to sequence of float
        Loss, and whatever else, to its values on either part of the images.
    """

    epochs: Sequence[int]
    learned: Mapping[str, Sequence[float]]
    held_out: Mapping[str, Sequence[float]]

    def _height(self) -> float:
        return 3.2

    def _fill(self, figure: "Figure") -> None:
        from matplotlib.ticker import MaxNLocator

        best = self.epochs[int(np.argmin(rounded(self.held_out["loss"])))]
        style = {"markersize": 4, "markevery": max(1, len(self.epochs) // 12)}
        part = WIDTH / len(self.learned)
        for place, what in enumerate(self.learned):
            right = WIDTH - (place + 1) * part + 0.15
            axes = make_axes(figure, place * part + LEFT, right, 0.8)
            parts = {"learned from": self.learned[what], "held out": self.held_out[what]}
            for number, (name, values) in enumerate(parts.items()):
                look = style | Mark(number, number).style()
                axes.plot(self.epochs, rounded(values), label=name, **look)
            axes.axvline(best, color=MUTED, linestyle=":", label=f"least loss: epoch {best}")
            axes.set(xlabel="epoch", ylabel=what)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.grid(axis="y")
        write_legend(figure, figure.axes[0].get_legend_handles_labels()[0])


def best_of(methods: Sequence[str]) -> str:
    """Say in a caption which methods a heat map shows."""
    return f"the first {ROWS} methods" if len(methods) > ROWS else "every method"


def _columns(text: str) -> int:
    """Width of a text in ordinary letters; those of East Asia take two."""
    return sum(1 + (east_asian_width(char) in "FW") for char in text)


def _seen(values: ArrayLike) -> Floats:
    """Values with a logarithm."""
    return np.maximum(rounded(values), 1e-4)
