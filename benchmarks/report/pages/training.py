"""Plots of the loss and accuracy of trained networks, epoch by epoch."""

import csv
from pathlib import Path

from benchmarks.pipeline.records.record import TRAINING
from benchmarks.report.plots.book import PlotBook
from benchmarks.report.plots.charts import Training

_DRAWN = ("loss", "accuracy")


def plot_training(folder: Path, book: PlotBook) -> None:
    """Plot every training of which a dataset's results keep the history."""
    for path in sorted((folder / TRAINING).glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            lines = [{k: float(v) for k, v in line.items()} for line in csv.DictReader(file)]
        book.add(
            f"training-{path.stem}",
            TRAINING,
            f"Training of {path.stem}: loss and accuracy on the images that it learned from and "
            "on training images held out, of which the epoch of the least loss is kept.",
            Training(
                title=f"Training of {path.stem}",
                epochs=[int(line["epoch"]) + 1 for line in lines],
                learned={what: [line[what] for line in lines] for what in _DRAWN},
                held_out={what: [line[f"val_{what}"] for line in lines] for what in _DRAWN},
            ),
        )
