"""Inputs of an extraction: pictures as they are, and whatever is made of them on the way."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol

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


class Input(Protocol):
    """A picture to be described, decoded when it is asked for."""

    @property
    def key(self) -> str:
        """Its own name in stores."""

    @property
    def path(self) -> Path:
        """File that it comes from."""

    def pixels(self) -> Pixels:
        """Make its pixels."""
        ...


@dataclass(frozen=True)
class PictureInput:
    """A picture as it is, or an augmented copy of a training picture.

    Attributes
    ----------
    image : Image
        The picture.
    copy : str
        Name of the copy; empty for the picture itself.
    augmentation : Augmentation or None
        How the copy differs from the picture.
    chance : tuple of int
        Seed of the copy.
    """

    image: Image
    copy: str = ""
    augmentation: Augmentation | None = None
    chance: tuple[int, ...] = ()

    def __str__(self) -> str:
        return str(self.path)

    @property
    def key(self) -> str:
        """Hash of the picture, with the name of the copy."""
        return f"{self.image.sha256}-{self.copy}" if self.copy else self.image.sha256

    @property
    def path(self) -> Path:
        """File of the picture."""
        return self.image.path

    def pixels(self) -> Pixels:
        """Decode the picture, and vary it if this is a copy.

        Raises
        ------
        InputError
            If the picture has gone or changed meanwhile.
        """
        picture = read_listed(self.image)
        if self.augmentation is None:
            return picture
        return self.augmentation.vary(picture, np.random.default_rng(self.chance))


@dataclass(frozen=True)
class TransformedQuery:
    """A transformed copy of a query, made in memory and nowhere kept.

    Attributes
    ----------
    image : Image
        The query.
    transformation : Transformation
        What happens to it.
    strength : int
        How much of it.
    """

    image: Image
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

    @property
    def path(self) -> Path:
        """File of the query."""
        return self.image.path

    def pixels(self) -> Pixels:
        """Decode the query and transform it.

        Raises
        ------
        InputError
            If the picture has gone or changed meanwhile.
        """
        return self.transformation(_decoded(self.image), self.strength, self.image.sha256)


@dataclass(frozen=True)
class TrainingDrawing:
    """A drawing of a training image, made in memory and nowhere kept.

    Attributes
    ----------
    image : Image
        The training image.
    lines : Lines
        Draws it.
    how : str
        Short hash of all that decides how it is drawn.
    """

    image: Image
    lines: Lines
    how: str

    def __str__(self) -> str:
        return f"{self.path} (drawn)"

    @property
    def key(self) -> str:
        """Hash of the image, and how it is drawn."""
        return f"{self.image.sha256}-{self.how}"

    @property
    def path(self) -> Path:
        """File of the image."""
        return self.image.path

    def pixels(self) -> Pixels:
        """Decode the image and draw it.

        Raises
        ------
        InputError
            If the picture has gone or changed meanwhile.
        """
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
