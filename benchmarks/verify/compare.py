"""Compare the records of two results folders, row by row."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

import numpy as np

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.differences import are_of_one_task, reasons
from benchmarks.pipeline.records.record import Description, RecordPath
from benchmarks.pipeline.records.results import rows
from benchmarks.pipeline.records.seeds import Spread, read_spreads, unseeded
from benchmarks.verify.tolerances import kind_of, recipe
from retrieval.metrics import METRICS
from retrieval.ranking import Ranking

_REASONS = 2
"""Reasons that a row names; ``benchmarks.diff`` tells all."""

_ROUNDING = 1e-9
"""Differences that a mean may have whose summands were added up in another order."""

_ROUNDED = 1e-6
"""Share of a tolerance that is lost where tables are rounded."""


class Outcome(StrEnum):
    """Outcomes of a row; only those of the first three were compared."""

    EQUAL = "equal"
    WITHIN = "within tolerance"
    DIFFERS = "differs"
    DAMAGED = "damaged"
    WITHOUT = "without numbers"
    PICTURES = "of other pictures, labels or parts"
    PROTOCOL = "of another protocol"
    SEED = "of another seed"
    MINE = "only here"
    THEIRS = "only there"


COMPARED = (Outcome.EQUAL, Outcome.WITHIN, Outcome.DIFFERS)


@dataclass(frozen=True)
class Row:
    """A method on a query set, compared.

    Attributes
    ----------
    query_set, method : str
        Which.
    outcome : Outcome
        What became of it.
    words : str
        Of a row that is not equal, what differs, and why that may be; else empty.
    """

    query_set: str
    method: str
    outcome: Outcome
    words: str = ""


def compare(mine: Path, theirs: Path) -> list[Row]:
    """Compare all records of a dataset.

    Parameters
    ----------
    mine, theirs : Path
        Results folders of the dataset; the second is the reference.

    Raises
    ------
    DamagedError
        If a description, or the reference's table of seeds, is missing or damaged.
    InputError
        If a file cannot be read.
    """
    ours, others = map(_records, (mine, theirs))
    spreads = read_spreads(theirs)
    every = dict.fromkeys([*others, *ours])
    return [_row(place, ours.get(place), others.get(place), spreads) for place in every]


def _records(folder: Path) -> dict[tuple[str, str], RecordPath]:
    """Query set and method to the record of each."""
    about = Description.read(folder)
    return {
        (query_set, path.method): path
        for query_set in about.query_sets
        for path in rows(folder, query_set, about)
    }


def _row(
    place: tuple[str, str],
    mine: RecordPath | None,
    theirs: RecordPath | None,
    spreads: Mapping[tuple[str, str], Spread],
) -> Row:
    if mine is None or theirs is None:
        return Row(*place, Outcome.THEIRS if mine is None else Outcome.MINE)
    one, other = mine.read(), theirs.read()
    if one is None or other is None:
        return Row(*place, Outcome.DAMAGED, str((mine if one is None else theirs).file(".json")))
    if apart := _apart(one, other):
        return Row(*place, *apart)
    ranking = mine.read_ranking(one)
    content = _bytes(mine)
    is_same = ranking and content and content == _bytes(theirs)
    reference = ranking if is_same else theirs.read_ranking(other)
    if ranking is None or reference is None:
        return Row(*place, Outcome.DAMAGED, str((theirs if ranking else mine).file(".npz")))
    members = other["card"]["extractor"].get("extractors") or [place[1]]
    measured = [spreads[place[0], name] for name in members if (place[0], name) in spreads]
    changes = _changes(one, other, ranking, reference, measured)
    if _are_equal(ranking, reference) and not any(change.difference for change in changes):
        return Row(*place, Outcome.EQUAL)
    widest = max(changes, key=lambda change: change.excess)
    is_within = widest.excess <= 1 + _ROUNDED and _taught(one) == _taught(other)
    why = "; ".join(reasons(other, one)[:_REASONS]) or "their cards are equal"
    outcome = Outcome.WITHIN if is_within else Outcome.DIFFERS
    return Row(*place, outcome, f"{widest.words} ({why})")


def _bytes(path: RecordPath) -> bytes:
    """The file of a ranking; nothing where it is in an archive."""
    file = path.file(".npz")
    return file.read_bytes() if file.exists() else b""


def _apart(mine: Json, theirs: Json) -> tuple[Outcome, str] | None:
    """Why there is nothing to compare in two records; None if there is."""
    cards = mine["card"], theirs["card"]
    if not _ask_the_same(*cards):
        return Outcome.PICTURES, ""
    for field, outcome in (("seed", Outcome.SEED), ("protocol version", Outcome.PROTOCOL)):
        if cards[0].get(field) != cards[1].get(field):
            return outcome, ""
    if mine["status"] == "failed" and theirs["status"] == "ok":
        return Outcome.DIFFERS, f"failed: {mine['reason']}"
    if mine["status"] != "ok" or theirs["status"] != "ok":
        return Outcome.WITHOUT, ""
    return None


def _ask_the_same(one: Json, other: Json) -> bool:
    """Whether two cards tell of the same pictures; other query sets make no difference."""
    if one["split hash"] == other["split hash"]:
        return True
    return are_of_one_task(one, other) and one.get("fitted on") == other.get("fitted on")


def _are_equal(one: Ranking, other: Ranking) -> bool:
    """Whether two rankings are, in all that both keep: a published one keeps less."""
    depth = min(one.neighbours.shape[1], other.neighbours.shape[1])
    if not np.array_equal(one.neighbours[:, :depth], other.neighbours[:, :depth]):
        return False
    if one.distractors.shape != other.distractors.shape:
        return one.to_compact() == other.to_compact()
    names = [item.name for item in fields(Ranking) if item.name != "neighbours"]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def _taught(record: Json) -> list[Json]:
    """Recipes of a method's networks, but for the seeds: others are other work."""
    extractor = record["card"]["extractor"]
    members = extractor.get("extractors") or {"": extractor}
    given = [unseeded(recipe(one)) for one in members.values()]
    # Cards name the class of a recipe, or its version: the former did not count as a parameter.
    return [{k: v for k, v in one.items() if k not in ("class", "version")} for one in given]


@dataclass(frozen=True)
class _Change:
    """A score of the reference, ours, and by how much they may differ."""

    label: str
    before: float
    after: float
    tolerance: float

    @property
    def difference(self) -> float:
        """Ours less the reference's, rounding aside."""
        is_same = math.isclose(self.before, self.after, rel_tol=_ROUNDING, abs_tol=_ROUNDING)
        return 0.0 if is_same else self.after - self.before

    @property
    def excess(self) -> float:
        """The difference, in tolerances."""
        return abs(self.difference) / self.tolerance

    @property
    def words(self) -> str:
        """Both scores, with as many digits as show their difference."""
        if not self.difference:
            return "equal scores of another ranking"
        digits = 3 if round(self.before, 3) != round(self.after, 3) else 6
        return f"{self.label} {self.before:.{digits}f} -> {self.after:.{digits}f}"


def _changes(
    mine: Json, theirs: Json, ranking: Ranking, reference: Ranking, measured: Sequence[Spread]
) -> list[_Change]:
    """Changes of mAP and of every top-k; of the first images where there are no scores."""
    cards = (record["card"]["extractor"] for record in (mine, theirs))
    kind = min(map(kind_of, cards), key=lambda one: one.map)
    by_map = max([kind.map, *(spread.map for spread in measured)])
    by_top = max([kind.top, *(spread.top1 for spread in measured)])
    made = []
    for name, metric in METRICS.items():
        before, after = (record.get("scores", {}).get(name) for record in (theirs, mine))
        if before is not None and after is not None and (name == "map" or metric.is_binary):
            made.append(_Change(metric.label, before, after, by_map if name == "map" else by_top))
    if made:
        return made
    firsts = [one.neighbours[:, :1] for one in (reference, ranking)]
    kept = float((firsts[0] == firsts[1]).mean()) if firsts[0].shape == firsts[1].shape else 0.0
    return [_Change("share of equal first images", 1.0, kept, by_top)]
