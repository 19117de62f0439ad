"""First page of the results: runs, the choice of a feature, findings, best of each family."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from benchmarks.formats.files import Json
from benchmarks.pipeline.loading.variants import is_drawn
from benchmarks.pipeline.methods.names import CENTRED
from benchmarks.pipeline.records.record import PHOTOS
from benchmarks.pipeline.records.results import Results
from benchmarks.report.comparisons import Scored, chosen, estimate, score_task
from benchmarks.report.families import (
    FAMILIES,
    FUSED,
    NETWORK,
    OTHER,
    RERANKED,
    family_of,
    may_have_network,
)
from benchmarks.report.format import write_page
from benchmarks.report.tables import SORT_BY
from retrieval.bootstrap import LEVEL
from retrieval.statistics import step_down

_HAND_CRAFTED = tuple(
    name for name in FAMILIES if name not in (NETWORK, FUSED, RERANKED, OTHER)
)  # what made the vectors of others nobody here knows

FRONT = "README.md"
"""The page's name."""

_STUDIES = (
    (
        "the original protocol",
        "original-protocol/summary.md",
        "augmented copies of every image in gallery and queries, as the project had it that this "
        "suite redoes; a leak, for comparison only",
    ),
    (
        "leave-one-out",
        "leave-one-out/summary.md",
        "each image asks all others, as the literature of corel1000 has it (Wang et al. 2001, "
        "doi:10.1109/34.955109)",
    ),
    ("fusion", "ways-of-fusing/corel1000/hybrid.md", "every rule, with the same extractors"),
    ("vocabularies", "vocabulary-size/summary.md", "a bag of visual words by their number"),
    ("approximate search", "approximate/openmoji/approximate.md", "recall, speed and bytes"),
    ("keypoints", "keypoints/keypoints.md", "found again in turned and smaller images"),
    ("speed", "speed/speed.md", "milliseconds beside what one would use instead"),
    ("growth", "speed/growth.md", "time and memory by the number of images"),
    ("reliability", "reliability.md", "faults made on purpose, and what became of them"),
)
"""Side studies: the name, the page and the topic of each."""

_SMALL, _FAST = 1024, 20.0
"""Bytes and milliseconds that somebody in need of little can afford for an image."""

NEEDS: dict[str, Callable[[Json], bool]] = {
    "most accurate": lambda record: True,
    "one extractor, no fusion": lambda record: family_of(record) not in (FUSED, RERANKED),
    "no network": lambda record: not may_have_network(record),
    "at most 1 KB and 20 ms an image": lambda record: (
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

    @property
    def chance(self) -> float:
        """Score of a random order."""
        return next(iter(self.records.values()))["chance"][SORT_BY] or 0.0

    @cached_property
    def lead(self) -> float:
        """Lead of the best method over chance."""
        return max(map(self.scored.mean, self.scored.values)) - self.chance

    def best(self, *families: str) -> str | None:
        """Best method of some families, if there is any."""
        names = [name for name, record in self.records.items() if family_of(record) in families]
        return next(iter(self.scored.ordered(names)), None)


Pairs = Iterable[tuple[Task, str | None, str | None]]
"""Tasks, each with two methods that are compared there if both ran."""


def write_overview(out: Path, results: Sequence[Results]) -> None:
    """Write ``README.md`` of the results folder, about all datasets."""
    runs = [(one.about.name, name, task) for one in results for name, task in one.tasks.items()]
    tasks = [
        Task(
            dataset,
            name,
            {record["method"]: record for record in task.records if record["status"] == "ok"},
            scored := score_task(task, SORT_BY),
            chosen(task, scored.fused),
        )
        for dataset, name, task in runs
        if task.is_scored
    ]
    write_page(
        out / FRONT,
        "overview",
        results=results,
        runs=runs,
        machines=sorted({_machine(one["card"]) for *_, task in runs for one in task.records}),
        tasks=tasks,
        groups=_groups(tasks),
        choices=choices(tasks),
        findings=findings(tasks),
        families=best_of_families(tasks),
        estimate=estimate,
        studies=[one for one in _STUDIES if (out / one[1]).exists()],
    )


def choices(tasks: Sequence[Task]) -> list[Json]:
    """Choose for every need the best method with main queries, and the best with sketches.

    Returns
    -------
    list of dict
        ``need``; ``method``, None if none gives it on all tasks; ``scores``, a pair for each task
        of `_groups`: its score, and whether it is the best with this kind of queries; ``bytes``,
        the most of all tasks; ``ms``, the mean. None stands for what is not known.
    """
    groups = _groups(tasks)
    used = [task for group in groups.values() for task in group]
    rows: list[Json] = []
    for need, allows in NEEDS.items() if used else ():
        allowed = set.intersection(*({n for n, r in t.records.items() if allows(r)} for t in used))
        best = {
            kind: max(sorted(allowed), key=partial(_share, group), default=None)
            for kind, group in groups.items()
        }
        for method in dict.fromkeys(best.values()):
            records = [task.records[method] for task in used if method]
            ms = np.mean([_milliseconds(record) for record in records] or [np.inf])
            rows.append(
                {
                    "need": need,
                    "method": method,
                    "scores": [
                        (task.scored.mean(method) if method else None, best[kind] == method)
                        for kind, group in groups.items()
                        for task in group
                    ],
                    "bytes": max((record["bytes_per_image"] for record in records), default=None),
                    "ms": float(ms) if np.isfinite(ms) else None,
                }
            )
    return rows


def findings(tasks: Sequence[Task]) -> dict[str, list[Json]]:
    """Compare what matters most, task by task.

    Returns
    -------
    dict of str to list of dict
        Finding to its rows, for those that there are methods for: ``task``, ``difference``
        (a `Difference`), ``means`` of both sides, ``is_clear``, whether they differ significantly.
    """
    networks = [(task, task.best(NETWORK), task.best(*_HAND_CRAFTED)) for task in tasks]
    pairs: dict[str, Pairs] = {
        "photographs": [pair for pair in networks if pair[0].query_set == PHOTOS],
        "drawings": [pair for pair in networks if is_drawn(pair[0].query_set)],
        "others": [
            pair
            for pair in networks
            if pair[0].query_set != PHOTOS and not is_drawn(pair[0].query_set)
        ],
        "fusion": [
            (task, task.by_training, next(iter(task.scored.singles), None)) for task in tasks
        ],
        "centring": _beside_the_extractor(tasks, is_centred=True),
        "reranking": _beside_the_extractor(tasks, is_centred=False),
    }
    return {name: rows for name, one in pairs.items() if (rows := _compare(one))}


def best_of_families(tasks: Sequence[Task]) -> dict[str, dict[str, str]]:
    """Find the best method of every family that there is, by the title of the task."""
    best = {
        family: {task.title: name for task in tasks if (name := task.best(family))}
        for family in FAMILIES
    }
    return {family: names for family, names in best.items() if names}


def _compare(pairs: Pairs) -> list[Json]:
    there = [
        (task, task.scored.differences([(one, other)])[0])
        for task, one, other in pairs
        if one in task.scored.values and other in task.scored.values
    ]
    clear = step_down(np.array([one.p_value for _, one in there])) < 1 - LEVEL
    return [
        {"task": task.title, "difference": one, "is_clear": is_clear}
        | {"means": [task.scored.mean(one.method), task.scored.mean(one.other)]}
        for (task, one), is_clear in zip(there, clear.tolist(), strict=True)
    ]


def _machine(card: Json) -> str:
    here = card["machine"]
    system = f"{here['system']}, Python {card['python']}"
    processor = ", ".join(filter(None, (here["processor"], here.get("blas"))))
    return f"{processor}, {here['cores']} cores, {system}"


def _groups(tasks: Sequence[Task]) -> dict[str, list[Task]]:
    """Tasks with the main queries and tasks with sketches, as far as there are any."""
    kinds = {"main queries": PHOTOS, "sketches": "query-sketch"}
    groups = {kind: [t for t in tasks if t.query_set == name] for kind, name in kinds.items()}
    return {kind: group for kind, group in groups.items() if group}


def _beside_the_extractor(tasks: Sequence[Task], is_centred: bool) -> Pairs:
    """The best re-ranked method, or centred one, that is there on every task; its extractor.

    A method that is both is neither: nothing would tell what the one and the other gain.
    """
    common = set.intersection(*(set(task.scored.reranked) for task in tasks)) if tasks else set()
    centred = {name for name in common if name.endswith(f"+{CENTRED}")}
    plain = {name for name in common if CENTRED not in name.split("+")}
    names = sorted(centred if is_centred else plain)
    best = max(names, key=partial(_mean, tasks), default="")
    return [(task, best, task.scored.members[best][0]) for task in tasks if best]


def _share(tasks: Sequence[Task], name: str) -> float:
    """Share of the best method's lead over chance that a method has, on average over the tasks.

    Of a mean of scores, a set on which all are far from chance would decide alone.
    """
    leads = [(task.scored.mean(name) - task.chance, task.lead) for task in tasks]
    return float(np.mean([own / best if best > 0 else 1.0 for own, best in leads]))


def _mean(tasks: Sequence[Task], name: str) -> float:
    return float(np.mean([task.scored.mean(name) for task in tasks]))


def _milliseconds(record: Json) -> float:
    found = record["costs"].get("extraction_ms")
    return float("inf") if found is None else float(found)
