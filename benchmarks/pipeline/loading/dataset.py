"""A dataset as the user named it, looked at file by file and put into its parts."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import datasets
from benchmarks.pipeline.cache.fingerprint import code_hash, libraries
from benchmarks.pipeline.cache.store import VectorStore
from benchmarks.pipeline.workers import Workforce, cut
from datasets.assembly import Inspected, assemble
from datasets.errors import UnreadableImageError
from datasets.layout import Item
from datasets.reading import content_hash, read_image
from datasets.task import Dataset


def load(text: str, cache: Path, workforce: Workforce, seed: int = 0) -> Dataset:
    """Load a dataset by name, path or both.

    Every file is hashed; files whose bytes were never seen before are decoded once to see
    whether they can be, so that all extractors work on the same images.

    Parameters
    ----------
    text : str
        See `datasets.resolve`.
    cache : Path
        Where embedded datasets are rendered to, and what is known of files is kept.
    workforce : Workforce
        Who works.
    seed : int
        Seed of the split, where the folders give none.

    Raises
    ------
    InputError
        If there is no such dataset or nothing in it can be used.
    """
    source, root = datasets.resolve(text)
    found = source.collect(root or cache / "datasets", workforce.each)
    inspected = inspect(found.items, source.name, cache, workforce)
    return assemble(source.name, found, inspected, seed, source.licence)


def inspect(
    items: Sequence[Item], name: str, cache: Path, workforce: Workforce
) -> dict[str, Inspected]:
    """Hash files and find out which can be read.

    Parameters
    ----------
    items : sequence of Item
    name : str
        What they belong to, for the progress bar.
    cache : Path
        Where what is known of files is kept.
    workforce : Workforce
        Who works.

    Returns
    -------
    dict of str to Inspected
        By item id.
    """
    store = VectorStore(cache / "readable", "size", _reader_identity())
    hashes = dict(
        zip(
            [item.id for item in items],
            workforce.track(map(_hash, items), len(items), f"hashing {name}"),
            strict=True,
        )
    )
    broken = _look(items, hashes, store, workforce)
    return {
        item.id: Inspected(
            hashes[item.id][0], hashes[item.id][1] or broken.get(hashes[item.id][0])
        )
        for item in items
    }


def _hash(item: Item) -> tuple[str, str | None]:
    """The file's hash, or why there is none."""
    try:
        return content_hash(item.path), None
    except UnreadableImageError as error:
        return "", str(error)


def _look(
    items: Sequence[Item],
    hashes: dict[str, tuple[str, str | None]],
    store: VectorStore,
    workforce: Workforce,
) -> dict[str, str]:
    """Decode what was never decoded before; content hash to problem, for the broken ones."""
    paths = {hashes[item.id][0]: item.path for item in items if hashes[item.id][1] is None}
    unseen = [(key, paths[key]) for key in store.missing(list(paths))]
    broken: dict[str, str] = {}
    for looked in workforce.chunks(_try_to_read, cut(unseen), "reading pictures"):
        if looked.sizes:
            sizes = [np.array(size, np.float32) for size in looked.sizes.values()]
            store.add(list(looked.sizes), sizes, looked.seconds)
        broken |= looked.problems
    return broken


@dataclass(frozen=True)
class _Looked:
    """What a chunk of files turned out to be: sizes of the readable, problems of the others."""

    sizes: dict[str, tuple[float, float]]
    problems: dict[str, str]
    seconds: float


def _try_to_read(chunk: Sequence[tuple[str, Path]]) -> _Looked:
    sizes, problems = {}, {}
    began = time.perf_counter()
    for key, path in chunk:
        try:
            height, width = read_image(path).shape[:2]
            sizes[key] = (float(height), float(width))
        except UnreadableImageError as error:
            problems[key] = str(error)
    return _Looked(sizes, problems, time.perf_counter() - began)


def _reader_identity() -> dict[str, object]:
    module = "datasets.reading"
    return {"code": code_hash(module), "libraries": libraries(module)}
