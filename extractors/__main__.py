"""Print the menu by family with its sources, as it stands in extractors/README.md."""

import re
import sys
from collections.abc import Sequence

from extractors import FAMILIES, MENU, Description, describe
from extractors.command_line import command


@command
def main() -> int:
    """Run the command; returns the exit code."""
    sys.stdout.write(tables() + "\n")
    return 0


def tables() -> str:
    """One Markdown table for each family; entries of the same words share a row."""
    entries: dict[Description, list[str]] = {}
    for name, extractor in MENU.items():
        entries.setdefault(describe(extractor), []).append(name)
    parts = []
    for family in FAMILIES:
        rows = [row(names, one) for one, names in entries.items() if one.family == family]
        if rows:
            head = ["| extractors | description | sources |", "| --- | --- | --- |"]
            parts.append("\n".join([f"**{family.capitalize()}**\n", *head, *rows]))
    return "\n\n".join(parts)


def row(names: Sequence[str], description: Description) -> str:
    """One row of a table: names, summary and links to the sources.

    Parameters
    ----------
    names : sequence of str
        Names of menu entries.
    description : Description
        Their description, the same for all.
    """
    listed = ", ".join(f"`{name}`" for name in names)
    sources = "; ".join(map(_link, description.references))
    return f"| {listed} | {description.summary} | {sources} |"


def _link(reference: str) -> str:
    """Make a link of a source, its text the authors and the year."""
    text, _, address = reference.rpartition(" ")
    text = text.rstrip(",")
    named = re.match(r"(.*?)(,.*)? \((\d{4})\)", text)
    if named:
        text = f"{named[1]}{' et al.' if named[2] else ''} {named[3]}"
    return f"[{text or address}]({address.replace('doi:', 'https://doi.org/')})"


if __name__ == "__main__":
    sys.exit(main())
