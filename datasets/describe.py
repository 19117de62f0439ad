"""Print what is understood of a folder: its form, parts and classes, and what is passed over.

``python -m datasets.describe PATH``; no picture is read, nothing is run or written.
"""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence

import datasets
from datasets.command_line import Parser, command, fail, visible
from datasets.errors import InputError
from datasets.layout import ROLES_IN_WORDS, Collection
from datasets.roles import ROLES

_SHOWN = 12
"""Lines of each list that are printed."""


@command
def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code (2 for a folder that is not understood)."""
    about = (__doc__ or "").partition("\n")[0]
    parser = Parser(prog="python -m datasets.describe", description=about)
    parser.add_argument("dataset", nargs="+", metavar="PATH", help="a folder, or NAME=PATH")
    parser.add_argument(
        "--layout",
        nargs="+",
        metavar="FORM",
        default=[],
        help="its form by hand: classes, flat, or ROLE=FOLDER … (flat before them if there are "
        f"no classes) with roles of {', '.join(ROLES)}",
    )
    options = parser.parse_args(arguments)
    code = 0
    for text in options.dataset:
        try:
            lines = map(visible, describe(text, options.layout))
            sys.stdout.write("\n".join([*lines, ""]))
        except InputError as error:
            code = fail(str(error))
    return code


def describe(text: str, layout: Sequence[str] = ()) -> Iterator[str]:
    """Tell what is understood of a dataset's folder.

    Parameters
    ----------
    text : str
        Path or NAME=PATH, see `datasets.resolve`.
    layout : sequence of str
        Form of the folder, if the user names it; see `datasets.recognition.by_hand`.

    Yields
    ------
    str
        Lines for people.

    Raises
    ------
    InputError
        If it is no folder, or in none of the forms, or could be in more than one.
    """
    source, root = datasets.resolve(text, layout)
    if root is None:
        raise InputError(f"{text}: embedded, made when it is run; name a folder")
    found = source.collect(root)
    yield f"{source.name} ({found.root})"
    yield from (f"  {line}" for line in found.understood())
    yield from (f"  warning: {warning}" for warning in found.layout.warnings)
    yield from (f"  {line}" for line in _classes(found))
    if found.problems:
        yield "  files and folders with no place, or passed over:"
        rows = [f"    {one.id}: {one.what}; {one.outcome}" for one in found.problems]
        yield from _first(rows)


def _classes(found: Collection) -> Iterator[str]:
    """A table of the number of files of every class in every part."""
    counts = Counter(
        (visible(name), item.part)
        for item in found.items
        for name in item.labels or ["without class" if item.distractor is None else "distractors"]
    )
    parts = list(dict.fromkeys(item.part for item in sorted(found.items, key=lambda i: i.part)))
    names = sorted({name for name, _ in counts})
    heads = [ROLES_IN_WORDS.get(part, part) for part in parts]
    width = max(map(len, ["class", *names]))
    yield f"  {'class':{width}}" + "".join(f"  {head}" for head in heads)
    rows = [
        f"  {name:{width}}"
        + "".join(
            f"  {counts[name, part]:{len(head)},}" for part, head in zip(parts, heads, strict=True)
        )
        for name in names
    ]
    yield from _first(rows)


def _first(rows: Sequence[str]) -> Iterator[str]:
    yield from rows[:_SHOWN]
    if len(rows) > _SHOWN:
        yield f"    … {len(rows) - _SHOWN:,} more"


if __name__ == "__main__":
    sys.exit(main())
