"""An extractor, ready to work, and the guard of what it may learn from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from benchmarks.pipeline.cache.estimators import HEAD
from benchmarks.pipeline.cache.fingerprint import closure, digest, identity, implementation
from benchmarks.pipeline.cache.store import FeatureStore, MapStore, VectorStore
from datasets.task import Dataset, Image
from extractors import Extractor
from extractors.local_features.detector import Detector
from extractors.local_features.encoders import Encoder
from extractors.networks.finetuning import FineTuned
from extractors.networks.pretrained import MapHead, Network, Stem
from extractors.networks.scratch import ScratchNetwork
from extractors.networks.weights import NoWeightsError

PARTIAL = "partial weights"


class LeakError(RuntimeError):
    """Something was to be fitted on images that are searched or asked."""


@dataclass
class Row:
    """An extractor of the menu and its name, ready to work.

    The extractor is cut at its joints: `detector` finds local features and `stem` makes
    feature maps, for rows that have them, or are None; `head` makes a vector of each picture,
    or of what they found in it; `tail` is what scikit-learn then learns and does with vectors
    (scaling, say), or None.

    Parameters
    ----------
    name : str
        The row's name.
    estimator : Extractor or Pipeline
        What makes its vectors.
    epochs : int, optional
        Networks are trained for no more than these, whatever their recipe says.
    """

    name: str
    estimator: Extractor | Pipeline
    epochs: int | None = None

    def __post_init__(self) -> None:
        fresh = clone(self.estimator)
        steps = list(fresh.steps) if isinstance(fresh, Pipeline) else [("head", fresh)]
        is_local, has_stem = (isinstance(steps[0][1], kind) for kind in (Detector, Stem))
        self.detector: Detector | None = steps.pop(0)[1] if is_local else None
        self.stem: Stem | None = steps.pop(0)[1] if has_stem else None
        self.head: Extractor | Encoder | MapHead = steps.pop(0)[1]
        self.tail: Pipeline | None = Pipeline(steps) if steps else None
        self._shortened = False
        recipe = getattr(self.head, "recipe", None)
        if recipe and self.epochs and self.epochs < recipe.epochs:
            self._shortened = True
            self.head.set_params(recipe=replace(recipe, epochs=self.epochs))

    @property
    def head_learns(self) -> bool:
        """Whether the head itself has to be fitted, on pictures or what was found in them."""
        return type(self.head).fit not in (Extractor.fit, MapHead.fit)

    @property
    def network(self) -> Network | None:
        """The network that looks at the pictures, if one does."""
        return self.stem or (self.head if isinstance(self.head, Network) else None)

    @property
    def obstacle(self) -> str | None:
        """Why the row cannot run here, with the remedy; None if it can."""
        try:
            if self.network:
                self.network.require()
        except NoWeightsError as error:
            return str(error)
        return None

    @property
    def note(self) -> str:
        """What a reader of the numbers must know, each in short and at length; or nothing."""
        partial = self.head.note if isinstance(self.head, Network | MapHead) else ""
        notes = [f"{PARTIAL}: {partial}"] if partial else []
        if self._shortened:
            many = "s" * (self.epochs != 1)
            notes.append(f"at most {self.epochs} epoch{many}: its recipe trains longer")
        return "; ".join(notes)

    @property
    def is_supervised(self) -> bool:
        """Whether classes of training images, not only their pictures, are learned from."""
        return isinstance(self.head, FineTuned | ScratchNetwork)

    @property
    def learns(self) -> bool:
        """Whether anything has to be fitted."""
        return self.head_learns or self.tail is not None

    @cached_property
    def identity(self) -> dict[str, object]:
        """What decides the row's ranking, data and protocol aside."""
        parts: dict[str, object] = {
            "head": identity(self.head),
            "tail": self.tail and identity(self.tail),
            "reading": _reading(),
        }
        if self.detector:
            parts["detector"] = _detector_identity(self.detector)
        if self.stem:
            parts["stem"] = identity(self.stem)
        if self.network:
            parts["network"] = _implementation(self.network)
        return parts

    def store(self, cache: Path, dataset: Dataset, forget: bool = False) -> VectorStore:
        """Open the store of the head's vectors; a head that learned has one per training set."""
        parts = ("head", "detector", "stem", "network", "reading")
        whole: dict[str, object] = {k: self.identity[k] for k in parts if k in self.identity}
        if self.head_learns:
            whole["training"] = training_fingerprint(dataset)
        store = VectorStore(cache / "vectors", self.name, whole, forget)
        if forget:
            (store.folder / HEAD).unlink(missing_ok=True)
        return store


def feature_store(detector: Detector, cache: Path, forget: bool = False) -> FeatureStore:
    """Open the store of a detector's local features."""
    name = type(detector).__name__.lower()
    whole = _detector_identity(detector) | {"reading": _reading()}
    return FeatureStore(cache / "features", name, whole, forget)


def map_store(stem: Stem, cache: Path, forget: bool = False) -> MapStore:
    """Open the store of a stem's feature maps."""
    whole = identity(stem) | {
        "network": stem.implementation,
        "precision": "float16",
        "reading": _reading(),
    }
    return MapStore(cache / "maps", stem.backbone.name, whole, forget)


@cache
def _reading() -> dict[str, object]:
    """How files become pixels."""
    return implementation(*closure("datasets.reading"))


def _implementation(network: Network) -> dict[str, str]:
    try:
        return network.implementation
    except NoWeightsError:
        return {"weights": "none"}


def _detector_identity(detector: Detector) -> dict[str, object]:
    return identity(detector) | {"implementation": detector.implementation}


def training_fingerprint(dataset: Dataset) -> str:
    """Content hash of the training images."""
    return digest([(image.sha256, image.label) for image in dataset.training])


def require_training(images: Sequence[Image], dataset: Dataset) -> None:
    """Allow nothing but the dataset's training images to be fitted on.

    Raises
    ------
    LeakError
        If one of the images is no training image, or is also searched or asked.
    """
    allowed = {image.id: image.sha256 for image in dataset.training}
    used = {image.sha256 for part, image in dataset.images if part != "training"}
    for image in images:
        if allowed.get(image.id) != image.sha256 or image.sha256 in used:
            raise LeakError(f"{image.id}: not a training image of {dataset.name}; never fit on it")
