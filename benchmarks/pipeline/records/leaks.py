"""Near duplicates that an audit found, as ``<out>/<dataset>/leaks.json`` has them."""

import logging
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from benchmarks.pipeline.cache.fingerprint import digest
from benchmarks.pipeline.records.results import Results
from datasets.errors import DamagedError
from datasets.json_files import read_json_as

log = logging.getLogger(__name__)

LEAKS = "leaks.json"

Change = TypedDict(
    "Change", {"with": float, "without": float, "change": float, "low": float, "high": float}
)
"""A score with near duplicates and without, and their difference with its 95 % interval."""

Duplicates = TypedDict(
    "Duplicates",
    {
        "part": str,
        "id": str,
        "label": str,
        "other part": str,
        "other id": str,
        "other label": str,
        "bits": int,
        "cosine": float,
        "exact": bool,
    },
)
"""Two near duplicates; bits are those in which their perceptual hashes differ."""


class Limits(TypedDict):
    """Rule of near duplicates: most bits and least cosine of each tier."""

    tiers: list[tuple[int, float]]


class Changes(TypedDict):
    """Changes of a method's scores."""

    top1: Change
    map: Change


class Leaks(TypedDict):
    """Content of the file: pairs by their parts, and scores by query set and method."""

    dataset: str
    images: int
    embedding: str
    rule: Limits
    counts: dict[str, int]
    pairs: list[Duplicates]
    queries: dict[str, int]
    scores: dict[str, dict[str, Changes]]
    card: NotRequired[dict[str, Any]]


def read_leaks(folder: Path) -> Leaks | None:
    """Read the near duplicates of a dataset, or None where there was no audit.

    Raises
    ------
    DamagedError
        If the file holds something else.
    InputError
        If it cannot be read.
    """
    return read_json_as(folder / LEAKS, Leaks, "damaged: remove it and audit again")


def read_leaks_of(folder: Path, results: Results) -> Leaks | None:
    """Read the near duplicates of a dataset, or None if they are of other pictures than results.

    Scores of methods that are made of something else by now are left out.

    Parameters
    ----------
    folder : Path
        The dataset's results folder.
    results : Results
        Read from it; other query sets than were audited are no other pictures.
    """
    try:
        found = read_leaks(folder)
    except DamagedError as error:
        log.warning("%s; until then it is left out", error)
        return None
    if found is None:
        return None
    card = found.get("card", {})
    for query_set, task in results.tasks.items():
        for record in task.records:
            name = record["method"]
            noted = card.get("methods", {}).get(name)
            if noted is not None and noted != digest(record["card"]["extractor"]):
                found["scores"].get(query_set, {}).pop(name, None)
    if card.get("split hash") == results.about.split_hash:
        return found
    records = (record for task in results.tasks.values() for record in task.records)
    tasks = {record["card"].get("task hash") for record in records} - {None}
    if tasks and "task hashes" in card:
        return found if tasks >= set(card["task hashes"]) else None
    # An audit without hashes of tasks: its pictures are known by their names alone.
    parts = {"gallery": results.gallery}
    parts |= {name: task.queries for name, task in results.tasks.items()}
    listed = {part: {image.id for image in images} for part, images in parts.items()}
    sides = [(pair["part"], pair["id"]) for pair in found["pairs"]]
    sides += [(pair["other part"], pair["other id"]) for pair in found["pairs"]]
    return found if all(name in listed.get(part, (name,)) for part, name in sides) else None
