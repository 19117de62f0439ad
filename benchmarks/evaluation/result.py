"""Results of an evaluation: scores with intervals, values of every query, and comparisons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.formats.files import Json
from benchmarks.pipeline.records.results import ImageEntry, read_results
from benchmarks.report.format import NOTHING, count, interval, p_value
from benchmarks.report.format import score as score_text
from benchmarks.report.tables import chance_of
from datasets.errors import InputError
from retrieval.bootstrap import intervals
from retrieval.metrics import METRICS, Metric, Metrics, find_metrics, mean_scores, score
from retrieval.ranking import Ranking
from retrieval.scoring import Values
from retrieval.statistics import compare

MAIN_METRIC = "map"


@dataclass(frozen=True, repr=False)
class Result:
    """A method's result on a query set.

    Attributes
    ----------
    name : str
        Of the method.
    dataset, query_set : str
        Where it was evaluated.
    record : dict
        Counts, costs and the protocol card, as the benchmark keeps them.
    ranking : Ranking
        Neighbours of every query, and places of all relevant images.
    queries, gallery : sequence of ImageEntry
        In the order that the ranking counts in.
    others : mapping of str to Result
        The method's results on the dataset's further query sets, by name.
    warnings : sequence of str
        Reasons to doubt the scores.
    problems : sequence of tuples of str
        Image, problem and outcome of each file that was odd or left out.
    metrics : mapping of str to Metric
        Those of `scores`, `values`, `intervals` and `chance`, see `by`.
    """

    name: str
    dataset: str
    query_set: str
    record: Json
    ranking: Ranking
    queries: Sequence[ImageEntry]
    gallery: Sequence[ImageEntry]
    others: "Mapping[str, Result]" = field(default_factory=dict)
    warnings: Sequence[str] = ()
    problems: Sequence[tuple[str, str, str]] = ()
    metrics: Metrics = field(default_factory=lambda: METRICS)

    def by(self, *names: str) -> "Result":
        """The same result by other metrics.

        Parameters
        ----------
        *names : str
            Metrics as papers write them, such as ``"recall@20"``, ``"mAP@100"`` or ``"nDCG@10"``;
            all are listed by ``python -m benchmarks.run --list``.

        Raises
        ------
        InputError
            If there is no such metric, or none is named.
        """
        metrics = _find(names)
        if not metrics:
            raise InputError("no metric named; write by('mAP@100'), for example")
        others = {name: one.by(*names) for name, one in self.others.items()}
        return replace(self, metrics=metrics, others=others)

    @cached_property
    def scores(self) -> dict[str, float | None]:
        """Mean of every metric, over the queries that have a relevant image; None without any."""
        return mean_scores(self.ranking, self.metrics)

    @cached_property
    def values(self) -> dict[str, Values]:
        """Every metric's value of every query; NaN for one without a relevant image."""
        return score(self.ranking, self.metrics)

    @cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """Ends of the bootstrap interval (95 %) of every mean."""
        columns = np.stack(list(self.values.values()), axis=1)[self.ranking.relevant > 0]
        ends = intervals(columns).tolist()
        return {name: (low, high) for name, (low, high) in zip(self.values, ends, strict=True)}

    @cached_property
    def chance(self) -> dict[str, float | None]:
        """Scores of a gallery in random order."""
        return chance_of(self.record, self.ranking, self.metrics)

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of training, gallery and query images, and of queries left out."""
        return self.record["counts"]

    @property
    def costs(self) -> dict[str, float | None]:
        """Milliseconds per image and query, seconds of fitting; None where it is not known."""
        return self.record["costs"]

    def to_rows(self) -> list[dict[str, Any]]:
        """A dictionary for each query, such as a data frame is made of.

        Returns
        -------
        list of dict
            ``query`` and its ``label``, the number of ``relevant`` images, every metric (None
            without relevant images), and the ids of the ``neighbours``, nearest first.
        """
        metrics = {name: values.tolist() for name, values in self.values.items()}
        relevant = self.ranking.relevant.tolist()
        found = self.ranking.neighbours.tolist()
        return [
            {"query": query.id, "label": query.label, "relevant": relevant[row]}
            | {name: one[row] if relevant[row] else None for name, one in metrics.items()}
            | {"neighbours": [self.gallery[index].id for index in found[row] if index >= 0]}
            for row, query in enumerate(self.queries)
        ]

    def compare(self, *others: "Result", metric: str = MAIN_METRIC) -> "Comparison":
        """Compare with other results on the same queries, as the tables do.

        Parameters
        ----------
        *others : Result
            At least one.
        metric : str
            Any, as `by` takes them.

        Raises
        ------
        InputError
            If the queries or what is relevant for them are not the same, nothing is relevant, or
            two results have one name.
        """
        found = _find([metric])
        [key] = found
        results = [self, *others]
        if wrong := next((one for one in others if not isinstance(one, Result)), None):
            raise InputError(
                f"compare takes results one by one, as a.compare(b, c); a {type(wrong).__name__} "
                "is none: evaluate it first"
            )
        for other in others:
            if not self._is_comparable(other):
                raise InputError(
                    f"{other.name} on {other.dataset}/{other.query_set} has other queries, or "
                    f"other right answers, than {self.name} on {self.dataset}/{self.query_set}"
                )
        if len({one.name for one in results}) < len(results):
            raise InputError("two results have one name; evaluate with name= to tell them apart")
        scored = self.ranking.relevant > 0
        if not scored.any():
            raise InputError(f"{self.dataset}/{self.query_set}: no query has a relevant image")
        results.sort(key=lambda one: (-(mean_scores(one.ranking, found)[key] or 0), one.name))
        matrix = np.stack([score(one.ranking, found)[key][scored] for one in results], axis=1)
        made = compare(matrix, binary=found[key].is_binary)
        names = tuple(one.name for one in results)
        return Comparison(
            key, names, matrix.mean(axis=0), made.intervals, made.p_values, made.letters
        )

    def _is_comparable(self, other: "Result") -> bool:
        first, second = self.ranking, other.ranking
        return (
            [one.id for one in self.queries] == [one.id for one in other.queries]
            and _are_same(self.queries, other.queries)
            and _are_same(self.gallery, other.gallery)
            and len({self._judgements, other._judgements} - {None}) < 2
            and np.array_equal(first.relevant, second.relevant)
            and np.array_equal(first.candidates, second.candidates)
            and np.array_equal(first.in_random_order().grades, second.in_random_order().grades)
        )

    @property
    def _judgements(self) -> str | None:
        """Hash of the judgements; None where classes tell what is relevant, and in old records."""
        return self.record["card"].get("judgements hash")

    def __repr__(self) -> str:
        return _text(self._title, ("", "score", "interval", "chance"), self._cells, self._notes)

    def _repr_html_(self) -> str:
        return _html(self._title, ("", "score", "interval", "chance"), self._cells, self._notes)

    @property
    def _title(self) -> str:
        counts = self.counts
        return (
            f"{self.name} on {self.dataset}/{self.query_set}: {count(counts['queries scored'])} "
            f"queries, {count(counts['gallery images'])} gallery images"
        )

    @property
    def _cells(self) -> list[tuple[str, ...]]:
        return [
            (
                metric.label,
                score_text(self.scores[name]),
                NOTHING if self.scores[name] is None else interval(*self.intervals[name]),
                score_text(self.chance[name]),
            )
            for name, metric in self.metrics.items()
        ]

    @property
    def _notes(self) -> list[str]:
        left_out = self.counts["queries left out"]
        notes = [f"{count(left_out)} queries without a relevant image left out"] * (left_out > 0)
        itself = self.counts["queries found in gallery"]
        notes += [f"{count(itself)} queries stand in the gallery, and were left out there"] * (
            itself > 0
        )
        zeros = self.counts["zero vectors"]
        notes += [f"{count(zeros)} images have the vector zero"] * (zeros > 0)
        notes += [self.record["note"]] if self.record.get("note") else []
        notes += [f"warning: {one}" for one in self.warnings]
        notes += [f"{count(len(self.problems))} image problems, in problems"] * bool(self.problems)
        return notes + [f"also on {name}, in others" for name in self.others]


@dataclass(frozen=True, repr=False)
class Comparison:
    """Comparison of results on the same queries, best first.

    Attributes
    ----------
    metric : str
        Key of the metric.
    names : tuple of str
        Of the methods.
    means : ndarray of float64, shape (n_methods,)
        Their scores.
    intervals : ndarray of float64, shape (n_methods, 2)
        Ends of the scores' bootstrap intervals (95 %).
    p_values : ndarray of float64, shape (n_methods, n_methods)
        Of paired tests, corrected for all pairs by Holm's method: McNemar's for metrics that
        are 0 or 1 for a query, a permutation test for all others.
    letters : list of str
        Methods that share a letter do not differ significantly.
    """

    metric: str
    names: tuple[str, ...]
    means: NDArray[np.float64]
    intervals: NDArray[np.float64]
    p_values: NDArray[np.float64]
    letters: list[str]

    def to_rows(self) -> list[dict[str, Any]]:
        """A dictionary for each method: name, score, interval, letters, p-values by name."""
        return [
            {
                "method": name,
                self.metric: float(self.means[row]),
                "low": float(self.intervals[row, 0]),
                "high": float(self.intervals[row, 1]),
                "letters": self.letters[row],
                "p_values": dict(zip(self.names, self.p_values[row].tolist(), strict=True)),
            }
            for row, name in enumerate(self.names)
        ]

    def __repr__(self) -> str:
        return _text(*self._table)

    def _repr_html_(self) -> str:
        return _html(*self._table)

    @property
    def _table(self) -> tuple[str, tuple[str, ...], list[tuple[str, ...]], list[str]]:
        headings = (
            "",
            _find([self.metric])[self.metric].label,
            "interval",
            "group",
            "p against the first",
        )
        cells: list[tuple[str, ...]] = [
            (
                name,
                score_text(float(self.means[row])),
                interval(*self.intervals[row].tolist()),
                self.letters[row],
                p_value(float(self.p_values[0, row])) if row else NOTHING,
            )
            for row, name in enumerate(self.names)
        ]
        return "Methods that share a letter do not differ significantly", headings, cells, []


def read_result(folder: Path, method: str) -> Result:
    """Read a method's result from a dataset's results folder.

    Raises
    ------
    InputError
        If the method has no numbers there, with the reason.
    """
    found = read_results(folder)
    made: dict[str, Result] = {}
    for query_set, task in found.tasks.items():
        record = next((one for one in task.records if one["method"] == method), None)
        if record is None or record["status"] != "ok":
            reason = record["reason"] if record else "was not run"
            raise InputError(f"{method}: {reason}")
        where = (method, found.about.name, query_set)
        lists = (task.rankings[method], task.queries, found.gallery)
        made[query_set] = Result(
            *where,
            record,
            *lists,
            warnings=tuple(found.about.warnings),
            problems=tuple(found.about.problems),
        )
    main = min(made)
    others = {name: one for name, one in made.items() if name != main}
    return Result(**{**vars(made[main]), "others": others})


def _are_same(some: Sequence[ImageEntry], others: Sequence[ImageEntry]) -> bool:
    """Whether images of equal ids have equal labels, and equal bytes as far as these are known."""
    by_id = {one.id: one for one in others}
    return len(some) == len(others) and all(
        (other := by_id.get(one.id)) is not None
        and (one.labels, one.distractor) == (other.labels, other.distractor)
        and not (one.has_file and other.has_file and one.sha256 != other.sha256)
        for one in some
    )


def _find(names: Sequence[Any]) -> dict[str, Metric]:
    if wrong := [one for one in names if not isinstance(one, str)]:
        raise InputError(f"metric {wrong[0]!r} is no name; write it as 'mAP@100', for example")
    try:
        return find_metrics(names)
    except ValueError as error:
        raise InputError(str(error)) from error


def _text(
    title: str, headings: Sequence[str], cells: Sequence[Sequence[str]], notes: Sequence[str]
) -> str:
    lines = [headings, *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([title, *table, *notes])


def _html(
    title: str, headings: Sequence[str], cells: Sequence[Sequence[str]], notes: Sequence[str]
) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in headings)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in line)}</tr>" for line in cells
    )
    below = "".join(f"<p>{escape(note)}</p>" for note in notes)
    table = f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead>"
    return f"{table}<tbody>{body}</tbody></table>{below}"
