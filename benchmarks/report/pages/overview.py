"""The first page of the results: what was run, what it says, and which feature to use.

Every number in it, and every sentence's direction, is computed from records and rankings.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.formats.files import Json, write_text
from benchmarks.formats.markdown import Markup, escape, markdown
from benchmarks.pipeline.records.record import PHOTOS
from benchmarks.pipeline.records.results import Results
from benchmarks.report.comparisons import Difference, Scored, chosen, score_task
from benchmarks.report.families import (
    FAMILIES,
    FUSED,
    NETWORK,
    RERANKED,
    family_of,
    has_network,
)
from benchmarks.report.pages.literature import context
from benchmarks.report.tables import SORT_BY, share
from retrieval.statistics import LEVEL, intervals, step_down

CHOICES = "<!-- which feature -->"
_SKETCHES = "query-sketch"


@dataclass(frozen=True)
class Task:
    """A query set of a dataset: its rows' records and their mean average precision.

    Attributes
    ----------
    dataset, query_set : str
    records : dict of str to dict
        Row name to its record, for rows with numbers.
    scored : Scored
    by_training : str or None
        The fused row that training images choose.
    """

    dataset: str
    query_set: str
    records: Mapping[str, Json]
    scored: Scored
    by_training: str | None

    @property
    def title(self) -> str:
        """What tables call it."""
        return f"{self.dataset}/{self.query_set}"

    def best(self, is_meant: Callable[[Json], bool]) -> str | None:
        """The best row that is meant, or None."""
        names = self.scored.ordered(n for n, record in self.records.items() if is_meant(record))
        return names[0] if names else None

    def against(self, one: str | None, other: str | None) -> Difference | None:
        """How one row differs from another, where both are there."""
        if one in self.scored.values and other in self.scored.values:
            return self.scored.differences([(one, other)])[0]
        return None


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
    text = "# Results\n\n" + _INTRODUCTION
    text += _datasets(results)
    if tasks:
        text += _headline(tasks) + _findings(tasks) + _choices(tasks)
    write_text(out / "README.md", text + context(out) + _WHERE)


_INTRODUCTION = """\
Everything here is written by `python -m benchmarks.report` from the stored records and rankings;
but for the numbers of others below, no number or direction of a sentence is typed by hand. Scores
are mean average precision (mAP) unless said otherwise, in brackets the 95 % bootstrap interval
over queries.
"""

_WHERE = """
## Where things are

[summary.md](summary.md) has every row on every task. Each dataset's folder has its table
(`table.md`, `.csv`, `.json`) with all metrics, significance letters and costs, plots
(`plots.md`), pages of its own where there is something to tell (`gap.md`, `confusion.md`,
`classes.md`, `hybrid.md`, `presets.md`, `leaks.md`), and under `records/` a record with its
protocol card (`.json`), the ranking (`.npz`) and the costs (`.costs.json`) of every row.
`python -m benchmarks.report --html` makes a page of it all, in which each query can be looked at
with its ten nearest by every row.
"""


def _tasks(results: Results) -> list[Task]:
    return [
        Task(
            results.about.name,
            name,
            {record["row"]: record for record in task.records if record["status"] == "ok"},
            scored := score_task(task, SORT_BY),
            chosen(task, scored.fused),
        )
        for name, task in results.tasks.items()
        if task.is_scored
    ]


def _datasets(results: Sequence[Results]) -> str:
    cells, machines = [], set()
    for one in results:
        for name, task in one.tasks.items():
            done = [record for record in task.records if record["status"] == "ok"]
            if not done:
                continue
            counts = done[0]["counts"]
            machines |= {_machine(record["card"]) for record in done}
            numbers = ("queries", "gallery images", "confusion images", "training images")
            rows = (len(done), len(task.records) - len(done))
            cells.append(
                [
                    f"{one.about.name}/{name}",
                    *(f"{counts[key]:,}" for key in numbers),
                    *map(str, rows),
                ]
            )
    heads = ["task", "queries", "gallery", "of it confusion", "training", "rows", "skipped"]
    licences = "".join(f"- {escape(r.about.name)}: {escape(r.about.licence)}\n" for r in results)
    return (
        f"\n## What was run\n\n{markdown(heads, cells)}\n{licences}\n"
        f"Machine: {'; '.join(sorted(machines))}.\n"
    )


def _machine(card: Json) -> str:
    here = card["machine"]
    python = card["python"]
    return f"{here['processor']}, {here['cores']} cores, {here['system']}, Python {python}"


def _headline(tasks: Sequence[Task]) -> str:
    """The best row of each kind on each task."""
    kinds = [kind for kind in FAMILIES if any(task.best(_is(kind)) for task in tasks)]
    cells = [
        [task.title, *(_cell(task, task.best(_is(kind))) for kind in kinds)] for task in tasks
    ]
    return f"\n## The best of each kind\n\n{markdown(['', *kinds], cells)}"


def _is(kind: str) -> Callable[[Json], bool]:
    return lambda record: family_of(record) == kind


def _cell(task: Task, name: str | None) -> str:
    return Markup(f"{escape(name)}<br>{_with_interval(task, name)}") if name else "–"


def _with_interval(task: Task, name: str) -> str:
    values = task.scored.values[name]
    low, high = intervals(values[:, None])[0].tolist()
    return f"{share(values.mean())} ({share(low)}–{share(high)})"


def _findings(tasks: Sequence[Task]) -> str:
    photos = [task for task in tasks if task.query_set == PHOTOS]
    drawn = [task for task in tasks if task.query_set != PHOTOS]
    text = "\n## Three findings\n"
    text += _finding(
        "Pretrained networks and classical features, asked with pictures like the gallery's",
        "the best network",
        [(task, _best_network(task), _best_classical(task)) for task in photos],
    )
    text += _finding(
        "The same, asked with sketches and drawings",
        "the best network",
        [(task, _best_network(task), _best_classical(task)) for task in drawn],
    )
    text += _finding(
        "The fusion that training images choose, and the best extractor alone",
        "the fusion",
        [(task, task.by_training, next(iter(task.scored.singles), None)) for task in tasks],
    )
    reranked = _most_useful(tasks)
    text += _finding(
        f"Re-ranked by how the gallery's images lie to each other ({reranked}), and not re-ranked",
        "re-ranking",
        [(task, reranked, task.scored.members[reranked][0]) for task in tasks if reranked],
        is_more=True,
    )
    return text + (
        "\nA difference counts if a paired permutation test, with Holm's correction over the "
        "lines of its list, is significant at 5 %. The best rows are chosen on the very queries "
        "that they are compared on, and so is the re-ranking; the fusion is chosen by training "
        "images alone.\n"
    )


def _most_useful(tasks: Sequence[Task]) -> str | None:
    """The re-ranked row, of one extractor and there on every task, with the best mean."""
    names = set.intersection(*(set(task.scored.reranked) for task in tasks))
    return max(sorted(names), key=partial(_mean, tasks), default=None)


def _mean(tasks: Sequence[Task], name: str) -> float:
    return float(np.mean([task.scored.values[name].mean() for task in tasks]))


def _best_network(task: Task) -> str | None:
    return task.best(lambda record: family_of(record) == NETWORK)


def _best_classical(task: Task) -> str | None:
    return task.best(lambda record: family_of(record) not in (NETWORK, FUSED, RERANKED))


def _finding(
    title: str,
    subject: str,
    pairs: Iterable[tuple[Task, str | None, str | None]],
    is_more: bool = False,
) -> str:
    """One finding, or more of the last: what became of each pair, and where the first is ahead."""
    found = [(task, made) for task, *pair in pairs if (made := task.against(*pair))]
    if not found:
        return ""
    clear = _clear([made.p_value for _, made in found])
    sure = [pair for pair, is_clear in zip(found, clear, strict=True) if is_clear]
    ahead = [task.title for task, made in sure if made.change > 0]
    behind = [task.title for task, made in sure if made.change < 0]
    text = f"\n{title}. " if is_more else f"\n**{title}.** "
    text += f"{subject.capitalize()} is ahead on {_listed(ahead)}; behind on {_listed(behind)}"
    if rest := len(found) - len(ahead) - len(behind):
        text += f"; and not clearly either on the other {rest}"
    text += ".\n\n"
    return text + "".join(_line(task, made) for task, made in found)


def _clear(p_values: Sequence[float]) -> list[bool]:
    return (step_down(np.array(p_values)) < 1 - LEVEL).tolist()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"


def _line(task: Task, made: Difference) -> str:
    values = task.scored.values
    return (
        f"- {task.title}: {made.method} {share(values[made.method].mean())}, {made.other} "
        f"{share(values[made.other].mean())}, difference {made.change:+.3f} "
        f"({made.low:+.3f} to {made.high:+.3f})\n"
    )


@dataclass(frozen=True)
class _Need:
    """What somebody can afford."""

    text: str
    allows: Callable[[Json], bool]


_NEEDS = (
    _Need("whatever it costs", lambda record: True),
    _Need("one extractor, no fusion", lambda record: family_of(record) not in (FUSED, RERANKED)),
    _Need("no network", lambda record: not has_network(record)),
    _Need("at most 1 KB an image", lambda record: record["bytes_per_image"] <= 1024),
    _Need("at most 10 ms an image", lambda record: _ms(record) <= _FAST),
    _Need("both", lambda record: record["bytes_per_image"] <= 1024 and _ms(record) <= _FAST),
)
_FAST = 10.0


def _ms(record: Json) -> float:
    found = record["costs"].get("extraction_ms")
    return float("inf") if found is None else float(found)


def choices(tasks: Sequence[Task]) -> str:
    """Which row is best for whom, as Markdown: with pictures, then with each set of sketches."""
    groups = {"pictures like the gallery's": [t for t in tasks if t.query_set == PHOTOS]}
    for task in tasks:
        if task.query_set == _SKETCHES:
            groups[f"sketches: {task.dataset}"] = [task]
    text = ""
    for title, group in groups.items():
        if group:
            cells = [_choice(need, group) for need in _NEEDS]
            heads = [f"asked with {title}", "use", "bytes/image", "ms/image"]
            text += "\n" + markdown([*heads, *(f"mAP {task.dataset}" for task in group)], cells)
    return text


def _choice(need: _Need, group: Sequence[Task]) -> list[str]:
    """The row with the best mean over the tasks of those that the need allows on each."""
    allowed = set.intersection(
        *({name for name, record in task.records.items() if need.allows(record)} for task in group)
    )
    if not allowed:
        return [need.text, "nothing here", *["–"] * (2 + len(group))]
    best = max(sorted(allowed), key=partial(_mean, group))
    records = [task.records[best] for task in group]
    milliseconds = float(np.mean([_ms(record) for record in records]))
    return [
        need.text,
        best,
        f"{max(record['bytes_per_image'] for record in records):,}",
        f"{milliseconds:.1f}" if np.isfinite(milliseconds) else "not known",
        *(_with_interval(task, best) for task in group),
    ]


def _choices(tasks: Sequence[Task]) -> str:
    return f"""
## Which feature should I use?

{CHOICES}
{choices(tasks)}
<!-- end -->

The best mean over the data sets named, of the rows that the line allows and that ran on all of
them. Where the intervals of two lines overlap, take the cheaper one. pacs has sketches by hand of
what its photographs show, openmoji line art of what is drawn in colour.
"""
