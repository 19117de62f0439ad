"""What a training looked like: its history as a table, its curves as a picture."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from benchmarks.formats.files import write_text
from benchmarks.formats.markdown import to_csv
from benchmarks.report.plots.book import Plot, PlotBook
from benchmarks.report.plots.charts import Training
from extractors.networks.training import Epoch, read_history

FOLDER = "training"
"""Of the histories, in a dataset's results."""


def write_training(folder: Path, row: str, training: Path) -> None:
    """Write ``<row>.csv``; what the training took is among the row's costs.

    Parameters
    ----------
    folder : Path
        Where it goes.
    row : str
        The row that was trained.
    training : Path
        The folder of its training.
    """
    history = read_history(training)
    if not history:
        return  # the vectors outlived the cache of their training
    header = [field.name for field in fields(Epoch) if field.name != "seconds"]
    lines = [[getattr(epoch, name) for name in header] for epoch in history]
    write_text(folder / f"{row}.csv", to_csv(header, lines))


def plot_training(folder: Path, book: PlotBook) -> None:
    """Plot loss and accuracy of every training that a dataset's results tell of."""
    for path in sorted((folder / FOLDER).glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            lines = [{k: float(v) for k, v in line.items()} for line in csv.DictReader(file)]
        book.add(_plot(path.stem, lines))


def _plot(row: str, lines: Sequence[Mapping[str, float]]) -> Plot:
    return Plot(
        f"training-{row}",
        FOLDER,
        f"How {row} was trained: loss and accuracy on what it learned from and on training "
        "images held out; the epoch of the least loss there is the one kept.",
        Training(
            title=f"Training of {row}",
            epochs=[int(line["epoch"]) + 1 for line in lines],
            learned={what: [line[what] for line in lines] for what in ("loss", "accuracy")},
            held_out={
                what: [line[f"val_{what}"] for line in lines] for what in ("loss", "accuracy")
            },
        ),
    )
