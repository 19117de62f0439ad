"""Plots of the loss and accuracy of trained networks, epoch by epoch."""

import csv
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.pipeline.records.record import TRAINING
from benchmarks.report.plots.axes import LEFT, Mark, make_axes, rounded, write_legend, write_title
from benchmarks.report.plots.book import WIDTH, Plot, PlotBook
from benchmarks.report.plots.theme import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_training(folder: Path, book: PlotBook) -> None:
    """Plot loss and accuracy of every training that a dataset's results tell of."""
    for path in sorted((folder / TRAINING).glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            lines = [{k: float(v) for k, v in line.items()} for line in csv.DictReader(file)]
        book.add(_plot(path.stem, lines))


def paint_training(
    figure: "Figure",
    theme: Theme,
    title: str,
    epochs: Sequence[int],
    learned: Mapping[str, Sequence[float]],
    held_out: Mapping[str, Sequence[float]],
) -> None:
    """Draw what a training was like, side by side.

    Parameters
    ----------
    figure : Figure
    theme : Theme
    title : str
    epochs : sequence of int
    learned, held_out : mapping of str to sequence of float
        Loss and whatever else to its values on either part of the images.
    """
    from matplotlib.ticker import MaxNLocator

    width = float(figure.get_size_inches()[0])
    best = epochs[int(np.argmin(rounded(held_out["loss"])))]
    for place, what in enumerate(learned):
        ends = (width * place / len(learned), width * (place + 1) / len(learned))
        axes = make_axes(figure, ends[0] + LEFT, width - ends[1] + 0.15, 0.8)
        for mark, name, values in (
            (Mark(0), "learned from", learned[what]),
            (Mark(1, 1), "held out", held_out[what]),
        ):
            axes.plot(
                epochs,
                rounded(values),
                color=mark.colour(theme),
                linestyle=mark.line,
                marker=mark.marker,
                markersize=4,
                markevery=max(1, len(epochs) // 12),
                label=name,
            )
        axes.axvline(best, color=theme.muted, linestyle=":", label=f"least loss: epoch {best}")
        axes.set(xlabel="epoch", ylabel=what)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y")
    write_legend(figure, figure.axes[0].get_legend_handles_labels()[0])
    write_title(figure, title)


def _plot(row: str, lines: Sequence[Mapping[str, float]]) -> Plot:
    return Plot(
        f"training-{row}",
        TRAINING,
        f"How {row} was trained: loss and accuracy on what it learned from and on training "
        "images held out; the epoch of the least loss there is the one kept.",
        (WIDTH, 3.2),
        partial(
            paint_training,
            title=f"Training of {row}",
            epochs=[int(line["epoch"]) + 1 for line in lines],
            learned={what: [line[what] for line in lines] for what in ("loss", "accuracy")},
            held_out={
                what: [line[f"val_{what}"] for line in lines] for what in ("loss", "accuracy")
            },
        ),
    )
