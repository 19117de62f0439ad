"""Features of pretrained networks: whole, or up to the layer where training would begin."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from extractors.base import Extractor, Step
from extractors.networks.backbone import Backbone
from extractors.networks.engine import batches, run_padded
from extractors.networks.inference import forward
from extractors.preprocessing import Pixels, Preprocess, require_picture

Maps = NDArray[np.float32]
"""Feature maps: float32, shape (n_images, rows, columns, channels)."""


class Network(Step):
    """A network from pictures to arrays, a batch at a time.

    It works on all cores by itself, so whoever runs it needs no workers, only somebody who
    decodes and prepares the next pictures meanwhile.
    """

    family = "network"

    prepare: Preprocess

    def require(self) -> None:
        """Make sure that it can run here.

        Raises
        ------
        NoWeightsError
            If it cannot, with the remedy.
        """

    @property
    @abstractmethod
    def implementation(self) -> dict[str, str]:
        """Weights and backend, which decide the output beside parameters and version."""

    @abstractmethod
    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run on prepared pictures.

        Parameters
        ----------
        batch : ndarray of uint8, shape (n, height, width, 3)
            At most `BATCH` of them.
        """

    def transform(self, images: Iterable[Pixels]) -> NDArray[np.float32]:
        """Prepare and describe pictures."""
        made = [
            self.run(np.stack([self.prepare(require_picture(image)) for image in part]))
            for part in batches(images)
        ]
        return np.concatenate(made) if made else np.empty((0, 0), np.float32)


class BackboneNetwork(Network):
    """A network that is a backbone, or the frozen part of one.

    Attributes
    ----------
    backbone : Backbone
        Its weights must be there, as far as `is_whole` says.
    is_whole : bool
        Whether every layer's weights are needed, or only those up to the cut.
    """

    backbone: Backbone
    is_whole: ClassVar[bool]

    @property
    def prepare(self) -> Preprocess:  # type: ignore[override]
        """The network's preprocessing."""
        return self.backbone.prepare

    def require(self) -> None:
        """Raise `NoWeightsError` if the weights that it needs are not to be had."""
        self.backbone.require(self.is_whole)

    @property
    def implementation(self) -> dict[str, str]:
        """Weights and backend."""
        return self.backbone.implementation()


class Pretrained(BackboneNetwork, Extractor):
    """A pretrained network's last feature map, pooled; nothing is trained.

    Parameters
    ----------
    backbone : Backbone
        The network; all its weights must be there.
    power : float
        1 averages the map (global average pooling), larger powers weigh its peaks more
        (generalised mean, GeM).
    """

    summary = "The last feature map of a network trained on ImageNet, pooled"
    reference = (
        "Radenović, Tolias and Chum (2019), Fine-Tuning CNN Image Retrieval with No Human "
        "Annotation, TPAMI, doi:10.1109/TPAMI.2018.2846566"
    )
    version = "pretrained 1"
    is_whole = True

    def __init__(self, backbone: Backbone, power: float = 1.0) -> None:
        self.backbone = backbone
        self.power = power

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run on up to `BATCH` prepared pictures."""
        maps = run_padded(forward(self.backbone.load().whole), self.backbone.scale(batch))
        return pool(maps, self.power)


class Stem(BackboneNetwork):
    """The frozen part of a network: pictures to the feature maps at its cut.

    Methods that train the rest begin with it. A picture's map is computed once, whichever
    methods and epochs use it.

    Parameters
    ----------
    backbone : Backbone
        With a cut; its weights up to there must be there.
    """

    summary = "Feature maps of the frozen part of a network trained on ImageNet"
    reference = (
        "Yosinski, Clune, Bengio and Lipson (2014), How transferable are features in deep neural "
        "networks?, NIPS, doi:10.48550/arXiv.1411.1792"
    )
    version = "stem 1"
    is_whole = False

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone

    def fit(self, images: Iterable[Pixels], y: object = None) -> Self:
        """Learn nothing; here for scikit-learn's pipelines."""
        return self

    def run(self, batch: NDArray[np.uint8]) -> Maps:
        """Run on up to `BATCH` prepared pictures."""
        return run_padded(forward(self.backbone.load().stem), self.backbone.scale(batch))


class MapHead(Step):
    """Second part of a divided network: feature maps to vectors."""

    family = "network"

    def fit(self, maps: Sequence[NDArray[np.floating]], y: Sequence[str], **_: Any) -> Self:
        """Learn from the maps of training images; nothing, unless a subclass says otherwise."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @abstractmethod
    def transform(self, maps: Iterable[NDArray[np.floating]]) -> NDArray[np.float32]:
        """Vectors of maps, shape (rows, columns, channels) each."""


@dataclass(eq=False, repr=False)
class MapPooling(MapHead):
    """Pools a map to one number per channel.

    Parameters
    ----------
    power : float
        1 for the mean, larger ones weigh peaks more.
    """

    summary = "Mean of a feature map over its places"
    reference = (
        "Babenko and Lempitsky (2015), Aggregating Deep Convolutional Features for Image "
        "Retrieval, ICCV, doi:10.1109/ICCV.2015.150"
    )
    version = "map-pooling 1"

    power: float = 1.0

    def transform(self, maps: Iterable[NDArray[np.floating]]) -> NDArray[np.float32]:
        """Pool each map; shape (n_images, channels)."""
        return np.concatenate([pool(one[None], self.power) for one in maps])


def pool(maps: NDArray[np.floating], power: float = 1.0) -> NDArray[np.float32]:
    """Generalised mean over a map's places; negative values count as none for powers but 1.

    Parameters
    ----------
    maps : ndarray, shape (n, rows, columns, channels)
        Of n pictures; or of shape (n, channels), pooled already.
    power : float
        At least 1.

    Returns
    -------
    ndarray of float32, shape (n, channels)
    """
    if maps.ndim == 2:
        return maps.astype(np.float32)
    values = maps.astype(np.float64)
    if power == 1:
        return values.mean(axis=(1, 2)).astype(np.float32)
    powered = np.maximum(values, 0) ** power
    return (powered.mean(axis=(1, 2)) ** (1 / power)).astype(np.float32)
