"""Preparation of pictures as foreign networks were trained on them, declared and not guessed."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from extractors.preprocessing import Pixels, resize

Interpolation = Literal["area", "nearest", "bilinear", "bicubic", "lanczos"]

Order = Literal["RGB", "BGR"]

Channels = float | tuple[float, float, float]
"""One number for all channels, or one for each."""

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True)
class ToSize:
    """Scale a picture to the size that a network takes, whole or the middle of it.

    Parameters
    ----------
    height, width : int
        Pixels of the result.
    crop : float or None
        None scales the whole picture, whatever its aspect. A fraction scales it, its aspect kept,
        so that the result covers this share of it (1: as much as fits, 0.875: 224 of 256 pixels),
        and cuts out the middle.
    interpolation : {"area", "nearest", "bilinear", "bicubic", "lanczos"}
        ``area`` is `extractors.preprocessing.INTERPOLATION`; the others are Pillow's, which
        smooths before pixels are lost.
    """

    version: ClassVar[str] = "to-size 1"

    height: int
    width: int
    crop: float | None = None
    interpolation: Interpolation = "area"

    def __call__(self, image: Pixels) -> Pixels:
        """Return the picture at that size."""
        if self.crop is None:
            return self._scaled(image, self.height, self.width)
        across = (self.height / image.shape[0], self.width / image.shape[1])
        scale = max(across) / self.crop
        height = max(self.height, round(image.shape[0] * scale))
        width = max(self.width, round(image.shape[1] * scale))
        whole = self._scaled(image, height, width)
        top, left = (height - self.height) // 2, (width - self.width) // 2
        return whole[top : top + self.height, left : left + self.width]

    def _scaled(self, image: Pixels, height: int, width: int) -> Pixels:
        if self.interpolation == "area" or image.shape[:2] == (height, width):
            return resize(image, width, height)
        made = Image.fromarray(image).resize((width, height), _FILTERS[self.interpolation])
        return np.asarray(made)


@dataclass(frozen=True)
class Values:
    """Turns values of 0 to 255 into those that a network was trained on.

    Parameters
    ----------
    scale : float
        Factor of the values, before anything else.
    mean, std : float or tuple of float
        Subtracted, then divided by; one for all channels or one for each, in the network's own
        order of channels.
    order : {"RGB", "BGR"}
        The network's order of channels.
    """

    version: ClassVar[str] = "values 1"

    scale: float = 1.0
    mean: Channels = 0.0
    std: Channels = 1.0
    order: Order = "RGB"

    @property
    def is_raw(self) -> bool:
        """Whether the values stay as they are."""
        return self.scale == 1 and not np.any(self.mean) and bool(np.all(np.equal(self.std, 1)))

    def __call__(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Values of prepared pictures.

        Parameters
        ----------
        batch : ndarray of uint8, shape (n, height, width, 3)
            RGB.
        """
        channels = batch[..., ::-1] if self.order == "BGR" else batch
        scaled = channels.astype(np.float32) * np.float32(self.scale)
        mean, std = (np.asarray(one, np.float32) for one in (self.mean, self.std))
        return (scaled - mean) / std


IMAGENET = Values(1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Values of networks trained with torchvision's statistics of ImageNet."""
