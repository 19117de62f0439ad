"""Pretrained networks: built, filled with the weights there are, cut where training begins."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from extractors.networks import efficientnet_lite, inference, weights
from extractors.networks.engine import Model, engine, load_keras, seed_all
from extractors.networks.torchfile import TorchFileError, read_torch
from extractors.networks.weights import NoWeightsError
from extractors.preprocessing import Preprocess, Square

_LITE = "EfficientNetLite0"


@dataclass(frozen=True)
class Backbone:
    """A convolutional network trained on ImageNet, without its classifier.

    Parameters
    ----------
    application : str
        A network of ``keras.applications`` (``ResNet152``, ``DenseNet169``, …), or
        ``EfficientNetLite0``.
    cut : str or None
        Layer after which training begins; all up to it stays frozen.
    side : int
        Pixels of the square input.
    seed : int
        For the layers that a file of weights lacks.

    References
    ----------
    K. He, X. Zhang, S. Ren, J. Sun (2016), Deep Residual Learning for Image Recognition, CVPR,
    doi:10.1109/CVPR.2016.90
    """

    application: str
    cut: str | None = None
    side: int = 224
    seed: int = 0

    @property
    def name(self) -> str:
        """Name of the network, for ``--weights``."""
        return "efficientnet-lite0" if self.application == _LITE else self.application.lower()

    @property
    def prepare(self) -> Preprocess:
        """What is done to a picture before the network's own scaling of values."""
        return Square(self.side)

    def file(self) -> Path:
        """The file of weights.

        Raises
        ------
        NoWeightsError
            If there is none.
        """
        if self.application == _LITE:
            packaged = efficientnet_lite.packaged_file()
            if packaged and not weights.is_given(self.name):
                return packaged
        return weights.find(self.name)

    def require(self, whole: bool) -> None:
        """Make sure that there are weights, as far as that shows without loading Keras.

        Parameters
        ----------
        whole : bool
            Whether every layer's weights are needed.

        Raises
        ------
        NoWeightsError
            If they are not there.
        """
        path = self.file()
        official = weights.OFFICIAL.get(self.name)
        if whole and official:
            held = sum(weights.parameters(path).values())
            if held < official.parameters:
                raise NoWeightsError(
                    f"its output needs all {official.parameters:,} parameters of {self.name}, "
                    f"and {path.name} holds {held:,}; give the complete no-top file with "
                    f"--weights {self.name}=FILE"
                )

    def implementation(self) -> dict[str, str]:
        """What decides the network's output, parameters aside: weights, backend and engine."""
        return {
            "weights sha256": weights.file_hash(self.file()),
            **engine(),
            **inference.implementation(),
        }

    def load(self) -> "Loaded":
        """Build the network and fill it; once per process."""
        path = self.file()
        return _load(self, path, weights.file_hash(path))

    def scale(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Values of prepared pictures as the network was trained on them.

        Parameters
        ----------
        batch : ndarray of uint8, shape (n, side, side, 3)
            RGB.
        """
        values = batch.astype(np.float32)
        scaler = efficientnet_lite.preprocess if self.application == _LITE else self._scaler()
        return np.asarray(scaler(values), np.float32)

    def _builder(self) -> Callable[..., Model]:
        applications = load_keras().applications
        builder = getattr(applications, self.application, None)
        if builder is None:
            raise NoWeightsError(f"keras.applications has no {self.application!r}")
        return builder

    def _scaler(self) -> Callable[..., Any]:
        # The function that belongs to a network stands in the network's own module.
        import importlib

        return importlib.import_module(self._builder().__module__).preprocess_input

    def build(self) -> Model:
        """The network with seeded weights, nothing loaded."""
        seed_all(self.seed)
        if self.application == _LITE:
            return efficientnet_lite.build(self.side)
        shape = (self.side, self.side, 3)
        return self._builder()(weights=None, include_top=False, input_shape=shape)


@dataclass(frozen=True)
class Loaded:
    """A network with its weights.

    Attributes
    ----------
    whole : keras.Model
        Picture to feature map.
    stem, rest : keras.Model or None
        The part up to the cut and the part behind it; they share `whole`'s variables.
    missing : tuple of str
        Layers whose weights the file lacks; they have seeded ones.
    share : float
        Share of the parameters that the file holds.
    """

    whole: Model
    stem: Model | None
    rest: Model | None
    missing: tuple[str, ...]
    share: float

    @property
    def note(self) -> str:
        """What is not pretrained, in words; empty if nothing."""
        if not self.missing:
            return ""
        parts = sorted({name.partition("_")[0] for name in self.missing})
        return (
            f"{', '.join(parts)} not pretrained, {self.share:.0%} of the parameters from the file"
        )


@cache
def _load(backbone: Backbone, path: Path, sha256: str) -> Loaded:
    del sha256  # only so that another file is loaded anew
    keras = load_keras()
    whole = backbone.build()
    held = _fill_lite(whole, path) if backbone.application == _LITE else _fill(whole, path)
    lacking = [layer for layer in whole.layers if layer.weights and layer.name not in held]
    missing = tuple(layer.name for layer in lacking)
    lost = sum(layer.count_params() for layer in lacking)
    stem = rest = None
    if backbone.cut:
        boundary = whole.get_layer(backbone.cut)
        stem = keras.Model(whole.input, boundary.output)
        rest = keras.Model(boundary.output, whole.output, name="rest")
        gone = [layer.name for layer in stem.layers if layer.name in missing]
        if gone:
            raise NoWeightsError(
                f"{path.name} lacks {gone[0]}, which {backbone.name} needs before it is trained; "
                f"give a fuller file with --weights {backbone.name}=FILE"
            )
    elif missing:
        raise NoWeightsError(
            f"{path.name} lacks {missing[0]}, which {backbone.name}'s output needs; give the "
            f"complete no-top file with --weights {backbone.name}=FILE"
        )
    return Loaded(whole, stem, rest, missing, 1 - lost / whole.count_params())


def _fill(whole: Model, path: Path) -> set[str]:
    held = weights.parameters(path)
    known = {layer.name for layer in whole.layers if layer.weights} & held.keys()
    if not known:
        raise NoWeightsError(f"{path}: holds no layer of {whole.name}; give its no-top file")
    try:
        whole.load_weights(path, by_name=True)
    except ValueError as error:
        raise NoWeightsError(f"{path}: does not fit {whole.name} ({error})") from error
    return known


def _fill_lite(whole: Model, path: Path) -> set[str]:
    try:
        tensors = efficientnet_lite.keras_weights(read_torch(path))
        for layer in whole.layers:
            if layer.weights:
                layer.set_weights(tensors[layer.name])
    except (TorchFileError, KeyError, ValueError) as error:
        raise NoWeightsError(f"{path}: not EfficientNet-Lite0's weights ({error})") from error
    return set(tensors)
