"""Tensors out of a file that ``torch.save`` wrote, without PyTorch and without its pickles' risk.

The legacy format (before PyTorch 1.6): five pickles, then the numbers of every storage. Only
what a dictionary of tensors needs is unpickled; anything else is refused.
"""

import collections
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_KINDS = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class TorchFileError(ValueError):
    """The file is not a legacy PyTorch file of plain tensors."""


@dataclass
class _Storage:
    kind: np.dtype
    count: int
    values: NDArray[np.generic] | None = None


@dataclass
class _Tensor:
    storage: _Storage
    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> NDArray[np.generic]:
        assert self.storage.values is not None
        last = self.start + sum(
            (size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True)
        )
        if min((self.start, *self.strides)) < 0 or last >= self.storage.count:
            raise TorchFileError("a tensor reaches beyond its storage")
        itemsize = self.storage.kind.itemsize
        view = np.lib.stride_tricks.as_strided(
            self.storage.values[self.start :],
            self.shape,
            tuple(itemsize * stride for stride in self.strides),
        )
        return view.copy()


def _rebuild(
    storage: _Storage, start: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, start, shape, strides)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild
        if module == "torch" and name in _KINDS:
            return _KINDS[name]
        raise TorchFileError(f"holds {module}.{name}, which is no plain tensor")

    def persistent_load(self, pid: Any) -> _Storage:
        what, kind, key, _, count, view = pid
        if what != "storage" or view is not None or not isinstance(kind, np.dtype):
            raise TorchFileError("holds something that is no plain storage")
        return self.storages.setdefault(key, _Storage(kind, count))


def read_torch(path: Path) -> dict[str, NDArray[np.generic]]:
    """Read a dictionary of tensors.

    Parameters
    ----------
    path : Path
        A file of the legacy format, little-endian, float32 and int64.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    TorchFileError
        If the file is damaged, or holds anything but tensors.
    """
    with path.open("rb") as file:
        try:
            if _Unpickler(file).load() != _MAGIC:
                raise TorchFileError(f"{path}: no legacy PyTorch file")
            for _ in ("version", "system"):
                _Unpickler(file).load()
            reader = _Unpickler(file)
            tensors = reader.load()
            for key in _Unpickler(file).load():
                _fill(reader.storages[key], file)
            return {name: tensor.array() for name, tensor in tensors.items()}
        except TorchFileError:
            raise
        except Exception as error:
            # What a damaged pickle raises has no common class.
            raise TorchFileError(f"{path}: damaged ({error})") from error


def _fill(storage: _Storage, file: BinaryIO) -> None:
    [count] = np.frombuffer(file.read(8), "<i8")
    if count != storage.count:
        raise TorchFileError("a storage is not as long as announced")
    storage.values = np.frombuffer(file.read(count * storage.kind.itemsize), storage.kind, count)
