"""The kinds of plots: dots with whiskers, scatters, curves, slopes, heat maps."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.report.families import FAMILIES
from benchmarks.report.plots.axes import (
    LEFT,
    Curve,
    Dot,
    End,
    Floats,
    Mark,
    kind_handles,
    make_axes,
    name_ends,
    round_one,
    rounded,
    write_legend,
    write_subtitle,
    write_title,
)
from benchmarks.report.plots.labels import SIZE, in_lines, name_points, text_width
from benchmarks.report.plots.theme import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CHANCE = "chance"

_DECADES = 1.6
"""A logarithmic axis that spans less has numbers between the powers of ten."""


def paint_dots(
    figure: "Figure",
    theme: Theme,
    title: str,
    label: str,
    dots: Sequence[Dot],
    chance: float | None,
) -> None:
    """Draw rows below each other, each with its interval and its number.

    Parameters
    ----------
    figure : Figure
    theme : Theme
    title, label : str
        Label: what the dots are.
    dots : sequence of Dot
        From the top.
    chance : float, optional
    """
    names = [dot.name for dot in dots]
    left = text_width(figure, names) + 0.2
    axes = make_axes(figure, left, 0.6, 0.78)
    places = range(len(dots))
    axes.hlines(
        places, 0, 1, color=theme.grid, linewidth=0.6, transform=axes.get_yaxis_transform()
    )
    for kind in _kinds(dots):
        mark, chosen = Mark.of(kind), [n for n in places if dots[n].kind == kind]
        values, low, high = rounded([[dots[n].value, dots[n].low, dots[n].high] for n in chosen]).T
        colour = mark.colour(theme)
        axes.hlines(chosen, low, high, color=colour, linewidth=1.6, zorder=3)
        axes.plot(values, chosen, mark.marker, color=colour, markersize=5.5, zorder=4)
    if chance is not None:
        axes.axvline(round_one(chance), color=theme.muted, linestyle="--", linewidth=1, zorder=2)
        where = (round_one(chance), 1.0)
        axes.annotate(
            f"{_CHANCE} {chance:.3f}",
            where,
            xycoords=axes.get_xaxis_transform(),
            xytext=(2, 2),
            textcoords="offset points",
            fontsize=SIZE - 1,
            color=theme.muted,
        )
    for place, dot in zip(places, dots, strict=True):
        axes.annotate(
            f"{dot.value:.3f}",
            (1, place),
            xycoords=axes.get_yaxis_transform(),
            xytext=(4, 0),
            textcoords="offset points",
            va="center_baseline",
            fontsize=SIZE,
        )
    axes.set(xlabel=label, xlim=(0, None), ylim=(len(dots) - 0.4, -0.6))
    axes.set_yticks(places, names, fontsize=SIZE)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    write_title(figure, title)
    write_legend(figure, kind_handles(theme, _kinds(dots)))


def paint_costs(
    figure: "Figure",
    theme: Theme,
    title: str,
    labels: tuple[str, str],
    dots: Sequence[Dot],
    costs: Sequence[float],
    front: Sequence[int],
) -> None:
    """Draw rows by what they cost; those on the front have a colour and a name.

    Parameters
    ----------
    figure : Figure
    theme : Theme
    title : str
    labels : tuple of str
        Of the two axes.
    dots : sequence of Dot
    costs : sequence of float
        Greater than 0.
    front : sequence of int
        Rows on the front, cheapest first.
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    axes = make_axes(figure, LEFT, 0.25, 0.85)
    points = np.column_stack([costs, rounded([dot.value for dot in dots])])
    for place, (point, dot) in enumerate(zip(points, dots, strict=True)):
        mark, leads = Mark.of(dot.kind), place in front
        colour = mark.colour(theme) if leads else theme.quiet
        axes.plot(
            *point, mark.marker, color=colour, markersize=7 if leads else 5, zorder=4 + leads
        )
    axes.set(xlabel=labels[0], ylabel=labels[1], xscale="log")
    axes.xaxis.set_major_formatter("{x:,.10g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    low, high = points[:, 0].min(), points[:, 0].max()
    span = 0.3 + np.log10(high / low)
    if span < _DECADES:
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.set_xlim(low / 10 ** (0.2 * span), high * 10 ** (0.05 * span))
    axes.set_ylim(0, 1.12 * points[:, 1].max() or 1.0)
    axes.grid()
    steps = _steps(points[list(front)])
    axes.plot(*steps.T, color=theme.muted, linewidth=1.1, zorder=3)
    names = [in_lines(dots[place].name) for place in front]
    name_points(axes, theme, points[list(front)], names, np.vstack([points, _along(steps)]))
    write_title(figure, title)
    write_legend(figure, kind_handles(theme, _kinds(dots)))


def paint_curves(
    figure: "Figure",
    theme: Theme,
    title: str,
    labels: tuple[str, str],
    across: Sequence[float],
    curves: Sequence[Curve],
    others: Sequence[Floats] = (),
    chance: Floats | None = None,
    ticks: Sequence[float] = (),
) -> None:
    """Draw curves, each named at its right end.

    Parameters
    ----------
    figure : Figure
    theme : Theme
    title : str
    labels : tuple of str
        Of the two axes.
    across : sequence of float
        Places along the horizontal axis.
    curves : sequence of Curve
    others : sequence of ndarray, shape (n_places,)
        Curves in the background, without names.
    chance : ndarray, shape (n_places,), optional
    ticks : sequence of float
        Places that the axis names; it is logarithmic then.
    """
    names = [in_lines(curve.name) for curve in curves] + [_CHANCE]
    axes = make_axes(figure, LEFT, text_width(figure, names) + 0.45)
    for other in others:
        axes.plot(across, rounded(other), color=theme.quiet, linewidth=0.8, zorder=1)
    every = max(1, round(len(across) / 10))
    marked = [list(across).index(tick) for tick in ticks] or list(range(0, len(across), every))
    ends = []
    for curve in curves:
        colour, values = curve.mark.colour(theme), rounded(curve.values)
        middle = values if values.ndim == 1 else values[:, 0]
        ends.append(End(curve.name, float(middle[-1]), curve.mark))
        axes.plot(
            across,
            middle,
            color=colour,
            linestyle=curve.mark.line,
            marker=curve.mark.marker,
            markevery=marked,
            markersize=5,
            clip_on=False,
            zorder=3,
        )
        if values.ndim > 1:
            axes.fill_between(across, *values[:, 1:].T, color=colour, alpha=0.13, linewidth=0)
    if chance is not None:
        chance = rounded(chance)
        ends.append(End(_CHANCE, float(chance[-1])))
        axes.plot(across, chance, color=theme.muted, linestyle=":", linewidth=1.2, zorder=2)
    if ticks:
        axes.set_xscale("log")
        axes.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
        axes.minorticks_off()
    axes.set(xlabel=labels[0], ylabel=labels[1], ylim=(0, None))
    axes.set_xlim(across[0], across[-1] if across[-1] > across[0] else across[0] + 1)
    axes.grid(axis="y")
    name_ends(axes, theme, ends)
    write_title(figure, title)


def paint_slopes(
    figure: "Figure",
    theme: Theme,
    title: str,
    labels: tuple[str, str, str],
    curves: Sequence[Curve],
    others: Sequence[Floats],
    chance: Floats,
) -> None:
    """Draw rows as lines from one score to another, by logarithm, some named at both ends.

    Parameters
    ----------
    figure : Figure
    theme : Theme
    title : str
    labels : tuple of str
        Of the left side, of the right side, of the scores.
    curves : sequence of Curve
        Two values each.
    others : sequence of ndarray, shape (2,)
        In the background, without names.
    chance : ndarray, shape (2,)
    """
    room = text_width(figure, [in_lines(curve.name) for curve in curves] + [_CHANCE]) + 0.85
    axes = make_axes(figure, room, room, 0.85)
    for other in others:
        axes.plot((0, 1), _seen(other), color=theme.quiet, linewidth=0.8, zorder=1)
    axes.plot((0, 1), _seen(chance), color=theme.muted, linestyle=":", linewidth=1.2, zorder=2)
    for curve in curves:
        axes.plot(
            (0, 1),
            _seen(curve.values),
            color=curve.mark.colour(theme),
            linestyle=curve.mark.line,
            linewidth=1.8,
            marker=curve.mark.marker,
            markersize=6,
            clip_on=False,
            zorder=3,
        )
    whole = np.stack([*others, *(curve.values for curve in curves), chance])
    axes.set(xlim=(0, 1), yscale="log")
    axes.set_ylim(0.9 * _seen(whole).min(), 1.1 * whole.max())
    axes.set_xticks((0, 1), labels[:2], fontsize=10)
    axes.yaxis.set_visible(False)
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.vlines((0, 1), 0, 1, color=theme.grid, transform=axes.get_xaxis_transform(), zorder=0)
    named: list[tuple[str, Floats, Mark | None]] = [(c.name, c.values, c.mark) for c in curves]
    named.append((_CHANCE, chance, None))
    for side in (0, 1):
        ends = [
            End(
                f"{ends[side]:.3f} {name}" if side else f"{name} {ends[side]:.3f}",
                float(_seen(ends)[side]),
                mark,
            )
            for name, ends, mark in named
        ]
        name_ends(axes, theme, ends, bool(side))
    write_title(figure, f"{title}: {labels[2]}")
    kinds = [
        kind for kind in FAMILIES if any(Mark.of(kind).number == c.mark.number for c in curves)
    ]
    write_legend(figure, kind_handles(theme, kinds))


def paint_heat(
    figure: "Figure",
    theme: Theme,
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Floats,
    label: str,
) -> None:
    """Draw a matrix as colours with its numbers.

    Parameters
    ----------
    figure : Figure
        Of the size that `heat_size` gives.
    theme : Theme
    title : str
    rows, columns : sequence of str
    values : ndarray, shape (n_rows, n_columns)
        At least 0.
    label : str
        What the numbers are.
    """
    left = text_width(figure, rows) + 0.15
    axes = make_axes(figure, left, 0.1, 0.55, _heat_foot(columns))
    values = rounded(values)
    top = float(values.max(initial=0)) or 1.0
    axes.imshow(values, cmap="cividis", aspect="auto", vmin=0, vmax=top, interpolation="nearest")
    axes.set_xticks(range(len(columns)), columns, fontsize=SIZE)
    for tick in axes.get_xticklabels():
        tick.set(rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows, fontsize=SIZE)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(values):
        colour = "black" if value > 0.55 * top else "white"
        text = f"{value:.2f}".removeprefix("0")
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=7)
    write_title(figure, title)
    write_subtitle(figure, theme, label)


def heat_size(rows: Sequence[str], columns: Sequence[str]) -> tuple[float, float]:
    """Inches that a heat map takes."""
    width = 0.075 * max(map(len, rows), default=0) + 0.42 * len(columns) + 0.4
    return min(max(5.0, width), 8.3), 0.6 + _heat_foot(columns) + 0.2 * max(2, len(rows))


def _seen(values: Floats) -> Floats:
    """Values with a logarithm."""
    return np.maximum(rounded(values), 1e-4)


def _heat_foot(columns: Sequence[str]) -> float:
    return 0.25 + 0.047 * max(map(len, columns), default=0)


def _kinds(dots: Sequence[Dot]) -> list[str]:
    return [kind for kind in FAMILIES if any(dot.kind == kind for dot in dots)]


def _steps(front: Floats) -> Floats:
    """Corners of the line below and right of which everything is dominated."""
    corners = [front[:1]]
    for one, other in pairwise(front):
        corners.append(np.array([[other[0], one[1]], other]))
    return np.concatenate(corners)


def _along(steps: Floats) -> Floats:
    """Places along the line; the cost by its logarithm."""
    parts = [
        np.column_stack([np.geomspace(one[0], other[0], 60), np.linspace(one[1], other[1], 60)])
        for one, other in pairwise(steps)
    ]
    return np.concatenate([steps[:0], *parts])
