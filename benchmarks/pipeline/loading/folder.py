"""Every picture below a folder, however it is arranged, as a gallery."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.pipeline.loading.dataset import inspect, load, mark_as_cache
from benchmarks.pipeline.workers import Workforce
from datasets.errors import InputError
from datasets.layout import Item
from datasets.problems import tabulate
from datasets.task import Dataset, Image
from datasets.walk import File, walk


def load_folder(
    root: Path,
    learn_from: str | None,
    cache: Path,
    workforce: Workforce,
    seed: int = 0,
    layout: Sequence[str] = (),
    reread: bool = False,
) -> Dataset:
    """Load every picture below a folder as a gallery.

    The class of a picture is the name of the folder that it lies in; one that lies in `root`
    itself has none.

    Parameters
    ----------
    root : Path
        The folder.
    learn_from : str, optional
        Dataset whose training images may be learned from, see `datasets.resolve`.
    cache : Path
        Folder of what is known of files.
    workforce : Workforce
        The workers.
    seed, layout
        Seed of the other dataset's split, and the form of its folder.
    reread : bool
        Hash every file anew, as if none were as it was.

    Raises
    ------
    InputError
        If there is no readable picture.
    """
    mark_as_cache(cache)
    listing = walk(root)
    items = [_item(file) for file in listing.files]
    inspected = inspect(items, root.name, cache, workforce, reread)
    images = [
        item.to_image(inspected[item.id].sha256)
        for item in items
        if inspected[item.id].problem is None
    ]
    problems = list(listing.problems)
    problems += [problem for item in items for problem in inspected[item.id].problems(item.id)]
    if not images:
        raise InputError(f"{root}: no readable picture in it; add some")
    training: tuple[Image, ...] = ()
    if learn_from is not None:
        searched = {image.sha256 for image in images}
        others = load(learn_from, cache, workforce, seed, layout).training
        training = tuple(image for image in others if image.sha256 not in searched)
    return Dataset(
        root.resolve().name,
        root,
        training,
        tuple(images),
        {},
        problems=tabulate(problems),
    )


def _item(file: File) -> Item:
    label = file.parts[-2] if len(file.parts) > 1 else None
    return Item(file.id, file.path, "gallery", label)
