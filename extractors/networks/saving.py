"""Networks in files, each member of which has a checksum that is verified when it is read."""

import io
import logging
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from extractors.networks.engine import Model, load_keras

NETWORK = "network.keras"
STATE = ".npz"
"""Ending of files with the state of a training."""

PART = "part.keras"
"""File that is written before it takes its place."""

log = logging.getLogger(__name__)


class DamagedNetworkError(ValueError):
    """The file of a network was read, and it holds none; the message names the file."""


def is_trained(folder: Path) -> bool:
    """Whether a folder's training has come to its end."""
    return (folder / NETWORK).exists()


def load_trained(folder: Path) -> Model:
    """Load the network of a finished training; nothing in the file is run.

    Raises
    ------
    DamagedNetworkError
        If the file is damaged.
    OSError
        If there is no such file, or it cannot be read.
    """
    return _load(folder / NETWORK)


def _load(path: Path) -> Model:
    keras, content = load_keras(), io.BytesIO(path.read_bytes())
    try:
        if bad := zipfile.ZipFile(content).testzip():
            raise zipfile.BadZipFile(f"bad checksum of {bad}")
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # whatever a damaged network makes its readers raise
        raise DamagedNetworkError(f"{path}: damaged ({error})") from error


def restore_network(path: Path) -> Model | None:
    """A network that was kept, or None if there is none or it is damaged."""
    try:
        return _load(path)
    except FileNotFoundError:
        return None
    except DamagedNetworkError as error:
        log.warning("%s; it is trained again", error)
        return None


def save_network(model: Model, path: Path) -> None:
    """Write a network, whole or not at all, into a folder that no other process writes to.

    Parameters
    ----------
    model : keras.Model
        The network.
    path : Path
        The file.
    """
    part = path.with_name(PART)
    model.save(part)
    part.replace(path)


def save_state(model: Model, path: Path) -> None:
    """Write all numbers of a compiled network and its optimizer, whole or not at all.

    That takes a hundredth of the time of `save_network`, which an epoch may be shorter than.
    """
    numbers = [load_keras().ops.convert_to_numpy(one) for one in _variables(model)]
    part = path.with_name(PART)
    with part.open("wb") as file:
        np.savez(file, *numbers)
    part.replace(path)


def copy_state(source: Path, path: Path) -> None:
    """Copy the file of a state, as `save_state` writes one."""
    part = path.with_name(PART)
    shutil.copyfile(source, part)
    part.replace(path)


def read_state(path: Path) -> list[NDArray[Any]] | None:
    """The numbers that `save_state` wrote, or None if there are none or damaged ones."""
    try:
        with np.load(io.BytesIO(path.read_bytes())) as kept:
            return [kept[name] for name in kept.files]
    except FileNotFoundError:
        return None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        log.warning("%s: damaged (%s); it is trained again", path, error)
        return None


def take_state(model: Model, numbers: list[NDArray[Any]]) -> None:
    """Give a compiled network of the same kind, and its optimizer, the numbers of a state."""
    for variable, value in zip(_variables(model), numbers, strict=True):
        variable.assign(value)


def _variables(model: Model) -> list[Any]:
    return [*model.weights, *model.optimizer.variables]
