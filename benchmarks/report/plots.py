"""Pictures of tables (PNG), equal byte for byte from equal numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.files import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Told apart by colour-blind eyes (Okabe and Ito)."""

_QUIET = "0.8"


def new_figure(width: float, height: float) -> "Figure":
    """Make an empty figure, inches; loading Matplotlib takes a second, so only here."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=120, layout="constrained")


def save(figure: "Figure", path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    metadata = {"Software": None}
    write_whole(path, lambda part: figure.savefig(part, format="png", metadata=metadata))


def draw_bands(
    path: Path,
    title: str,
    labels: tuple[str, str],
    across: Sequence[float],
    lines: Mapping[str, NDArray[np.float64]],
    others: Sequence[NDArray[np.float64]] = (),
) -> None:
    """Draw curves with bands, each named at its right end.

    Parameters
    ----------
    path : Path
    title : str
    labels : tuple of str
        Of the two axes.
    across : sequence of float
        Places along the horizontal axis.
    lines : mapping of str to ndarray, shape (n_places, 3)
        Name to its values, lower and upper ends; as many as there are colours, at most.
    others : sequence of ndarray, shape (n_places,)
        Curves in the background, without names.
    """
    figure = new_figure(8, 4.5)
    axes = figure.subplots()
    for other in others:
        axes.plot(across, other, color=_QUIET, linewidth=0.8, zorder=1)
    ends = _spread([line[-1, 0] for line in lines.values()], axes.get_ylim())
    for (name, line), colour, end in zip(lines.items(), COLOURS, ends, strict=False):
        axes.plot(across, line[:, 0], color=colour, marker=".", zorder=3)
        axes.fill_between(across, line[:, 1], line[:, 2], color=colour, alpha=0.12, linewidth=0)
        place = (across[-1] + 0.015 * (across[-1] - across[0]), end)
        axes.annotate(name, place, color=colour, va="center", annotation_clip=False, fontsize=9)
    axes.set(title=title, xlabel=labels[0], ylabel=labels[1], ylim=(0, None))
    axes.set_xlim(across[0], across[-1])
    axes.spines[["top", "right"]].set_visible(False)
    save(figure, path)


def draw_heat(
    path: Path,
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: NDArray[np.float64],
    label: str,
) -> None:
    """Draw a matrix as colours, with its numbers where there is room.

    Parameters
    ----------
    path : Path
    title : str
    rows, columns : sequence of str
    values : ndarray, shape (n_rows, n_columns)
        At least 0.
    label : str
        What the colours mean.
    """
    figure = new_figure(3.2 + 0.55 * len(columns), 1.8 + 0.24 * len(rows))
    axes = figure.subplots()
    top = float(values.max(initial=0)) or 1.0
    picture = axes.imshow(values, cmap="cividis", aspect="auto", vmin=0, vmax=top)
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    for (row, column), value in np.ndenumerate(values):
        colour = "black" if value > 0.6 * top else "white"
        text = f"{value:.2f}".removeprefix("0")
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=7)
    axes.set_title(title, fontsize=10)
    figure.colorbar(picture, label=label, fraction=0.04)
    save(figure, path)


def _spread(places: Sequence[float], limits: tuple[float, float]) -> list[float]:
    """Move labels apart that would lie on each other, keeping their order."""
    span = max([*places, limits[1]], default=1.0)
    step, made = 0.045 * span, dict.fromkeys(range(len(places)), 0.0)
    lowest = -np.inf
    for index in np.argsort(places, kind="stable"):
        lowest = max(places[index], lowest + step)
        made[int(index)] = float(lowest)
    return list(made.values())
