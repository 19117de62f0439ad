"""Pretrained networks, filled with the weights there are and cut where training begins."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from extractors.networks import inference, weights
from extractors.networks.architectures import Architecture, architecture
from extractors.networks.engine import Model, engine, load_keras, seed_all
from extractors.networks.weights import NoWeightsError
from extractors.preprocessing import Preprocess, Square


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
    """

    version: ClassVar[str] = "backbone 1"

    application: str
    cut: str | None = None
    side: int = 224
    seed: int = 0

    @property
    def architecture(self) -> Architecture:
        """Builds the network and fills it."""
        return architecture(self.application)

    @property
    def name(self) -> str:
        """Name of the network, for ``--weights``."""
        return self.architecture.name

    @property
    def prepare(self) -> Preprocess:
        """Preprocessing before the network's own scaling of values."""
        return Square(self.side)

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
        path = self.architecture.file()
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
        """Weights, backend and engine, which decide the output beside the parameters."""
        return {
            "weights sha256": weights.file_hash(self.architecture.file()),
            **engine(),
            **inference.implementation(),
        }

    def load(self) -> "Loaded":
        """Build the network and fill it; once per process."""
        path = self.architecture.file()
        return _load(self, path, weights.file_hash(path))

    def scale(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Values of prepared pictures as the network was trained on them.

        Parameters
        ----------
        batch : ndarray of uint8, shape (n, side, side, 3)
            RGB.
        """
        return np.asarray(self.architecture.scale(batch.astype(np.float32)), np.float32)

    def build(self) -> Model:
        """The network with seeded weights, nothing loaded."""
        seed_all(self.seed)
        return self.architecture.build(self.side)


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
        """The parts that are not pretrained, in words; empty if all are."""
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
    held = backbone.architecture.fill(whole, path)
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
