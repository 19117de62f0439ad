"""What is kept of a run: of each dataset a description, of each row a record and its ranking.

::

    <out>/<dataset>/dataset.json                           what was searched
    <out>/<dataset>/images.csv, problems.csv               its images, and what was wrong with some
    <out>/<dataset>/records/<query set>/<row>.json         scores, counts, protocol card
    <out>/<dataset>/records/<query set>/<row>.npz          the ranking
    <out>/<dataset>/records/<query set>/<row>.costs.json   seconds and milliseconds
    <out>/<dataset>/training/<row>.csv                     loss and accuracy of every epoch

Records and rankings are equal, byte for byte, from run to run; costs are measurements.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from benchmarks.formats.files import Json, read_json, write_json, write_text, write_whole
from benchmarks.formats.markdown import to_csv
from datasets.errors import InputError
from datasets.task import Dataset
from extractors.networks.training import Epoch, read_history
from retrieval.ranking import Ranking

DESCRIPTION = "dataset.json"
IMAGES = "images.csv"
TRAINING = "training"

PHOTOS = "query"
"""The query set of pictures like the gallery's; others are ``query-<name>``."""


@dataclass(frozen=True)
class Description:
    """What tables need to know of a dataset.

    Attributes
    ----------
    name, licence, split, split_hash : str
    query_sets : list of str
    labelled : bool
        Whether there are right answers.
    problems : list of list of str
        Image, problem and outcome of each.
    """

    name: str
    licence: str
    split: str
    split_hash: str
    query_sets: list[str]
    labelled: bool
    problems: list[list[str]]

    @classmethod
    def read(cls, folder: Path) -> "Description":
        """Read a dataset's description from its results folder.

        Raises
        ------
        InputError
            If it is missing or something else.
        """
        path = folder / DESCRIPTION
        try:
            return cls(**(read_json(path) or {}))
        except TypeError as error:
            raise InputError(f"{path}: no description of a dataset; run again") from error


def write_description(out: Path, dataset: Dataset) -> Path:
    """Write a dataset's description and lists; returns its results folder."""
    folder = out / dataset.name
    problems = [[problem.id, problem.what, problem.outcome] for problem in dataset.problems]
    about = Description(
        dataset.name,
        dataset.licence,
        dataset.split,
        dataset.fingerprint,
        [task.query_set for task in dataset.tasks],
        dataset.labelled,
        problems,
    )
    write_json(folder / DESCRIPTION, vars(about))
    header = ("part", "id", "label", "is_distractor", "distractor", "sha256")
    images = [
        (part, i.id, i.label, "no" if i.distractor is None else "yes", i.distractor, i.sha256)
        for part, i in dataset.images
    ]
    write_text(folder / IMAGES, to_csv(header, images))
    write_text(folder / "problems.csv", to_csv(("id", "problem", "outcome"), problems))
    return folder


def write_training(folder: Path, name: str, training: Path) -> None:
    """Write the history of a training; its seconds are among the method's costs.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>/training``.
    name : str
        Name of the extractor that was trained.
    training : Path
        Folder of its training in the cache.
    """
    history = read_history(training)
    if not history:
        return  # the vectors outlived the cache of their training
    header = [field.name for field in fields(Epoch) if field.name != "seconds"]
    lines = [[getattr(epoch, key) for key in header] for epoch in history]
    write_text(folder / f"{name}.csv", to_csv(header, lines))


@dataclass(frozen=True)
class RecordPlace:
    """Where the record of a row on a task lies.

    Attributes
    ----------
    folder : Path
        ``<out>/<dataset>/records/<query set>``.
    row : str
        The row's name.
    """

    folder: Path
    row: str

    def path(self, ending: str) -> Path:
        """One of the record's files."""
        return self.folder / f"{self.row}{ending}"

    def read(self) -> Json | None:
        """The record, or None if there is none."""
        return read_json(self.path(".json"))

    def read_costs(self) -> Json:
        """What the record's row cost; empty if that is not known."""
        return read_json(self.path(".costs.json")) or {}

    def is_finished(self, key: str) -> bool:
        """Whether the record of exactly this work is there, whole."""
        record = self.read()
        if record is None or record.get("key") != key or not self.path(".costs.json").exists():
            return False
        try:
            Ranking.load(self.path(".npz"))
        except ValueError:
            return False
        return True

    def write(self, record: Json, ranking: Ranking, costs: Json) -> None:
        """Write all three files, the record last."""
        write_whole(self.path(".npz"), ranking.save)
        write_json(self.path(".costs.json"), costs)
        write_json(self.path(".json"), record)

    def write_absence(self, record: Json) -> None:
        """Write the record of a row that gave no numbers, and remove what an older run left."""
        for ending in (".npz", ".costs.json"):
            self.path(ending).unlink(missing_ok=True)
        write_json(self.path(".json"), record)


@dataclass(frozen=True)
class Listed:
    """An image as ``images.csv`` lists it."""

    id: str
    label: str | None
    distractor: str | None
    sha256: str


@dataclass(frozen=True)
class TaskResults:
    """What is kept of a task.

    Attributes
    ----------
    records : list of dict
        Of all rows, with their costs, by row name.
    rankings : dict of str to Ranking
        Row name to ranking, for the rows with numbers.
    queries : tuple of Listed
        In the order of the rankings.
    """

    records: list[Json]
    rankings: dict[str, Ranking]
    queries: tuple[Listed, ...]

    @property
    def is_scored(self) -> bool:
        """Whether any query has a right answer."""
        return any(ranking.relevant.any() for ranking in self.rankings.values())


@dataclass(frozen=True)
class Results:
    """Everything that is kept of a dataset.

    Attributes
    ----------
    about : Description
    gallery : tuple of Listed
        In the order that rankings count in.
    tasks : dict of str to TaskResults
        Query set to what is kept of it.
    """

    about: Description
    gallery: tuple[Listed, ...]
    tasks: dict[str, TaskResults]


def read_results(folder: Path) -> Results:
    """Read a dataset's results folder.

    Raises
    ------
    InputError
        If something in it is missing or damaged.
    """
    about = Description.read(folder)
    images = _read_images(folder / IMAGES)
    tasks = {}
    for query_set in about.query_sets:
        place = folder / "records" / query_set
        records = read_records(place, about.split_hash)
        rankings = read_rankings(place, records)
        tasks[query_set] = TaskResults(records, rankings, images.get(query_set, ()))
    return Results(about, images.get("gallery", ()), tasks)


def _read_images(path: Path) -> dict[str, tuple[Listed, ...]]:
    """Part to its images."""
    parts: dict[str, list[Listed]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                confusing = None if row["is_distractor"] == "no" else row["distractor"]
                listed = Listed(row["id"], row["label"] or None, confusing, row["sha256"])
                parts.setdefault(row["part"], []).append(listed)
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: no list of a dataset's images; run again") from error
    return {part: tuple(listed) for part, listed in parts.items()}


def read_records(folder: Path, split_hash: str) -> list[Json]:
    """All records of a task that belong to this split, each with its costs, by row name."""
    records = []
    for path in sorted(folder.glob("*.json")):
        if path.name.endswith(".costs.json"):
            continue
        record = read_json(path)
        if record and record.get("card", {}).get("split hash") == split_hash:
            place = RecordPlace(folder, record["row"])
            records.append(record | {"costs": place.read_costs()})
    return records


def read_rankings(folder: Path, records: Sequence[Json]) -> dict[str, Ranking]:
    """Row name to ranking, of the records with numbers.

    Raises
    ------
    InputError
        If one is missing or damaged.
    """
    rankings = {}
    for record in records:
        if record["status"] == "ok":
            path = RecordPlace(folder, record["row"]).path(".npz")
            try:
                rankings[record["row"]] = Ranking.load(path)
            except ValueError as error:
                raise InputError(f"{error}; run {record['row']} again") from error
    return rankings
