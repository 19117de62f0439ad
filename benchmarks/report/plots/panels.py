"""Small charts side by side, on one scale and with one legend."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.report.plots.axes import SIZE, Floats, Series, rounded
from benchmarks.report.plots.charts import WIDTH, Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ACROSS = 6
_LEFT, _GAP = 0.5, 0.12
"""Inches beside the first chart, and between charts."""

_HIGH, _ABOVE = 1.15, 0.28
"""Inches of a chart, and of its name above it."""

_FOOT, _HEAD, _ENTRY = 0.5, 0.3, 0.19
"""Inches below the charts, of the title, and of a line of the legend."""

_NAMED_ACROSS = 2


@dataclass(frozen=True, kw_only=True)
class Panels(Chart):
    """Curves of the same series in many small charts.

    Attributes
    ----------
    panels : sequence of str
        Names of the charts.
    across : sequence of float
        Places along the horizontal axes.
    series : sequence of Series
        Values have shape (n_panels, n_places, 3), with lower and upper ends; NaN where a chart
        has fewer places.
    chance : float
        Score of a random order.
    """

    panels: Sequence[str]
    across: Sequence[float]
    chance: float

    def _height(self) -> float:
        rows = -(-len(self.panels) // _ACROSS)
        return self._head() + rows * (_HIGH + _ABOVE) + _FOOT

    def _head(self) -> float:
        return _HEAD + _ENTRY * -(-(len(self.series) + 1) // _NAMED_ACROSS)

    def _fill(self, figure: "Figure") -> None:
        height = figure.get_figheight()
        width = (WIDTH - _LEFT - _GAP) / _ACROSS - _GAP
        lines = [*self.series, *Series.of_chance([self.chance])]
        shown = np.stack([rounded(one.values) for one in self.series])
        for place, name in enumerate(self.panels):
            row, column = divmod(place, _ACROSS)
            left = _LEFT + column * (width + _GAP)
            bottom = height - self._head() - (row + 1) * (_HIGH + _ABOVE)
            box = (left / WIDTH, bottom / height, width / WIDTH, _HIGH / height)
            axes = figure.add_axes(box)
            axes.axhline(self.chance, **lines[-1].mark.style())
            for one, values in zip(self.series, shown[:, place], strict=True):
                self._draw(axes, one.mark.style(), values)
            axes.set_title(name, fontsize=SIZE, loc="left", pad=3)
            axes.set(xlim=(self.across[0], self.across[-1]), ylim=(0, 1.04 * np.nanmax(shown)))
            axes.set_xticks(self.across)
            axes.tick_params(labelsize=SIZE - 1, labelleft=column == 0, length=2)
            axes.tick_params(labelbottom=place + _ACROSS >= len(self.panels))
            axes.grid(axis="y")
        self._write_names(figure, lines)
        figure.text(_LEFT / WIDTH, 0.08 / height, self.xlabel, fontsize=SIZE, va="bottom")

    def _draw(self, axes: "Axes", style: dict[str, Any], values: Floats) -> None:
        """Draw a curve with its band."""
        known = np.isfinite(values[:, 0])
        across, (middle, low, high) = np.asarray(self.across)[known], values[known].T
        axes.fill_between(across, low, high, color=style["color"], alpha=0.12, linewidth=0)
        axes.plot(across, middle, markersize=3, linewidth=1.2, clip_on=False, **style)

    def _write_names(self, figure: "Figure", lines: Sequence[Series]) -> None:
        from matplotlib.lines import Line2D

        handles = [Line2D([], [], label=one.name, **one.mark.style()) for one in lines]
        figure.legend(
            handles=handles,
            loc="upper left",
            bbox_to_anchor=(0.0, 1 - 0.25 / figure.get_figheight()),
            ncols=_NAMED_ACROSS,
            fontsize=SIZE,
            markerscale=0.7,
            columnspacing=1.5,
        )
