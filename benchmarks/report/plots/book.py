"""The plots of a dataset: collected while its pages are written, drawn afterwards."""

from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.formats.markdown import Markup
from benchmarks.pipeline.records.description import PLOTS_PAGE, drawn_plots
from benchmarks.pipeline.records.record import PLOTS
from benchmarks.report.format import write_page
from benchmarks.report.plots.charts import Chart
from benchmarks.report.plots.legible import legible
from benchmarks.report.plots.theme import draw, embed


@dataclass(frozen=True)
class Plot:
    """A chart on a dataset's pages.

    Attributes
    ----------
    name : str
        Of its files.
    heading : str
        On the page of all plots: the query set, or whatever else it is about.
    caption : str
        A sentence or a few.
    chart : Chart
        What is drawn.
    """

    name: str
    heading: str
    caption: str
    chart: Chart


@dataclass
class PlotBook:
    """The plots of a dataset.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``.
    is_drawn : bool
        Whether they are drawn in the end; if not, pages show those that are there.
    plots : list of Plot
        So far.
    """

    folder: Path
    is_drawn: bool = True
    plots: list[Plot] = field(default_factory=list)

    def add(self, name: str, heading: str, caption: str, chart: Chart) -> Markup:
        """Take a plot, see `Plot`; returns the Markdown that shows it on a page of the folder."""
        if not self.is_drawn and not (self.folder / PLOTS / f"{name}.png").exists():
            return Markup()
        self.plots.append(Plot(name, heading, caption, chart))
        return self._embed(self.plots[-1])

    def finish(self, title: str) -> None:
        """Write the page of all plots, if there are any, and draw them."""
        names = {f"{plot.name}.png" for plot in self.plots}
        for path in drawn_plots(self.folder):
            if path.name not in names:
                path.unlink()  # no page would show it any more
        (self.folder / PLOTS_PAGE).unlink(missing_ok=True)
        if self.plots:
            headings = dict.fromkeys(plot.heading for plot in self.plots)
            shown = [(plot.heading, self._embed(plot), plot.caption) for plot in self.plots]
            values = {"name": title, "headings": headings, "plots": shown}
            write_page(self.folder / PLOTS_PAGE, "plots", **values)
        if self.is_drawn:
            charts = legible([plot.chart for plot in self.plots])
            for plot, (chart, others) in zip(self.plots, charts, strict=True):
                draw(self.folder / PLOTS, plot.name, chart.size, chart.paint, others)

    def _embed(self, plot: Plot) -> Markup:
        return Markup(embed(f"{PLOTS}/{plot.name}", plot.caption, plot.chart.size[0]))
