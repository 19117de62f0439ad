"""Page of the presets: parameters that tuning chose, what else it tried, and their worth."""

import logging
from collections.abc import Mapping
from pathlib import Path

from benchmarks.formats.files import Json
from benchmarks.pipeline.methods.presets import FOLDER, Preset, read_preset, tuned_method
from benchmarks.pipeline.records.results import TaskResults
from benchmarks.report.comparisons import score_task
from benchmarks.report.format import write_page
from benchmarks.report.tables import SORT_BY
from datasets.errors import InputError

log = logging.getLogger(__name__)


def write_presets(folder: Path, tasks: Mapping[str, TaskResults]) -> None:
    """Write ``presets.md``, where there are presets, with the tasks that there are results of."""
    presets: list[Preset] = []
    notes: dict[str, str | None] = {}
    for path in sorted((folder / FOLDER).glob("*.json")):
        try:
            preset = read_preset(path)
            tuning = tuned_method(preset, str(path)).tuning
        except InputError as error:
            log.warning("%s; until then it is left out", error)
            continue
        presets.append(preset)
        notes[preset.name] = tuning.note if tuning else None
    taught = {preset.card.get("training hash"): preset.method for preset in presets}
    if len(taught) > 1:
        log.warning(
            "%s: %s were tuned on different training images; tune them anew",
            folder / FOLDER,
            " and ".join(taught.values()),
        )
    if presets:
        tuned = [
            row for query_set, task in tasks.items() for row in _tuned(query_set, task, notes)
        ]
        write_page(
            folder / "presets.md", "presets", dataset=folder.name, presets=presets, tuned=tuned
        )


def _tuned(query_set: str, task: TaskResults, notes: Mapping[str, str | None]) -> list[Json]:
    """Compare every tuned method that was run with the menu's, on the gallery.

    One that was run with another preset of its name is left out.
    """
    if not task.is_scored:
        return []
    scored = score_task(task, SORT_BY)
    used = {record["method"]: record["card"]["extractor"].get("tuned") for record in task.records}
    pairs = [(name, name.partition("@")[0]) for name in scored.ordered(scored.values)]
    there = [(name, own) for name, own in pairs if name != own and own in scored.values]
    for name in [name for name, _ in there if notes.get(name, used[name]) != used[name]]:
        log.warning("%s was run with another preset than the one here; run it again", name)
        there = [pair for pair in there if pair[0] != name]
    return [
        {
            "query_set": query_set,
            "menu": scored.mean(one.other),
            "tuned": scored.mean(one.method),
            "difference": one,
        }
        for one in scored.differences(there)
    ]
