"""A dataset's results folder: what it is about, and whether it is one."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import msgspec

from benchmarks.formats.files import entries, write_json, write_text
from benchmarks.formats.markdown import to_csv
from benchmarks.pipeline.records.archive import ARCHIVE
from benchmarks.pipeline.records.images import hash_of_list, list_of_images
from benchmarks.pipeline.records.record import (
    DESCRIPTION,
    IMAGES,
    PLOTS,
    PROBLEMS,
    RECORDS,
    Description,
    Followed,
    Number,
    record_paths,
)
from datasets.errors import DamagedError, InputError
from datasets.protocols import Protocol
from datasets.task import Dataset, Problem, Task

log = logging.getLogger(__name__)

PLOTS_PAGE = "plots.md"

_PROBLEM = ("id", "problem", "outcome")

_REPLACED = ("*.md", "*.csv", "*.json", f"{PLOTS}/*.png")

_EARLY = {
    PROBLEMS: ",".join(_PROBLEM).encode(),
    "approximate.csv": b"query_set,",
    **dict.fromkeys(("leaks.json", "invariance.json", "exported.json"), b"{"),
}
"""Files that may lie there before there are records, and how they begin."""


def write_description(out: Path, dataset: Dataset) -> Path:
    """Write a dataset's description and lists; returns its results folder."""
    folder, images = out / dataset.name, list_of_images(dataset)
    problems = [(problem.id, problem.what, problem.outcome) for problem in dataset.problems]
    about = Description(
        dataset.name,
        dataset.licence,
        dataset.split,
        dataset.fingerprint,
        [task.query_set for task in dataset.tasks],
        dataset.labelled,
        problems,
        list(dataset.layout),
        list(dataset.warnings),
        {
            task.query_set: _followed(task, task.protocol)
            for task in dataset.tasks
            if task.protocol
        },
        hash_of_list(images.encode()),
        {task.query_set: task.fingerprint for task in dataset.tasks},
        dict(dataset.folders),
    )
    content = msgspec.to_builtins(about)
    if not about.protocols:
        del content["protocols"]  # so that descriptions without stay as they are
    _replace(folder, about)
    write_json(folder / DESCRIPTION, content)
    write_text(folder / IMAGES, images)
    write_problems(folder, dataset.problems)
    return folder


def drawn_plots(folder: Path) -> list[Path]:
    """Plots in a results folder that are this suite's: those that its page of all plots shows."""
    try:
        page = (folder / PLOTS_PAGE).read_text(encoding="utf-8")
    except (FileNotFoundError, ValueError):
        return []
    names = map(unquote, re.findall(rf'src="{PLOTS}/([^"/]+\.png)"', page))
    return [path for name in names if (path := folder / PLOTS / name).is_file()]


def _replace(folder: Path, about: Description) -> None:
    """Tell which rows another description leaves out, and remove plots that would show them."""
    try:
        former = Description.read(folder)
    except DamagedError:
        return
    if former.split_hash == about.split_hash:
        return
    for path in drawn_plots(folder):
        path.unlink()
    shown = [
        (query_set, record)
        for query_set in former.query_sets
        for path in record_paths(folder, query_set)
        if (record := path.read()) and former.covers(record, query_set)
    ]
    if left := sum(not about.covers(record, query_set) for query_set, record in shown):
        without = [one for one in former.query_sets if one not in about.query_sets]
        log.warning(
            "%s: %d rows leave the tables, for this run has other pictures%s; their records stay, "
            "and a run with the former pictures and options (such as --edges) brings them back",
            *(folder, left, f", or no {', '.join(without)}" if without else ""),
        )


def require_own_results(folder: Path) -> None:
    """Refuse a dataset's results folder in which files of others would be replaced.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``; without records or a description, it may have what is written before
        them: problems, near duplicates, presets.

    Raises
    ------
    InputError
        Naming the first such file.
    """
    if _has_records(folder):
        return
    plots = set(drawn_plots(folder))
    for path in (one for pattern in _REPLACED for one in sorted(folder.glob(pattern))):
        begin = _EARLY.get(path.name, b"# " if path.suffix == ".md" else None)
        if not path.is_file() or path.stat().st_size == 0 or path in plots:
            continue
        if begin is None or not path.read_bytes().startswith(begin):
            raise InputError(
                f"--out {folder.parent}: the results of {folder.name} would replace files in "
                f"{folder}, where {path.relative_to(folder)} is none of theirs; move it, or "
                "choose another folder"
            )


def _has_records(folder: Path) -> bool:
    records = (path for place in entries(folder / RECORDS) for path in entries(place, "*.json"))
    if (folder / ARCHIVE).is_file() or any(records):
        return True
    try:
        return bool(Description.read(folder))
    except DamagedError:
        return False


def _followed(task: Task, protocol: Protocol) -> Followed:
    published = [Number(one.method, dict(one.scores), one.source) for one in protocol.published]
    metrics, differences = list(protocol.metrics), task.differences
    return Followed(protocol.name, metrics, protocol.denominators, differences, published)


def write_problems(folder: Path, problems: Sequence[Problem]) -> None:
    """Write the table of what is wrong with a dataset's files."""
    rows = [(problem.id, problem.what, problem.outcome) for problem in problems]
    write_text(folder / PROBLEMS, to_csv(_PROBLEM, rows))
