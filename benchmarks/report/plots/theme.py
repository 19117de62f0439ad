"""Figures as PNG files in a light and a dark theme, equal byte for byte every time.

Nothing of the user's settings or of other figures has a say: every figure begins with Matplotlib's
defaults and is written in the typeface that comes with it. The machine's typefaces serve for
characters which that one lacks, and for nothing else.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np
from PIL import Image, ImageColor

from benchmarks.formats.files import write_whole
from benchmarks.formats.typefaces import own_typeface

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 100
"""Pixels that an inch of a figure takes up on a page."""

_SHARPNESS = 2.0
"""Pixels of the file to one of the page."""

_LARGE, _LARGE_SHARPNESS = 50.0, 1.5
"""Square inches of a figure that has fewer, so that its file stays small."""

_TONES = 64
"""Colours of a file; anti-aliasing makes many more, which nobody sees."""

_TYPEFACE = "plots"


@dataclass(frozen=True)
class Theme:
    """Colours of a page and of what is drawn on it.

    Attributes
    ----------
    ending : str
        Of the file names, behind the plot's.
    background, text, muted, grid : str
        Of the page, its words, lesser words and axes, and lines that guide the eye.
    quiet : str
        Of marks and lines without a name.
    colours : tuple of str
        Told apart by colour-blind eyes (Okabe and Ito; lighter on a dark page).
    """

    ending: str
    background: str
    text: str
    muted: str
    grid: str
    quiet: str
    colours: tuple[str, ...]


LIGHT = Theme(
    ending="",
    background="#ffffff",
    text="#1f2328",
    muted="#59636e",
    grid="#e3e7eb",
    quiet="#b7bec6",
    colours=("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"),
)
DARK = Theme(
    ending="-dark",
    background="#0d1117",
    text="#e6edf3",
    muted="#9198a1",
    grid="#262c36",
    quiet="#4d5561",
    colours=("#3d9be0", "#f07c35", "#1fc095", "#e08fbc", "#f0b429", "#9bd7ff", "#ffffff"),
)
THEMES = (LIGHT, DARK)

Paint = Callable[["Figure", Theme], None]


def draw(
    folder: Path,
    name: str,
    size: tuple[float, float],
    paint: Paint,
    others: Sequence[Path] = (),
) -> None:
    """Draw a figure in every theme, as ``<name>.png`` and ``<name>-dark.png``.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    name : str
        Of the files, without an ending.
    size : tuple of float
        Width and height in inches; a page shows an inch as 100 pixels.
    paint : callable
        Fills an empty figure.
    others : sequence of Path
        Typefaces for characters that ours lacks.
    """
    is_large = size[0] * size[1] > _LARGE
    dots = round(_SHOWN * (_LARGE_SHARPNESS if is_large else _SHARPNESS))
    for theme in THEMES:
        with _settings(theme, dots, others):
            picture = _picture(theme, size, paint)
        save = partial(picture.save, format="PNG", dpi=(dots, dots))
        write_whole(folder / f"{name}{theme.ending}.png", save)


def embed(name: str, alt: str, width: float) -> str:
    """Markdown that shows a figure in the reader's theme.

    Parameters
    ----------
    name : str
        Path of the light file without its ending, seen from the page.
    alt : str
        For readers who do not see it.
    width : float
        Inches.
    """
    light, dark = (quote(f"{name}{theme.ending}.png") for theme in THEMES)
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img alt="{escape(alt)}" src="{light}" width="{width * _SHOWN:.0f}"></picture>\n'
    )


@contextmanager
def _settings(theme: Theme, dots: int, others: Sequence[Path]) -> Iterator[None]:
    import matplotlib

    family = [_load_typeface(path) for path in (own_typeface(), *others)]
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "axes.axisbelow": True,
                "axes.edgecolor": theme.muted,
                "axes.facecolor": theme.background,
                "axes.labelcolor": theme.text,
                "axes.spines.right": False,
                "axes.spines.top": False,
                "figure.dpi": dots,
                "figure.facecolor": theme.background,
                "font.family": family,
                "font.size": 9,
                "grid.color": theme.grid,
                "grid.linewidth": 0.8,
                "legend.frameon": False,
                "text.color": theme.text,
                "text.parse_math": False,
                "xtick.color": theme.muted,
                "xtick.labelcolor": theme.text,
                "ytick.color": theme.muted,
                "ytick.labelcolor": theme.text,
            }
        )
        yield


@cache
def _load_typeface(path: Path) -> str:
    """Give a typeface a name that no other has."""
    from matplotlib.font_manager import FontEntry, fontManager

    name = f"{_TYPEFACE} {path}"
    fontManager.ttflist.append(FontEntry(fname=str(path), name=name))
    return name


def _picture(theme: Theme, size: tuple[float, float], paint: Paint) -> Image.Image:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    canvas = FigureCanvasAgg(figure)
    paint(figure, theme)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    whole = Image.fromarray(pixels).convert("RGB")
    few = whole.quantize(_TONES, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    # The tone nearest to the background becomes the background itself.
    palette = few.getpalette() or []
    corner = 3 * int(np.asarray(few)[0, 0])
    palette[corner : corner + 3] = ImageColor.getrgb(theme.background)
    few.putpalette(palette)
    return few
