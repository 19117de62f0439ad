"""Local features: key points of a picture and a descriptor of the patch around each."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.base import NothingToLearnError, Step
from extractors.preprocessing import Grey, Image, Preprocess, grey

_SMALLEST = 16
"""Pixels; OpenCV's pyramids cannot be built of pictures much narrower."""


class NoKeyPointsError(NothingToLearnError):
    """No training image has a key point."""


@dataclass(frozen=True)
class LocalFeatures:
    """What a detector found in one picture.

    Attributes
    ----------
    points : ndarray of float32, shape (n_points, 5)
        x and y in pixels of the prepared picture, diameter in pixels, angle in degrees from 0
        to 360 clockwise from the x axis, response; the strongest first.
    descriptors : ndarray of uint8 or int8, shape (n_points, n_dims)
        Whole numbers, compared by Euclidean distance; if `binary`, packed bits, compared by
        Hamming distance.
    frame : tuple of 2 int
        Width and height of the prepared picture.
    binary : bool
        Whether the descriptors are bits.
    """

    points: NDArray[np.float32]
    descriptors: NDArray[np.uint8] | NDArray[np.int8]
    frame: tuple[int, int]
    binary: bool = False

    def __len__(self) -> int:
        return len(self.points)


class Detector(Step):
    """Finds key points and describes them: what stands first in every row of local features.

    A subclass is a dataclass of its parameters, among them `prepare` and `max_points`, with one
    method. Behind it in a pipeline stands an encoder, see `extractors.local_features.encoders`.
    """

    family = "local"

    prepare: Preprocess
    max_points: int
    dims: ClassVar[int]
    """Numbers (bytes, if binary) per descriptor."""
    kind: ClassVar[type] = np.uint8
    """Type of the descriptors' numbers."""
    binary: ClassVar[bool] = False
    """Whether descriptors are packed bits."""

    @property
    def implementation(self) -> str:
        """Whose code runs, for the protocol card."""
        return f"OpenCV {cv2.__version__}"

    @abstractmethod
    def find(self, plane: Grey) -> tuple[NDArray[np.floating], NDArray[np.number]]:
        """Find points, columns as in `LocalFeatures`, and their descriptors in a grey picture."""

    def detect(self, image: Image) -> LocalFeatures:
        """Find and describe the strongest key points of an RGB picture.

        A picture without any gives empty arrays.
        """
        plane = grey(self.prepare(image))
        points, descriptors = self.find(plane)
        # Equal responses are put in order of place, so that the choice is defined.
        order = np.lexsort((points[:, 0], points[:, 1], -points[:, 4]))[: self.max_points]
        return LocalFeatures(
            points[order].astype(np.float32),
            descriptors[order].astype(self.kind),
            (plane.shape[1], plane.shape[0]),
            self.binary,
        )

    def fit(self, images: Iterable[Image], y: object = None) -> Self:
        """Learn nothing."""
        return self

    def transform(self, images: Iterable[Image]) -> list[LocalFeatures]:
        """Detect in each picture."""
        return [self.detect(image) for image in images]

    def nothing(self) -> tuple[NDArray[np.float32], NDArray[np.number]]:
        """No points, in the form that `find` gives."""
        return np.empty((0, 5), np.float32), np.empty((0, self.dims), self.kind)


def from_opencv(
    detector: Detector, engine: cv2.Feature2D, plane: Grey
) -> tuple[NDArray[np.float32], NDArray[np.number]]:
    """Run an OpenCV detector; its key points as rows."""
    if min(plane.shape) < _SMALLEST:
        return detector.nothing()
    found, descriptors = engine.detectAndCompute(plane, None)
    if descriptors is None or not found:
        return detector.nothing()
    points = [(p.pt[0], p.pt[1], p.size, p.angle % 360, p.response) for p in found]
    return np.array(points, np.float32), descriptors
