"""Orientation of a picture: one number of its EXIF data, or of its XMP where these have none."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PILImage

_ORIENTATION = 0x0112


def orientation_of(image: PILImage.Image) -> int:
    """Read the orientation of a picture.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened; need not be decoded.

    Returns
    -------
    int
        1 (upright) to 8, as EXIF counts; 1 if there is none or it cannot be read.
    """
    try:
        value = image.getexif().get(_ORIENTATION)
    except Exception:  # Pillow raises whatever it likes on damaged EXIF data
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn and mirror a picture by its orientation.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        As stored.
    orientation : int
        1 to 8.

    Returns
    -------
    ndarray of uint8
        Shape (height, width, 3), or (width, height, 3) from orientation 5 on.
    """
    return np.ascontiguousarray(_turned(pixels, orientation))


def to_be_filled(
    height: int, width: int, orientation: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """An upright picture without content, and a view of it as it is stored.

    Parameters
    ----------
    height, width : int
        As stored.
    orientation : int
        1 to 8.

    Returns
    -------
    upright : ndarray of uint8
    stored : ndarray of uint8, shape (height, width, 3)
        Writing to it fills the other.
    """
    shape = (width, height, 3) if orientation > 4 else (height, width, 3)
    pixels = np.empty(shape, np.uint8)
    return pixels, _turned(pixels, {6: 8, 8: 6}.get(orientation, orientation))


def _turned(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    if orientation > 4:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
