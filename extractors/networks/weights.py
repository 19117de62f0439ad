"""Files of pretrained weights: where they are found, and which part of a network they hold.

In this order: the file that the user gave (``--weights``, or the environment variable
``IMAGE_RETRIEVAL_WEIGHTS_<NAME>``, which the option sets), Keras' own cache, Keras' download.
"""

import hashlib
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from extractors.networks.engine import keras_home, load_keras

_KERAS_STORE = "https://storage.googleapis.com/tensorflow/keras-applications"
PATIENCE = 10.0
"""Seconds to wait for a server's first answer."""


class NoWeightsError(RuntimeError):
    """There are no weights to be had; the message says why and what to do."""


@dataclass(frozen=True)
class Official:
    """A file of ImageNet weights as Keras publishes it.

    Attributes
    ----------
    family : str
        Folder on the server.
    file : str
        Its name.
    hash : str
        MD5, or SHA-256, in hex, as Keras has it.
    size : int or None
        Bytes; another file of just this size is taken for it and must have its hash.
    parameters : int
        Numbers in a complete file.
    """

    family: str
    file: str
    hash: str
    parameters: int
    size: int | None = None

    @property
    def url(self) -> str:
        """Address from which Keras downloads it."""
        return f"{_KERAS_STORE}/{self.family}/{self.file}"


_ENDING = "weights_tf_dim_ordering_tf_kernels_notop.h5"

OFFICIAL = {
    "resnet152": Official(
        "resnet",
        f"resnet152_{_ENDING}",
        "ee4c566cf9a93f14d82f913c2dc6dd0c",
        58_370_944,
        234_698_864,
    ),
    "resnet50": Official(
        "resnet", f"resnet50_{_ENDING}", "4d473c1dd8becc155b73f8504c6f6626", 23_587_712
    ),
    "densenet169": Official(
        "densenet", f"densenet169_{_ENDING}", "b8c4d4c20dd625c148057b9ff1c1176b", 12_642_880
    ),
    "vgg16": Official("vgg16", f"vgg16_{_ENDING}", "6d6bbae143d832006294945121d1f1fc", 14_714_688),
    "xception": Official(
        "xception", f"xception_{_ENDING}", "b0042744bf5b25fce3cb969f33bebb97", 20_861_480
    ),
    "efficientnetv2b0": Official(
        "efficientnet_v2",
        "efficientnetv2-b0_notop.h5",
        "893217f2bb855e2983157299931e43ff",
        5_919_312,
    ),
    "mobilenetv3large": Official(
        "mobilenet_v3",
        "weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
        "07fb09a5933dd0c8eaafa16978110389",
        2_996_352,
    ),
    "convnexttiny": Official(
        "convnext",
        "convnext_tiny_notop.h5",
        "d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1",
        27_820_128,
    ),
}
"""Files that Keras publishes, by network. Other networks of keras.applications take a file."""


def variable(name: str) -> str:
    """Name of the environment variable that gives a network's file."""
    return "IMAGE_RETRIEVAL_WEIGHTS_" + name.upper().replace("-", "_")


def is_given(name: str) -> bool:
    """Whether the user gave a network's file."""
    return bool(os.environ.get(variable(name)))


def find(name: str) -> Path:
    """Find a network's file, downloading it if Keras knows where from.

    Parameters
    ----------
    name : str
        The network's name, lower case.

    Raises
    ------
    NoWeightsError
        If there is none, or the one given is missing or not what it claims to be.
    """
    given = os.environ.get(variable(name))
    if given:
        return _checked(name, Path(given).expanduser())
    official = OFFICIAL.get(name)
    if official is None:
        raise NoWeightsError(f"no weights of {name}: {_remedy(name)}")
    cached = keras_home() / "models" / official.file
    return _checked(name, cached) if cached.exists() else _download(name, official)


def file_hash(path: Path, kind: str = "sha256") -> str:
    """Hash of a file, in hex, remembered while the file stays as it is."""
    state = path.stat()
    return _hash(path, state.st_size, state.st_mtime_ns, kind)


def parameters(path: Path) -> dict[str, int]:
    """Numbers that a Keras weights file (HDF5, legacy layout) holds, by layer.

    Raises
    ------
    NoWeightsError
        If it is no such file.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            names = [_text(name) for name in file.attrs["layer_names"]]
            return {
                name: sum(int(file[name][_text(part)].size) for part in parts)
                for name in names
                if len(parts := file[name].attrs["weight_names"])
            }
    except Exception as error:  # whatever a file of another kind makes its reader raise
        raise NoWeightsError(
            f"{path}: not a weights file of Keras' .h5 layout ({error}); give the no-top file"
        ) from error


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _checked(name: str, path: Path) -> Path:
    if not path.is_file():
        raise NoWeightsError(f"weights of {name}: {path} is not a file; {_remedy(name)}")
    official = OFFICIAL.get(name)
    if official and path.stat().st_size == official.size:
        found = file_hash(path, "md5")
        if found != official.hash:
            raise NoWeightsError(
                f"weights of {name}: {path} has the size of the official file but not its hash "
                f"(md5 {found}, not {official.hash}); download it again"
            )
    return path


def _download(name: str, official: Official) -> Path:
    try:
        # Keras waits for ever; a server that answers this will answer that.
        request = urllib.request.Request(official.url, method="HEAD")
        urllib.request.urlopen(request, timeout=PATIENCE).close()
        keras = load_keras()
        made = keras.utils.get_file(
            official.file, official.url, cache_subdir="models", file_hash=official.hash
        )
    except Exception as error:
        # Keras wraps what urllib raises in a bare Exception.
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise NoWeightsError(
            f"no weights of {name}: the download failed ({reason}); {_remedy(name)}"
        ) from error
    return Path(made)


def _remedy(name: str) -> str:
    official = OFFICIAL.get(name)
    from_where = f", from {official.url}" if official else ""
    return f"give the no-top file with --weights {name}=FILE or {variable(name)}{from_where}"


@cache
def _hash(path: Path, size: int, changed: int, kind: str) -> str:
    del size, changed  # only so that another state of the file is another call
    with path.open("rb") as file:
        return hashlib.file_digest(file, kind).hexdigest()
