"""Small copies of pictures, made when they are first shown; nothing of the original but pixels."""

import io
from functools import lru_cache

from PIL import Image as PILImage

from datasets.reading import read_image
from datasets.task import Image

SIDE = 192
"""Longest side in pixels."""

_QUALITY = 75
_KEPT = 2000


@lru_cache(_KEPT)
def thumbnail(image: Image) -> bytes:
    """Make a small WebP picture.

    Parameters
    ----------
    image : Image
        Of the gallery or the queries.

    Raises
    ------
    UnreadableImageError
        If its file is gone, or is another picture by now.
    """
    picture = PILImage.fromarray(read_image(image.path, image.sha256))
    picture.thumbnail((SIDE, SIDE))
    made = io.BytesIO()
    picture.save(made, "WEBP", quality=_QUALITY)
    return made.getvalue()
