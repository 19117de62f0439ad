"""Perceptual hashes: near duplicates have near hashes, whatever their size and compression."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from datasets.reading import Pixels

BITS = 64

VERSION = "perceptual-hash 1"
"""Changes with the hashes, and with nothing else: part of cache keys."""

_BLOCK = 1024


def perceptual_hash(picture: Pixels) -> NDArray[np.uint8]:
    """Hash a picture and its mirror image by the signs of their lowest frequencies (pHash).

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3)
        RGB, upright.

    Returns
    -------
    ndarray of uint8, shape (2, 8)
        64 bits each.

    References
    ----------
    C. Zauner (2010), Implementation and benchmarking of perceptual image hash functions,
    https://www.phash.org/docs/pubs/thesis_zauner.pdf
    """
    both = (picture, np.ascontiguousarray(picture[:, ::-1]))
    return np.stack([cv2.img_hash.pHash(one)[0] for one in both])


def hash_distances(hashes: NDArray[np.uint8]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Bits in which hashes differ, of each pair of pictures, either of them mirrored or not.

    Parameters
    ----------
    hashes : ndarray of uint8, shape (n, 2, 8)
        Made by `perceptual_hash`.

    Yields
    ------
    start : int
        Number of the first picture of a block.
    distances : ndarray of uint8, shape (n_block, n)
    """
    words = hashes.view(np.uint64)[..., 0]
    for start in range(0, len(words), _BLOCK):
        block = words[start : start + _BLOCK, 0, None]
        straight, mirrored = (np.bitwise_count(block ^ words[:, way]) for way in (0, 1))
        yield start, np.minimum(straight, mirrored)
