"""Class folders of several parts, held against one another by their names."""

from collections.abc import Iterator
from dataclasses import replace

from datasets.errors import InputError
from datasets.folder_names import is_distractor, listed
from datasets.layout import HELD_OUT, Layout
from datasets.names import near_misses
from datasets.walk import Listing


def with_classes(listing: Listing, layout: Layout) -> Layout:
    """Decide whether the folders in gallery and queries are classes."""
    searching = [part for part in layout.parts if part.role.startswith(("gallery", "query"))]
    parts = {part.role: listing.below(part.folder) for part in searching}
    if not parts:
        return layout
    searched = sorted(name for name in parts["gallery"].names if not is_distractor(name))
    asked = sorted({n for role, one in parts.items() if role != "gallery" for n in one.names})
    alike = {*searched} & {*asked} or near_misses(asked, searched)
    if searched and asked and not alike:
        raise InputError(
            f"{listing.root}: no folder in the gallery ({listed(searched)}) is called like one of "
            f"the queries' ({listed(asked)}); name classes alike, or write flat behind "
            "--layout if there are none"
        )
    folders = searched or asked
    loose = any(file.is_picture for one in parts.values() for file in one.loose)
    if not folders:
        return layout
    if loose and not alike:
        why = f"{listed(folders)}: no classes, since other pictures have none"
        return replace(layout, warnings=(*layout.warnings, why))
    return replace(layout, parts=tuple(replace(part, has_classes=True) for part in layout.parts))


def strangers(listing: Listing, layout: Layout) -> Iterator[str]:
    """A warning if nothing that is held out is of a class that is learned from."""
    names: dict[str, set[str]] = {}
    for part in layout.parts:
        names.setdefault(part.role, set()).update(listing.below(part.folder).names)
    learned, held_out = (sorted(names.get(role, ())) for role in ("training", HELD_OUT))
    if learned and held_out and not ({*learned} & {*held_out} or near_misses(held_out, learned)):
        yield (
            f"no class that is held out ({listed(held_out)}) is called like one that is learned "
            f"from ({listed(learned)})"
        )
