"""Ten animal classes among twelve other animals, the distractors."""

from pathlib import Path

from datasets.layout import Collection
from datasets.recognition import read_layout
from datasets.source import Each, Source, serially
from datasets.walk import walk


class Animals(Source):
    """Photographs of ten animals; the distractors are bison, wolf, deer and other animals.

    From the repository InputBlackBoxOutput/popular-animals-dataset, laid out in this suite's
    own layout, re-encoded with the longest side 400. A few near duplicates and drawings are
    part of the set.
    """

    name = "animals"
    summary = "10 animal classes, galleries full of 12 other animals (root in the layout)"
    licence = "web photographs, rights not cleared; not redistributed here"

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List the folder."""
        return read_layout(walk(root))
