"""Rows with a network: what it makes of pictures, what is trained on that, and the vectors.

A network works on all cores by itself, so its pictures go through this process, a batch at a
time, while threads decode and prepare the next.
"""

import shutil
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import read_json, write_json
from benchmarks.pipeline.cache.fingerprint import closure, code_hash, digest
from benchmarks.pipeline.cache.store import MapStore, Store, VectorStore
from benchmarks.pipeline.methods.extractor import (
    Row,
    map_store,
    require_training,
    training_fingerprint,
)
from benchmarks.pipeline.workers import Workforce, cut
from datasets.reading import LazyImages, read_image
from datasets.task import Dataset, Image
from extractors.base import NothingToLearnError
from extractors.networks.augmentation import Augmentation
from extractors.networks.engine import BATCH
from extractors.networks.finetuning import FineTuned
from extractors.networks.pretrained import MapHead, Network
from extractors.networks.scratch import ScratchNetwork
from extractors.networks.training import is_trained, read_history
from extractors.networks.weights import NoWeightsError

_READERS = 2
"""Threads that decode; the network needs the cores more."""


@dataclass
class Outcome:
    """How rows with a network went.

    Attributes
    ----------
    maps : dict of str to MapStore
        Row name to its feature maps, for rows with a stem.
    trained : dict of str to Path
        Row name to the folder of its training, for rows that train a network.
    failures, skipped : dict of str to str
        Row name to what went wrong, or to why it makes no vectors of these pictures.
    """

    maps: dict[str, MapStore] = field(default_factory=dict)
    trained: dict[str, Path] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def run_networks(
    rows: Sequence[Row],
    stores: Mapping[str, VectorStore],
    dataset: Dataset,
    cache: Path,
    forget: bool,
    workforce: Workforce,
) -> Outcome:
    """Make every vector of rows with a network that is not there yet, training where needed.

    Parameters
    ----------
    rows : sequence of Row
        Those with a network.
    stores : mapping of str to VectorStore
        Row name to where its vectors go.
    dataset : Dataset
        Its images are described; networks are trained on its training images.
    cache : Path
        Where maps, trained networks and their histories are kept.
    forget : bool
        Make everything anew.
    workforce : Workforce
        Shows progress.
    """
    outcome = Outcome()
    opened: dict[Path, MapStore] = {}
    for row in rows:
        if row.stem:
            store = map_store(row.stem, cache, forget)
            outcome.maps[row.name] = opened.setdefault(store.folder, store)
        if isinstance(row.head, FineTuned | ScratchNetwork):
            outcome.trained[row.name] = folder = _folder(row, dataset, cache)
            if forget:
                shutil.rmtree(folder, ignore_errors=True)
        try:
            _run(row, stores[row.name], outcome, dataset, workforce)
        except (NoWeightsError, NothingToLearnError) as error:
            outcome.skipped[row.name] = str(error)
        except Exception as error:
            outcome.failures[row.name] = f"{type(error).__name__}: {error}"
    return outcome


def _folder(row: Row, dataset: Dataset, cache: Path) -> Path:
    parts = [row.identity, training_fingerprint(dataset)]
    return cache / "networks" / f"{row.name}-{digest(parts)[:16]}"


def _run(
    row: Row, store: VectorStore, outcome: Outcome, dataset: Dataset, workforce: Workforce
) -> None:
    """Fit the row's head if it learns, then make the vectors that are missing."""
    images = [image for _, image in dataset.images]
    missing = set(store.missing([image.sha256 for image in images]))
    pictures = [Picture(image.sha256, image.path) for image in images if image.sha256 in missing]
    maps = outcome.maps.get(row.name)
    if missing and row.name in outcome.trained:
        require_training(dataset.training, dataset)
        store.fit_seconds = _train(row, maps, outcome.trained[row.name], dataset, workforce)
    network, label = row.network, f"{row.name} on {dataset.name}"
    assert network is not None, "rows without a network are described elsewhere"
    look(network, store if maps is None else maps, pictures, workforce, label)
    if maps is not None:
        assert isinstance(row.head, MapHead), "a map head stands behind a stem"
        for keys in cut(store.missing([picture.key for picture in pictures]), BATCH):
            began = time.perf_counter()
            vectors = list(row.head.transform(maps.maps(list(keys))))
            store.add(keys, vectors, time.perf_counter() - began)


def _train(
    row: Row, maps: MapStore | None, folder: Path, dataset: Dataset, workforce: Workforce
) -> float:
    """Train the row's network, or load what was trained before; seconds that it took in all."""
    labels = [image.label or "" for image in dataset.training]

    def track(items: Any, total: int, label: str) -> Iterator[int]:
        return workforce.track(items, total, f"{label} {row.name} on {dataset.name}, epochs")

    assert isinstance(row.head, FineTuned | ScratchNetwork), "nothing else is trained here"
    write_json(folder / "identity.json", row.identity)
    if is_trained(folder):
        row.head.load(folder)
    elif isinstance(row.head, ScratchNetwork):
        images = LazyImages([image.path for image in dataset.training])
        row.head.fit(images, labels, folder=folder, track=track)
    else:
        assert maps is not None, "a row that is fine-tuned has a stem"
        assert row.stem is not None, "a row that is fine-tuned has a stem"
        pictures = variants(dataset.training, row.head.augmentation, row.head.recipe.seed)
        look(row.stem, maps, pictures, workforce, f"augmented copies of {dataset.name}")
        keys = [picture.key for picture in pictures]
        gathered = _gather(maps, keys, row.head.variants, folder)
        row.head.fit(gathered, labels, folder=folder, track=track)
        del gathered  # Windows removes no file that is mapped
        write_json(folder / "copies.json", {"seconds": maps.seconds(keys) or 0.0})
        (folder / "maps.npy").unlink()
    copies = read_json(folder / "copies.json") or {"seconds": 0.0}
    return copies["seconds"] + sum(epoch.seconds for epoch in read_history(folder))


def _gather(
    maps: MapStore, keys: Sequence[str], variants: int, folder: Path
) -> Sequence[NDArray[np.float16]]:
    """The maps in one file, of which training reads a few at a time in any order."""
    folder.mkdir(parents=True, exist_ok=True)
    made: NDArray[np.float16] | None = None
    for number, one in enumerate(maps.maps(keys)):
        if made is None:
            shape = (len(keys) // variants, variants, *one.shape)
            made = np.lib.format.open_memmap(folder / "maps.npy", "w+", np.float16, shape)
        made[divmod(number, variants)] = one
    assert made is not None, "there are training images"
    return cast(Sequence[NDArray[np.float16]], made)


@dataclass(frozen=True)
class Picture:
    """What a network looks at: a picture, or the variant of a training picture."""

    key: str
    path: Path
    augmentation: Augmentation | None = None
    chance: tuple[int, ...] = ()

    def pixels(self) -> NDArray[np.uint8]:
        """The picture, decoded and varied."""
        image = read_image(self.path)
        if self.augmentation is None:
            return image
        return self.augmentation.vary(image, np.random.default_rng(self.chance))


def variants(
    training: Sequence[Image], augmentation: Augmentation | None, seed: int
) -> list[Picture]:
    """Each training image followed by its copies.

    A copy depends on its picture's bytes, its number and the seed, so that another picture in
    the folder changes none.
    """
    made = []
    for image in training:
        made.append(Picture(image.sha256, image.path))
        if augmentation is None:
            continue
        code = code_hash(*closure(type(augmentation).__module__))
        kind = digest([vars(replace(augmentation, copies=0)), seed, code])[:12]
        for number in range(augmentation.copies):
            chance = (seed, int(image.sha256[:8], 16), number)
            key = f"{image.sha256}-{kind}-{number}"
            made.append(Picture(key, image.path, augmentation, chance))
    return made


def look(
    network: Network,
    store: Store[Any],
    pictures: Sequence[Picture],
    workforce: Workforce,
    label: str,
) -> None:
    """Let a network look at the pictures that are not in the store yet.

    Raises
    ------
    ValueError
        If it gives values that are not finite, naming a picture.
    """
    by_key = {picture.key: picture for picture in pictures}
    chunks = cut([by_key[key] for key in store.missing(list(by_key))], BATCH)
    with ThreadPoolExecutor(_READERS) as readers:
        ahead: deque[list[Future[NDArray[np.uint8]]]] = deque()

        def order(chunk: Sequence[Picture]) -> None:
            ahead.append([readers.submit(_ready, network, picture) for picture in chunk])

        for chunk in chunks[:2]:
            order(chunk)
        for number, chunk in enumerate(workforce.track(chunks, len(chunks), label)):
            batch = np.stack([future.result() for future in ahead.popleft()])
            if number + 2 < len(chunks):
                order(chunks[number + 2])
            began = time.perf_counter()
            made = network.run(batch)
            seconds = time.perf_counter() - began
            for picture, one in zip(chunk, made, strict=True):
                if not np.isfinite(one).all():
                    raise ValueError(f"gave values that are not finite for {picture.path}")
            store.add([picture.key for picture in chunk], list(made), seconds)


def _ready(network: Network, picture: Picture) -> NDArray[np.uint8]:
    return network.prepare(picture.pixels())
