"""Names beside what they name, so that none lies on another."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import isotonic_regression

from benchmarks.report.tables import broken
from benchmarks.report.theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

Boxes = NDArray[np.float64]
"""Left, bottom, right, top of each, in pixels; shape (n, 4)."""

SIZE = 8.5
"""Points, of names within a plot."""

LINE = 1.25 * SIZE / 72
"""Inches that a line of a name is high."""

_LONG = 30
"""Characters of a line."""

_GAP = 4.0
"""Pixels between two names."""

_DISTANCES = (9, 16, 26, 40, 58, 80, 110, 150, 200, 260)
"""Points from what is named to its name, nearest first."""

_LEADER = 12
"""A name further away than this is tied to what it names by a line."""

_HIDDEN = 12.0
"""A name that hides a mark is as bad as one this many points further away."""


def spread(
    places: Sequence[float], sizes: Sequence[float], low: float, high: float
) -> list[float]:
    """Move things apart, as little as possible, keeping their order.

    Parameters
    ----------
    places : sequence of float
        Middle of each.
    sizes : sequence of float
        Of each; less if there is no room for all.
    low, high : float
        Ends of the room for their middles.
    """
    if not places:
        return []
    order = np.argsort(places, kind="stable")
    sized = np.asarray(sizes, float)[order]
    offsets = np.r_[0, np.cumsum((sized[1:] + sized[:-1]) / 2)]
    offsets *= min(1.0, (high - low) / max(offsets[-1], 1e-12))
    wanted = np.asarray(places, float)[order] - offsets
    made = np.empty(len(order))
    made[order] = isotonic_regression(wanted, y_min=low, y_max=high - offsets[-1]) + offsets
    return made.tolist()


def in_lines(name: str) -> str:
    """Break a name that is too long for the margin of a plot."""
    return broken(name, _LONG)


def text_width(figure: "Figure", texts: Sequence[str]) -> float:
    """Inches that the longest of some names takes."""
    return max((_extent(figure, text)[0] for text in texts), default=0.0) / figure.dpi


def name_points(
    axes: "Axes",
    theme: Theme,
    points: NDArray[np.float64],
    names: Sequence[str],
    hidden: NDArray[np.float64],
) -> list["Annotation"]:
    """Name points of a plot whose limits are set; no name overlaps another or leaves the plot.

    Each name takes the nearest free place, rather above on the left than elsewhere, where
    nothing lies on it as far as possible. One that finds no place at all is left out.

    Parameters
    ----------
    axes : Axes
    theme : Theme
    points : ndarray, shape (n_points, 2)
    names : sequence of str
    hidden : ndarray, shape (n_others, 2)
        What had better not be hidden.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    per_point = figure.dpi / 72
    room = np.asarray(axes.get_window_extent().extents, float)
    marks = axes.transData.transform(hidden) if len(hidden) else np.empty((0, 2))
    taken: Boxes = np.empty((0, 4))
    made = []
    for place, name in zip(points, names, strict=True):
        at = axes.transData.transform(place)
        size = np.array(_extent(figure, name)) + _GAP
        offsets, boxes = _candidates(at, size, per_point)
        free = _inside(boxes, room) & ~_overlaps(boxes, taken).any(axis=1)
        if not free.any():
            continue
        cost = np.hypot(*offsets.T) + _HIDDEN * _holds(boxes, marks).sum(axis=1)
        cost += 8.0 * (offsets[:, 1] < 0) + 5.0 * (offsets[:, 0] > 0)
        best = int(np.argmin(np.where(free, cost, np.inf)))
        taken = np.vstack([taken, boxes[best]])
        made.append(_annotate(axes, theme, name, place, offsets[best]))
    return made


def _candidates(
    at: NDArray[np.float64], size: NDArray[np.float64], per_point: float
) -> tuple[NDArray[np.float64], Boxes]:
    """Offsets in points, of the name's nearest edge or corner, and the boxes they give."""
    signs = np.array([(-1, 1), (0, 1), (-1, 0), (1, 0), (1, 1), (-1, -1), (0, -1), (1, -1)])
    lengths = np.where(np.abs(signs).sum(axis=1) == 2, 0.7, 1.0)[:, None]
    offsets = np.concatenate([distance * lengths * signs for distance in _DISTANCES])
    middle = at + offsets * per_point + np.tile(signs, (len(_DISTANCES), 1)) * size / 2
    return offsets, np.hstack([middle - size / 2, middle + size / 2])


def _annotate(
    axes: "Axes",
    theme: Theme,
    name: str,
    place: NDArray[np.float64],
    offset: NDArray[np.float64],
) -> "Annotation":
    far = np.hypot(*offset) > _LEADER
    leader = {"arrowstyle": "-", "color": theme.muted, "linewidth": 0.6, "shrinkA": 0}
    return axes.annotate(
        name,
        (place[0], place[1]),
        xytext=(offset[0], offset[1]),
        textcoords="offset points",
        ha=("right", "center", "left")[int(np.sign(offset[0])) + 1],
        va=("top", "center", "bottom")[int(np.sign(offset[1])) + 1],
        fontsize=SIZE,
        color=theme.text,
        arrowprops={**leader, "shrinkB": 4} if far else None,
        zorder=6,
    )


def _extent(figure: "Figure", text: str) -> tuple[float, float]:
    """Width and height of a name in pixels."""
    from matplotlib.font_manager import FontProperties

    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    lines = text.split("\n")
    font = FontProperties(size=SIZE)
    widths = [renderer.get_text_width_height_descent(line, font, False)[0] for line in lines]
    return max(widths), LINE * figure.dpi * len(lines)


def _inside(boxes: Boxes, room: NDArray[np.float64]) -> NDArray[np.bool_]:
    within = np.hstack([boxes[:, :2] >= room[:2], boxes[:, 2:] <= room[2:]])
    return np.asarray(within.all(axis=1))


def _overlaps(boxes: Boxes, others: Boxes) -> NDArray[np.bool_]:
    apart = (boxes[:, None, :2] >= others[:, 2:]) | (boxes[:, None, 2:] <= others[:, :2])
    return np.asarray(~apart.any(axis=2))


def _holds(boxes: Boxes, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    within = (boxes[:, None, :2] <= points) & (boxes[:, None, 2:] >= points)
    return np.asarray(within.all(axis=2))
