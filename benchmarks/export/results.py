"""Results of runs: one tidy table of all, and tables for LaTeX."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cli.options import dataset_name
from benchmarks.cli.outputs import begins, require_output_file
from benchmarks.formats.files import Json, write_text
from benchmarks.formats.tables import Row, write_rows
from benchmarks.pipeline.methods.names import CHANCE
from benchmarks.pipeline.records.results import TaskResults, read_results, require_results
from benchmarks.report.format import score
from benchmarks.report.tables import COSTS, USUAL, Choice, task_rows
from datasets.errors import InputError
from retrieval.metrics import METRICS

_MEASURED = {
    "dataset": str,
    "query_set": str,
    "method": str,
    "status": str,
    "measure": str,
    "value": float,
    "low": float,
    "high": float,
    "letters": str,
}
_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
_LATEX |= {char: f"\\{char}" for char in "&%$#_{}"}


@dataclass(frozen=True)
class Selection:
    """Results that are exported.

    Parameters
    ----------
    folder : Path
        Results folder of a run.
    datasets : sequence of str
        Names, or texts as behind ``--dataset``; all that were run where it is empty.
    methods : sequence of str
        Names; all that were run where it is empty.
    choice : Choice
        The metrics.
    """

    folder: Path
    datasets: Sequence[str]
    methods: Sequence[str]
    choice: Choice

    def rows(self) -> Iterator[tuple[str, str, list[Json]]]:
        """Table rows of every query set: names of the dataset and of the set, and the rows.

        Raises
        ------
        InputError
            If a dataset or method was not run.
        """
        folders = require_results(self.folder, f"--results {self.folder}")
        known = {folder.name: folder for folder in folders}
        names = [dataset_name(text, known) for text in self.datasets]
        for name in names:
            if name not in known:
                raise InputError(
                    f"--results {self.folder}: {name} was not run there; it has {', '.join(known)}"
                )
        found = {name: read_results(known[name]).tasks for name in names or known}
        for one in self.methods:
            without = [name for name, tasks in found.items() if not _was_run(one, tasks)]
            if without and (names or len(without) == len(found)):
                raise InputError(f"--extractor {one}: was not run on {without[0]}; run it first")
        for name, tasks in found.items():
            for query_set, task in tasks.items():
                rows = task_rows(task.records, task.rankings, self.choice.every)
                wanted = {*self.methods, CHANCE} if self.methods else None
                kept = [row for row in rows if wanted is None or row["method"] in wanted]
                yield name, query_set, kept


def tidy(selection: Selection, path: Path) -> Path:
    """Write one row for every number of every method on every query set.

    Parameters
    ----------
    selection : Selection
        The results.
    path : Path
        The file, CSV or Parquet as its ending says.

    Returns
    -------
    Path
        The file.
    """
    measures = (*selection.choice.every, *COSTS)
    rows = (
        list(_measured((dataset, query_set), table, measures))
        for dataset, query_set, table in selection.rows()
    )
    write_rows(path, _MEASURED, rows)
    return path


def _measured(
    place: tuple[str, str], rows: Sequence[Json], measures: Sequence[str]
) -> Iterator[Row]:
    for row in rows:
        where = (*place, row["method"], row["status"])
        known = [name for name in measures if row.get(name) is not None]
        for name in known:
            ends = (row.get(f"{name}{end}") for end in ("", "_low", "_high", "_letters"))
            yield (*where, name, *ends)
        if not known:
            yield (*where, *[None] * 5)


def latex(selection: Selection, out: Path) -> Iterator[Path]:
    """Write a table of every query set, with the best of each column in bold; gives the files.

    Parameters
    ----------
    selection : Selection
        The results.
    out : Path
        Folder that gets a folder of each dataset.
    """
    choice = selection.choice
    metrics = {**choice.shown, **METRICS} if choice is USUAL else choice.shown
    found = [(out / name / f"{one}.tex", name, one, rows) for name, one, rows in selection.rows()]
    for path, *_ in found:
        require_output_file(path, "--out", (), "table of results for LaTeX", begins("% "))
    for path, dataset, query_set, rows in found:
        numbers = [row for row in choice.ordered(rows) if row["status"] == "ok"]
        names = [name for name in metrics if any(row.get(name) is not None for row in numbers)]
        best = {
            name: max(row[name] for row in numbers if row.get(name) is not None) for name in names
        }
        heads = ["method", *(metrics[name].label for name in names)]
        lines = [
            " & ".join([_escaped(row["method"]), *(_cell(row, name, best) for name in names)])
            for row in numbers
        ]
        text = "\n".join(
            [
                rf"\begin{{tabular}}{{l{'r' * len(names)}}}",
                r"\toprule",
                " & ".join(map(_escaped, heads)) + r" \\",
                r"\midrule",
                *(rf"{line} \\" for line in lines),
                r"\bottomrule",
                r"\end{tabular}",
            ]
        )
        write_text(path, f"% {dataset}, {query_set}; needs the package booktabs\n{text}\n")
        yield path


def _cell(row: Json, name: str, best: dict[str, float]) -> str:
    if row.get(name) is None:
        return ""
    text = score(row[name])
    return rf"\textbf{{{text}}}" if row[name] == best[name] else text


def _escaped(text: str) -> str:
    return "".join(_LATEX.get(char, char) for char in text)


def _was_run(method: str, tasks: Mapping[str, TaskResults]) -> bool:
    return any(record["method"] == method for task in tasks.values() for record in task.records)
