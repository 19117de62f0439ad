"""First page of the results: runs, the choice of a feature, findings, best of each family."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.record import PHOTOS
from benchmarks.pipeline.records.results import Results
from benchmarks.report.comparisons import Scored, chosen, estimate, score_task
from benchmarks.report.families import (
    FAMILIES,
    FUSED,
    NETWORK,
    RERANKED,
    family_of,
    has_network,
)
from benchmarks.report.format import write_page
from benchmarks.report.tables import SORT_BY
from retrieval.statistics import LEVEL, step_down

_SKETCHES = "query-sketch"
_SMALL, _FAST = 1024, 10.0
"""Bytes and milliseconds that somebody in need of little can afford for an image."""

NEEDS: dict[str, Callable[[Json], bool]] = {
    "most accurate": lambda record: True,
    "one extractor, no fusion": lambda record: family_of(record) not in (FUSED, RERANKED),
    "no network": lambda record: not has_network(record),
    "at most 1 KB and 10 ms an image": lambda record: (
        record["bytes_per_image"] <= _SMALL and _milliseconds(record) <= _FAST
    ),
}
"""What somebody may need, and whether the method of a record gives it."""


@dataclass(frozen=True)
class Task:
    """A query set of a dataset with the mean average precision of its methods.

    Attributes
    ----------
    dataset, query_set : str
        Names.
    records : dict of str to dict
        By method, for methods with numbers.
    scored : Scored
        Their mean average precision.
    by_training : str or None
        The fused method that training images choose.
    """

    dataset: str
    query_set: str
    records: Mapping[str, Json]
    scored: Scored
    by_training: str | None

    @property
    def title(self) -> str:
        """Name in tables."""
        return f"{self.dataset}/{self.query_set}"

    def best(self, is_meant: Callable[[Json], bool]) -> str | None:
        """Best of the methods that are meant, if there are any."""
        names = self.scored.ordered(n for n, record in self.records.items() if is_meant(record))
        return names[0] if names else None


Pairs = Iterable[tuple[Task, str | None, str | None]]


def write_overview(out: Path, results: Sequence[Results]) -> None:
    """Write ``README.md`` of the results folder.

    Parameters
    ----------
    out : Path
        The results folder.
    results : sequence of Results
        Of all datasets.
    """
    tasks = [task for one in results for task in _tasks(one)]
    runs: list[Json] = []
    for one in results:
        for query_set, task in one.tasks.items():
            done = [record for record in task.records if record["status"] == "ok"]
            name = f"{one.about.name}/{query_set}"
            runs.append({"task": name, "done": done, "absent": len(task.records) - len(done)})
    write_page(
        out / "README.md",
        "overview",
        results=results,
        runs=[run for run in runs if run["done"]],
        machines=sorted({_machine(record["card"]) for run in runs for record in run["done"]}),
        tasks=tasks,
        groups=_groups(tasks),
        choices=choices(tasks),
        findings=findings(tasks),
        families=best_of_families(tasks),
        has_original=(out / "original-protocol" / "summary.md").exists(),
    )


def choices(tasks: Sequence[Task]) -> list[Json]:
    """Choose for every need the best method with photographs, and the best with sketches.

    Returns
    -------
    list of dict
        ``need``; ``method``, None if none gives it on all tasks; ``best_with``, what it is the
        best with; ``photographs`` and ``sketches``, its mean scores; ``bytes``, the most of all
        tasks; ``ms``, the mean. None stands for what is not known.
    """
    groups = _groups(tasks)
    used = [task for group in groups.values() for task in group]
    rows = []
    for need, allows in NEEDS.items() if used else ():
        allowed = set.intersection(*({n for n, r in t.records.items() if allows(r)} for t in used))
        best = {
            kind: max(sorted(allowed), key=partial(_mean, group), default=None)
            for kind, group in groups.items()
            if group
        }
        for method in dict.fromkeys(best.values()):
            row: Json = dict.fromkeys(("bytes", "ms", *groups))
            if method:
                records = [task.records[method] for task in used]
                ms = float(np.mean([_milliseconds(record) for record in records]))
                row |= {kind: _mean(group, method) for kind, group in groups.items() if group}
                row |= {"bytes": max(record["bytes_per_image"] for record in records)}
                row |= {"ms": ms if np.isfinite(ms) else None}
            best_with = [kind for kind, name in best.items() if method and name == method]
            rows.append(row | {"need": need, "method": method, "best_with": best_with})
    return rows


def findings(tasks: Sequence[Task]) -> list[Json]:
    """Compare what matters most, task by task.

    Returns
    -------
    list of dict
        Of every finding that there are methods for: ``title``, ``names`` of both sides, ``rows``
        (task, `Difference`, both means, whether the difference is clear), and the number of
        tasks on which the first side is clearly ``better`` and ``worse``.
    """
    photos = [task for task in tasks if task.query_set == PHOTOS]
    drawn = [task for task in tasks if task.query_set != PHOTOS]
    reranked = _most_useful(tasks)
    sides = ("best network", "best hand-crafted feature")
    found = [
        _finding(
            "Networks and hand-crafted features, with photographs as queries",
            sides,
            [(task, task.best(_is(NETWORK)), task.best(_is_hand_crafted)) for task in photos],
        ),
        _finding(
            "Networks and hand-crafted features, with sketches and drawings as queries",
            sides,
            [(task, task.best(_is(NETWORK)), task.best(_is_hand_crafted)) for task in drawn],
        ),
        _finding(
            "Fusion chosen by training images, and the best extractor alone",
            ("fusion", "best extractor"),
            [(task, task.by_training, next(iter(task.scored.singles), None)) for task in tasks],
        ),
        _finding(
            "Re-ranking by how the gallery's images lie to each other, and no re-ranking",
            ("re-ranked", "not re-ranked"),
            [(task, reranked, task.scored.members[reranked][0]) for task in tasks if reranked],
        ),
    ]
    return [one for one in found if one["rows"]]


def _finding(title: str, names: tuple[str, str], pairs: Pairs) -> Json:
    there = [
        (task, task.scored.differences([(one, other)])[0])
        for task, one, other in pairs
        if one in task.scored.values and other in task.scored.values
    ]
    clear = step_down(np.array([one.p_value for _, one in there])) < 1 - LEVEL
    rows = [
        {"task": task.title, "difference": one, "is_clear": is_clear}
        | {"means": [task.scored.mean(one.method), task.scored.mean(one.other)]}
        for (task, one), is_clear in zip(there, clear.tolist(), strict=True)
    ]
    sure = [row["difference"].change for row in rows if row["is_clear"]]
    return {
        "title": title,
        "names": names,
        "rows": rows,
        "better": sum(change > 0 for change in sure),
        "worse": sum(change < 0 for change in sure),
    }


def best_of_families(tasks: Sequence[Task]) -> list[Json]:
    """Find the best method of every family on every task.

    Returns
    -------
    list of dict
        ``family``; ``scores``, mean and interval on every task (None without a method there);
        and ``methods``, from each that is the best to the tasks that it is the best on.
    """
    rows = []
    for family in FAMILIES:
        best = [task.best(_is(family)) for task in tasks]
        methods: dict[str, list[str]] = {}
        for task, name in zip(tasks, best, strict=True):
            if name:
                methods.setdefault(name, []).append(task.title)
        scores = [
            name and estimate(t.scored.values[name]) for t, name in zip(tasks, best, strict=True)
        ]
        if methods:
            rows.append({"family": family, "scores": scores, "methods": methods})
    return rows


def _machine(card: Json) -> str:
    here = card["machine"]
    system = f"{here['system']}, Python {card['python']}"
    return f"{here['processor']}, {here['cores']} cores, {system}"


def _tasks(results: Results) -> list[Task]:
    return [
        Task(
            results.about.name,
            name,
            {record["method"]: record for record in task.records if record["status"] == "ok"},
            scored := score_task(task, SORT_BY),
            chosen(task, scored.fused),
        )
        for name, task in results.tasks.items()
        if task.is_scored
    ]


def _groups(tasks: Sequence[Task]) -> dict[str, list[Task]]:
    """Tasks with photographs as queries and tasks with sketches, one of a dataset each."""
    kinds = {"photographs": PHOTOS, "sketches": _SKETCHES}
    return {kind: [t for t in tasks if t.query_set == name] for kind, name in kinds.items()}


def _most_useful(tasks: Sequence[Task]) -> str | None:
    """The re-ranked method, of one extractor and there on every task, with the best mean."""
    names = set.intersection(*(set(task.scored.reranked) for task in tasks)) if tasks else set()
    return max(sorted(names), key=partial(_mean, tasks), default=None)


def _mean(tasks: Sequence[Task], name: str) -> float:
    return float(np.mean([task.scored.mean(name) for task in tasks]))


def _is(family: str) -> Callable[[Json], bool]:
    return lambda record: family_of(record) == family


def _is_hand_crafted(record: Json) -> bool:
    return family_of(record) not in (NETWORK, FUSED, RERANKED)


def _milliseconds(record: Json) -> float:
    found = record["costs"].get("extraction_ms")
    return float("inf") if found is None else float(found)
