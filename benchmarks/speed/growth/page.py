"""The page of growth: costs of every step at every size, their exponents, and a model."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.formats.files import write_text
from benchmarks.formats.markdown import markdown
from benchmarks.report.format import NOTHING, cost, listed
from benchmarks.report.plots.axes import Mark, Series
from benchmarks.report.plots.theme import draw, embed
from benchmarks.speed.growth.chart import Growth
from benchmarks.speed.growth.fit import (
    FITTED_FROM,
    LINEAR,
    exponent,
    last_exponent,
    steeper,
)
from benchmarks.speed.growth.gallery import CLASSES, QUERIES, SIDE
from benchmarks.speed.growth.process import Measured

PAGE = "growth.md"

_PLOT = "growth"
_MEBIBYTE = 2**20

Steps = Mapping[str, Mapping[int, Measured]]
"""Name of a step to its measurements, by the size of the gallery."""


def write_growth(
    folder: Path, where: str, extractor: str, steps: Steps, sections: Sequence[str]
) -> None:
    """Write the page and its plot.

    Parameters
    ----------
    folder : Path
        Gets ``growth.md`` and ``plots/growth.png``.
    where : str
        The machine.
    extractor : str
        That described the pictures.
    steps : mapping of str
        All measurements.
    sections : sequence of str
        What else is on the page.
    """
    spent = {
        name: {size: one.processor_seconds for size, one in mine.items()}
        for name, mine in steps.items()
    }
    caption = "Processor seconds of every step over the number of pictures in the gallery."
    chart = Growth(
        title=f"What grows with the number of pictures ({extractor})",
        xlabel="pictures in the gallery",
        ylabel="processor seconds",
        series=[
            Series(name, Mark(number, number // 8), np.array(sorted(mine.items()), np.float64))
            for number, (name, mine) in enumerate(spent.items())
        ],
    )
    draw(folder / "plots", _PLOT, chart.size, chart.paint)
    parts = [
        "# Growth",
        where,
        f"Galleries of pictures of {SIDE} x {SIDE} pixels in {CLASSES} classes, described by "
        f"{extractor}; {QUERIES} queries, whatever the size. Every step is measured in a process "
        "of its own, without what it takes to start it.",
        embed(f"plots/{_PLOT}", caption, chart.size[0]),
        _seconds(spent),
        _clock(steps),
        _memory(steps),
        *sections,
    ]
    write_text(folder / PAGE, "\n\n".join(part.strip("\n") for part in parts) + "\n")


def _seconds(spent: Mapping[str, Mapping[int, float]]) -> str:
    sizes = _sizes(spent)
    cells = [
        [name, *(cost(mine[size]) for size in sizes), _power(exponent(mine)), _power(last)]
        for name, mine in spent.items()
        for last in [last_exponent(mine)]
    ]
    table = markdown(["", *map("{:,}".format, sizes), "exponent", "of the last two"], cells)
    words = (
        "By the processor, in seconds, of the step and of the workers that it starts. The "
        "exponent is the slope of their logarithms over those of the sizes, by least squares over "
        f"the sizes from {FITTED_FROM:,} on: 1 is linear. What is paid once, such as the start of "
        "workers, flattens it; the two largest sizes have least of that."
    )
    fast = steeper(spent)
    verdict = (
        f"Faster than linear (an exponent of more than {LINEAR} between the two largest): "
        f"{listed(fast)}."
        if fast
        else f"None grows faster than linear (an exponent of more than {LINEAR} between the two "
        "largest)."
    )
    return f"## Time\n\n{words}\n\n{table}\n{verdict}"


def _clock(steps: Steps) -> str:
    sizes = _sizes(steps)
    cells = [[name, *(cost(mine[n].seconds) for n in sizes)] for name, mine in steps.items()]
    return "By the clock, in seconds:\n\n" + markdown(["", *map("{:,}".format, sizes)], cells)


def _memory(steps: Steps) -> str:
    sizes = _sizes(steps)
    cells = [
        [
            name,
            *(f"{mine[n].peak_bytes / _MEBIBYTE:,.0f}" for n in sizes),
            _by_picture({n: one.peak_bytes for n, one in mine.items()}),
        ]
        for name, mine in steps.items()
    ]
    table = markdown(["", *map("{:,}".format, sizes), "bytes, each picture"], cells)
    words = (
        "The most that was resident at a time, in MiB: the sum of the peaks of the process and of "
        "the workers that it starts, interpreter and libraries included. Vectors stay on the "
        "disk; what is kept of each picture (id, path, hash, class) is what grows. The last "
        f"column is the difference between the largest gallery and that of {FITTED_FROM:,}, for "
        "each picture."
    )
    return f"## Memory\n\n{words}\n\n{table}"


def _by_picture(peaks: Mapping[int, int]) -> str:
    most = max(peaks)
    if FITTED_FROM not in peaks or most == FITTED_FROM:
        return NOTHING
    return f"{(peaks[most] - peaks[FITTED_FROM]) / (most - FITTED_FROM):,.0f}"


def _power(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"


def _sizes(steps: Mapping[str, Mapping[int, object]]) -> list[int]:
    return sorted({size for mine in steps.values() for size in mine})
