"""A chart of growth: costs over sizes, both logarithmic."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.report.plots.axes import (
    LEFT,
    Series,
    make_axes,
    name_ends,
    names_width,
    number_decades,
)
from benchmarks.report.plots.charts import Chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Growth(Chart):
    """Costs of several things at every size, each named at its right end.

    Attributes
    ----------
    series : sequence of Series
        Values have shape (n_sizes, 2): a size and a cost, both greater than 0.
    """

    def _fill(self, figure: "Figure") -> None:
        axes = make_axes(figure, LEFT, names_width(figure, self.series) + 0.45)
        for one in self.series:
            axes.plot(*np.asarray(one.values).T, markersize=5, zorder=3, **one.mark.style())
        axes.set(xlabel=self.xlabel, ylabel=self.ylabel, xscale="log", yscale="log")
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            number_decades(axis, np.log10(high / low))
        axes.grid(axis="both")
        ends = [Series(one.name, one.mark, np.asarray(one.values)[:, 1]) for one in self.series]
        name_ends(axes, ends)
