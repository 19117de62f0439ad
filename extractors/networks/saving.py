"""Networks in files, each member of which has a checksum that is verified when it is read."""

import io
import logging
import shutil
import zipfile
from pathlib import Path

from extractors.networks.engine import Model, load_keras

NETWORK = "network.keras"
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


def _load(path: Path, compiled: bool = False) -> Model:
    keras, content = load_keras(), io.BytesIO(path.read_bytes())
    try:
        if bad := zipfile.ZipFile(content).testzip():
            raise zipfile.BadZipFile(f"bad checksum of {bad}")
        return keras.saving.load_model(path, compile=compiled, safe_mode=True)
    except Exception as error:  # whatever a damaged network makes its readers raise
        raise DamagedNetworkError(f"{path}: damaged ({error})") from error


def restore_network(path: Path, compiled: bool = False) -> Model | None:
    """A network that was kept, or None if there is none or it is damaged."""
    try:
        return _load(path, compiled)
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


def copy_network(source: Path, path: Path) -> None:
    """Copy a network's file, as `save_network` writes one."""
    part = path.with_name(PART)
    shutil.copyfile(source, part)
    part.replace(path)
