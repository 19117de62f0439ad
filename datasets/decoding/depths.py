"""Depth of pixels: grey values of 9 to 16 bits become 8 by one rule, others are refused.

White is the largest value that the file declares: 65,535 for 16 bits, 4,095 for 12, or what a
TIFF's MaxSampleValue says. Grey that is stored with white as zero is turned around at any depth.
"""

import numpy as np
from PIL import Image as PILImage
from PIL.TiffImagePlugin import TiffImageFile

from datasets.decoding.jpeg2000 import require_depth
from datasets.errors import UnreadableImageError

_BITS, _PHOTOMETRIC, _MAX_SAMPLE, _SAMPLE_FORMAT = 258, 262, 281, 339
_WHITE_IS_ZERO = 0
_IS_SIGNED = 2
FLOATING = "floating-point pixels have no defined range; save 8 or 16 bit"
_SIGNED = "signed pixels have no defined range; save 8 or 16 bit"
_FOURTEEN = 2**14


def require_range(image: PILImage.Image) -> None:
    """Refuse pixels of which nothing says what white is.

    Raises
    ------
    UnreadableImageError
        If they are signed or floating-point, or of a depth that their decoder does not scale.
    """
    require_depth(image)
    if image.mode == "F":
        raise UnreadableImageError(FLOATING)
    tags = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    if _first(tags.get(_SAMPLE_FORMAT, 0)) == _IS_SIGNED:
        raise UnreadableImageError(_SIGNED)


class Depth:
    """The depth of a grey picture of more than 8 bits.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened, of a mode that begins with ``I``.

    Attributes
    ----------
    white : int
        The value that becomes 255.
    is_inverted : bool
        Whether 0 is white.
    transparent : int or None
        The value that is transparent.

    Raises
    ------
    UnreadableImageError
        If the values are signed or of more than 16 bits: nothing says which of them is white.
    """

    def __init__(self, image: PILImage.Image) -> None:
        tags = image.tag_v2 if isinstance(image, TiffImageFile) else {}
        bits = _first(tags.get(_BITS, 16))
        if image.mode == "I;16S":
            raise UnreadableImageError(_SIGNED)
        if bits > 16:
            raise UnreadableImageError("pixels deeper than 16 bit; save 8 or 16 bit")
        declared = _first(tags.get(_MAX_SAMPLE, 0))
        self.white = declared if 0 < declared < 2**bits else 2**bits - 1
        self.is_inverted = tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
        transparent = image.info.get("transparency")
        self.transparent = transparent if isinstance(transparent, int) else None
        self.largest = 0

    def to_grey(self, image: PILImage.Image) -> PILImage.Image:
        """Scale some rows to 8 bits.

        Parameters
        ----------
        image : PIL.Image.Image
            Rows of the picture, decoded.

        Returns
        -------
        PIL.Image.Image
            Of mode L, or LA where a value is transparent.

        Raises
        ------
        UnreadableImageError
            If a value lies outside of the declared range.
        """
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 0xFFFF:
            raise UnreadableImageError("pixels deeper than 16 bit; save 8 or 16 bit")
        self.largest = max(self.largest, int(values.max()))
        light = np.minimum(values.astype(np.uint32), self.white)
        if self.is_inverted:
            light = self.white - light
        grey = ((light * 255 + self.white // 2) // self.white).astype(np.uint8)
        if self.transparent is None:
            return PILImage.fromarray(grey)
        alpha = np.where(values == self.transparent, 0, 255).astype(np.uint8)
        return PILImage.fromarray(np.dstack([grey, alpha]), "LA")

    @property
    def remarks(self) -> list[str]:
        """Say it if the values are those of another depth."""
        if self.white == 0xFFFF and not self.is_inverted and 0 < self.largest < _FOURTEEN:
            bits = self.largest.bit_length()
            return [f"dark: its values use {bits} of 16 bits; kept as they are"]
        return []


def _first(value: object) -> int:
    """A TIFF tag's value, of the first sample if it has several."""
    while isinstance(value, tuple):
        value = value[0] if value else 0
    return value if isinstance(value, int) else 0
