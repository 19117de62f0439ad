"""Inputs of an extraction: pictures as they are, and whatever is made of them on the way."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from benchmarks.pipeline.cache.fingerprint import (
    computes,
    digest,
    imported_modules,
    libraries,
    module_identity,
)
from benchmarks.pipeline.loading.listed import read_listed
from benchmarks.pipeline.loading.training import require_training
from benchmarks.pipeline.loading.variants import is_drawn
from datasets import transformations
from datasets.reading import Pixels
from datasets.task import Dataset, Image
from datasets.transformations import Transformation
from extractors.hand_crafted.lines import Lines
from extractors.networks.augmentation import Augmentation


@dataclass(frozen=True)
class Input(ABC):
    """A picture to be described, decoded when it is asked for; as text it names itself.

    Attributes
    ----------
    image : Image
        The picture that it is, or is made of.
    """

    image: Image

    @property
    @abstractmethod
    def key(self) -> str:
        """Its own name in stores."""

    @property
    def path(self) -> Path:
        """File that it comes from."""
        return self.image.path

    @abstractmethod
    def pixels(self) -> Pixels:
        """Make its pixels.

        Raises
        ------
        InputError
            If the picture has gone or changed meanwhile.
        """


@dataclass(frozen=True)
class PictureInput(Input):
    """A picture as it is, or an augmented copy of a training picture.

    Attributes
    ----------
    copy : str
        Name of the copy; empty for the picture itself.
    augmentation : Augmentation or None
        How the copy differs from the picture.
    chance : tuple of int
        Seed of the copy.
    """

    copy: str = ""
    augmentation: Augmentation | None = None
    chance: tuple[int, ...] = ()

    def __str__(self) -> str:
        return str(self.path)

    @property
    def key(self) -> str:
        """Hash of the picture, with the name of the copy."""
        return f"{self.image.sha256}-{self.copy}" if self.copy else self.image.sha256

    def pixels(self) -> Pixels:
        """Decode the picture, and vary it if this is a copy."""
        picture = read_listed(self.image)
        if self.augmentation is None:
            return picture
        return self.augmentation.vary(picture, np.random.default_rng(self.chance))


@dataclass(frozen=True)
class TransformedQuery(Input):
    """A transformed copy of a query, made in memory and nowhere kept.

    Attributes
    ----------
    transformation : Transformation
        What happens to it.
    strength : int
        How much of it.
    """

    transformation: Transformation
    strength: int

    def __str__(self) -> str:
        return f"{self.path} ({self.transformation.name} {self.strength})"

    @cached_property
    def key(self) -> str:
        """Hash of the picture, with all that decides what becomes of it."""
        how = self.transformation
        value = how.values[self.strength - 1]
        parts = [module_identity(transformations), how.name, value]
        return f"{self.image.sha256}-{digest(parts)[:12]}-{self.strength}"

    def pixels(self) -> Pixels:
        """Decode the query and transform it."""
        return self.transformation(_decoded(self.image), self.strength, self.image.sha256)


@dataclass(frozen=True)
class TrainingDrawing(Input):
    """A drawing of a training image, made in memory and nowhere kept.

    Attributes
    ----------
    lines : Lines
        Draws it.
    how : str
        Short hash of all that decides how it is drawn.
    """

    lines: Lines
    how: str

    def __str__(self) -> str:
        return f"{self.path} (drawn)"

    @property
    def key(self) -> str:
        """Hash of the image, and how it is drawn."""
        return f"{self.image.sha256}-{self.how}"

    def pixels(self) -> Pixels:
        """Decode the image and draw it."""
        return self.lines(read_listed(self.image))


def training_drawings(dataset: Dataset, lines: Lines) -> list[TrainingDrawing]:
    """Drawings of all training images, where a query set holds drawings; else none.

    Raises
    ------
    LeakError
        If a training image is also a gallery or query image.
    """
    if not any(map(is_drawn, dataset.queries)):
        return []
    require_training(dataset.training, dataset)
    parts = [computes(lines), libraries(*imported_modules(Lines.__module__))]
    how = f"drawn-{digest(parts)[:12]}"
    return [TrainingDrawing(image, lines, how) for image in dataset.training]


@lru_cache(maxsize=2)
def _decoded(image: Image) -> Pixels:
    """A picture; its copies are made one after another, by two threads at most."""
    return read_listed(image)
