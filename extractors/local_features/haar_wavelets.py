"""Orientations and descriptors of SURF: Haar wavelets around all points at once."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.preprocessing import Grey

_RADIUS = 6
"""Radius of the disc that gives the orientation, in scales; its wavelets lie one scale apart."""
_SPREAD = 2.5
"""Sigma of the Gaussian over that disc, in scales."""
_BINS = 72
"""Bins of the circle."""
_WINDOW = 12
"""Bins in the sliding window."""
_SIDE = 21
"""Side of the patch that is described, in scales: 20 differences."""
_BELL = 3.3
"""Sigma of the Gaussian over the patch, in scales."""
_FINENESS = 2
"""Samples per scale before averaging, along each axis."""
_BLOCK = 1024
"""Points that are described in one go, which bounds the memory."""


def orientations(
    plane: Grey, x: NDArray[np.float64], y: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Direction in which brightness rises around each point.

    Parameters
    ----------
    plane : ndarray of uint8, shape (height, width)
        A grey picture.
    x, y : ndarray, shape (n_points,)
        Places in pixels.
    scale : ndarray, shape (n_points,)
        Sigma of each blob in pixels.

    Returns
    -------
    ndarray, shape (n_points,)
        Degrees from 0 to 360, clockwise from the x axis.
    """
    integral = cv2.integral(plane).ravel()
    along, down, weight = _disc()
    height, width = plane.shape
    half = np.rint(2 * scale).astype(np.intp)[:, None]
    left = np.rint(x[:, None] + along * scale[:, None] + 0.5).astype(np.intp) - half
    top = np.rint(y[:, None] + down * scale[:, None] + 0.5).astype(np.intp) - half
    # Wavelets that leave the picture count nothing: they get no extent.
    fits = (left >= 0) & (top >= 0) & (left + 2 * half <= width) & (top + 2 * half <= height)
    start = np.where(fits, top * (width + 1) + left, 0)
    half = np.where(fits, half, 0)
    lines = [start + row * (width + 1) * half for row in range(3)]
    (a, b, c), (d, _, f), (g, h, i) = (
        [integral[line + column * half] for column in range(3)] for line in lines
    )
    dx = (i - c + g - a - 2 * (h - b)) * weight
    dy = (i - g + c - a - 2 * (f - d)) * weight
    return _dominant(dx, dy)


def _dominant(dx: NDArray[np.floating], dy: NDArray[np.floating]) -> NDArray[np.float64]:
    """Per row, the direction of the longest sum of gradients within a sixth of the circle."""
    turn = np.arctan2(dy.astype(np.float32), dx.astype(np.float32)) * (_BINS / (2 * np.pi))
    rows = np.arange(len(dx))
    place = np.floor(turn).astype(np.intp) % _BINS + rows[:, None] * _BINS
    sums = []
    for values in (dx, dy):
        bins = np.bincount(place.ravel(), values.ravel(), len(dx) * _BINS).reshape(-1, _BINS)
        ends = np.cumsum(np.hstack([bins, bins[:, :_WINDOW]]), axis=1)
        sums.append(ends[:, _WINDOW:] - ends[:, :-_WINDOW])
    best = (sums[0] ** 2 + sums[1] ** 2).argmax(axis=1)
    return np.rad2deg(np.arctan2(sums[1][rows, best], sums[0][rows, best])) % 360


@cache
def _disc() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Places of the wavelets within a disc, and their Gaussian weights."""
    reach = np.arange(-_RADIUS, _RADIUS + 1.0)
    down, along = np.meshgrid(reach, reach, indexing="ij")
    inside = along**2 + down**2 <= _RADIUS**2
    along, down = along[inside], down[inside]
    return along, down, np.exp(-(along**2 + down**2) / (2 * _SPREAD**2))


def describe(
    plane: Grey,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    scale: NDArray[np.float64],
    angle: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Describe the square of 20 scales around each point, turned by its angle.

    Parameters
    ----------
    plane : ndarray of uint8, shape (height, width)
        A grey picture.
    x, y : ndarray, shape (n_points,)
        Places in pixels.
    scale : ndarray, shape (n_points,)
        Sigma of each blob in pixels.
    angle : ndarray, shape (n_points,)
        Orientations in degrees.

    Returns
    -------
    ndarray, shape (n_points, 64)
        For each of 4 x 4 cells the sums of dx, dy, abs(dx) and abs(dy); of unit length, or
        zero where there is no contrast.
    """
    vectors = np.empty((len(x), 64))
    angle = np.deg2rad(angle)
    # Large patches are cut from a smaller picture, so that no pixel in them goes unseen.
    level = np.maximum(np.floor(np.log2(scale / 1.2)), 0).astype(np.intp)
    small = plane
    for depth in range(level.max(initial=-1) + 1):
        if depth:
            size = tuple(max(1, side // 2) for side in small.shape[::-1])
            small = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA))
        shrink_y, shrink_x = np.divide(small.shape, plane.shape)
        members = np.nonzero(level == depth)[0]
        for start in range(0, len(members), _BLOCK):
            block = members[start : start + _BLOCK]
            patches = _patches(
                small,
                (x[block] + 0.5) * shrink_x - 0.5,
                (y[block] + 0.5) * shrink_y - 0.5,
                scale[block] / 2**depth,
                angle[block],
            )
            vectors[block] = _cell_sums(patches)
    return vectors


def _patches(
    plane: Grey,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    scale: NDArray[np.float64],
    angle: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Cut squares of 21 scales, turned by angles in radians, to 21 x 21 pixels each."""
    side = _SIDE * _FINENESS
    reach = scale[:, None] * ((np.arange(side) + 0.5) / _FINENESS - _SIDE / 2)
    cos, sin = (wave(angle)[:, None] * reach for wave in (np.cos, np.sin))
    right = (x[:, None] + cos).astype(np.float32)[:, None, :] - sin.astype(np.float32)[:, :, None]
    down = (y[:, None] + sin).astype(np.float32)[:, None, :] + cos.astype(np.float32)[:, :, None]
    shape = (len(x), side * side)
    fine = cv2.remap(
        plane,
        right.reshape(shape),
        down.reshape(shape),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    tower = fine.reshape(-1, side)
    size = (_SIDE, len(x) * _SIDE)
    patches = cv2.resize(tower, size, interpolation=cv2.INTER_AREA)
    return np.asarray(patches, np.uint8).reshape(-1, _SIDE, _SIDE)


def _cell_sums(patches: NDArray[np.uint8]) -> NDArray[np.floating]:
    """Describe patches of 21 x 21 pixels."""
    deep = patches.astype(np.float32)
    edge_x = deep[:, :, 1:] - deep[:, :, :-1]
    edge_y = deep[:, 1:] - deep[:, :-1]
    dx = edge_x[:, 1:] + edge_x[:, :-1]
    dy = edge_y[:, :, 1:] + edge_y[:, :, :-1]
    waves = np.stack([dx, dy, np.abs(dx), np.abs(dy)], axis=1).reshape(-1, 4, (_SIDE - 1) ** 2)
    sums = waves @ _cells()
    vectors = sums.transpose(0, 2, 1).reshape(-1, 64)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


@cache
def _cells() -> NDArray[np.float32]:
    """Weight of every pixel in the sum of every cell: 4 x 4 cells under one Gaussian."""
    side = _SIDE - 1
    line = cv2.getGaussianKernel(side, _BELL)[:, 0]
    halves = line[:, None] * (np.arange(side)[:, None] // 5 == np.arange(4))
    return np.einsum("yi,xj->yxij", halves, halves).reshape(side * side, 16).astype(np.float32)
