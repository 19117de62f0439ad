"""Image encoders of keras-hub: vision transformers, their weights a folder called a preset.

keras-hub is an extra (``pip install -e '.[hub]'``), since it brings TensorFlow Text; it is
imported when one of these is run.
"""

import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import os
import urllib.request
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from extractors.base import Extractor
from extractors.networks import inference, weights
from extractors.networks.engine import Model, engine, load_keras, run_padded
from extractors.networks.preparation import IMAGENET, ToSize, Values
from extractors.networks.pretrained import BackboneNetwork
from extractors.networks.weights import NoWeightsError

_LIBRARY = "keras_hub"
_SERVER = "https://www.kaggle.com"
_CONFIG, _WEIGHTS = "config.json", "model.weights.*"

_CLIP = Values(1 / 255, (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
_HALVES = Values(1 / 255, 0.5, 0.5)


@dataclass(frozen=True)
class Preset:
    """A backbone of keras-hub with its weights, as far as it describes pictures.

    Parameters
    ----------
    name : str
        Name of the network, for ``--weights``.
    kind : str
        Its class in keras-hub.
    handle : str
        The preset's place on Kaggle: collection, name and release.
    prepare : ToSize
        Preprocessing before values are scaled; squares.
    values : Values
        Values as it was trained on them.
    """

    version: ClassVar[str] = "preset 1"

    name: str
    kind: str
    handle: str
    prepare: ToSize
    values: Values = IMAGENET

    def require(self, whole: bool) -> None:
        """Make sure that it can run here, as far as that shows without loading Keras.

        Raises
        ------
        NoWeightsError
            If keras-hub is not installed, or there is no preset of this kind.
        """
        del whole  # a preset is whole or none
        if importlib.util.find_spec(_LIBRARY) is None:
            raise NoWeightsError(
                "keras-hub is not installed; pip install keras-hub (the extra hub), and "
                f"{self._remedy}"
            )
        self.folder()

    def implementation(self) -> dict[str, str]:
        """Weights, library, backend and engine, which decide the output beside the parameters."""
        return {
            "weights sha256": _folder_hash(self.folder()),
            "keras-hub": importlib.metadata.version("keras-hub"),
            **engine(),
            **inference.implementation(),
        }

    def folder(self) -> Path:
        """The preset's folder: the one given, that in Kaggle's cache, or a download.

        Raises
        ------
        NoWeightsError
            If there is none, or the one given is not this network's.
        """
        given = os.environ.get(weights.variable(self.name))
        home = Path(os.environ.get("KAGGLEHUB_CACHE") or Path.home() / ".cache" / "kagglehub")
        collection, preset, release = self.handle.split("/")
        cached = home / "models" / "keras" / collection / "keras" / preset / release
        path = Path(given).expanduser() if given else cached
        if not given and not (cached / _CONFIG).exists():
            path = self._download()
        try:
            kind = json.loads((path / _CONFIG).read_text(encoding="utf-8"))["class_name"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NoWeightsError(
                f"weights of {self.name}: {path} is no preset of keras-hub ({error}); "
                f"{self._remedy}"
            ) from error
        if kind != self.kind or not list(path.glob(_WEIGHTS)):
            found = f"a {kind}" if kind != self.kind else "without weights"
            raise NoWeightsError(f"weights of {self.name}: {path} is {found}; {self._remedy}")
        return path

    def load(self) -> Model:
        """The network from pictures to vectors; once per process."""
        path = self.folder()
        return _load(self, path, _folder_hash(path))

    def scale(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Values of prepared pictures as the network was trained on them."""
        return self.values(batch)

    @property
    def _remedy(self) -> str:
        collection, preset, _ = self.handle.split("/")
        return (
            f"give the folder of its preset {preset} with --weights {self.name}=FOLDER or "
            f"{weights.variable(self.name)}, from {_SERVER}/models/keras/"
            f"{collection}"
        )

    def _download(self) -> Path:
        try:
            # Kaggle's client waits long; a server that answers this will answer that.
            request = urllib.request.Request(_SERVER, method="HEAD")
            urllib.request.urlopen(request, timeout=weights.PATIENCE).close()
            collection, preset, release = self.handle.split("/")
            client = importlib.import_module("kagglehub")
            handle = f"keras/{collection}/keras/{preset}/{release}"
            return Path(client.model_download(handle))
        except Exception as error:  # its own classes, and those of what it is built on
            reason = str(getattr(error, "reason", error)).partition("\n")[0]
            raise NoWeightsError(
                f"no weights of {self.name}: the download failed ({reason}); {self._remedy}"
            ) from error


class ImageEncoder(BackboneNetwork, Extractor):
    """A vision transformer's vector of a picture: its class token, or its pooled embedding.

    Parameters
    ----------
    backbone : Preset
        The network; all its weights must be there.
    """

    summary = "The embedding of a vision transformer trained on pictures, or on captions too"
    reference = (
        "Oquab et al. (2024), DINOv2: Learning Robust Visual Features without Supervision, TMLR, "
        "doi:10.48550/arXiv.2304.07193; "
        "Siméoni et al. (2025), DINOv3, doi:10.48550/arXiv.2508.10104; "
        "Radford et al. (2021), Learning Transferable Visual Models From Natural Language "
        "Supervision, ICML, doi:10.48550/arXiv.2103.00020; "
        "Zhai, Mustafa, Kolesnikov and Beyer (2023), Sigmoid Loss for Language Image "
        "Pre-Training, ICCV, doi:10.1109/ICCV51070.2023.01100"
    )
    version = "image-encoder 1"
    is_whole = True

    def __init__(self, backbone: Preset) -> None:
        self.backbone: Any = backbone

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run on up to `BATCH` prepared pictures."""
        return run_padded(inference.forward(self.backbone.load()), self.backbone.scale(batch))


def dino(name: str, kind: str, handle: str, prepare: ToSize) -> ImageEncoder:
    """A DINO network, by its class token."""
    return ImageEncoder(Preset(name, kind, handle, prepare))


def clip(name: str, handle: str) -> ImageEncoder:
    """A CLIP network, by the embedding that is compared with captions."""
    prepare = ToSize(224, 224, 1.0, "bicubic")
    return ImageEncoder(Preset(name, "CLIPBackbone", handle, prepare, _CLIP))


def siglip(name: str, handle: str) -> ImageEncoder:
    """A SigLIP network, by the embedding that is compared with captions."""
    prepare = ToSize(224, 224, None, "bicubic")
    return ImageEncoder(Preset(name, "SigLIPBackbone", handle, prepare, _HALVES))


@cache
def _load(preset: Preset, path: Path, sha256: str) -> Model:
    del sha256  # only so that another folder is loaded anew
    keras = load_keras()
    hub = importlib.import_module(_LIBRARY)
    shape = (preset.prepare.height, preset.prepare.width, 3)
    kind = getattr(hub.models, preset.kind)
    pictures = keras.Input(shape)
    try:
        if hasattr(kind, "get_vision_embeddings"):
            return keras.Model(
                pictures, kind.from_preset(str(path)).get_vision_embeddings(pictures)
            )
        network = kind.from_preset(str(path), image_shape=shape)
        [entrance] = network.input
        tokens = network({entrance: pictures})
        return keras.Model(pictures, tokens[:, 0])
    except Exception as error:  # whatever a damaged preset leads to
        reason = str(error).strip().partition("\n")[0][:200]
        raise NoWeightsError(f"{path}: keras-hub does not load it ({reason})") from error


def _folder_hash(folder: Path) -> str:
    """Hash of a preset's network and weights."""
    files = [folder / _CONFIG, *sorted(folder.glob(_WEIGHTS)), *sorted(folder.glob("model_*.h5"))]
    return hashlib.sha256("".join(map(weights.file_hash, files)).encode()).hexdigest()
