"""Thumbnails of the page, named by the content hashes of their pictures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image as PILImage

import datasets
from benchmarks.formats.files import write_whole
from benchmarks.pipeline.loading.dataset import load
from benchmarks.pipeline.loading.variants import EDGES, with_edges
from benchmarks.pipeline.records.results import Results
from benchmarks.pipeline.workers import Workforce
from datasets.errors import UnreadableImageError
from datasets.reading import read_image
from datasets.task import Dataset

SIDE = 96
"""Longest side in pixels."""

_QUALITY = 70


@dataclass(frozen=True)
class Pictures:
    """Datasets in which pictures are looked for.

    Attributes
    ----------
    given : tuple of str
        As the user names them, see `datasets.resolve`.
    cache : Path
        Folder that embedded datasets are rendered to and drawings are kept in.
    layout : tuple of str
        Form of their folders, if the user names it; see `datasets.recognition.by_hand`.
    """

    given: tuple[str, ...]
    cache: Path
    layout: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for text in self.given:
            datasets.resolve(text, self.layout)

    def find(
        self, missing: Mapping[str, set[str]], known: Mapping[str, Results], workforce: Workforce
    ) -> dict[str, Path]:
        """Find pictures by their content hashes; returns content hash to file.

        Parameters
        ----------
        missing : mapping of str to set of str
            Name of the dataset to content hashes.
        known : mapping of str to Results
            Name of the dataset to its results.
        workforce : Workforce
            Hashes, renders and draws.

        Raises
        ------
        InputError
            If a dataset is not what it was said to be.
        """
        wanted = set().union(*missing.values())
        if not wanted:
            return {}
        named = {datasets.resolve(text)[0].name for text in self.given}
        embedded = [
            name
            for name, hashes in missing.items()
            if hashes and datasets.is_embedded(name) and name not in named
        ]
        files: dict[str, Path] = {}
        for text in (*self.given, *embedded):
            loaded = self._load(text, known, workforce)
            files |= {i.sha256: i.path for _, i in loaded.images if i.sha256 in wanted}
        return files

    def _load(self, text: str, known: Mapping[str, Results], workforce: Workforce) -> Dataset:
        """Load a dataset, split as in the results, with drawings if those have some."""
        results = known.get(datasets.resolve(text)[0].name)
        seed = _seed(results) if results else 0
        loaded = load(text, self.cache, workforce, seed, self.layout)
        drawn = results is not None and EDGES in results.about.query_sets
        if drawn and EDGES not in loaded.queries and loaded.queries.get("query"):
            return with_edges(loaded, self.cache, workforce)
        return loaded


def _seed(results: Results) -> int:
    records = (record for task in results.tasks.values() for record in task.records)
    return next((record["card"]["seed"] for record in records), 0)


def thumbnail_name(sha256: str) -> str:
    """File name of a picture's thumbnail."""
    return f"{sha256[:16]}-{SIDE}.webp"


def with_thumbnail(folder: Path, hashes: Iterable[str]) -> set[str]:
    """Content hashes of the pictures that have a thumbnail."""
    there = {path.name for path in folder.glob("*.webp")}
    return {sha256 for sha256 in hashes if thumbnail_name(sha256) in there}


def make_thumbnails(folder: Path, files: Mapping[str, Path], workforce: Workforce) -> None:
    """Make thumbnails; a picture that cannot be read goes without.

    Parameters
    ----------
    folder : Path
        They go there.
    files : mapping of str to Path
        Content hash to file.
    workforce : Workforce
        Makes them.
    """
    todo = [(folder / thumbnail_name(sha256), files[sha256], sha256) for sha256 in sorted(files)]
    for _ in workforce.each(_make, todo, "thumbnails"):
        pass


def keep_only(folder: Path, names: Iterable[str]) -> None:
    """Remove all other files of an older page from a folder."""
    wanted = set(names)
    for path in sorted(folder.glob("*")):
        if path.name not in wanted:
            path.unlink()


def _make(task: tuple[Path, Path, str]) -> None:
    path, file, sha256 = task
    try:
        picture = PILImage.fromarray(read_image(file, sha256))
    except UnreadableImageError:
        return  # gone, changed or broken since the run: the page shows its name
    picture.thumbnail((SIDE, SIDE))
    write_whole(path, partial(picture.save, format="WEBP", quality=_QUALITY))
