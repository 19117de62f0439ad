"""A chart of paths: what grows with a cost, setting by setting."""

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
    rounded,
)
from benchmarks.report.plots.charts import Chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Paths(Chart):
    """Settings of several things as points that lines join, each named at its right end.

    Attributes
    ----------
    series : sequence of Series
        Values have shape (n_settings, 2): a cost, greater than 0, and a share.
    """

    def _fill(self, figure: "Figure") -> None:
        axes = make_axes(figure, LEFT, names_width(figure, self.series) + 0.45)
        for one in self.series:
            costs, shares = np.asarray(one.values).T
            style = one.mark.style()
            axes.plot(costs, rounded(shares), markersize=5.5, zorder=3, **style)
        axes.set(xlabel=self.xlabel, ylabel=self.ylabel, xscale="log", ylim=(0, 1.04))
        low, high = axes.get_xlim()
        number_decades(axes.xaxis, np.log10(high / low))
        axes.grid(axis="both")
        ends = [Series(one.name, one.mark, np.asarray(one.values)[:, 1]) for one in self.series]
        name_ends(axes, ends)
