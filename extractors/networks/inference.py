"""Engines that run pretrained networks: Keras, or OpenVINO on a model that Keras exports.

OpenVINO is an extra (``pip install -e '.[openvino]'``). It joins convolutions with the
normalisation and activation behind them, which makes it faster on processors, and computes in
float32 like Keras, so vectors agree but for rounding. Training stays with Keras.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from extractors.networks.engine import BATCH, Model, backend

KERAS, OPENVINO = ENGINES = ("keras", "openvino")
VARIABLE = "IMAGE_RETRIEVAL_ENGINE"
"""Environment variable that names the engine, which the option ``--engine`` sets."""

_CONVERTED = ("tensorflow", "torch")
"""Backends whose networks OpenVINO can read. What JAX exports it cannot."""

Forward = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""A network: a batch of `BATCH` inputs to its outputs."""


class NoEngineError(RuntimeError):
    """The chosen engine is not to be had; the message says why and what to do."""


def chosen() -> str:
    """The engine that the user chose; Keras if nothing was said.

    Raises
    ------
    NoEngineError
        If there is none of that name, it is not installed, or it cannot take over from the
        backend of Keras that is in use.
    """
    name = os.environ.get(VARIABLE) or KERAS
    if name not in ENGINES:
        raise NoEngineError(f"no such engine as {name!r}; it is one of {', '.join(ENGINES)}")
    if name == OPENVINO and importlib.util.find_spec(OPENVINO) is None:
        raise NoEngineError("openvino is not installed; pip install openvino, or use keras")
    if name == OPENVINO and backend() not in _CONVERTED:
        raise NoEngineError(
            f"openvino takes no networks from Keras' backend {backend()}; choose "
            f"{' or '.join(_CONVERTED)} by KERAS_BACKEND, or use keras"
        )
    return name


def implementation() -> dict[str, str]:
    """The engine's part of a network's identity, since engines round differently."""
    return {} if chosen() == KERAS else {OPENVINO: importlib.metadata.version(OPENVINO)}


def forward(model: Model, size: int = BATCH) -> Forward:
    """The network, run by the chosen engine.

    Parameters
    ----------
    model : keras.Model
        With the weights that it is to have.
    size : int
        Inputs of a batch.

    Raises
    ------
    NoEngineError
        See `chosen`.
    """
    run: Forward = model.predict_on_batch if chosen() == KERAS else _converted(model, size)
    return run


def read_network(path: Path) -> Any:
    """OpenVINO's network of a file, ONNX or its own.

    Raises
    ------
    RuntimeError
        If the file holds none.
    """
    core = _imported().Core()
    core.set_property({"ENABLE_MMAP": False})  # the file may be gone in a moment
    return core.read_model(path)


def compiled(network: Any) -> Callable[..., Any]:
    """OpenVINO's network, ready to run in float32 on the processor."""
    # Left to itself it takes bfloat16 where the processor has it.
    precise = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    run: Callable[[NDArray[Any]], Any] = _imported().Core().compile_model(network, "CPU", precise)
    return run


def _imported() -> ModuleType:
    # It reports its use to its makers if it finds this package, and does without if not.
    sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))
    # By name: in an import statement it would count among the libraries that decide what a
    # network computes, for those who only have it installed, too.
    if sys.version_info >= (3, 13) and backend() == "tensorflow":
        # It runs `exec("del tensorflow")` in a function, which has no such name since Python 3.13.
        utils = importlib.import_module(f"{OPENVINO}.frontend.tensorflow.utils")
        utils.exec = lambda statement: None  # type: ignore[attr-defined]
    return importlib.import_module(OPENVINO)


@cache
def _converted(model: Model, size: int) -> Forward:
    _imported()  # before Keras does
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.xml"
        model.export(str(path), format=OPENVINO, verbose=False)
        network = read_network(path)
    network.reshape([size, *model.input.shape[1:]])
    ready = compiled(network)

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(ready(batch)[0])

    return run
