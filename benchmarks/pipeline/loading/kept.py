"""Pictures that are made of others and kept: crops of queries, drawings, augmented copies."""

import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from PIL import Image as PILImage

from benchmarks.formats.files import write_whole
from benchmarks.pipeline.workers import Workforce
from datasets.errors import UnreadableImageError
from datasets.reading import Pixels, content_hash
from datasets.task import Image

_SUFFIX = ".png"
_HASH = 16
"""Digits of a file's own hash that end its name: one that has another hash is damaged."""


class Maker(Protocol):
    """Makes pictures of an image."""

    def names(self, image: Image) -> Sequence[str]:
        """Names of what it makes, each of which says all that decides the picture."""

    def __call__(self, image: Image) -> Sequence[Pixels]:
        """Make them, in the same order."""


@dataclass(frozen=True)
class _Job:
    """An image, and the files of what was made of it before."""

    image: Image
    kept: tuple[Path | None, ...]

    @property
    def path(self) -> Path:
        return self.image.path


def make_pictures(
    maker: Maker, images: Sequence[Image], folder: Path, workforce: Workforce, label: str
) -> list[list[Image]]:
    """Make pictures of images, unless they are there and whole.

    Parameters
    ----------
    maker : Maker
        Picklable.
    images : sequence of Image
        What pictures are made of.
    folder : Path
        The pictures are kept there.
    workforce : Workforce
        The workers.
    label : str
        Text of the progress bar.

    Returns
    -------
    list of list of Image
        Each image, with the file and the content hash of each picture that was made of it.

    Raises
    ------
    InputError
        If an image has gone or changed meanwhile.
    """
    kept = dict(_kept(folder))
    jobs = [_Job(image, tuple(kept.get(name) for name in maker.names(image))) for image in images]
    return list(workforce.each(partial(_make, maker, folder), jobs, label))


def _kept(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and file of everything that is kept."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            name, _, _ = entry.name.rpartition("-")
            yield name, Path(entry.path)


def _make(maker: Maker, folder: Path, job: _Job) -> list[Image]:
    found = [image for path in job.kept if (image := _whole(path, job.image))]
    if len(found) == len(job.kept):
        return found
    made = zip(maker.names(job.image), maker(job.image), strict=True)
    return [_write(folder, name, pixels, job.image) for name, pixels in made]


def _whole(path: Path | None, image: Image) -> Image | None:
    """The picture in a file; removes the file if it is damaged."""
    if path is None:
        return None
    with suppress(UnreadableImageError):
        sha256 = content_hash(path)
        if path.name.endswith(f"-{sha256[:_HASH]}{_SUFFIX}"):
            return replace(image, path=path, sha256=sha256)
    path.unlink(missing_ok=True)
    return None


def _write(folder: Path, name: str, pixels: Pixels, image: Image) -> Image:
    file = io.BytesIO()
    PILImage.fromarray(pixels).save(file, format="PNG")
    sha256 = hashlib.sha256(file.getvalue()).hexdigest()
    path = folder / f"{name}-{sha256[:_HASH]}{_SUFFIX}"
    write_whole(path, lambda part: part.write_bytes(file.getvalue()))
    return replace(image, path=path, sha256=sha256)
