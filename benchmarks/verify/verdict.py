"""The comparison of two results folders in a line for each dataset."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks import PUBLISHED
from benchmarks.pipeline.records.record import DESCRIPTION
from benchmarks.verify.compare import COMPARED, Outcome, Row, compare
from datasets.errors import InputError

_NAMED = 3
"""Rows that a line names of each outcome; a list names all."""


def verdict(name: str, rows: Sequence[Row], folders: tuple[Path, Path]) -> str:
    """Say in a line what became of rows.

    Parameters
    ----------
    name : str
        For the line to begin with.
    rows : sequence of Row
        Compared.
    folders : tuple of Path
        Results folders: ours, and the reference.
    """
    by_outcome = {one: [row for row in rows if row.outcome is one] for one in Outcome}
    compared = sum(len(by_outcome[one]) for one in COMPARED)
    said = [f"{len(by_outcome[Outcome.EQUAL])} of {compared} rows equal"]
    if within := by_outcome[Outcome.WITHIN]:
        said.append(f"{len(within)} within tolerance")
    if differing := by_outcome[Outcome.DIFFERS]:
        words = [f"{row.method} on {row.query_set} {row.words}" for row in differing]
        said.append(f"{len(differing)} differ{'s' * (len(words) == 1)}: {_some(words, '; ')}")
    places = {Outcome.MINE: f"only in {folders[0]}", Outcome.THEIRS: f"only in {folders[1]}"}
    others = [
        f"{len(found)} {places.get(outcome, outcome)} ({_some([_named(row) for row in found])})"
        for outcome, found in by_outcome.items()
        if found and outcome not in COMPARED
    ]
    line = ", ".join(said) if compared else "nothing to compare"
    return f"{name}: {line}" + (f"; not compared: {', '.join(others)}" if others else "")


def _named(row: Row) -> str:
    return row.words if row.outcome is Outcome.DAMAGED else row.method


def _some(words: Sequence[str], between: str = ", ") -> str:
    """The first few, and how many more."""
    words = list(dict.fromkeys(words))
    more = len(words) - _NAMED
    return between.join(words[:_NAMED]) + (f"{between}and {more} more" if more > 0 else "")


def beside_published(out: Path, name: str) -> str | None:
    """Say in a line how a run's numbers of a dataset compare with those published of it.

    Parameters
    ----------
    out : Path
        Results folder of the run.
    name : str
        The dataset.

    Returns
    -------
    str or None
        The line; None where nothing of that name is published, or the run publishes itself.
    """
    if out.resolve() == PUBLISHED or not (PUBLISHED / name / DESCRIPTION).exists():
        return None
    try:
        compared = compare(out / name, PUBLISHED / name)
    except (InputError, OSError) as error:  # a run's own numbers stand, whatever lies beside them
        return f"Not compared with what is published of {name}: {error}"
    rows = [row for row in compared if row.outcome is not Outcome.THEIRS]
    return f"Beside what is published, {verdict(name, rows, (out, PUBLISHED))}"
