"""Page of the presets: parameters that tuning chose, what else it tried, and their worth."""

import logging
from collections.abc import Mapping
from pathlib import Path

from benchmarks.formats.files import Json
from benchmarks.pipeline.methods.presets import FOLDER, read_preset
from benchmarks.pipeline.records.results import TaskResults
from benchmarks.report.comparisons import score_task
from benchmarks.report.format import write_page
from benchmarks.report.tables import SORT_BY
from datasets.errors import DamagedError

log = logging.getLogger(__name__)


def write_presets(folder: Path, tasks: Mapping[str, TaskResults]) -> None:
    """Write ``presets.md``, where there are presets, with the tasks that there are results of."""
    presets = []
    for path in sorted((folder / FOLDER).glob("*.json")):
        try:
            presets.append(read_preset(path))
        except DamagedError as error:
            log.warning("%s; until then it is left out", error)
    if presets:
        tuned = [row for query_set, task in tasks.items() for row in _tuned(query_set, task)]
        write_page(
            folder / "presets.md", "presets", dataset=folder.name, presets=presets, tuned=tuned
        )


def _tuned(query_set: str, task: TaskResults) -> list[Json]:
    """Compare every tuned method that was run with the menu's, on the gallery."""
    if not task.is_scored:
        return []
    scored = score_task(task, SORT_BY)
    pairs = [(name, name.partition("@")[0]) for name in scored.ordered(scored.values)]
    there = [(name, own) for name, own in pairs if name != own and own in scored.values]
    return [
        {
            "query_set": query_set,
            "menu": scored.mean(one.other),
            "tuned": scored.mean(one.method),
            "difference": one,
        }
        for one in scored.differences(there)
    ]
