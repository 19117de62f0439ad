"""The files of an index: which there are, with checksums that are verified when it is opened.

::

    <folder>/index.json                    what is searched by what; names the generation
    <folder>/<generation>/images.npy       id, file, content hash, class of each picture
    <folder>/<generation>/vectors-0.npy    its vectors, a matrix per extractor
    <folder>/<generation>/lengths-0.npy    their lengths
    <folder>/<generation>/learned-0/       what the extractor learned
    <folder>/<generation>/fusion.skops     what the fusion of several learned

A new generation is written beside the old one and takes its place at once. Of an index that
somebody else made nothing is run, and nothing is opened or removed outside its folder but the
pictures that it names, to be drawn.
"""

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import Json, read_checked, write_checked
from benchmarks.pipeline.methods.presets import Preset
from datasets.errors import DamagedError, InputError
from retrieval.rows import release

INDEX = "index.json"
FORMAT = 3
IMAGES = "images.npy"
MARKER = "made-by-benchmarks.search"
"""File by which a generation is known for one; its builder holds a lock on it."""
COLUMNS = {"id": "S", "path": "S", "sha256": "S", "label": "i", "distractor": "i"}
"""Columns of the table of pictures, with the kinds of their types."""

_ANEW = "--pictures or --dataset makes it anew"
_REMEDY = f"damaged or of another version; {_ANEW}"
_BLOCK = 2**20
_ROWS = 256
_ATTEMPTS = 10
"""Others replace an index less often than that while it is opened or built."""

T = TypeVar("T")

_Name = Annotated[str, msgspec.Meta(pattern=r"\A(?:learned-\d+/)?[a-z0-9][a-z0-9.-]*\Z")]
Crc = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


class FileSum(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The size of a file in bytes and the CRC-32 of its content."""

    size: Annotated[int, msgspec.Meta(ge=0)]
    crc32: Crc

    @classmethod
    def of(cls, path: Path) -> Self:
        """Read a file through."""
        size = crc = 0
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                size, crc = size + len(block), zlib.crc32(block, crc)
        return cls(size, crc)


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content of ``index.json``, its own checksum aside.

    Attributes
    ----------
    format : int
        Version of the files' layout.
    name : str
        Name of what is searched.
    method : str
        Name of the method that it is searched by.
    epochs : int or None
        As given to `benchmarks.pipeline.methods.names.parse_method`.
    preset : Preset or None
        The preset that makes the method.
    identity : str
        Hash of everything but data that decides the vectors, see `identity_hash`.
    training : str or None
        Hash of the training images, if the method learns from any.
    generation : str
        Folder of the other files, 8 hexadecimal digits, in the index's own.
    names : list of str
        Names of classes, which the table of images counts in.
    matrices : int
        Number of matrices, one per extractor.
    files : dict of str to FileSum
        The generation's files.
    """

    format: Literal[3]
    name: str
    method: str
    epochs: Annotated[int, msgspec.Meta(ge=1)] | None
    preset: Preset | None
    identity: str
    training: str | None
    generation: Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{8}\Z")]
    names: list[str]
    matrices: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    files: dict[_Name, FileSum]

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read that of an index's folder, or None if there is none.

        Raises
        ------
        DamagedError
            If it is damaged or of another version.
        InputError
            If it cannot be read.
        """
        return read_checked(folder / INDEX, cls, _REMEDY)


class Generation:
    """The files of an index, checked and mapped, so that they stay when others replace them.

    Parameters
    ----------
    folder : Path
        The index's folder.
    about : About
        Its ``index.json``.

    Attributes
    ----------
    place : Path
        Folder of the files.
    images : ndarray of `COLUMNS`, shape (n_images,)
        The pictures.
    vectors, lengths : list of ndarray of float32, shapes (n_images, n_dims) and (n_images,)
        The vectors by each extractor and their lengths, mapped from disk.

    Raises
    ------
    DamagedError
        If a file is missing, differs from its checksum, or is not of the form that it must have.
    InputError
        If a file cannot be read.
    """

    def __init__(self, folder: Path, about: About) -> None:
        self.folder = folder
        self.about = about
        self.place = folder / about.generation
        for name in about.files:
            self._verify(name)
        self.images = np.array(self._mapped(IMAGES, 1))
        self._check_images()
        numbers = range(about.matrices)
        self.vectors = [self._mapped(f"vectors-{n}.npy", 2) for n in numbers]
        self.lengths = [self._mapped(f"lengths-{n}.npy", 1) for n in numbers]
        for matrix in (*self.vectors, *self.lengths):
            self._check_numbers(matrix)

    @classmethod
    def open(cls, folder: Path) -> Self | None:
        """Open the index of a folder, or give None if there is none; errors as of the class."""
        about = About.read(folder)
        return cls(folder, about) if about else None

    def hashes(self) -> list[str]:
        """Content hash of every picture, in order."""
        return [sha.decode() for sha in self.images["sha256"].tolist()]

    def damaged(self, reason: object) -> DamagedError:
        """Make the error that something in it is not as it was written."""
        return DamagedError(f"--index {self.folder}: damaged ({reason}); {_ANEW}")

    def _verify(self, name: str) -> None:
        """Compare a file with its checksum."""
        path = self.folder.resolve() / self.about.generation / name
        try:
            if path.resolve() != path or not path.is_file():
                raise self.damaged(f"{name} is missing")  # what a link leads to is not its own
            found = FileSum.of(path)
        except FileNotFoundError as error:
            raise self.damaged(f"{name} is missing") from error
        except OSError as error:
            raise InputError(
                f"--index {self.folder}: {path.name} cannot be read ({error.strerror}); "
                "make it readable"
            ) from error
        if found != self.about.files[name]:
            raise self.damaged(f"{name} differs from its checksum")

    def _mapped(self, name: str, dimensions: int) -> NDArray[Any]:
        if name not in self.about.files:
            raise self.damaged(f"{INDEX} does not list {name}")
        try:
            matrix = np.lib.format.open_memmap(self.place / name, mode="r")
        except FileNotFoundError as error:
            raise self.damaged(f"{name} is missing") from error
        except Exception as error:  # whatever NumPy says of what is no matrix
            raise self.damaged(f"{name} holds no matrix: {error}") from error
        if matrix.ndim != dimensions or not matrix.size:
            raise self.damaged(f"{name} has shape {matrix.shape}")
        return matrix

    def _check_images(self) -> None:
        kinds = self.images.dtype
        if {name: kinds[name].kind for name in kinds.names or ()} != COLUMNS:
            raise self.damaged(f"{IMAGES} has other columns")
        try:
            for name in ("id", "sha256"):
                b"\n".join(self.images[name].tolist()).decode()
        except UnicodeDecodeError as error:
            raise self.damaged(f"{IMAGES}: {error}") from error
        for name in ("label", "distractor"):
            numbers = self.images[name]
            if numbers.min() < -1 or numbers.max() >= len(self.about.names):
                raise self.damaged(f"{IMAGES} counts in classes that there are not")

    def _check_numbers(self, matrix: NDArray[Any]) -> None:
        if matrix.dtype != np.float32 or len(matrix) != len(self.images):
            raise self.damaged(f"vectors of {matrix.dtype}, shape {matrix.shape}")
        for start in range(0, len(matrix), _ROWS):
            block = matrix[start : start + _ROWS]
            if not np.isfinite(block).all():
                raise self.damaged("vectors that are not finite")
            release(block)


def publish(folder: Path, content: Json, place: Path) -> About:
    """Let an index consist of the files of a generation from now on.

    Parameters
    ----------
    folder : Path
        The index's folder.
    content : dict
        Content of ``index.json`` but for generation and files.
    place : Path
        The generation's folder, with its files and nothing else.
    """
    paths = sorted(path for path in place.rglob("*") if path.is_file() and path.name != MARKER)
    sums = {path.relative_to(place).as_posix(): FileSum.of(path) for path in paths}
    whole = content | {"generation": place.name, "files": msgspec.to_builtins(sums)}
    about = msgspec.convert(whole, About)
    write_checked(folder / INDEX, whole)
    return about


def steadily(folder: Path, work: Callable[[], T]) -> T:
    """Work with an index, again where another process has replaced it meanwhile.

    Parameters
    ----------
    folder : Path
        The index's folder.
    work : callable
        Raises an `InputError` where a file is gone.
    """
    for _ in range(_ATTEMPTS):
        before = _content(folder)
        try:
            return work()
        except InputError:
            if _content(folder) == before:
                raise
    return work()


def _content(folder: Path) -> bytes | None:
    try:
        return (folder / INDEX).read_bytes()
    except OSError:  # `work` says why
        return None
