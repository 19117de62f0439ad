"""What a training looked like: its history as a table, its curves as a picture."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from benchmarks.files import write_text
from benchmarks.markup import to_csv
from benchmarks.report.plots import COLOURS, new_figure, save
from extractors.training import Epoch, read_history

_LEARNED, _HELD_OUT = COLOURS[:2]


def write_training(folder: Path, row: str, training: Path) -> None:
    """Write ``<row>.csv`` and ``<row>.png``; what it took is among the row's costs.

    Parameters
    ----------
    folder : Path
        Where they go.
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
    draw_curves(history, row, folder / f"{row}.png")


def draw_curves(history: Sequence[Epoch], title: str, path: Path) -> None:
    """Draw loss and accuracy over the epochs, the best epoch marked, as a PNG."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(8, 3.2)
    epochs = [one.epoch + 1 for one in history]
    best = min(history, key=lambda one: one.val_loss).epoch + 1
    for axes, what in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        learned = [getattr(one, what) for one in history]
        held_out = [getattr(one, f"val_{what}") for one in history]
        marks = {"marker": ".", "markersize": 4}
        axes.plot(epochs, learned, color=_LEARNED, label="learned from", **marks)
        axes.plot(epochs, held_out, color=_HELD_OUT, label="held out", **marks)
        axes.axvline(best, color="0.6", linestyle=":", label=f"best epoch: {best}")
        axes.set_xlabel("epoch")
        axes.set_title(what)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False)
    figure.suptitle(title)
    save(figure, path)
