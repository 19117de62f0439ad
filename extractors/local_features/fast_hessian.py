"""Blobs of a picture by the fast Hessian: its determinant, approximated by box filters."""

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.preprocessing import Grey

_LAYERS = 4
_BALANCE = 0.81
"""Makes up for the boxes' coarser form of the mixed derivative."""


def filter_sizes(octave: int) -> list[int]:
    """Sides of an octave's filters: 9, 15, 21, 27, then 15, 27, 39, 51, and so on.

    Parameters
    ----------
    octave : int
        Number of the octave, from 0.
    """
    return [3 * (2 ** (octave + 1) * layer + 1) for layer in range(1, _LAYERS + 1)]


def fast_hessian(plane: Grey, octaves: int, threshold: float) -> NDArray[np.float64]:
    """Find the blobs of a grey picture.

    Parameters
    ----------
    plane : ndarray of uint8, shape (height, width)
        A grey picture.
    octaves : int
        Number of octaves, each with filters of twice the sizes of the one before, on a grid
        twice as coarse.
    threshold : float
        Least determinant, for brightness from 0 to 255.

    Returns
    -------
    ndarray, shape (n_points, 4)
        x, y, size (the side of the filter, between the filters' by interpolation) and
        determinant; the strongest first.
    """
    integral = np.asarray(cv2.integral(plane), np.int32)
    found = []
    for octave in range(octaves):
        step, sizes = 2**octave, filter_sizes(octave)
        layers = np.stack([determinant(integral, size, step) for size in sizes])
        square = np.ones((3, 3), np.uint8)
        highest = np.stack([cv2.dilate(layer, square) for layer in layers], dtype=np.float32)
        for middle in range(1, _LAYERS - 1):
            # Neighbours in the layer above must all lie where its filter fits the picture.
            margin = -(-(sizes[middle + 1] // 2) // step) + 1
            around = slice(middle - 1, middle + 2)
            places = _maxima(layers[around], highest[around], margin, threshold)
            found.append(_refined(layers, middle, places, sizes, step))
    points = np.concatenate(found)
    return points[np.lexsort((points[:, 0], points[:, 1], -points[:, 3]))]


def determinant(integral: NDArray[np.int32], size: int, step: int) -> NDArray[np.float32]:
    """Determinant of the Hessian at every `step`-th pixel; zero where the filter does not fit.

    Parameters
    ----------
    integral : ndarray of int32, shape (height + 1, width + 1)
        Integral image of the grey picture.
    size : int
        Side of the filter, an odd multiple of 3.
    step : int
        Pixels between samples; the first pixel is a sample.

    Returns
    -------
    ndarray of float32, shape (height / step, width / step), rounded up
        The determinants.
    """
    lobe = size // 3
    extent, gap = _nearest_odd(5 * lobe / 3), _nearest_odd(lobe / 3)
    height, width = (length - 1 for length in integral.shape)
    result = np.zeros((-(-height // step), -(-width // step)), np.float32)
    first = -(-(size // 2) // step)
    rows, columns = ((side - 1 - size // 2) // step - first + 1 for side in (height, width))
    if min(rows, columns) < 1:
        return result
    start = first * step - size // 2

    def down(top: int, plane: NDArray[np.int32]) -> NDArray[np.int32]:
        return plane[start + top :: step][:rows]

    def across(left: int, plane: NDArray[np.int32]) -> NDArray[np.int32]:
        return plane[:, start + left :: step][:, :columns]

    # Sums of boxes from the integral image, one direction after the other.
    side, far = (size - extent) // 2, (size + gap) // 2
    near = far - gap - lobe
    band = down(side + extent, integral) - down(side, integral)
    dxx = across(2 * lobe, band) - across(lobe, band)
    dxx *= -3
    dxx += across(size, band)
    dxx -= across(0, band)
    band = across(side + extent, integral) - across(side, integral)
    dyy = down(2 * lobe, band) - down(lobe, band)
    dyy *= -3
    dyy += down(size, band)
    dyy -= down(0, band)
    band = across(near + lobe, integral) - across(near, integral)
    band -= across(far + lobe, integral)
    band += across(far, integral)
    dxy = down(near + lobe, band) - down(near, band)
    dxy -= down(far + lobe, band)
    dxy += down(far, band)
    # Divided by the boxes' areas, so that sizes compare.
    pure, mixed = dxx.astype(np.float32), dxy.astype(np.float32)
    pure *= dyy
    pure *= 1 / (lobe * extent) ** 2
    mixed *= mixed
    mixed *= _BALANCE / lobe**4
    np.subtract(pure, mixed, out=result[first : first + rows, first : first + columns])
    return result


def _nearest_odd(length: float) -> int:
    """Keep the proportions of the filter of side 9, and a middle pixel.

    Boxes that grow out of proportion answer to slanted edges.
    """
    return 2 * round((length - 1) / 2) + 1


def _maxima(
    layers: NDArray[np.float32],
    highest: NDArray[np.float32],
    margin: int,
    threshold: float,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns where the second of three layers is nowhere exceeded by neighbours.

    `highest` holds the maxima of 3 x 3 neighbourhoods, layer by layer.
    """
    height, width = layers.shape[1:]
    if min(height, width) <= 2 * margin:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    inner = np.s_[margin : height - margin, margin : width - margin]
    rivals = np.maximum(highest[0][inner], highest[2][inner])
    np.maximum(rivals, highest[1][inner], out=rivals)
    peaks = layers[1][inner] >= rivals
    peaks &= layers[1][inner] > threshold
    rows, columns = np.divmod(np.flatnonzero(peaks), peaks.shape[1])
    return rows + margin, columns + margin


def _refined(
    layers: NDArray[np.float32],
    middle: int,
    places: tuple[NDArray[np.intp], NDArray[np.intp]],
    sizes: list[int],
    step: int,
) -> NDArray[np.float64]:
    """Move maxima to the top of the quadric through their neighbours; drop those far from it."""
    rows, columns = places
    reach = np.arange(-1, 2)
    cubes = layers[
        middle + reach[:, None, None],
        rows[:, None, None, None] + reach[:, None],
        columns[:, None, None, None] + reach,
    ].astype(np.float64)
    gradient = np.stack([_slope(cubes, axis) for axis in (3, 2, 1)], axis=1)
    hessian = np.stack(
        [np.stack([_bend(cubes, a, b) for b in (3, 2, 1)], axis=1) for a in (3, 2, 1)], axis=1
    )
    solvable = np.linalg.det(hessian) != 0
    hessian[~solvable] = np.eye(3)
    offsets = -np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
    # Of equal neighbours, as symmetric drawings have them, the first counts.
    first = (cubes.reshape(-1, 27)[:, :13] < cubes[:, 1, 1, 1:2]).all(axis=1)
    near = solvable & first & (np.abs(offsets) <= 1).all(axis=1)
    points = np.column_stack(
        [
            step * (columns + offsets[:, 0]),
            step * (rows + offsets[:, 1]),
            sizes[middle] + (sizes[1] - sizes[0]) * offsets[:, 2],
            cubes[:, 1, 1, 1],
        ]
    )
    return points[near]


def _slope(cubes: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """First derivative at the centres of 3 x 3 x 3 cubes."""
    line = np.moveaxis(cubes, axis, 1)[:, :, 1, 1]
    return (line[:, 2] - line[:, 0]) / 2


def _bend(cubes: NDArray[np.float64], first: int, second: int) -> NDArray[np.float64]:
    """Second derivative at the centres of 3 x 3 x 3 cubes."""
    if first == second:
        line = np.moveaxis(cubes, first, 1)[:, :, 1, 1]
        return line[:, 2] - 2 * line[:, 1] + line[:, 0]
    face = np.moveaxis(cubes, (first, second), (1, 2))[:, :, :, 1]
    return (face[:, 2, 2] - face[:, 2, 0] - face[:, 0, 2] + face[:, 0, 0]) / 4
