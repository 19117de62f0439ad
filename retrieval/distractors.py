"""Confusion images, dealt out so that a ranking tells what fewer of them would have done.

The gallery's confusion images are dealt into `LEVELS` equal parts, by content. Leaving out all
but the first few parts gives nested subsets; since a ranking keeps how many images of each part
stand where, every metric on every subset comes from the one search.
"""

import hashlib
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

LEVELS = 10
"""Parts that confusion images are dealt into."""


class Confusing(Protocol):
    """What has to be known of a gallery image."""

    @property
    def sha256(self) -> str:
        """Hash of the content."""

    @property
    def distractor(self) -> str | None:
        """Name of its confusion class, None for an image that is none."""


def deal(gallery: Sequence[Confusing], seed: int = 0) -> tuple[NDArray[np.intp], ...]:
    """Deal the confusion images into parts, at random but the same whatever the order.

    Parameters
    ----------
    gallery : sequence of Confusing
    seed : int
        Another seed gives other subsets.

    Returns
    -------
    tuple of ndarray of intp
        `LEVELS` sorted arrays of gallery indices, of sizes that differ by one at most; empty
        without confusion images.
    """
    confusing = [index for index, image in enumerate(gallery) if image.distractor is not None]
    if not confusing:
        return ()

    def chance(index: int) -> str:
        return hashlib.sha256(f"{seed}/{gallery[index].sha256}".encode()).hexdigest()

    order = np.array(sorted(confusing, key=lambda index: (chance(index), index)), np.intp)
    return tuple(np.sort(part) for part in np.array_split(order, LEVELS))
