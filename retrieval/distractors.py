"""Distractors, dealt into parts so that one search scores galleries with fewer of them.

The gallery's distractors are dealt into `LEVELS` equal parts, by content. Leaving out all but the
first few parts gives nested subsets. A ranking keeps the number of distractors of each part at
each place, so every metric on every subset comes from one search.
"""

import hashlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

LEVELS = 10
"""Parts that distractors are dealt into."""


class GalleryImage(Protocol):
    """A gallery image, as far as it has to be known here."""

    @property
    def sha256(self) -> str:
        """Hash of the content."""

    @property
    def distractor(self) -> str | None:
        """Class name of a distractor, None for any other image."""


def deal(gallery: Sequence[GalleryImage], seed: int = 0) -> tuple[NDArray[np.intp], ...]:
    """Deal the distractors into parts, at random but the same whatever the order.

    Parameters
    ----------
    gallery : sequence of GalleryImage
        All images searched, distractors among them.
    seed : int
        Another seed gives other subsets.

    Returns
    -------
    tuple of ndarray of intp
        `LEVELS` sorted arrays of gallery indices, of sizes that differ by one at most; empty
        without distractors.
    """
    distractors = [index for index, image in enumerate(gallery) if image.distractor is not None]
    if not distractors:
        return ()

    def chance(index: int) -> str:
        return hashlib.sha256(f"{seed}/{gallery[index].sha256}".encode()).hexdigest()

    order = np.array(sorted(distractors, key=lambda index: (chance(index), index)), np.intp)
    return tuple(np.sort(part) for part in np.array_split(order, LEVELS))
