"""Detectors of local features: keypoints and a descriptor of the patch around each."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.base import NothingToLearnError, Step
from extractors.preprocessing import Grey, Pixels, Preprocess, grey, require_picture

Found = tuple[NDArray[np.floating], NDArray[np.number]]
"""Points, columns as in `LocalFeatures`, and their descriptors, a row each."""

_SMALLEST = 16
"""Pixels; OpenCV's pyramids cannot be built of pictures much narrower."""


class NoKeypointsError(NothingToLearnError):
    """No training image has a keypoint."""


@dataclass(frozen=True)
class LocalFeatures:
    """The local features of one picture.

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

    def __post_init__(self) -> None:
        for array in (self.points, self.descriptors):
            array.setflags(write=False)  # several encoders are given the same

    def __len__(self) -> int:
        return len(self.points)


class Detector(Step):
    """Finds keypoints and describes them; the first step of every entry of local features.

    A subclass is a dataclass of its parameters, among them `prepare` and `max_points`, with one
    method. Behind it in a pipeline stands an encoder of `extractors.local_features.encoders`.

    Attributes
    ----------
    dims : int
        Numbers (bytes, if binary) per descriptor.
    dtype : type
        Type of the descriptors' numbers.
    binary : bool
        Whether descriptors are packed bits.
    """

    family = "local"

    prepare: Preprocess
    max_points: int
    dims: ClassVar[int]
    dtype: ClassVar[type] = np.uint8
    binary: ClassVar[bool] = False

    @property
    def implementation(self) -> str:
        """Library and version that run, for the protocol card."""
        return f"OpenCV {cv2.__version__}"

    @abstractmethod
    def find(self, plane: Grey) -> Found:
        """Find keypoints in a grey picture and describe them.

        Parameters
        ----------
        plane : ndarray of uint8, shape (height, width)
            The prepared picture.

        Returns
        -------
        points : ndarray, shape (n_points, 5)
            Columns as in `LocalFeatures`, in any order.
        descriptors : ndarray, shape (n_points, dims)
            A row for each point.
        """

    def detect(self, image: Pixels) -> LocalFeatures:
        """Find and describe the strongest keypoints of a picture.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            An RGB picture, not yet prepared.

        Returns
        -------
        LocalFeatures
            Of no points if the picture has none.
        """
        plane = grey(self.prepare(require_picture(image)))
        points, descriptors = map(np.asarray, self.find(plane))
        wanted = [(len(points), 5), (len(points), self.dims)]
        if [points.shape, descriptors.shape] != wanted:
            raise ValueError(f"find gives points and descriptors, 5 and {self.dims} numbers each")
        _require_values(descriptors, self.dtype)
        # Equal responses are put in order of place, so that the choice is defined.
        order = np.lexsort((points[:, 0], points[:, 1], -points[:, 4]))[: self.max_points]
        return LocalFeatures(
            points[order].astype(np.float32),
            descriptors[order].astype(self.dtype),
            (plane.shape[1], plane.shape[0]),
            self.binary,
        )

    def fit(self, images: Iterable[Pixels], y: object = None) -> Self:
        """Learn nothing; here for scikit-learn's pipelines."""
        return self

    def transform(self, images: Iterable[Pixels]) -> list[LocalFeatures]:
        """Find the local features of each picture."""
        return [self.detect(image) for image in images]

    def nothing(self) -> Found:
        """No points, in the form that `find` returns."""
        return np.empty((0, 5), np.float32), np.empty((0, self.dims), self.dtype)


def find_by_opencv(detector: Detector, engine: cv2.Feature2D, plane: Grey) -> Found:
    """Find keypoints and describe them by one of OpenCV's detectors.

    Parameters
    ----------
    detector : Detector
        The detector whose points they are.
    engine : cv2.Feature2D
        OpenCV's detector.
    plane : ndarray of uint8, shape (height, width)
        A grey picture; one that is too small for OpenCV has no points.
    """
    if min(plane.shape) < _SMALLEST:
        return detector.nothing()
    keypoints, descriptors = engine.detectAndCompute(plane, None)
    if descriptors is None or not keypoints:
        return detector.nothing()
    points = [(p.pt[0], p.pt[1], p.size, p.angle % 360, p.response) for p in keypoints]
    return np.array(points, np.float32), descriptors


def _require_values(descriptors: NDArray[np.number], dtype: type) -> None:
    """Require descriptors that their type holds, if it is one of whole numbers."""
    if not np.issubdtype(dtype, np.integer):
        return
    limits = np.iinfo(dtype)
    if (descriptors != np.clip(np.rint(descriptors), limits.min, limits.max)).any():
        raise ValueError(
            f"descriptors are whole numbers from {limits.min} to {limits.max}; scale them to "
            "these, or declare another dtype"
        )
