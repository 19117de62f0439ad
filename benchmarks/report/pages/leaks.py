"""Page of near duplicates within and across the parts of a dataset, and their worth."""

from pathlib import Path

from benchmarks.pipeline.records.leaks import Leaks
from benchmarks.report.format import write_page
from datasets.perceptual import BITS

_SHOWN = 25


def write_leaks(folder: Path, found: Leaks | None) -> None:
    """Write ``leaks.md`` about what an audit found; nothing if there was none."""
    if found is not None:
        write_page(
            folder / "leaks.md",
            "leaks",
            found=found,
            bits=BITS,
            shown=found["pairs"][:_SHOWN],
            total=sum(found["counts"].values()),
            has_sheet=(folder / "leaks.png").exists(),
        )
