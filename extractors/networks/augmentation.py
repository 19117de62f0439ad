"""Random variants of training pictures: for `fit` alone, never for what is searched or asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.preprocessing import Pixels


@dataclass(frozen=True)
class Augmentation:
    """Rotate, shift, shear, zoom and mirror pictures at random.

    The ranges are those of Keras' ``ImageDataGenerator``, whose geometry this follows: the
    nearest pixel fills what comes from outside, and a picture keeps its size.

    Parameters
    ----------
    copies : int
        Variants of each picture, beside the picture itself.
    rotation : float
        Largest turn to either side, degrees.
    shift : float
        Largest shift along either side, as a share of that side.
    shear : float
        Largest shear angle to either side, degrees.
    zoom : float
        Each side is scaled by 1 - `zoom` to 1 + `zoom`, independently.
    mirror : bool
        Mirror half of the pictures left to right.
    """

    version: ClassVar[str] = "augmentation 1"

    copies: int = 5
    rotation: float = 40.0
    shift: float = 0.2
    shear: float = 0.2
    zoom: float = 0.2
    mirror: bool = True

    def vary(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return one random variant of a picture.

        Parameters
        ----------
        image : ndarray of uint8, shape (height, width, 3)
            RGB.
        rng : Generator
            The only source of chance.

        Returns
        -------
        ndarray of uint8, shape (height, width, 3)
        """
        height, width = image.shape[:2]
        turn, slant = np.deg2rad(rng.uniform(-1, 1, 2) * (self.rotation, self.shear))
        down, right = rng.uniform(-1, 1, 2) * self.shift * (height, width)
        tall, wide = rng.uniform(1 - self.zoom, 1 + self.zoom, 2)
        mirrored = self.mirror and rng.random() < 0.5
        matrix = _about_centre(_affine(turn, (right, down), slant, (wide, tall)), width, height)
        moved = cv2.warpAffine(
            image,
            matrix[:2],
            (width, height),
            # The matrix leads from the variant's pixels to the picture's.
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.ascontiguousarray(moved[:, ::-1]) if mirrored else moved  # type: ignore[return-value]


def with_copies(
    images: Sequence[Pixels], augmentation: Augmentation | None, seed: int
) -> Iterator[Pixels]:
    """Every picture, followed by its variants.

    Parameters
    ----------
    images : sequence of ndarray of uint8, shape (height, width, 3)
        Training pictures.
    augmentation : Augmentation or None
        None gives the pictures alone.
    seed : int
        A variant depends on it, on the picture's place and on its number, on nothing else.
    """
    for place, image in enumerate(images):
        yield image
        if augmentation:
            for number in range(augmentation.copies):
                yield augmentation.vary(image, np.random.default_rng((seed, place, number)))


def _affine(
    turn: float, shift: tuple[float, float], slant: float, scale: tuple[float, float]
) -> NDArray[np.float64]:
    """Matrix of rotation, then shift, shear and scale, for (x, y, 1)."""
    rotate = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    move = [[1, 0, shift[0]], [0, 1, shift[1]], [0, 0, 1]]
    shear = [[1, -np.sin(slant), 0], [0, np.cos(slant), 0], [0, 0, 1]]
    zoom = np.diag([scale[0], scale[1], 1.0])
    return np.array(rotate) @ np.array(move) @ np.array(shear) @ zoom


def _about_centre(matrix: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    """The same map with the picture's centre as its origin."""
    middle = np.array([[1, 0, (width - 1) / 2], [0, 1, (height - 1) / 2], [0, 0, 1]])
    back = np.array([[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, 1]])
    return middle @ matrix @ back
