"""Numbers and names as every table, page and plot writes them, and pages from their templates."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from benchmarks.formats.files import Json, write_text
from benchmarks.formats.markdown import Markup, escape, table, to_csv
from retrieval.metrics import Metrics

NOTHING = "–"
"""Stands where there is no number."""

LEVEL_WITH_BEST = "≈"
"""Stands behind scores that are not significantly worse than the best of their column."""


def score(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Write a score between 0 and 1, with its interval where that is given.

    >>> score(0.7534), score(0.7534, 0.693, 0.8091), score(None), score(float("nan"))
    ('0.753', '0.753 (0.693–0.809)', '–', '–')
    """
    text = NOTHING if value is None or math.isnan(value) else f"{value:.3f}"
    return text if low is None or high is None else f"{text} ({interval(low, high)})"


def interval(low: float, high: float) -> str:
    """Write the ends of a score's interval."""
    return f"{low:.3f}–{high:.3f}"


def change(value: float, low: float | None = None, high: float | None = None) -> str:
    """Write a difference of scores, with its interval where that is given.

    >>> change(-0.04), change(0.0004, -0.0003, 0.001)
    ('-0.040', '+0.000 (+0.000 to +0.001)')
    """
    text = f"{value:+z.3f}"
    return text if low is None or high is None else f"{text} ({low:+z.3f} to {high:+z.3f})"


def p_value(value: float) -> str:
    """Write the probability that a test gives."""
    return "< 0.001" if value < 1e-3 else f"{value:.3f}"


def percent(share: float | None) -> str:
    """Write a share as a whole number of hundredths."""
    return NOTHING if share is None else f"{round(100 * share)} %"


def times(value: float) -> str:
    """Write a factor, a weight or a mean rank."""
    return f"{value:z.1f}"


def hundredths(value: float) -> str:
    """Write a rank correlation, which tied methods have none of, or a number of a chart.

    >>> hundredths(0.5), hundredths(float("nan"))
    ('0.50', '–')
    """
    return NOTHING if math.isnan(value) else f"{value:.2f}"


def count(number: int | None) -> str:
    """Write a number of things."""
    return NOTHING if number is None else f"{number:,}"


def cost(value: float | None) -> str:
    """Write seconds or milliseconds, to hundredths where they are few.

    >>> cost(8.727), cost(896.3)
    ('8.73', '896')
    """
    return NOTHING if value is None else f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def formulas(metrics: Metrics) -> dict[str, list[str]]:
    """Metrics in words, each with the headings of the columns that it explains."""
    found: dict[str, list[str]] = {}
    for metric in metrics.values():
        if metric.formula:
            found.setdefault(metric.formula, []).append(metric.label)
    return found


def listed(names: Sequence[str]) -> str:
    """Write names one after another."""
    return ", ".join(names) if names else "none"


def broken(name: str, width: int) -> str:
    """Break a method's name into lines of at most `width` where it can be broken: before a ``+``.

    >>> print(broken("hsv-histogram-grid+lbp+gist+rootsift-bovw", 32))
    hsv-histogram-grid+lbp+gist
    +rootsift-bovw
    """
    lines = [""]
    for part in re.split(r"(?=[+])", name):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)


def shorten(letters: str) -> str:
    """Write three or more letters in a row as a range.

    >>> shorten("abdefgk[aa]")
    'abd–gk[aa]'
    """
    runs: list[list[str]] = []
    for group in groups(letters):
        if runs and _place(runs[-1][-1]) == _place(group) - 1:
            runs[-1].append(group)
        else:
            runs.append([group])
    return "".join(f"{r[0]}–{r[-1]}" if len(r) > 2 else "".join(r) for r in runs)


def groups(letters: str) -> list[str]:
    """Take the letters of a cell apart: each is a group of methods that do not differ.

    >>> groups("ab[aa]")
    ['a', 'b', '[aa]']
    """
    return re.findall(r"\[[a-z]+\]|[a-z]", letters)


def _place(group: str) -> int:
    """Number of a group: a is 1, [aa] comes after z."""
    place = 0
    for letter in group.strip("[]"):
        place = 26 * place + ord(letter) - ord("a") + 1
    return place


def render(template: str, **values: object) -> str:
    """Fill a template of this folder; whatever is put into it is escaped as Markdown.

    Parameters
    ----------
    template : str
        Name of the file without its ending ``.md.j2``.
    **values
        What the template names; a name that is missing, or a None that is to be written, raises.

    Returns
    -------
    str
        Markdown, without blank lines at its ends or more than one between paragraphs.
    """
    text = _TEMPLATES.get_template(f"{template}.md.j2").render(**values)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"


def write_page(path: Path, template: str, **values: object) -> None:
    """Write a page from its template, see `render`."""
    write_text(path, render(template, **values))


def write_csv(path: Path, rows: Sequence[Json]) -> None:
    """Write rows as CSV; the keys of the first are the headings."""
    write_text(path, to_csv(list(rows[0]), [list(row.values()) for row in rows]))


def _written(value: object) -> str:
    if value is None:
        raise TypeError("a template writes a value that is None")
    return escape(value if isinstance(value, str) else str(value))


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    finalize=_written,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters |= {"table": table, "markup": Markup}
_TEMPLATES.globals |= {
    function.__name__: function
    for function in (
        *(score, interval, change, p_value, percent, times, hundredths, count, cost),
        *(formulas, listed),
    )
}
