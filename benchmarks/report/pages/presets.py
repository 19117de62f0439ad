"""What tuning chose for a dataset's rows, what else it tried, and what that gave."""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.formats.files import write_text
from benchmarks.formats.markdown import escape, markdown
from benchmarks.pipeline.methods.presets import FOLDER, Preset, Tried, read_preset
from benchmarks.pipeline.records.record import TaskResults
from benchmarks.report.pages.fusion import score_task
from benchmarks.report.tables import SORT_BY, share
from retrieval.metrics import METRICS

FILE = "presets.md"

_LEGEND = """\
Parameters of these rows were chosen by the training images alone: each asks for the others of
its class. What learns from vectors (scaling, idf, whitening, weights) learns from four fifths of
the images for the queries of the last fifth; visual words are learned from all of them, without
classes. Another choice than the menu's has to be significantly better on mAP (paired permutation
test, Holm's correction over a row's candidates, 5 %), or the menu's stays. The best of several
scores looks a little better here than it is; the gallery, where no choice was made, says what
it is worth. In brackets 95 % intervals.
"""


def write_presets(folder: Path, tasks: Mapping[str, TaskResults]) -> None:
    """Write ``presets.md``, where there are presets.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``.
    tasks : mapping of str to TaskResults
        What is kept of its query sets, if anything is.
    """
    presets = read_presets(folder)
    if not presets:
        return
    text = f"# {escape(folder.name)}: tuned rows\n\n{_LEGEND}\n"
    text += "".join(f"- {one.row}: {escape(one.verdict)}.\n" for one in presets)
    for query_set, task in tasks.items():
        text += _gallery_section(query_set, task)
    write_text(folder / FILE, text + "".join(map(_candidates_section, presets)))


def read_presets(folder: Path) -> list[Preset]:
    """The presets of a dataset, by row name."""
    return [read_preset(path) for path in sorted((folder / FOLDER).glob("*.json"))]


def _gallery_section(query_set: str, task: TaskResults) -> str:
    """Every tuned row that was run beside the same row as the menu has it."""
    if not task.is_scored:
        return ""
    scored = score_task(task, SORT_BY)
    pairs = [(name, name.partition("@")[0]) for name in scored.ordered(scored.values)]
    there = [(name, base) for name, base in pairs if "@" in name and base in scored.values]
    cells = [
        [
            one.row,
            share(scored.values[one.other].mean()),
            share(scored.values[one.row].mean()),
            f"{one.change:+.3f} ({one.low:+.3f} to {one.high:+.3f})",
            _p(one.p_value),
        ]
        for one in scored.against(there)
    ]
    if not cells:
        return ""
    label = METRICS[SORT_BY].label
    headings = ["row", f"{label} as in the menu", f"{label} tuned", "change", "p, not corrected"]
    return f"\n## {escape(query_set)}, on the gallery\n\n" + markdown(headings, cells)


def _candidates_section(preset: Preset) -> str:
    card, own = preset.card, preset.candidates[0]
    cells = [[*_name(one, preset), *candidate_cells(one, one is own)] for one in preset.candidates]
    text = (
        f"\n## {preset.row}\n\nTuned on {card['training images']} images of "
        f"{card['training classes']} classes, of {escape(preset.dataset)}.\n\n"
    )
    text += markdown(["parameters", *CANDIDATE_HEADINGS], cells)
    failed = preset.failed.items()
    return text + "".join(f"\n- {escape(f'{words}: {why}')}\n" for words, why in failed)


CANDIDATE_HEADINGS = ("dims", METRICS[SORT_BY].label, METRICS["top1"].label, "change", "p")


def candidate_cells(tried: Tried, is_own: bool) -> list[str]:
    """What stands under `CANDIDATE_HEADINGS`."""
    ends = "–".join(share(tried[end]).removeprefix("0") for end in ("low", "high"))
    return [
        str(tried["dimensions"]),
        f"{share(tried['map'])} ({ends})",
        share(tried["top1"]),
        "" if is_own else f"{tried['change']:+.3f}",
        "" if is_own else _p(tried["p_value"]),
    ]


def _name(tried: Tried, preset: Preset) -> list[str]:
    chosen = tried["choice"] == preset.parameters
    return [f"{tried['words']} (chosen)" if chosen else tried["words"]]


def _p(value: float) -> str:
    return "< 0.001" if value < 1e-3 else f"{value:.3f}"
