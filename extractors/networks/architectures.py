"""Architectures of pretrained networks: built, scaled for, and filled with weights."""

import importlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from extractors.networks import efficientnet_lite, weights
from extractors.networks.engine import Model, load_keras
from extractors.networks.torchfile import TorchFileError, read_torch
from extractors.networks.weights import NoWeightsError

_NORMALISED_VECTORS = ("ConvNeXt",)
"""Beginnings of functions whose networks pool first and then normalise the vector."""


class Architecture(ABC):
    """A kind of network, without its classifier."""

    name: str
    """Name of the network, for ``--weights``."""

    def file(self) -> Path:
        """Find the file of its weights.

        Raises
        ------
        NoWeightsError
            If there is none.
        """
        return weights.find(self.name)

    @abstractmethod
    def build(self, side: int) -> Model:
        """Build it for square pictures of `side` pixels, its weights drawn at random."""

    @abstractmethod
    def scale(self, values: NDArray[np.float32]) -> Any:
        """Scale RGB values of 0 to 255 as it was trained on them."""

    @abstractmethod
    def fill(self, network: Model, path: Path) -> set[str]:
        """Load weights; gives the names of the layers that the file holds.

        Raises
        ------
        NoWeightsError
            If the file does not fit.
        """


class KerasApplication(Architecture):
    """A network of ``keras.applications``.

    Parameters
    ----------
    function : str
        Name of the function that builds it, ``ResNet152`` for example.
    """

    def __init__(self, function: str) -> None:
        self.function = function
        self.name = function.lower()

    def _builder(self) -> Callable[..., Model]:
        builder = getattr(load_keras().applications, self.function, None)
        if builder is None:
            raise NoWeightsError(f"keras.applications has no {self.function!r}")
        return builder

    def build(self, side: int) -> Model:
        """Build it, see `Architecture.build`."""
        pooling = "avg" if self.function.startswith(_NORMALISED_VECTORS) else None
        return self._builder()(
            weights=None, include_top=False, input_shape=(side, side, 3), pooling=pooling
        )

    def scale(self, values: NDArray[np.float32]) -> Any:
        """Scale values by the function that stands in the network's own module."""
        return importlib.import_module(self._builder().__module__).preprocess_input(values)

    def fill(self, network: Model, path: Path) -> set[str]:
        """Load a no-top file by the names of layers, see `Architecture.fill`.

        Keras numbers the layers that have no name of their own, on from those of the process so
        far. A complete file has such layers in the network's order.
        """
        held = weights.parameters(path)
        own = [layer for layer in network.layers if layer.weights]
        in_order = len(own) == len(held) and all(
            layer.name == name or _is_numbered(layer)
            for layer, name in zip(own, held, strict=True)
        )
        known = {
            layer.name
            for layer in own
            if in_order or (layer.name in held and not _is_numbered(layer))
        }
        if not known:
            raise NoWeightsError(f"{path}: holds no layer of {network.name}; give its no-top file")
        try:
            network.load_weights(path, by_name=not in_order)
        except ValueError as error:
            raise NoWeightsError(f"{path}: does not fit {network.name} ({error})") from error
        return known


def _is_numbered(layer: Model) -> bool:
    """Whether Keras named a layer, by its class and a number."""
    stem = re.sub(r"_\d+\Z", "", layer.name)
    return stem.replace("_", "") == type(layer).__name__.lower()


class EfficientNetLite0(Architecture):
    """EfficientNet-Lite0, whose weights come with the packages."""

    name = "efficientnet-lite0"

    def file(self) -> Path:
        """Find the packaged file, unless the user gave one."""
        packaged = efficientnet_lite.packaged_file()
        return packaged if packaged and not weights.is_given(self.name) else super().file()

    def build(self, side: int) -> Model:
        """Build it, see `Architecture.build`."""
        return efficientnet_lite.build(side)

    def scale(self, values: NDArray[np.float32]) -> Any:
        """Scale values, see `Architecture.scale`."""
        return efficientnet_lite.preprocess(values)

    def fill(self, network: Model, path: Path) -> set[str]:
        """Load a PyTorch file without running anything in it, see `Architecture.fill`."""
        try:
            tensors = efficientnet_lite.keras_weights(read_torch(path))
            for layer in network.layers:
                if layer.weights:
                    layer.set_weights(tensors[layer.name])
        except (TorchFileError, KeyError, ValueError) as error:
            raise NoWeightsError(f"{path}: not EfficientNet-Lite0's weights ({error})") from error
        return set(tensors)


def architecture(name: str) -> Architecture:
    """Architecture by the name that a backbone gives it."""
    return EfficientNetLite0() if name == EfficientNetLite0.__name__ else KerasApplication(name)
