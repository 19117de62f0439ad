"""Trainings of one extractor with several seeds: their names, their folder, their spread.

::

    <out>/seeds/<dataset>/          dataset.json, images.csv and records, as of every dataset
    <out>/<dataset>/seeds.csv       the spread, as ``benchmarks.report`` writes it from these
"""

import csv
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.pipeline.records.differences import without
from datasets.errors import DamagedError

FOLDER = "seeds"
"""Folder of these records, beside those of the datasets."""

SEEDS = ("seed", "random_state")
"""Parameters of steps that draw by chance: of this suite, and of scikit-learn."""

SPREADS = "seeds.csv"

_BETWEEN = "-seed-"


class Spread(NamedTuple):
    """Largest less smallest score among the seeds: of mAP, and of top-1."""

    map: float
    top1: float


def seeded_name(method: str, seed: int) -> str:
    """Name of a method that was trained with a seed."""
    return f"{method}{_BETWEEN}{seed}"


def without_seed(name: str) -> tuple[str, int | None]:
    """The method and the seed that `seeded_name` put together; None for any other name.

    >>> without_seed(seeded_name("cnn-compact", 3)), without_seed("hog")
    (('cnn-compact', 3), ('hog', None))
    """
    method, between, seed = name.rpartition(_BETWEEN)
    return (method, int(seed)) if between and seed.isdecimal() else (name, None)


def unseeded(card: Any) -> Any:
    """A card, or a part of one, without the parameters that are seeds."""
    return without(card, SEEDS)


def seed_of(card: Any) -> int:
    """The first seed in a card, or in a part of one; 0 where it has none.

    >>> seed_of([{"size": 8}, {"recipe": {"seed": 3}}])
    3
    """
    inner = [*card.values()] if isinstance(card, dict) else card if isinstance(card, list) else []
    own = [card.get(name) for name in SEEDS] if isinstance(card, dict) else []
    numbers = [one for one in own if isinstance(one, int)]
    return next(filter(None, [*numbers, *map(seed_of, inner)]), 0)


def read_spreads(folder: Path) -> dict[tuple[str, str], Spread]:
    """Read how far seeds are apart, by query set and method; nothing where none were tried.

    Parameters
    ----------
    folder : Path
        A dataset's results folder.

    Raises
    ------
    DamagedError
        If the table is none.
    """
    path = folder / SPREADS
    try:
        with path.open(newline="", encoding="utf-8") as file:
            ranges = {
                (row["query_set"], row["method"], row["metric"]): float(row["largest"])
                - float(row["smallest"])
                for row in csv.DictReader(file)
            }
        return {
            (query_set, method): Spread(width, ranges[query_set, method, "top1"])
            for (query_set, method, metric), width in ranges.items()
            if metric == "map"
        }
    except FileNotFoundError:
        return {}
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise DamagedError(
            f"{path}: no table of seeds; python -m benchmarks.report writes it anew"
        ) from error
