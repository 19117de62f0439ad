"""Names beside what they name, so that none lies on another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import isotonic_regression

from benchmarks.report.format import broken
from benchmarks.report.plots.theme import Theme

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

_NOWHERE = 1e6
"""What it costs to leave a name out."""

_CLEAR, _UNCLEAR = 1.5, 30.0
"""A name should be this many times nearer to what it names than to the next; what it is worth."""

_NEAR = 5.0
"""Points from something else that its line should keep."""

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

    Each name takes the nearest free place, rather above on the left than elsewhere, where it
    hides little and no other point could be meant; where one could, a line says which is. A name
    that finds no place at all is left out.

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
    own = axes.transData.transform(points) if len(points) else np.empty((0, 2))
    marks = axes.transData.transform(hidden) if len(hidden) else np.empty((0, 2))
    room = np.asarray(axes.get_window_extent().extents, float)
    sizes = [np.array(_extent(figure, name)) + _GAP for name in names]
    choices = [
        _choices(number, size, own, marks, room, figure.dpi / 72)
        for number, size in enumerate(sizes)
    ]
    forth = range(len(names))
    found = min(
        (_arrange(choices, order) for order in (forth, forth[::-1])),
        key=lambda places: sum(cost for _, cost in places.values()),
    )
    return [
        _annotate(axes, theme, names[number], points[number], choices[number], place)
        for number, (place, cost) in sorted(found.items())
        if cost < _NOWHERE
    ]


@dataclass(frozen=True)
class _Choices:
    """Places that a name could take.

    Attributes
    ----------
    offsets : ndarray, shape (n_places, 2)
        Points from what is named to the nearest edge or corner of the name.
    boxes : ndarray, shape (n_places, 4)
    costs : ndarray, shape (n_places,)
        Infinite outside the plot.
    is_tied : ndarray of bool, shape (n_places,)
        Whether it needs a line to what it names.
    """

    offsets: NDArray[np.float64]
    boxes: Boxes
    costs: NDArray[np.float64]
    is_tied: NDArray[np.bool_]


def _choices(
    number: int,
    size: NDArray[np.float64],
    own: NDArray[np.float64],
    marks: NDArray[np.float64],
    room: NDArray[np.float64],
    per_point: float,
) -> _Choices:
    offsets, boxes = _candidates(own[number], size, per_point)
    away = _distances(boxes, own)
    others = np.delete(away, number, axis=1).min(axis=1, initial=np.inf)
    unclear = others < _CLEAR * away[:, number]
    crossed = _passed(own[number], offsets * per_point, np.delete(own, number, axis=0))
    far = np.hypot(*offsets.T)
    costs = far + _HIDDEN * _holds(boxes, marks).sum(axis=1) + _UNCLEAR * unclear
    costs += _UNCLEAR * (crossed < _NEAR * per_point)
    costs += 8.0 * (offsets[:, 1] < 0) + 5.0 * (offsets[:, 0] > 0)
    costs[~_inside(boxes, room)] = np.inf
    return _Choices(offsets, boxes, costs, unclear | (far > _LEADER))


def _arrange(choices: Sequence[_Choices], order: Sequence[int]) -> dict[int, tuple[int, float]]:
    """Give each name in turn the best place that is left: its number and its cost."""
    taken: Boxes = np.empty((0, 4))
    made = {}
    for number in order:
        one = choices[number]
        costs = np.where(_overlaps(one.boxes, taken).any(axis=1), np.inf, one.costs)
        best = int(np.argmin(costs))
        made[number] = (best, float(min(costs[best], _NOWHERE)))
        if costs[best] < np.inf:
            taken = np.vstack([taken, one.boxes[best]])
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
    choices: _Choices,
    chosen: int,
) -> "Annotation":
    offset = choices.offsets[chosen]
    across, up = (int(sign) for sign in np.sign(offset))
    leader = {"arrowstyle": "-", "color": theme.muted, "linewidth": 0.6, "shrinkA": 0}
    leader |= {"shrinkB": 4, "relpos": ((1 - across) / 2, (1 - up) / 2)}
    return axes.annotate(
        name,
        (place[0], place[1]),
        xytext=(offset[0], offset[1]),
        textcoords="offset points",
        ha=("right", "center", "left")[across + 1],
        va=("top", "center", "bottom")[up + 1],
        fontsize=SIZE,
        color=theme.text,
        arrowprops=leader if choices.is_tied[chosen] else None,
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


def _distances(boxes: Boxes, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """From every box to every point."""
    short = np.maximum(boxes[:, None, :2] - points, points - boxes[:, None, 2:])
    return np.asarray(np.hypot(*np.moveaxis(np.maximum(short, 0), 2, 0)))


def _passed(
    start: NDArray[np.float64], steps: NDArray[np.float64], points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How near each line from a start comes to the nearest of some points."""
    along = np.clip((points - start) @ steps.T / (steps**2).sum(axis=1), 0, 1)
    nearest = start + along[:, :, None] * steps
    return np.hypot(*np.moveaxis(nearest - points[:, None], 2, 0)).min(axis=0, initial=np.inf)


def _holds(boxes: Boxes, points: NDArray[np.float64]) -> NDArray[np.bool_]:
    within = (boxes[:, None, :2] <= points) & (boxes[:, None, 2:] >= points)
    return np.asarray(within.all(axis=2))
