"""Building of an index, or bringing one up to date: only pictures that are new are described."""

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import write_json
from benchmarks.pipeline.evaluation.fitted_method import FittedMethod
from benchmarks.pipeline.extraction.encode import restore_head
from benchmarks.pipeline.extraction.extract import extract
from benchmarks.pipeline.loading.training import training_fingerprint
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.workers import Workforce
from benchmarks.search.encoder import FUSION, QueryEncoder
from benchmarks.search.index import FORMAT, INDEX, Index, identity_hash
from datasets.errors import InputError
from datasets.task import Dataset, Image
from extractors.base import NothingToLearnError
from retrieval.fusion.weights import TooLittleError
from retrieval.knn import Rows, lengths
from retrieval.search import Vectors

_BLOCK = 4096
"""Vectors in memory at a time."""


def build(
    folder: Path,
    method: Method,
    dataset: Dataset,
    cache: Path,
    workforce: Workforce,
    epochs: int | None = None,
) -> Index:
    """Make an index of a dataset's gallery, or bring the one that is there up to date.

    Parameters
    ----------
    folder : Path
        Where it goes.
    method : Method
        It is searched by this.
    dataset : Dataset
        Its gallery is searched; learned is from its training images.
    cache : Path
        Folder of vectors and of what was learned.
    workforce : Workforce
        The workers.
    epochs : int, optional
        As given to `benchmarks.pipeline.methods.names.parse_method`.

    Raises
    ------
    InputError
        If the method cannot search here, with the remedy.
    """
    _require_possible(method, dataset)
    replaced = old = Index.at(folder)
    about: dict[str, object] = {
        "format": FORMAT,
        "name": dataset.name,
        "root": str(dataset.root.absolute()),
        "method": method.name,
        "epochs": epochs,
        "preset": method.tuning.preset if method.tuning else None,
        "identity": identity_hash(method),
        "training": training_fingerprint(dataset) if method.learns else None,
    }
    same = ("method", "epochs", "identity", "training")
    if old and any(getattr(old.about, key) != about[key] for key in same):
        old = None
    table, names = _table(dataset)
    if old and _is_current(old, about, table, names):
        return old
    generation = secrets.token_hex(4)
    place = folder / generation
    try:
        place.mkdir(parents=True)
        np.save(place / "images.npy", table)
        matrices = _write_vectors(place, old, method, dataset, cache, workforce)
        made = about | {"generation": generation, "names": names, "matrices": matrices}
        write_json(folder / INDEX, made)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    if replaced:
        # Only that: another generation may be under way in another process.
        shutil.rmtree(replaced.generation, ignore_errors=True)
    return Index(folder)


def _require_possible(method: Method, dataset: Dataset) -> None:
    if method.verification:
        raise InputError(
            f"--extractor {method.name}: the matches of local features are checked by "
            "benchmarks.run only; leave +geometry away"
        )
    if method.obstacle:
        raise InputError(f"--extractor {method.name}: {method.obstacle}")
    if method.learns and not dataset.training:
        raise InputError(
            f"--extractor {method.name}: learns from training images, and there are none; "
            "name a dataset that has some with --learn-from"
        )


def _table(dataset: Dataset) -> tuple[NDArray[np.void], list[str]]:
    """The pictures as an index keeps them, and the names of the classes that it counts in."""
    images = dataset.gallery
    found = {name for image in images for name in (image.label, image.distractor)}
    names = sorted(name for name in found if name is not None)
    number: dict[str | None, int] = {name: index for index, name in enumerate(names)}
    root = dataset.root.absolute()
    paths = [os.fsencode(os.path.relpath(image.path.absolute(), root)) for image in images]
    ids = [image.id.encode() for image in images]
    kind = [
        ("id", f"S{max(map(len, ids))}"),
        ("path", f"S{max(map(len, paths))}"),
        ("sha256", "S64"),
        ("label", "<i4"),
        ("distractor", "<i4"),
    ]
    rows = [
        (name, path, image.sha256, *(number.get(n, -1) for n in (image.label, image.distractor)))
        for image, name, path in zip(images, ids, paths, strict=True)
    ]
    return np.array(rows, kind), names


def _is_current(
    old: Index, about: Mapping[str, object], table: NDArray[np.void], names: Sequence[str]
) -> bool:
    kept = np.load(old.generation / "images.npy", allow_pickle=False)
    same = kept.dtype == table.dtype and kept.tobytes() == table.tobytes()
    return same and old.about.names == names and old.about.root == about["root"]


def _write_vectors(
    place: Path,
    old: Index | None,
    method: Method,
    dataset: Dataset,
    cache: Path,
    workforce: Workforce,
) -> int:
    """Write all matrices, and what was learned; gives the number of matrices."""
    there = {sha: row for row, sha in enumerate(old.hashes())} if old else {}
    first: dict[str, Image] = {}
    for image in dataset.gallery:
        if image.sha256 not in there:
            first.setdefault(image.sha256, image)
    new = tuple(first.values())
    kept: Sequence[Any] = old.vectors if old else []
    made: Vectors = []
    if new or old is None:
        part = replace(dataset, gallery=new, queries={}, relevance={})
        fitted = _fit(method, part, cache, workforce, place)
        made = fitted.vectors(new)
    else:
        for source in old.generation.glob("learned-*"):
            shutil.copytree(source, place / source.name)
        if (old.generation / FUSION).exists():
            shutil.copy(old.generation / FUSION, place)
    keys = [image.sha256 for image in dataset.gallery]
    count = max(len(made), len(kept))
    for number in range(count):
        fresh = made[number] if made else None
        _write_matrix(place, number, keys, fresh, kept[number] if kept else None, there)
    return count


def _write_matrix(
    place: Path,
    number: int,
    keys: Sequence[str],
    made: Rows | None,
    kept: NDArray[np.float32] | None,
    there: Mapping[str, int],
) -> None:
    """Gather a matrix from the old one and from new vectors, a block at a time.

    New vectors are read in their order, which is that in which their pictures first come up;
    further copies of a picture are copied.
    """
    dims = made.shape[1] if made is not None else kept.shape[1]  # type: ignore[union-attr]
    matrix = np.lib.format.open_memmap(
        place / f"vectors-{number}.npy", "w+", np.float32, (len(keys), dims)
    )
    measured = np.empty(len(keys), np.float32)
    first: dict[str, int] = {}
    done = 0
    for start in range(0, len(keys), _BLOCK):
        block = range(start, min(start + _BLOCK, len(keys)))
        old = [n for n in block if keys[n] in there]
        others = [n for n in block if keys[n] not in there]
        new = [n for n in others if first.setdefault(keys[n], n) == n]
        copies = [n for n in others if first[keys[n]] != n]
        if old and kept is not None:
            matrix[old] = kept[[there[keys[n]] for n in old]]
        if new and made is not None:
            matrix[new] = made[done : done + len(new)]
            done += len(new)
        if copies:
            matrix[copies] = matrix[[first[keys[n]] for n in copies]]
        measured[start : block.stop] = lengths(matrix[start : block.stop])
    matrix.flush()
    np.save(place / f"lengths-{number}.npy", measured)


def _fit(
    method: Method, dataset: Dataset, cache: Path, workforce: Workforce, place: Path
) -> FittedMethod:
    """Describe the dataset's images and fit the method, keeping in `place` what was learned."""
    extracted = extract(method.extractors, dataset, cache, False, workforce)
    for mine in extracted.values():
        if not mine.is_usable:
            raise InputError(f"--extractor {method.name}: {mine.skipped or mine.failed}")
    try:
        fitted = FittedMethod(method, dataset, extracted, cache)
    except (TooLittleError, NothingToLearnError) as error:
        raise InputError(f"--extractor {method.name}: {error}") from error
    for one in method.extractors:
        restore_head(one, dataset, extracted[one.name])
    QueryEncoder.save(fitted, place)
    return fitted
