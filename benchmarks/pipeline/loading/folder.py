"""Every picture below a folder, as a gallery to be searched."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from benchmarks.pipeline.loading.dataset import inspect, load
from benchmarks.pipeline.workers import Workforce
from datasets.assembly import Inspected
from datasets.errors import InputError
from datasets.layout import Item, files_below, image_id, require_folder
from datasets.task import Dataset, Image, Problem


class Known(NamedTuple):
    """What is known of a file that was looked at before."""

    size: int
    changed: int
    sha256: str


def folder_source(
    root: Path,
    learn_from: str | None,
    cache: Path,
    workforce: Workforce,
    known: Mapping[str, Known],
) -> Dataset:
    """Every picture below a folder, however it is arranged, as a gallery.

    The class of a picture is the name of the folder that it lies in; one that lies in `root`
    itself has none.

    Parameters
    ----------
    root : Path
    learn_from : str, optional
        Dataset whose training images may be learned from, see `datasets.resolve`.
    cache : Path
        Where what is known of files is kept.
    workforce : Workforce
        Who works.
    known : mapping of str to Known
        By id, files that need not be read again if they are as they were.

    Raises
    ------
    InputError
        If there is no readable picture.
    """
    require_folder(root)
    items = [_item(path, root) for path in files_below(root)]
    unread = [item for item in items if not is_unchanged(item.path, known.get(item.id))]
    inspected = inspect(unread, root.name, cache, workforce)
    for item in items:
        if item.id not in inspected:
            inspected[item.id] = Inspected(known[item.id].sha256)
    images = [
        Image(item.id, item.path, inspected[item.id].sha256, item.label)
        for item in sorted(items, key=lambda item: item.id)
        if inspected[item.id].problem is None
    ]
    problems = [
        Problem(item.id, problem, "left out")
        for item in items
        if (problem := inspected[item.id].problem) is not None
    ]
    if not images:
        raise InputError(f"--pictures {root}: no readable picture in it; add some")
    return Dataset(
        root.resolve().name,
        root,
        _training(learn_from, cache, workforce, images),
        tuple(images),
        {},
        problems=tuple(problems),
    )


def is_unchanged(path: Path, known: Known | None) -> bool:
    """Whether a file has the size and the time of change that it had."""
    if known is None:
        return False
    try:
        state = path.stat()
    except OSError:
        return False
    return (state.st_size, state.st_mtime_ns) == (known.size, known.changed)


def _item(path: Path, root: Path) -> Item:
    folder = path.parent
    label = None if folder == root else os.fsencode(folder.name).decode(errors="backslashreplace")
    return Item(image_id(path, root), path, "gallery", label)


def _training(
    text: str | None, cache: Path, workforce: Workforce, gallery: list[Image]
) -> tuple[Image, ...]:
    """Another dataset's training images, without those that are searched."""
    if text is None:
        return ()
    searched = {image.sha256 for image in gallery}
    training = load(text, cache, workforce).training
    return tuple(image for image in training if image.sha256 not in searched)
