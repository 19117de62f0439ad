"""INRIA Holidays: the first picture of each group asks, the others are right."""

from pathlib import Path
from typing import ClassVar

from datasets.fetching.archive import Archive
from datasets.layout import Collection
from datasets.protocols import Protocol, Published
from datasets.public.public_set import About, Entry, PublicSet
from datasets.source import Each, serially

_T7 = "Razavian et al. 2014, doi:10.1109/CVPRW.2014.131, table 7"


class Holidays(PublicSet):
    """Holiday photographs: the first of each group asks, the others are right.

    References
    ----------
    H. Jégou, M. Douze, C. Schmid (2008), Hamming embedding and weak geometric consistency for
    large scale image search, ECCV, doi:10.1007/978-3-540-88682-2_24
    """

    name = "holidays"
    summary = "500 groups of holiday photographs; the first of each asks"
    licence = "copyright INRIA, as it is, with citation; not redistributed here"
    about = About(
        "INRIA Holidays",
        "https://thoth.inrialpes.fr/~jegou/data.php.html",
        "Jégou, Douze and Schmid 2008, doi:10.1007/978-3-540-88682-2_24",
        1_491,
        tuple(
            Archive(
                f"jpg{n}.tar.gz", (f"ftp://ftp.inrialpes.fr/pub/lear/douze/data/jpg{n}.tar.gz",)
            )
            for n in (1, 2)
        ),
        unverified="About 2.8 GB; no sums were found, and the server was reported to refuse "
        "(403). Numbers of papers are of the pictures as they lie or of upright ones: this suite "
        "turns them as their EXIF says, and no other way.",
    )
    protocols: ClassVar = {
        "query": Protocol(
            "Holidays",
            "the 500 first pictures of their groups",
            "all 1,491 pictures",
            "the others of the group",
            ("maptrapezoidal", "map", "top1"),
            "AP (trapezoids) divides by all relevant images; mean over 500 queries",
            "Jégou, Douze and Schmid 2008, doi:10.1007/978-3-540-88682-2_24",
            500,
            1_491,
            "the query itself",
            published=(
                Published("BoW 200k", {"maptrapezoidal": 0.540}, _T7),
                Published("VLAD 32k", {"maptrapezoidal": 0.646}, _T7),
                Published("OverFeat CNN", {"maptrapezoidal": 0.642}, _T7),
                Published("CNN aug+SS", {"maptrapezoidal": 0.843}, _T7),
            ),
        )
    }

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List ``NNNNNN.jpg``, of which the first four digits are the group."""
        listing, numbers = self.numbered(root, r"(\d{6})")
        entries = [
            Entry(name, "gallery", f"{n // 100:04}", "query" if n % 100 == 0 else None)
            for name, n in numbers.items()
        ]
        return self.gather(listing, entries)
