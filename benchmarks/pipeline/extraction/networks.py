"""Networks at work: feature maps of pictures, training on them, and the vectors.

A network works on all cores by itself, so its pictures go through this process, a batch at a
time, while threads decode and prepare the next.
"""

import logging
import time
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import read_checked, write_checked, write_json
from benchmarks.pipeline.cache.fingerprint import computes, digest
from benchmarks.pipeline.cache.store import MapStore
from benchmarks.pipeline.cache.working import remove_folder, working_folder
from benchmarks.pipeline.extraction.contract import as_matrix
from benchmarks.pipeline.extraction.inputs import Input, PictureInput
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.loading.listed import LazyImages
from benchmarks.pipeline.loading.training import require_training, training_fingerprint
from benchmarks.pipeline.methods.extractor import ExtractorSteps, map_store
from benchmarks.pipeline.workers import Workforce, cut
from datasets.errors import DamagedError
from datasets.task import Dataset, Image
from extractors.matrices import scratch_matrix
from extractors.networks.augmentation import Augmentation
from extractors.networks.engine import BATCH
from extractors.networks.history import read_history
from extractors.networks.pretrained import Network
from extractors.networks.saving import DamagedNetworkError, is_trained

log = logging.getLogger(__name__)

_COPIES = "copies.json"

_READERS = 2
"""Threads that decode; the network needs the cores more."""


def run_networks(
    extractors: Sequence[ExtractorSteps],
    extracted: Mapping[str, Extracted],
    dataset: Dataset,
    cache: Path,
    forget: bool,
    workforce: Workforce,
) -> None:
    """Make every vector by networks that is not stored yet, training where needed.

    Parameters
    ----------
    extractors : sequence of ExtractorSteps
        Those with a network.
    extracted : mapping of str to Extracted
        Their stores, by name; feature maps, trainings and what goes wrong are noted there.
    dataset : Dataset
        Its images are described; networks are trained on its training images.
    cache : Path
        Folder of maps, trained networks and their histories.
    forget : bool
        Make everything anew.
    workforce : Workforce
        Shows progress.
    """
    opened: dict[Path, MapStore] = {}
    for one in extractors:
        mine = extracted[one.name]
        if one.stem:
            store = map_store(one.stem, cache, forget)
            mine.maps = opened.setdefault(store.folder, store)
        if one.head.is_supervised:
            mine.training = _training_folder(one, dataset, cache)
            if forget:
                remove_folder(mine.training)
        with mine.outcome():
            _run(one, mine, dataset, forget, workforce)


def _training_folder(extractor: ExtractorSteps, dataset: Dataset, cache: Path) -> Path:
    parts = [extractor.identity, training_fingerprint(dataset)]
    return cache / "networks" / f"{extractor.name}-{digest(parts)[:16]}"


def _run(
    extractor: ExtractorSteps,
    mine: Extracted,
    dataset: Dataset,
    forget: bool,
    workforce: Workforce,
) -> None:
    """Fit the head if it learns, then make the vectors that are missing."""
    images = [image for _, image in dataset.images]
    missing = set(mine.store.missing([image.sha256 for image in images]))
    if missing and mine.training:
        require_training(dataset.training, dataset)
        if not _loaded(extractor, mine.training):
            # The vectors of another training are not to be compared with this one's.
            mine.store.clear()
            missing = {image.sha256 for image in images}
            with working_folder(mine.training, forget) as folder:
                _train(extractor, mine.maps, folder, dataset, workforce)
        mine.store.fit_seconds = _seconds(mine.training)
    inputs = [PictureInput(i) for i in images if i.sha256 in missing]
    network, label = extractor.network, f"{extractor.name} on {dataset.name}"
    assert network is not None, "extractors without a network are run elsewhere"
    run_network(network, mine.maps or mine.store, inputs, workforce, label)
    if mine.maps:
        for keys in cut(mine.store.missing([one.key for one in inputs]), BATCH):
            began = time.perf_counter()
            made = extractor.head.transform(mine.maps.maps(list(keys)))
            vectors = list(as_matrix(made, len(keys)))
            mine.store.add(keys, vectors, time.perf_counter() - began)


def _loaded(extractor: ExtractorSteps, folder: Path) -> bool:
    """Load the network that was trained before, unless there is none or it is damaged."""
    if is_trained(folder):
        try:
            extractor.head.load(folder)
            return True
        except DamagedNetworkError as error:
            log.warning("%s is trained again: %s", extractor.name, error)
    remove_folder(folder)
    return False


def _train(
    extractor: ExtractorSteps,
    maps: MapStore | None,
    folder: Path,
    dataset: Dataset,
    workforce: Workforce,
) -> None:
    """Train the network in a folder of its own."""
    head, labels = extractor.head, [image.label or "" for image in dataset.training]

    def track(items: Iterable[int], total: int, label: str) -> Iterator[int]:
        label = f"{label} {extractor.name} on {dataset.name}, epochs"
        return workforce.track(items, total, label)

    write_json(folder / "identity.json", extractor.identity)
    seconds: float | None = 0.0
    if maps is None or extractor.stem is None:
        images = LazyImages(dataset.training)
        head.fit(images, labels, folder=folder, track=track)
    else:
        inputs = augmented_inputs(dataset.training, head.augmentation, head.recipe.seed)
        run_network(extractor.stem, maps, inputs, workforce, f"augmented copies of {dataset.name}")
        keys = [one.key for one in inputs]
        head.fit(_gather(maps, keys, head.variants, folder), labels, folder=folder, track=track)
        seconds = maps.seconds(keys)
    write_checked(folder / _COPIES, {"seconds": seconds})


def _seconds(folder: Path) -> float | None:
    """Seconds that a training took with the maps of its copies; None if they are not known."""
    try:
        kind = dict[str, float | None]
        copies = read_checked(folder / _COPIES, kind, "the duration of training is lost") or {}
    except DamagedError as error:
        log.warning("%s", error)
        return None
    seconds, history = copies.get("seconds", 0.0), read_history(folder)
    if seconds is None or not history:
        return None
    return seconds + sum(epoch.seconds for epoch in history)


def _gather(
    maps: MapStore, keys: Sequence[str], variants: int, folder: Path
) -> Sequence[NDArray[np.float16]]:
    """The maps in one matrix, of which training reads a few at a time in any order."""
    gathered: NDArray[np.float16] | None = None
    for number, one in enumerate(maps.maps(keys)):
        if gathered is None:
            shape = (len(keys) // variants, variants, *one.shape)
            gathered = scratch_matrix(folder, np.float16, shape)
        gathered[divmod(number, variants)] = one
    assert gathered is not None, "there are training images"
    return cast(Sequence[NDArray[np.float16]], gathered)


def augmented_inputs(
    training: Sequence[Image], augmentation: Augmentation | None, seed: int
) -> list[PictureInput]:
    """Give each training image followed by its copies.

    A copy depends on its picture's bytes, its number and the seed, so that another picture in
    the folder changes none.

    Parameters
    ----------
    training : sequence of Image
        Training images.
    augmentation : Augmentation or None
        Makes the copies; without it there are none.
    seed : int
        Seed of all copies.
    """
    kind = augmentation and digest([computes(replace(augmentation, copies=0)), seed])[:12]
    inputs = []
    for image in training:
        inputs.append(PictureInput(image))
        for number in range(augmentation.copies if augmentation else 0):
            chance = (seed, int(image.sha256[:8], 16), number)
            inputs.append(PictureInput(image, f"{kind}-{number}", augmentation, chance))
    return inputs


class Sink(Protocol):
    """A place for what a network makes, such as a store."""

    def missing(self, keys: Collection[str]) -> list[str]:
        """Those of the keys that it has nothing of yet."""
        ...

    def add(self, keys: Sequence[str], values: Sequence[Any], seconds: float) -> None:
        """Take one value per key, and how long making them all took."""


def run_network(
    network: Network,
    store: Sink,
    inputs: Sequence[Input],
    workforce: Workforce,
    label: str,
) -> None:
    """Run a network on the inputs that are not in the store yet.

    Parameters
    ----------
    network : Network
        Runs in this process.
    store : Sink
        Gets its outputs.
    inputs : sequence of Input
        Pictures and copies.
    workforce : Workforce
        Shows progress.
    label : str
        Text of the progress bar.

    Raises
    ------
    ValueError
        If it gives values that are not finite, naming a picture.
    """
    by_key = {one.key: one for one in inputs}
    chunks = cut([by_key[key] for key in store.missing(list(by_key))], BATCH)
    with ThreadPoolExecutor(_READERS) as readers:
        ahead: deque[list[Future[NDArray[np.uint8]]]] = deque()

        def order(chunk: Sequence[Input]) -> None:
            ahead.append([readers.submit(_prepared, network, one) for one in chunk])

        for chunk in chunks[:2]:
            order(chunk)
        for number, chunk in enumerate(workforce.track(chunks, len(chunks), label)):
            batch = np.stack([future.result() for future in ahead.popleft()])
            if number + 2 < len(chunks):
                order(chunks[number + 2])
            began = time.perf_counter()
            outputs = network.run(batch)
            seconds = time.perf_counter() - began
            for one, output in zip(chunk, outputs, strict=True):
                if not np.isfinite(output).all():
                    raise ValueError(f"gave values that are not finite for {one.path}")
            store.add([one.key for one in chunk], list(outputs), seconds)


def _prepared(network: Network, one: Input) -> NDArray[np.uint8]:
    return network.prepare(one.pixels())
