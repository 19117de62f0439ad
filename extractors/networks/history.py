"""Histories of trainings: loss and accuracy of every epoch, in a file with its checksum."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HISTORY = "history.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Epoch:
    """Results of one epoch; accuracies are shares, `seconds` a measurement."""

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    rate: float
    seconds: float


def read_history(folder: Path) -> list[Epoch]:
    """The epochs that a folder's training has had so far; none where they are damaged.

    Raises
    ------
    OSError
        If the file is there and cannot be read.
    """
    path = folder / HISTORY
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    try:
        content = json.loads(data)
        epochs = [Epoch(**epoch) for epoch in content["epochs"]]
        if content["sha256"] != _checksum(epochs):
            raise ValueError("its checksum differs")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        log.warning("%s is damaged (%s) and counts as absent", path, error)
        return []
    return epochs


def write_history(folder: Path, epochs: Sequence[Epoch]) -> None:
    """Write the epochs, whole or not at all, into a folder that no other process writes to."""
    part = folder / f"{HISTORY}.part"
    content = {"epochs": [asdict(epoch) for epoch in epochs], "sha256": _checksum(epochs)}
    part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    part.replace(folder / HISTORY)


def _checksum(epochs: Sequence[Epoch]) -> str:
    text = json.dumps([asdict(epoch) for epoch in epochs], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
