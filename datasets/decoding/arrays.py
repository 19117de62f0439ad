"""Arrays that people hold, taken as pictures where only one reading is possible."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets.errors import InputError

_WANTED = "give uint8 RGB of shape (height, width, 3)"


def from_array(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Take an array as a picture.

    Whole bytes are taken as they are: RGB, or grey, which is repeated. Black and white
    (boolean) becomes 0 and 255. Everything else could be meant in several ways and is refused.

    Parameters
    ----------
    array : ndarray
        uint8 or bool, of shape (height, width), (height, width, 1) or (height, width, 3); or
        uint8 of shape (height, width, 4), RGB with alpha.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3) or (height, width, 4)
        RGB, with alpha where the array had it.

    Raises
    ------
    InputError
        Saying how to convert it.
    """
    _check_shape(array)
    if array.dtype == np.bool_:
        array = array.astype(np.uint8) * 255
    if array.dtype != np.uint8:
        holds, remedy = _values_of(array)
        raise InputError(f"an array of {array.dtype}{holds}; {_WANTED}: {remedy}")
    if array.ndim == 2:
        array = array[..., None]
    if array.shape[2] == 1:
        array = array.repeat(3, axis=2)
    return np.ascontiguousarray(array)


def _check_shape(array: NDArray[Any]) -> None:
    shape = array.shape
    wrong = f"an array of shape {shape}"
    if array.size == 0:
        raise InputError(f"{wrong} has no pixels; {_WANTED}")
    if array.ndim == 4:
        raise InputError(f"{wrong} is a batch; give its pictures one by one: array[0]")
    if array.ndim not in (2, 3):
        raise InputError(f"{wrong} is no picture; {_WANTED}")
    if array.ndim == 3 and shape[2] not in (1, 3, 4):
        if shape[0] in (1, 3, 4):
            raise InputError(f"{wrong} has its channels first: give array.transpose(1, 2, 0)")
        raise InputError(f"{wrong} has {shape[2]} channels; {_WANTED}")
    if array.ndim == 3 and shape[2] == 4 and array.dtype == np.bool_:
        raise InputError(f"{wrong} of bool has 4 channels; {_WANTED}")


def _values_of(array: NDArray[Any]) -> tuple[str, str]:
    """Tell the range of the values and, as far as type and values show it, the way to bytes."""
    if array.dtype.kind not in "iuf":
        return "", "array.astype('uint8') if it holds whole numbers from 0 to 255"
    if not np.isfinite(array).all():
        remedy = "replace what is no number first, by np.nan_to_num for example"
        return " that holds NaN or infinity", remedy
    low, high = float(array.min()), float(array.max())
    remedy = "scale its values to whole numbers from 0 to 255, then array.astype('uint8')"
    if array.dtype.kind == "f" and low >= 0 and high <= 1:
        remedy = "(array * 255).round().astype('uint8') if 1 means white"
    elif low >= 0 and high <= 255:
        remedy = "array.round().astype('uint8') if 255 means white"
    elif array.dtype == np.uint16:
        remedy = "(array / 257).round().astype('uint8') if 65535 means white"
    return f" from {low:g} to {high:g}", remedy
