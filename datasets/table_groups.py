"""Groups in a table: what is understood of them is told, as they change what is asked."""

from collections.abc import Collection as Sized
from collections.abc import Sequence
from dataclasses import dataclass

from datasets.layout import Collection, Item


@dataclass(frozen=True)
class Grouped(Collection):
    """Files of a table, of which those of one group are junk for each other."""

    def understood(self) -> list[str]:
        """Tell what was understood; groups, if there are any, in a line of their own."""
        names = sorted({item.group for item in self.items if item.group is not None})
        told = super().understood()
        if names:
            first = ", ".join(names[:3]) + ", …" * (len(names) > 3)
            told.append(
                f"group: {_counted(names)} ({first}); pictures of one are junk for each other"
            )
        return told


def doubts_about_groups(items: Sequence[Item]) -> list[str]:
    """Warn of groups that are too few to be scenes: they part the pictures of every class.

    Parameters
    ----------
    items : sequence of Item
        The files of a table.
    """
    groups = {item.group for item in items if item.group is not None}
    classes = {label for item in items for label in item.labels}
    if not groups or len(groups) >= len(classes):
        return []
    return [
        f"{_counted(groups)} for {len(classes):,} classes: pictures of one group never count "
        "for each other; if that is not meant, call the column otherwise"
    ]


def _counted(groups: Sized[str]) -> str:
    return f"{len(groups):,} group{'s' * (len(groups) > 1)}"
