"""Figures as small PNG files, equal byte for byte every time: light cards, on any page.

Nothing of the user's settings or of other figures has a say: every figure begins with Matplotlib's
defaults and is written in the typeface that comes with it. The machine's typefaces serve for
characters which that one lacks, and for nothing else.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.formats.files import write_whole
from benchmarks.formats.typefaces import own_typeface

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 100
"""Pixels that an inch of a figure takes up on a page."""

_SHARPNESS = 1.5
"""Pixels of the file to one of the page."""

_LARGE, _LARGE_SHARPNESS = 50.0, 1.2
"""Square inches of a figure that has fewer, so that its file stays small."""

_AREAS, _TONES = 16, 24
"""Most frequent and other colours of a file: anti-aliasing makes more, which nobody sees."""

_TYPEFACE = "plots"


BACKGROUND = "#f7f8fa"
TEXT = "#1f2328"
MUTED = "#59636e"
"""Of lesser words, and of axes."""

GRID = "#dde2e7"
"""Of lines that guide the eye, and around the whole figure."""

QUIET = "#b0b8c1"
"""Of marks and lines without a name."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Told apart by colour-blind eyes (Okabe and Ito)."""

Paint = Callable[["Figure"], None]


def draw(
    folder: Path,
    name: str,
    size: tuple[float, float],
    paint: Paint,
    others: Sequence[Path] = (),
) -> None:
    """Draw a figure, as ``<name>.png``.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    name : str
        Of the file, without its ending.
    size : tuple of float
        Width and height in inches; a page shows an inch as 100 pixels.
    paint : callable
        Fills an empty figure.
    others : sequence of Path
        Typefaces for characters that ours lacks.
    """
    is_large = size[0] * size[1] > _LARGE
    dots = round(_SHOWN * (_LARGE_SHARPNESS if is_large else _SHARPNESS))
    with _settings(dots, others):
        picture = _picture(size, paint)
    save = partial(picture.save, format="PNG", dpi=(dots, dots), optimize=True)
    write_whole(folder / f"{name}.png", save)


def embed(name: str, alt: str, width: float) -> str:
    """Markdown that shows a figure.

    Parameters
    ----------
    name : str
        Path of the file without its ending, seen from the page.
    alt : str
        For readers who do not see it.
    width : float
        Inches.
    """
    source = quote(f"{name}.png")
    return f'<img alt="{escape(alt)}" src="{source}" width="{width * _SHOWN:.0f}">\n'


@contextmanager
def _settings(dots: int, others: Sequence[Path]) -> Iterator[None]:
    import matplotlib

    family = [_load_typeface(path) for path in (own_typeface(), *others)]
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "axes.axisbelow": True,
                "axes.edgecolor": MUTED,
                "axes.facecolor": BACKGROUND,
                "axes.labelcolor": TEXT,
                "axes.spines.right": False,
                "axes.spines.top": False,
                "figure.dpi": dots,
                "figure.facecolor": BACKGROUND,
                "font.family": family,
                "font.size": 9,
                "grid.color": GRID,
                "grid.linewidth": 0.8,
                "legend.frameon": False,
                "text.color": TEXT,
                "text.parse_math": False,
                "xtick.color": MUTED,
                "xtick.labelcolor": TEXT,
                "ytick.color": MUTED,
                "ytick.labelcolor": TEXT,
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


def _picture(size: tuple[float, float], paint: Paint) -> Image.Image:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size)
    canvas = FigureCanvasAgg(figure)
    paint(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    whole = Image.fromarray(pixels).convert("RGB")
    ImageDraw.Draw(whole).rectangle((0, 0, whole.width - 1, whole.height - 1), outline=GRID)
    return _with_few_colours(whole)


def _with_few_colours(whole: Image.Image) -> Image.Image:
    """Map a picture to a palette in which areas of one colour keep it."""
    counted: Any = whole.getcolors(whole.width * whole.height)
    areas = [part for _, colour in sorted(counted, reverse=True)[:_AREAS] for part in colour]
    others = whole.quantize(_TONES, Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette(areas + others)
    return whole.quantize(palette=palette, dither=Image.Dither.NONE)
