"""Pictures of a dataset that was listed: each must still have the bytes that name it."""

from collections.abc import Iterator, Sequence
from typing import overload

from datasets.decoding.render import Decoded
from datasets.errors import InputError, UnreadableImageError
from datasets.reading import Pixels, decode
from datasets.task import Image


def read_listed(image: Image) -> Pixels:
    """Read a picture that could be read when its dataset was listed; see `decode_listed`."""
    return decode_listed(image).pixels


def decode_listed(image: Image) -> Decoded:
    """Decode a picture that could be read when its dataset was listed.

    Raises
    ------
    InputError
        If it has gone or changed meanwhile.
    """
    try:
        return decode(image.path, image.sha256)
    except UnreadableImageError as error:
        raise InputError(f"{image.path}: {error}; it has changed meanwhile, run again") from error


class LazyImages(Sequence[Pixels]):
    """Pictures that are decoded when they are asked for, so that any number fits in memory.

    Parameters
    ----------
    images : sequence of Image
        In the order in which they are given out.
    """

    def __init__(self, images: Sequence[Image]) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    @overload
    def __getitem__(self, index: int) -> Pixels: ...
    @overload
    def __getitem__(self, index: slice) -> "LazyImages": ...
    def __getitem__(self, index: int | slice) -> "Pixels | LazyImages":
        if isinstance(index, slice):
            return LazyImages(self.images[index])
        return read_listed(self.images[index])

    def __iter__(self) -> Iterator[Pixels]:
        return map(read_listed, self.images)
