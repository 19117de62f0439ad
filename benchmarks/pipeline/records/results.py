"""Results of a dataset, read from its folder."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.formats.files import Json, entries
from benchmarks.pipeline.records.archive import read_packed
from benchmarks.pipeline.records.images import hash_of_list
from benchmarks.pipeline.records.parts import contradictions
from benchmarks.pipeline.records.record import (
    DESCRIPTION,
    IMAGES,
    Description,
    RecordPath,
    record_paths,
    say_once,
)
from datasets.errors import DamagedError, InputError
from datasets.names import canonical
from retrieval import protocol
from retrieval.ranking import Ranking


@dataclass(frozen=True)
class ImageEntry:
    """An image as ``images.csv`` lists it.

    Attributes
    ----------
    id, label, distractor, further, group
        See `datasets.task.Image`.
    sha256 : str
        Hash of its file's bytes; of a row of an array ``<part>/<id>``, since it has no file.
    """

    id: str
    label: str | None
    distractor: str | None
    sha256: str
    further: tuple[str, ...] = ()
    group: str | None = None

    @property
    def labels(self) -> frozenset[str]:
        """All labels."""
        return frozenset(self.further if self.label is None else (self.label, *self.further))

    @property
    def has_file(self) -> bool:
        """Whether it is a picture, rather than a row of an array."""
        return "/" not in self.sha256


@dataclass(frozen=True)
class TaskResults:
    """Results of a task.

    Attributes
    ----------
    records : list of dict
        Of all methods, with their costs, by name.
    rankings : dict of str to Ranking
        By name, of the methods with numbers.
    queries : tuple of ImageEntry
        In the order of the rankings.
    """

    records: list[Json]
    rankings: dict[str, Ranking]
    queries: tuple[ImageEntry, ...]

    @property
    def is_scored(self) -> bool:
        """Whether any query has a right answer."""
        return any(ranking.relevant.any() for ranking in self.rankings.values())


@dataclass(frozen=True)
class Results:
    """Results of a dataset.

    Attributes
    ----------
    about : Description
        The dataset.
    gallery : tuple of ImageEntry
        In the order that rankings count in.
    tasks : dict of str to TaskResults
        By query set.
    """

    about: Description
    gallery: tuple[ImageEntry, ...]
    tasks: dict[str, TaskResults]


def dataset_folders(out: Path) -> list[Path]:
    """Folders of the datasets that have results, by name; folders of other studies are none.

    Left out are those of another name than their dataset's: copies, which would count twice.
    """
    folders = [path for path in entries(out) if path.is_dir()]
    found = [folder for folder in folders if folder / DESCRIPTION in entries(folder)]
    return [folder for folder in found if _has_its_name(folder)]


def require_results(out: Path, where: str) -> list[Path]:
    """Give the folders of the datasets that have results.

    Parameters
    ----------
    out : Path
        The results folder.
    where : str
        Names it, for the message.

    Raises
    ------
    InputError
        If there are none.
    """
    if found := dataset_folders(out):
        return found
    if (out / DESCRIPTION).exists():
        raise InputError(f"{where}: is of one dataset; give the folder that it lies in")
    raise InputError(f"{where}: holds no results; make some with benchmarks.run")


def _has_its_name(folder: Path) -> bool:
    try:
        name = Description.read(folder).name
    except ValueError:
        return True  # whoever reads it tells what is wrong
    has_it = canonical(name) == canonical(folder.name)
    if not has_it:
        say_once(f"{folder}: left out, holds results of {name}; call it so, or move it away")
    return has_it


def read_results(folder: Path) -> Results:
    """Read a dataset's results folder.

    Raises
    ------
    DamagedError
        If the dataset's description or list of images is missing or damaged.
    InputError, OSError
        If a file cannot be read.
    """
    about = Description.read(folder)
    images = _read_images(folder, about.images_hash)
    gallery = images.get("gallery", ())
    tasks = {}
    for query_set in about.query_sets:
        found = _read_task(rows(folder, query_set, about))
        tasks[query_set] = TaskResults(*found, images.get(query_set, ()))
        for ranking in tasks[query_set].rankings.values():
            furthest = ranking.neighbours.max(initial=-1)
            if furthest >= len(gallery) or ranking.n_queries != len(tasks[query_set].queries):
                raise DamagedError(f"{folder / IMAGES}: lacks images of the records; run again")
    return Results(about, gallery, tasks)


def rows(folder: Path, query_set: str, about: Description) -> dict[RecordPath, Json | None]:
    """Records that are rows of a query set's table; of damaged ones there is None.

    Left out are those of other data, those scored by rules of another version than today's
    where others are by today's, and those made of something else than the row of its name.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``.
    query_set : str
        Its name.
    about : Description
        Of the dataset.
    """
    found = {path: path.read() for path in record_paths(folder, query_set)}
    mine = {p: one for p, one in found.items() if not one or about.covers(one, query_set)}
    versions = {p: one["card"].get("protocol version") for p, one in mine.items() if one}
    for path, version in versions.items():
        if version != protocol.VERSION and protocol.VERSION in versions.values():
            say_once(
                f"{path.file('.json')}: left out, was scored by other rules ({version}) than "
                "other rows are; run it again"
            )
            del mine[path]
    odd = contradictions({p.method: one["card"]["extractor"] for p, one in mine.items() if one})
    for path in [path for path in mine if path.method in odd]:
        say_once(
            f"{path.file('.json')}: left out, is made of another {odd[path.method]} than other "
            "rows are; run them together"
        )
        del mine[path]
    return mine


def _read_images(folder: Path, noted: str) -> dict[str, tuple[ImageEntry, ...]]:
    """Part to its images; `noted` is the hash of their list, if it was."""
    parts: dict[str, list[ImageEntry]] = {}
    path = folder / IMAGES
    packed = None if path.exists() else read_packed(folder, IMAGES)
    try:
        content = packed.content if packed else path.read_bytes()
        if noted and hash_of_list(content) != noted:
            raise DamagedError(
                f"{packed.place if packed else path}: differs from the list that was written, as "
                f"{folder / DESCRIPTION} notes it; run again"
            )
        with io.StringIO(content.decode(), newline="") as file:
            for row in csv.DictReader(file):
                distractor = None if row["is_distractor"] == "no" else row["distractor"]
                if None in row or None in row.values():
                    raise ValueError("a line has more or fewer cells than others")
                further = tuple(filter(None, row.get("further_labels", "").split("|")))
                group = row.get("group") or None
                known = (row["id"], row["label"] or None, distractor, row["sha256"])
                entry = ImageEntry(*known, further, group)
                parts.setdefault(row["part"], []).append(entry)
    except DamagedError:
        raise
    except (FileNotFoundError, KeyError, ValueError, csv.Error) as error:
        place = packed.place if packed else path
        raise DamagedError(f"{place}: no list of a dataset's images; run again") from error
    return {part: tuple(listed) for part, listed in parts.items()}


def _read_task(
    found: Mapping[RecordPath, Json | None],
) -> tuple[list[Json], dict[str, Ranking]]:
    """The records of a task's rows, with their costs, and the rankings.

    What is damaged is left out, with a line that says so.
    """
    records, rankings = [], {}
    for path, record in found.items():
        if record is None:
            continue
        if record["status"] == "ok":
            ranking = path.read_ranking(record)
            if ranking is None:
                continue
            rankings[path.method] = ranking
        records.append(record | {"costs": path.read_costs() or {}})
    if len({ranking.distractors.shape[1] for ranking in rankings.values()}) > 1:
        # Those of a run beside published ones, which have fewer levels.
        rankings = {
            name: Ranking.from_compact(one.to_compact(), name) for name, one in rankings.items()
        }
    return records, rankings
