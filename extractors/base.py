"""The contract of extractors: scikit-learn's estimator API, from pictures to vectors."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from extractors.precision import single
from extractors.preprocessing import Pixels, Preprocess, require_picture

FAMILIES = ("colour", "texture", "shape", "local", "network", "other")
"""Families of extractors, in the order of the menu."""


class NothingToLearnError(ValueError):
    """The training images hold nothing, or too little, to learn from."""


@runtime_checkable
class SavesItself(Protocol):
    """A head whose state is a network."""

    def save(self, folder: Path) -> None:
        """Write it."""

    def load(self, folder: Path) -> Self:
        """Read it."""


class Step(BaseEstimator, ABC):
    """A step of a menu entry, with what listings and pages say of it.

    Attributes
    ----------
    family : str
        One of `FAMILIES`; an entry is of its first step's family.
    summary : str
        The step in one line, for people.
    reference : str
        Sources with DOI or address, separated by semicolons.
    version : str
        Name and number of what the class computes, as ``"colour-histogram 1"``. It stands in
        cache keys in place of the class's code, so numbers that change need another. A class
        without one of its own goes by its code.
    is_supervised : bool
        Whether it learns from the classes of training images, not only from their pictures.
    """

    family: ClassVar[str] = "other"
    summary: ClassVar[str] = ""
    reference: ClassVar[str] = ""
    version: ClassVar[str]
    is_supervised: ClassVar[bool] = False


class Extractor(Step):
    """Turns images into vectors.

    The constructor only stores its parameters, so that ``get_params()`` is the extractor's
    identity; what ``fit`` learns is stored in attributes that end in an underscore. An
    extractor whose ``fit`` learns something overrides it; it is only ever given training
    images. What can be learned from vectors alone (scaling, PCA, whitening) needs no
    extractor of its own: put scikit-learn's transformer behind one in a ``Pipeline``.

    Attributes
    ----------
    zero_is_nothing : bool
        Whether a vector of zeros says that nothing was found in a picture, which then is like
        no other, whatever stands behind the extractor; False if zero is a value like any other.
    """

    zero_is_nothing: ClassVar[bool] = True

    def fit(self, images: Iterable[Pixels], y: object = None) -> Self:
        """Learn from training images; nothing, unless a subclass says otherwise.

        Parameters
        ----------
        images : iterable of ndarray of uint8, shape (height, width, 3)
            RGB pictures; may be iterated over several times.
        y : object
            Ignored, here for scikit-learn's pipelines.
        """
        return self

    @abstractmethod
    def transform(self, images: Iterable[Pixels]) -> NDArray[np.float32]:
        """Describe pictures.

        Parameters
        ----------
        images : iterable of ndarray of uint8, shape (height, width, 3)
            RGB pictures of any size from 1 x 1.

        Returns
        -------
        ndarray of float32, shape (n_images, n_dims)
            Finite. Euclidean distance between the L2-normalised rows is what will compare
            them. A row depends on its picture alone, not on its neighbours.
        """


class Descriptor(Extractor):
    """An extractor that describes one picture at a time.

    A subclass is a dataclass of its parameters, among them `prepare`, with one method.
    """

    prepare: Preprocess

    @abstractmethod
    def describe(self, image: Pixels) -> NDArray[np.floating]:
        """Describe one picture by a vector.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            The prepared RGB picture.

        Returns
        -------
        ndarray, shape (n_dims,)
            The vector.
        """

    def transform(self, images: Iterable[Pixels]) -> NDArray[np.float32]:
        """Prepare and describe each picture."""
        # Copied, as `describe` may give one buffer again and again.
        rows = [np.array(self.describe(self.prepare(require_picture(one)))) for one in images]
        return single(np.stack(rows)) if rows else np.empty((0, 0), np.float32)


@dataclass(frozen=True)
class Description:
    """A menu entry in words, for listings and pages.

    Attributes
    ----------
    family : str
        One of `FAMILIES`.
    summary : str
        Summaries of its own steps, and of a preprocessing that has one, a sentence each.
    references : tuple of str
        Their sources, each with DOI or address.
    """

    family: str
    summary: str
    references: tuple[str, ...]


def steps_of(extractor: object) -> list[Any]:
    """Steps of a pipeline, those of libraries included; anything else is a step itself.

    Parameters
    ----------
    extractor : Extractor or Pipeline
        An entry of the menu, or a stranger.
    """
    return [one for _, one in extractor.steps] if isinstance(extractor, Pipeline) else [extractor]


def describe(extractor: Extractor | Pipeline) -> Description:
    """Say in words what a menu entry is.

    Parameters
    ----------
    extractor : Extractor or Pipeline
        An entry of the menu; steps of other libraries are left out.
    """
    steps = steps_of(extractor)
    parts: list[Any] = [part for step in steps for part in (getattr(step, "prepare", None), step)]
    own = [part for part in parts if getattr(part, "summary", "")]
    sources = [source for part in own for source in part.reference.split("; ") if source]
    return Description(
        getattr(steps[0], "family", Step.family),
        ". ".join(part.summary for part in own),
        tuple(dict.fromkeys(sources)),
    )


def hellinger(histogram: NDArray[np.number]) -> NDArray[np.float64]:
    """Map a histogram so that Euclidean distance compares it as Hellinger distance does.

    The histogram is divided by its sum and the (signed) square root taken; an empty one
    stays zero.

    Parameters
    ----------
    histogram : ndarray, shape (..., n_bins)
        Each last axis is one histogram.

    References
    ----------
    R. Arandjelović, A. Zisserman (2012), Three things everyone should know to improve object
    retrieval, CVPR, doi:10.1109/CVPR.2012.6248018
    """
    values = np.asarray(histogram, np.float64)
    total = np.abs(values).sum(axis=-1, keepdims=True)
    share = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
    return np.sign(share) * np.sqrt(np.abs(share))
