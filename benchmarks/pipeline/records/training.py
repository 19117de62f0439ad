"""Histories of trainings, as ``<out>/<dataset>/training/<extractor>.csv`` has them."""

from dataclasses import fields
from pathlib import Path

from benchmarks.formats.files import write_text
from benchmarks.formats.markdown import to_csv
from extractors.networks.history import Epoch, read_history

TRAINING = "training"
"""Folder of the histories, beside the records."""


def write_training(folder: Path, name: str, training: Path) -> None:
    """Write the history of a training; its seconds are among the method's costs.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>/training``.
    name : str
        Name of the extractor that was trained.
    training : Path
        Folder of its training in the cache.
    """
    history = read_history(training)
    if not history:
        return  # the vectors outlived the cache of their training
    header = [field.name for field in fields(Epoch) if field.name != "seconds"]
    lines = [[getattr(epoch, key) for key in header] for epoch in history]
    write_text(folder / f"{name}.csv", to_csv(header, lines))
