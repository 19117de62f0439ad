"""Near duplicates that an audit found, as ``<out>/<dataset>/leaks.json`` has them."""

from pathlib import Path
from typing import TypedDict

from datasets.json_files import read_json_as

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
