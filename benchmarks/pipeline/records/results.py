"""Results of a dataset, read from its folder."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.record import IMAGES, Description, RecordPath, read_record
from datasets.errors import InputError
from retrieval.ranking import Ranking


@dataclass(frozen=True)
class ImageEntry:
    """An image as ``images.csv`` lists it."""

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


def _read_images(path: Path) -> dict[str, tuple[ImageEntry, ...]]:
    """Part to its images."""
    parts: dict[str, list[ImageEntry]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                distractor = None if row["is_distractor"] == "no" else row["distractor"]
                further = tuple(filter(None, row.get("further_labels", "").split("|")))
                group = row.get("group") or None
                known = (row["id"], row["label"] or None, distractor, row["sha256"])
                entry = ImageEntry(*known, further, group)
                parts.setdefault(row["part"], []).append(entry)
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: no list of a dataset's images; run again") from error
    return {part: tuple(listed) for part, listed in parts.items()}


def read_records(folder: Path, split_hash: str) -> list[Json]:
    """All records of a task that belong to this split, each with its costs, by method."""
    records = []
    for path in sorted(folder.glob("*.json")):
        if path.name.endswith(".costs.json"):
            continue
        record = read_record(path)
        if record and record["card"]["split hash"] == split_hash:
            costs = RecordPath(folder, record["method"]).read_costs()
            records.append(record | {"costs": costs})
    return records


def read_rankings(folder: Path, records: Sequence[Json]) -> dict[str, Ranking]:
    """Rankings by method, of the records with numbers.

    Raises
    ------
    InputError
        If one is missing or damaged.
    """
    rankings = {}
    for record in records:
        if record["status"] == "ok":
            path = RecordPath(folder, record["method"]).file(".npz")
            try:
                rankings[record["method"]] = Ranking.load(path)
            except ValueError as error:
                raise InputError(f"{error}; run {record['method']} again") from error
    return rankings
