"""TU-Berlin: free-hand sketches of 250 classes, which ask each other."""

from pathlib import Path
from typing import ClassVar

from datasets.fetching.archive import Archive
from datasets.layout import Collection
from datasets.public.protocols import leave_one_out
from datasets.public.public_set import About, PublicSet, of_classes
from datasets.source import Each, serially


class TUBerlin(PublicSet):
    """Eighty sketches of each of 250 classes.

    References
    ----------
    M. Eitz, J. Hays, M. Alexa (2012), How do humans sketch objects?, ACM Transactions on Graphics
    31(4), doi:10.1145/2185520.2185540
    """

    name = "tu-berlin"
    summary = "250 classes x 80 free-hand sketches, which ask each other"
    licence = "CC BY 4.0"
    about = About(
        "TU-Berlin sketches",
        "https://cybertron.cg.tu-berlin.de/eitz/projects/classifysketch/",
        "Eitz, Hays and Alexa 2012, doi:10.1145/2185520.2185540",
        20_000,
        (
            Archive(
                "sketches_png.zip",
                (
                    "https://cybertron.cg.tu-berlin.de/eitz/projects/classifysketch/"
                    "sketches_png.zip",
                ),
            ),
        ),
        is_open=True,
        unverified="About 525 MB; no sum was found. The zero-shot protocol is left out: the list "
        "of its 30 unseen classes and the extension's photographs could not be had.",
    )
    protocols: ClassVar = {"query": leave_one_out("TU-Berlin sketches", 20_000)}

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List ``png/<class>/N.png``."""
        listing = self.open(root, "png")
        return self.gather(listing, of_classes(listing, {"png": "gallery"}, "query"))
