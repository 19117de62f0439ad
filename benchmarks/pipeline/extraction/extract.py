"""Every row's vectors of a dataset, in as few passes over the pictures as can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.pipeline.cache.store import FeatureStore, MapStore, Store, VectorStore
from benchmarks.pipeline.extraction.describe import describe_all
from benchmarks.pipeline.extraction.encode import encode_all, fit_head
from benchmarks.pipeline.extraction.networks import run_networks
from benchmarks.pipeline.methods.extractor import Row, feature_store
from benchmarks.pipeline.workers import Workforce
from datasets.task import Dataset
from extractors import Extractor
from extractors.local_features.detector import Detector


@dataclass(frozen=True)
class Vectors:
    """What the rows made of a dataset's pictures.

    Attributes
    ----------
    stores : dict of str to VectorStore
        Row name to its vectors.
    features : dict of str to FeatureStore or MapStore
        Row name to its local features or feature maps, for rows that have them.
    failures : dict of str to str
        Row name to what went wrong.
    skipped : dict of str to str
        Row name to why the row makes no vectors of these pictures.
    trained : dict of str to Path
        Row name to the folder of its training, for rows that train a network.
    """

    stores: dict[str, VectorStore]
    features: dict[str, FeatureStore | MapStore]
    failures: dict[str, str]
    skipped: dict[str, str]
    trained: dict[str, Path]

    def local_features(self, name: str) -> FeatureStore:
        """The local features that a row found."""
        found = self.features[name]
        assert isinstance(found, FeatureStore), f"{name} has feature maps, not local features"
        return found


def make_vectors(
    rows: Sequence[Row], dataset: Dataset, cache: Path, forget: bool, workforce: Workforce
) -> Vectors:
    """Make what is not there yet: describe and detect, then learn from it and encode.

    Parameters
    ----------
    rows : sequence of Row
        Fitted as they need it.
    dataset : Dataset
        Its images are described.
    cache : Path
        Where stores lie.
    forget : bool
        Make everything anew.
    workforce : Workforce
        Who works.
    """
    stores: dict[str, VectorStore] = {}
    for row in rows:
        stores[row.name] = row.store(cache, dataset, forget)
    deep = [row for row in rows if row.network]
    outcome = run_networks(deep, stores, dataset, cache, forget, workforce)
    rows = [row for row in rows if not row.network]
    features, detectors = _feature_stores(rows, cache, forget)
    for row in rows:
        if row.detector is None and row.head_learns:
            fit_head(row, dataset, stores[row.name])
    failures = _look_at_pictures(rows, stores, features, detectors, dataset, workforce)
    local = [row for row in rows if row.detector and row.name not in failures]
    skipped, unlearned = encode_all(local, stores, features, dataset, workforce)
    return Vectors(
        stores,
        {**features, **outcome.maps},
        failures | unlearned | outcome.failures,
        skipped | outcome.skipped,
        outcome.trained,
    )


def _look_at_pictures(
    rows: Sequence[Row],
    stores: Mapping[str, VectorStore],
    features: Mapping[str, FeatureStore],
    detectors: Mapping[FeatureStore, Detector],
    dataset: Dataset,
    workforce: Workforce,
) -> dict[str, str]:
    """Describe and detect in one pass; row name to what went wrong."""
    images = [image for _, image in dataset.images]
    makers: dict[str, Extractor | Detector] = {}
    places: dict[str, Store[Any]] = {}
    maker_of: dict[str, str] = {}
    for row in rows:
        found = features.get(row.name)
        if found is None and isinstance(row.head, Extractor):
            maker_of[row.name] = row.name
            makers[row.name], places[row.name] = row.head, stores[row.name]
        elif found is not None:
            name = maker_of[row.name] = f"features/{found.folder.name}"
            makers[name], places[name] = detectors[found], found
    broken = describe_all(places, makers, images, workforce, f"describing {dataset.name}")
    return {row: broken[maker] for row, maker in maker_of.items() if maker in broken}


def _feature_stores(
    rows: Sequence[Row], cache: Path, forget: bool
) -> tuple[dict[str, FeatureStore], dict[FeatureStore, Detector]]:
    """Row name to store, one store for all rows of equal detectors; store to its detector."""
    by_folder: dict[Path, FeatureStore] = {}
    by_row: dict[str, FeatureStore] = {}
    detectors: dict[FeatureStore, Detector] = {}
    for row in rows:
        if row.detector:
            opened = feature_store(row.detector, cache, forget)
            store = by_folder.setdefault(opened.folder, opened)
            by_row[row.name] = store
            detectors[store] = row.detector
    return by_row, detectors
