"""The plots of a dataset: collected while its pages are written, drawn afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.formats.files import write_text
from benchmarks.formats.markdown import escape
from benchmarks.report.plots.theme import Paint, draw, embed

FOLDER = "plots"
"""Of the plots, beside the pages that show them."""

PAGE = "plots.md"

WIDTH = 8.3
"""Inches; as wide as a page shows a picture."""


@dataclass(frozen=True)
class Plot:
    """A plot that is to be drawn.

    Attributes
    ----------
    name : str
        Of its files.
    heading : str
        What it stands under on the page of all plots.
    caption : str
        One sentence, or a few.
    size : tuple of float
        Width and height in inches.
    paint : callable
        Draws it, see `benchmarks.report.plots.theme`.
    """

    name: str
    heading: str
    caption: str
    size: tuple[float, float]
    paint: Paint


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

    def add(self, plot: Plot) -> str:
        """Take a plot; returns the Markdown that shows it on a page of the folder."""
        if not self.is_drawn and not (self.folder / FOLDER / f"{plot.name}.png").exists():
            return ""
        self.plots.append(plot)
        return embed(f"{FOLDER}/{plot.name}", plot.caption, plot.size[0])

    def finish(self, title: str) -> None:
        """Write the page of all plots, if there are any, and draw them."""
        if self.plots:
            self._write_page(title)
        if self.is_drawn:
            for path in (self.folder / FOLDER).glob("*.png"):
                path.unlink()  # one that no page shows any more would stay
            for plot in self.plots:
                draw(self.folder / FOLDER, plot.name, plot.size, plot.paint)

    def _write_page(self, title: str) -> None:
        text = f"# {escape(title)}: plots\n"
        for heading in dict.fromkeys(plot.heading for plot in self.plots):
            text += f"\n## {escape(heading)}\n"
            for plot in self._under(heading):
                shown = embed(f"{FOLDER}/{plot.name}", plot.caption, plot.size[0])
                text += f"\n{shown}\n{escape(plot.caption)}\n"
        write_text(self.folder / PAGE, text)

    def _under(self, heading: str) -> Sequence[Plot]:
        return [plot for plot in self.plots if plot.heading == heading]
