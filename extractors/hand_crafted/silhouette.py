"""Segmentation of a picture into object and ground, for descriptors of one outline."""

import cv2
import numpy as np
from numpy.typing import NDArray

from extractors.preprocessing import Pixels


def silhouette(image: Pixels) -> NDArray[np.uint8]:
    """Mask the object: all that differs from the picture's border.

    Each pixel's colour distance (CIELAB) to the median colour of the border is thresholded
    by Otsu's method, gaps are closed, and the largest outline is filled. On a line drawing
    that is the area which the lines enclose; on a busy photograph it is a rough guess.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
        RGB picture.

    Returns
    -------
    ndarray of uint8, shape (height, width)
        1 inside, 0 outside; all 1 if nothing differs from the border.
    """
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    border = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    distance = np.linalg.norm(lab - np.median(border, axis=0), axis=2)
    scaled = np.clip(distance, 0, 255).astype(np.uint8)
    _, mask = cv2.threshold(scaled, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return np.ones(image.shape[:2], np.uint8)
    filled = np.zeros(image.shape[:2], np.uint8)
    largest = max(contours, key=cv2.contourArea)
    return cv2.drawContours(filled, [largest], 0, 1, thickness=cv2.FILLED)  # type: ignore[return-value]


def outline(mask: NDArray[np.uint8], samples: int) -> NDArray[np.complex128]:
    """Sample the outline of a mask's largest part at equal steps.

    Parameters
    ----------
    mask : ndarray of uint8, shape (height, width)
        A mask that is not empty.
    samples : int
        Number of points.

    Returns
    -------
    ndarray of complex128, shape (samples,)
        Points x + iy in pixels, in order along the outline.
    """
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = max(contours, key=len)[:, 0, :].astype(float)
    curve = points[:, 0] + 1j * points[:, 1]
    closed = np.append(curve, curve[0])
    along = np.concatenate([[0], np.cumsum(np.abs(np.diff(closed)))])
    return np.interp(np.linspace(0, along[-1], samples, endpoint=False), along, closed)
