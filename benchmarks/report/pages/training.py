"""Plots of the loss and accuracy of trained networks, epoch by epoch."""

import csv
import logging
from pathlib import Path

from benchmarks.pipeline.records.results import Results
from benchmarks.pipeline.records.training import TRAINING
from benchmarks.report.plots.book import PlotBook
from benchmarks.report.plots.charts import Training

_DRAWN = ("loss", "accuracy")

log = logging.getLogger(__name__)


def plot_training(results: Results, book: PlotBook) -> None:
    """Plot the trainings of methods in the tables, as far as their history is kept."""
    methods = [record["method"] for task in results.tasks.values() for record in task.records]
    known = {name for method in methods for name in method.split("+")}
    for path in sorted((book.folder / TRAINING).glob("*.csv")):
        if path.stem not in known:
            continue  # of pictures that were there before, or of a method that is gone
        try:
            chart = _chart(path)
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            log.warning("%s: damaged (%s), it is not plotted; remove it", path, error)
            continue
        book.add(
            f"training-{path.stem}",
            TRAINING,
            f"Training of {path.stem}: loss and accuracy on the images that it learned from and "
            "on training images held out, of which the epoch of the least loss is kept.",
            chart,
        )


def _chart(path: Path) -> Training:
    with path.open(newline="", encoding="utf-8") as file:
        lines = [{k: float(v) for k, v in line.items()} for line in csv.DictReader(file)]
    return Training(
        title=f"Training of {path.stem}",
        epochs=[int(line["epoch"]) + 1 for line in lines],
        learned={what: [line[what] for line in lines] for what in _DRAWN},
        held_out={what: [line[f"val_{what}"] for line in lines] for what in _DRAWN},
    )
