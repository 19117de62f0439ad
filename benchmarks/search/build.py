"""Making an index, and bringing one up to date: only what is new is looked at."""

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from benchmarks.formats.files import write_json
from benchmarks.pipeline.cache.estimators import HEAD, keep
from benchmarks.pipeline.cache.store import FeatureStore
from benchmarks.pipeline.evaluation.fitted_method import Fitted
from benchmarks.pipeline.extraction.encode import learn_head
from benchmarks.pipeline.extraction.extract import Vectors as Made
from benchmarks.pipeline.extraction.extract import make_vectors
from benchmarks.pipeline.methods.extractor import Row, training_fingerprint
from benchmarks.pipeline.methods.method import Combination
from benchmarks.pipeline.workers import Workforce
from benchmarks.search.encoder import COMBINING, TAIL, learned_folder
from benchmarks.search.index import INDEX, Index, identity_hash
from datasets.errors import InputError
from datasets.task import Dataset, Image
from extractors.base import NothingToLearnError
from extractors.networks.finetuning import FineTuned
from extractors.networks.scratch import ScratchNetwork
from extractors.networks.training import NETWORK
from retrieval.fusion.weights import TooLittleError
from retrieval.knn import Rows, lengths
from retrieval.search import Vectors

_BLOCK = 4096
"""Vectors in memory at a time."""


def build(
    folder: Path,
    combination: Combination,
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
    combination : Combination
        The row that it is searched by.
    dataset : Dataset
        Its gallery is searched; from its training images is learned.
    cache : Path
        Where vectors and what was learned are kept.
    workforce : Workforce
        Who works.
    epochs : int, optional
        As given to `benchmarks.pipeline.methods.names.make`.

    Raises
    ------
    InputError
        If the row cannot search here, with the remedy.
    """
    _require_possible(combination, dataset)
    replaced = old = Index.at(folder)
    about: dict[str, object] = {
        "format": 1,
        "name": dataset.name,
        "root": str(dataset.root.absolute()),
        "row": combination.name,
        "epochs": epochs,
        "preset": combination.tuning.preset if combination.tuning else None,
        "identity": identity_hash(combination),
        "training": training_fingerprint(dataset) if combination.learns else None,
    }
    same = ("row", "epochs", "identity", "training")
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
        matrices = _write_vectors(place, old, combination, dataset, cache, workforce)
        made = about | {"generation": generation, "names": names, "matrices": matrices}
        write_json(folder / INDEX, made)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    if replaced:
        # Only that: another generation may be under way in another process.
        shutil.rmtree(replaced.place, ignore_errors=True)
    return Index(folder)


def _require_possible(combination: Combination, dataset: Dataset) -> None:
    if combination.verification:
        raise InputError(
            f"--extractor {combination.name}: the matches of local features are checked by "
            "benchmarks.run only; leave +geometry away"
        )
    if combination.obstacle:
        raise InputError(f"--extractor {combination.name}: {combination.obstacle}")
    if combination.learns and not dataset.training:
        raise InputError(
            f"--extractor {combination.name}: learns from training images, and there are none; "
            "name a dataset that has some with --learn-from"
        )


def _table(dataset: Dataset) -> tuple[NDArray[np.void], list[str]]:
    """What an index keeps of its pictures, and the names that it counts in."""
    images = dataset.gallery
    found = {name for image in images for name in (image.label, image.distractor)}
    names = sorted(name for name in found if name is not None)
    number = {name: index for index, name in enumerate(names)}
    root = dataset.root.absolute()
    paths = [os.fsencode(os.path.relpath(image.path.absolute(), root)) for image in images]
    ids = [image.id.encode() for image in images]
    kind = [
        ("id", f"S{max(map(len, ids))}"),
        ("path", f"S{max(map(len, paths))}"),
        ("sha256", "S64"),
        ("size", "<i8"),
        ("changed", "<i8"),
        ("label", "<i4"),
        ("distractor", "<i4"),
    ]
    rows = []
    for image, name, path in zip(images, ids, paths, strict=True):
        state = image.path.stat()
        numbers = [-1 if n is None else number[n] for n in (image.label, image.distractor)]
        rows.append((name, path, image.sha256, state.st_size, state.st_mtime_ns, *numbers))
    return np.array(rows, kind), names


def _is_current(
    old: Index, about: Mapping[str, object], table: NDArray[np.void], names: Sequence[str]
) -> bool:
    kept = np.load(old.place / "images.npy", allow_pickle=False)
    same = kept.dtype == table.dtype and kept.tobytes() == table.tobytes()
    return same and old.about.names == names and old.about.root == about["root"]


def _write_vectors(
    place: Path,
    old: Index | None,
    combination: Combination,
    dataset: Dataset,
    cache: Path,
    workforce: Workforce,
) -> int:
    """Write all matrices, and what was learned; returns how many there are."""
    there = {sha: row for row, sha in enumerate(old.hashes())} if old else {}
    first: dict[str, Image] = {}
    for image in dataset.gallery:
        if image.sha256 not in there:
            first.setdefault(image.sha256, image)
    new = tuple(first.values())
    kept: Vectors = old.vectors if old else []
    with ExitStack() as stack:
        made: Vectors = []
        if new or old is None:
            part = replace(dataset, gallery=new, queries={}, relevance={})
            fitted = _fit(combination, part, cache, workforce, place)
            stack.enter_context(fitted)
            made = fitted.vectors(new)
        else:
            for source in old.place.glob("learned-*"):
                shutil.copytree(source, place / source.name)
            if (old.place / COMBINING).exists():
                shutil.copy(old.place / COMBINING, place)
        fresh = {image.sha256: row for row, image in enumerate(new)}
        count = max(len(made), len(kept))
        for number in range(count):
            _write_matrix(
                place,
                number,
                [image.sha256 for image in dataset.gallery],
                (made[number], fresh) if made else None,
                (kept[number], there) if kept else None,
            )
    return count


def _write_matrix(
    place: Path,
    number: int,
    keys: Sequence[str],
    *sources: tuple[Rows, Mapping[str, int]] | None,
) -> None:
    """Gather a matrix from where its rows are, a block at a time, with their lengths."""
    parts = [source for source in sources if source is not None]
    dims = parts[0][0].shape[1]
    path = place / f"vectors-{number}.npy"
    matrix = np.lib.format.open_memmap(path, "w+", np.float32, (len(keys), dims))
    measured = np.empty(len(keys), np.float32)
    for start in range(0, len(keys), _BLOCK):
        block = keys[start : start + _BLOCK]
        for rows, places in parts:
            mine = [(n, places[key]) for n, key in enumerate(block) if key in places]
            for n, row in mine:
                matrix[start + n] = rows[row : row + 1][0]
        measured[start : start + len(block)] = lengths(matrix[start : start + len(block)])
    matrix.flush()
    np.save(place / f"lengths-{number}.npy", measured)


def _fit(
    combination: Combination, dataset: Dataset, cache: Path, workforce: Workforce, place: Path
) -> Fitted:
    """Describe the dataset's images and learn all that the row learns, keeping it in `place`."""
    made = make_vectors(combination.rows, dataset, cache, False, workforce)
    for row in combination.rows:
        if row.name in made.skipped or row.name in made.failures:
            why = made.skipped.get(row.name) or made.failures[row.name]
            raise InputError(f"--extractor {combination.name}: {why}")
    try:
        fitted = Fitted(combination, dataset, made, cache)
    except (TooLittleError, NothingToLearnError) as error:
        raise InputError(f"--extractor {combination.name}: {error}") from error
    for number, row in enumerate(combination.rows):
        _keep_row(row, dataset, made, learned_folder(place, number))
    if fitted.combining and fitted.combining.learns:
        keep(fitted.combining, place / COMBINING)
    return fitted


def _keep_row(row: Row, dataset: Dataset, made: Made, folder: Path) -> None:
    folder.mkdir(parents=True)
    if isinstance(row.head, FineTuned | ScratchNetwork):
        trained, vectors = made.trained[row.name] / NETWORK, made.stores[row.name].folder
        if not trained.exists():
            raise InputError(
                f"--extractor {row.name}: its network is no longer in {trained.parent}; remove "
                f"{vectors}, too, and it is trained again"
            )
        shutil.copy(trained, folder / NETWORK)
    elif row.head_learns:
        features = made.features.get(row.name)
        assert features is None or isinstance(features, FeatureStore), "no feature maps here"
        learn_head(row, dataset, made.stores[row.name], features)
        keep(row.head, folder / HEAD)
    if row.tail:
        assert isinstance(row.tail, Pipeline), "a row's tail is a pipeline"
        keep(row.tail, folder / TAIL)
