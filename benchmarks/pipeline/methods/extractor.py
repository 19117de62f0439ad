"""An extractor of the menu, cut into its steps and ready to work."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from benchmarks.pipeline.cache import estimators
from benchmarks.pipeline.cache.feature_store import FeatureStore
from benchmarks.pipeline.cache.fingerprint import identity, module_identity
from benchmarks.pipeline.cache.store import ArrayStore, MapStore
from benchmarks.pipeline.loading.training import training_fingerprint
from benchmarks.pipeline.methods.vectors import GivenVectors
from datasets import reading
from datasets.errors import DamagedError, InputError
from datasets.task import Dataset
from extractors import Extractor
from extractors.base import SavesItself
from extractors.compression import Compression
from extractors.local_features.detector import Detector
from extractors.networks.pretrained import MapHead, Network, Stem
from extractors.networks.weights import NoWeightsError

PARTIAL = "partial weights"

_FLOAT32 = 32

HEAD, POSTPROCESSING = "head.skops", "postprocessing.skops"


@runtime_checkable
class Identified(Protocol):
    """A head that was made elsewhere: it says itself what it is, and is not kept."""

    @property
    def identity(self) -> dict[str, object]:
        """Everything that is known to decide its vectors, as JSON."""


@dataclass
class ExtractorSteps:
    """An extractor, cut at its joints.

    Parameters
    ----------
    name : str
        Name in the menu.
    estimator : Extractor or Pipeline
        Makes its vectors; cloned, so that the menu's own stays unfitted.
    epochs : int, optional
        Networks are trained for no more than these, whatever their recipe says.

    Attributes
    ----------
    detector : Detector or None
        Finds local features in a picture, where the extractor begins with one.
    stem : Stem or None
        Makes feature maps of pictures, where it begins with the frozen part of a network.
    head : Extractor, Encoder or MapHead
        Makes the vector of each picture, or of what was found in it.
    postprocessing : Pipeline or None
        Transformers of scikit-learn that learn from vectors (scaling, idf, whitening).
    is_trainable : bool
        Whether the head is a network that is trained in epochs.
    """

    name: str
    estimator: Extractor | Pipeline
    epochs: int | None = None

    def __post_init__(self) -> None:
        fresh = clone(self.estimator)
        steps = list(fresh.steps) if isinstance(fresh, Pipeline) else [("head", fresh)]
        self.family: str = steps[0][1].family
        is_local, has_stem = (isinstance(steps[0][1], kind) for kind in (Detector, Stem))
        self.detector: Detector | None = steps.pop(0)[1] if is_local else None
        self.stem: Stem | None = steps.pop(0)[1] if has_stem else None
        self.head: Any = steps.pop(0)[1]
        self.postprocessing: Pipeline | None = Pipeline(steps) if steps else None
        self._shortened = False
        recipe = getattr(self.head, "recipe", None)
        self.is_trainable = recipe is not None
        if recipe and self.epochs and self.epochs < recipe.epochs:
            self._shortened = True
            self.head.set_params(recipe=replace(recipe, epochs=self.epochs))

    @property
    def head_learns(self) -> bool:
        """Whether the head itself has to be fitted, on pictures or what was found in them."""
        return type(self.head).fit not in (Extractor.fit, MapHead.fit)

    @property
    def network(self) -> Network | None:
        """The network that pictures are run through, if there is one."""
        return self.stem or (self.head if isinstance(self.head, Network) else None)

    @property
    def given(self) -> GivenVectors | None:
        """Its vectors, where they were made elsewhere."""
        return self.head if isinstance(self.head, GivenVectors) else None

    @property
    def obstacle(self) -> str | None:
        """Reason why it cannot run here, with the remedy; None if it can."""
        try:
            if self.network:
                self.network.require()
        except NoWeightsError as error:
            return str(error)
        return None

    @property
    def note(self) -> str:
        """Notes for readers of its numbers, each in short and at length; or nothing."""
        partial = getattr(self.head, "note", "")
        notes = [f"{PARTIAL}: {partial}"] if partial else []
        if self._shortened:
            many = "s" * (self.epochs != 1)
            notes.append(f"at most {self.epochs} epoch{many}: its recipe trains longer")
        return "; ".join(notes)

    @property
    def bits(self) -> int:
        """Bits that each number of a vector takes in a gallery."""
        last = self.postprocessing.steps[-1][1] if self.postprocessing else None
        return last.bits if isinstance(last, Compression) else _FLOAT32

    @property
    def learns(self) -> bool:
        """Whether anything has to be fitted."""
        return self.head_learns or self.postprocessing is not None

    @cached_property
    def identity(self) -> dict[str, object]:
        """Everything that decides its vectors, data aside."""
        return self._head_identity | {
            "postprocessing": self.postprocessing and identity(self.postprocessing)
        }

    @cached_property
    def _head_identity(self) -> dict[str, object]:
        if isinstance(self.head, Identified):
            return {"head": self.head.identity}
        parts: dict[str, object] = {
            "head": identity(self.head),
            "reading": module_identity(reading),
        }
        if self.detector:
            parts["detector"] = _detector_identity(self.detector)
        if self.stem:
            parts["stem"] = identity(self.stem)
        if self.network:
            parts["network"] = _implementation(self.network)
        return parts

    def store(self, cache: Path, dataset: Dataset, forget: bool = False) -> ArrayStore:
        """Open the store of the head's vectors; a head that learned has one per training set.

        Parameters
        ----------
        cache : Path
            Folder of all stores.
        dataset : Dataset
            Its training images decide what a head learns.
        forget : bool
            Begin anew, as if nothing were stored.

        Raises
        ------
        InputError
            If vectors that were made elsewhere are not those of the dataset's images.
        """
        if self.given:
            return self.given.store(dataset)
        whole = dict(self._head_identity)
        if self.head_learns:
            whole["training"] = training_fingerprint(dataset)
        store = ArrayStore(cache / "vectors", self.name, whole, forget)
        if forget:
            (store.folder / HEAD).unlink(missing_ok=True)
        return store

    def save(self, folder: Path) -> None:
        """Write all that its steps have learned into a folder, so that `load` can take it over.

        Raises
        ------
        InputError
            If a file would not be read again, since it holds what is not trusted.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if isinstance(self.head, SavesItself):
            self.head.save(folder)
        elif self.head_learns:
            self._save(self.head, folder / HEAD)
        if self.postprocessing:
            self._save(self.postprocessing, folder / POSTPROCESSING, *self._kinds)

    def load(self, folder: Path) -> None:
        """Take over what `save` wrote.

        Raises
        ------
        InputError
            If a file is damaged or holds something else.
        """
        if isinstance(self.head, SavesItself):
            self.head.load(folder)
        elif self.head_learns:
            self.head = estimators.load(folder / HEAD, type(self.head))
        if self.postprocessing:
            path = folder / POSTPROCESSING
            self.postprocessing = estimators.load(path, Pipeline, *self._kinds)

    @property
    def _kinds(self) -> list[type]:
        """Classes of its steps: a function of theirs may be a parameter of the postprocessing."""
        steps = self.postprocessing.steps if self.postprocessing else []
        return [type(self.head), *(type(step) for _, step in steps)]

    def _save(self, estimator: object, path: Path, *parts: type) -> None:
        estimators.save(estimator, path)
        try:
            estimators.load(path, type(estimator), *parts)
        except DamagedError as error:
            raise InputError(
                f"--extractor {self.name}: what it learned cannot be kept ({error.__cause__}); "
                "keep plain values and arrays"
            ) from error


def feature_store(detector: Detector, cache: Path, forget: bool = False) -> FeatureStore:
    """Open the store of a detector's local features."""
    name = type(detector).__name__.lower()
    whole = _detector_identity(detector) | {"reading": module_identity(reading)}
    return FeatureStore(cache / "features", name, whole, forget)


def map_store(stem: Stem, cache: Path, forget: bool = False) -> MapStore:
    """Open the store of a stem's feature maps."""
    whole = identity(stem) | {
        "network": stem.implementation,
        "precision": "float16",
        "reading": module_identity(reading),
    }
    return MapStore(cache / "maps", stem.backbone.name, whole, forget)


def _implementation(network: Network) -> Mapping[str, str]:
    try:
        return network.implementation
    except NoWeightsError:
        return {"weights": "none"}


def _detector_identity(detector: Detector) -> dict[str, object]:
    return identity(detector) | {"implementation": detector.implementation}
