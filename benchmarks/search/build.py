"""Building of an index, or bringing one up to date: only pictures that are new are described."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.pipeline.evaluation.fitted_method import CANNOT_LEARN, FittedMethod
from benchmarks.pipeline.extraction.encode import restore_head
from benchmarks.pipeline.extraction.extract import extract
from benchmarks.pipeline.loading.training import training_fingerprint
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.workers import Workforce
from benchmarks.search.encoder import FUSION, QueryEncoder
from benchmarks.search.files import FORMAT, IMAGES, INDEX, About, Generation, publish, steadily
from benchmarks.search.generations import is_generation, new_generation, sweep
from benchmarks.search.index import Index, identity_hash
from datasets.errors import DamagedError, InputError
from datasets.task import Dataset, Image
from datasets.walk import as_text
from extractors.matrices import open_matrix
from extractors.precision import is_same
from retrieval.rows import Rows, lengths, release
from retrieval.search import Vectors

_SAME = ("method", "epochs", "identity", "training")
"""Fields of an index that another with the same vectors has as well."""

_ANEW = (
    "what the method learned on the same images before is gone, and learned again it makes other "
    "vectors; all pictures are described anew"
)

_FEW = 4
"""Pictures by which it is seen: in one alone, nothing might be found."""

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
    return steadily(folder, lambda: _build(folder, method, dataset, cache, workforce, epochs))


def _build(
    folder: Path,
    method: Method,
    dataset: Dataset,
    cache: Path,
    workforce: Workforce,
    epochs: int | None,
) -> Index:
    old = _open_old(folder, workforce)
    table, names = _table(dataset)
    about: dict[str, object] = {
        "format": FORMAT,
        "name": as_text(dataset.name),
        "method": method.name,
        "epochs": epochs,
        "preset": method.tuning.preset if method.tuning else None,
        "identity": identity_hash(method),
        "training": training_fingerprint(dataset) if method.learns else None,
        "names": names,
    }
    if folder.parent != cache / "indexes":  # where each has a folder of its own
        _require_its_own(folder, old, about, table, dataset.root)
    replaced = old.about.generation if old else None
    if old and any(getattr(old.about, key) != about[key] for key in _SAME):
        old = None
    if old and _is_current(old, table, names):
        try:
            return Index(old)
        except DamagedError as error:
            workforce.log(str(error))
            old = None
    with new_generation(folder) as place:
        open_matrix(place / IMAGES, table.dtype, table.shape)[:] = table
        matrices = _write_vectors(place, old, method, dataset, cache, workforce)
        made = publish(folder, about | {"matrices": matrices}, place)
    del old  # Windows removes no file that is mapped
    sweep(folder, replaced)
    return Index(Generation(folder, made))


def _open_old(folder: Path, workforce: Workforce) -> Generation | None:
    """The index that is there; of a damaged one nothing is taken."""
    try:
        return Generation.open(folder)
    except DamagedError as error:
        if not _is_ours(folder):
            raise InputError(
                f"{folder / INDEX}: not written by this version of the suite; "
                "remove it, or name another folder"
            ) from error
        workforce.log(str(error))
        return None


def _require_its_own(
    folder: Path,
    old: Generation | None,
    about: Mapping[str, object],
    table: NDArray[np.void],
    root: Path,
) -> None:
    """Refuse to replace an index of other pictures, or by another method.

    A folder that was moved or renamed has the same pictures, and one whose pictures were all
    replaced is the same folder.
    """
    if old and not (old.about.method == about["method"] and _shares(old.images, table, root)):
        was, becomes = old.about.name, about["name"]
        if was == becomes and old.about.method == about["method"]:
            was, becomes = (f"{was} ({_first(one)} …)" for one in (old.images, table))
        raise InputError(
            f"--index {folder}: is an index of {was} by {old.about.method}, and would become one "
            f"of {becomes} by {about['method']}; remove it, or name another folder"
        )
    if others := sorted(place.parent.name for place in folder.glob(f"*/{INDEX}")):
        raise InputError(f"--index {folder}: holds indexes ({', '.join(others)}); name another")


def _shares(old: NDArray[np.void], new: NDArray[np.void], root: Path) -> bool:
    """Whether an old table has a picture of a new one, or one of the same folder."""
    if {*old["sha256"].tolist()} & {*new["sha256"].tolist()}:
        return True
    below = os.fsencode(root.absolute() / "_")[:-1]
    return any(path.startswith(below) for path in old["path"].tolist())


def _first(table: NDArray[np.void]) -> str:
    """Place of the first picture, to be shown."""
    return bytes(table["path"][0]).decode("utf-8", "backslashreplace")


def _is_ours(folder: Path) -> bool:
    """Whether this suite wrote the ``index.json`` of a folder, damaged though it may be."""
    try:
        return About.read(folder) is not None
    except DamagedError:
        return any(map(is_generation, folder.iterdir()))


def _require_possible(method: Method, dataset: Dataset) -> None:
    if method.runs_only:
        raise InputError(f"--extractor {method.name}: {method.runs_only}")
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
    paths = [os.fsencode(image.path.absolute()) for image in images]
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


def _is_current(old: Generation, table: NDArray[np.void], names: Sequence[str]) -> bool:
    same = old.images.dtype == table.dtype and old.images.tobytes() == table.tobytes()
    return same and old.about.names == names


def _write_vectors(
    place: Path,
    old: Generation | None,
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
    common = (image for image in dataset.gallery if image.sha256 in there and method.learns)
    known = [*islice(common, _FEW)]
    kept: Sequence[Any] = old.vectors if old else []
    made: Vectors = []
    if new or old is None:
        part = replace(dataset, gallery=(*known, *new), queries={}, relevance={})
        fitted = _fit(method, part, cache, workforce, place)
        if any(not _is_kept(fitted, image, kept, there[image.sha256]) for image in known):
            workforce.log(f"--index {place.parent}: {_ANEW}")
            return _write_vectors(place, None, method, dataset, cache, workforce)
        made = fitted.vectors(new)
    else:
        _copy_learned(old, place)
    keys = [image.sha256 for image in dataset.gallery]
    count = max(len(made), len(kept))
    for number in range(count):
        fresh = made[number] if made else None
        _write_matrix(place, number, keys, fresh, kept[number] if kept else None, there)
    return count


def _is_kept(fitted: FittedMethod, image: Image, kept: Sequence[Any], row: int) -> bool:
    """Whether a picture's vectors are those of an old index, which may be of another training."""
    pairs = zip(fitted.vectors([image]), kept, strict=True)
    return all(is_same(made[:][0], matrix[row]) for made, matrix in pairs)


def _copy_learned(old: Generation, place: Path) -> None:
    """Copy what was learned from one generation to another."""
    for name in old.about.files:
        if name == FUSION or "/" in name:
            (place / name).parent.mkdir(exist_ok=True)
            try:
                shutil.copyfile(old.place / name, place / name)
            except FileNotFoundError as error:  # replaced meanwhile
                raise old.damaged(f"{name} is missing") from error


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
    matrix = open_matrix(place / f"vectors-{number}.npy", np.float32, (len(keys), dims))
    measured = open_matrix(place / f"lengths-{number}.npy", np.float32, (len(keys),))
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
            fresh = made[done : done + len(new)]
            matrix[new] = fresh
            release(fresh)
            done += len(new)
        if copies:
            matrix[copies] = matrix[[first[keys[n]] for n in copies]]
        written = matrix[start : block.stop]
        measured[start : block.stop] = lengths(written)
        release(written)
    for whole in (matrix, measured):
        whole.flush()  # type: ignore[attr-defined]


def _fit(
    method: Method, dataset: Dataset, cache: Path, workforce: Workforce, place: Path
) -> FittedMethod:
    """Describe the dataset's images and fit the method, keeping in `place` what was learned."""
    extracted = extract(method.extractors, dataset, cache, False, workforce)
    for mine in extracted.values():
        if not mine.is_usable:
            raise InputError(f"--extractor {method.name}: {mine.obstacle}")
    try:
        fitted = FittedMethod(method, dataset, extracted, cache)
    except CANNOT_LEARN as error:
        raise InputError(f"--extractor {method.name}: {error}") from error
    for one in method.extractors:
        restore_head(one, dataset, extracted[one.name])
    QueryEncoder.save(fitted, place)
    return fitted
