"""Keras, loaded only when a network is needed: importing it takes seconds."""

import importlib.metadata
import json
import logging
import os
import random
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

Model = Any
"""A ``keras.Model``; a name of its own, since Keras is not imported to say so."""

BATCH = 32
"""Pictures that a network sees at a time. Every batch has this size (the last is filled up),
so that a picture's vector does not depend on how many were asked for; its place in the batch may
still show in the last digits."""


def load_keras() -> ModuleType:
    """Import Keras, quietly, with the user's `backend` and otherwise Keras' own settings."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    # Who trains several networks is warned that functions are traced again, as they have to be.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    # The user's configuration file may say otherwise.
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")
    return keras


def keras_home() -> Path:
    """Folder in which Keras keeps its configuration and downloads."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def backend() -> str:
    """Name of Keras' backend: that of ``KERAS_BACKEND``, of ``keras.json``, or TensorFlow."""
    if named := os.environ.get("KERAS_BACKEND"):
        return named
    try:
        configured = json.loads((keras_home() / "keras.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # as Keras, which then takes its defaults
        configured = {}
    return str(configured.get("backend", "tensorflow"))


def engine() -> dict[str, str]:
    """Backend and its version; part of a network's identity, since backends round differently.

    Does not import any of them.
    """
    named = backend()
    return {"keras": importlib.metadata.version("keras"), named: _version(named)}


@cache
def _version(module: str) -> str:
    # TensorFlow has several distributions, of one version each. Which are there is looked up
    # once: all files of all distributions are read for it.
    names = importlib.metadata.packages_distributions().get(module, [])
    return importlib.metadata.version(names[0]) if names else "not installed"


def compiled_how() -> dict[str, object]:
    """Options of ``compile``: XLA is slower than TensorFlow's own kernels on processors."""
    keras = load_keras()
    return {"jit_compile": False if keras.backend.backend() == "tensorflow" else "auto"}


def seed_all(seed: int) -> None:
    """Seed whatever Keras draws initial weights from."""
    load_keras().utils.set_random_seed(seed)


def dropout(share: float) -> Model:
    """A dropout layer with a seed of its own, drawn as Keras draws it where none is given.

    Without one, PyTorch's dropout cannot be repeated.
    """
    return load_keras().layers.Dropout(share, seed=random.randint(1, 10**9))


def batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Cut anything into lists of `BATCH`, the last one shorter."""
    source = iter(items)
    while part := list(islice(source, BATCH)):
        yield part


def run_padded(
    forward: Callable[[NDArray[Any]], Any], batch: NDArray[np.number], size: int | None = None
) -> NDArray[np.float32]:
    """Run a network on few inputs, always as a batch of one size.

    Parameters
    ----------
    forward : callable
        The network: ``predict_on_batch`` of a Keras model, or what does the same.
    batch : ndarray, shape (n, ...), 1 <= n <= size
        Filled up with copies of its last input, whose outputs are dropped.
    size : int, optional
        Of the batches, where it is not `BATCH`.

    Returns
    -------
    ndarray of float32, shape (n, ...)
    """
    lacking = (size or BATCH) - len(batch)
    full = np.concatenate([batch, np.repeat(batch[-1:], lacking, axis=0)]) if lacking else batch
    return np.asarray(forward(full), np.float32)[: len(batch)]
