"""UKBench: objects photographed four times, scored by the number found among four."""

from pathlib import Path
from typing import ClassVar

from datasets.fetching.archive import Archive
from datasets.layout import Collection
from datasets.protocols import Protocol, Published
from datasets.public.public_set import About, Entry, PublicSet
from datasets.source import Each, serially

_T7 = "Razavian et al. 2014, doi:10.1109/CVPRW.2014.131, table 7"
_LASC = "README of the LASC features"


class UKBench(PublicSet):
    """Objects, each photographed four times.

    References
    ----------
    D. Nistér, H. Stewénius (2006), Scalable recognition with a vocabulary tree, CVPR,
    doi:10.1109/CVPR.2006.264
    """

    name = "ukbench"
    summary = "2,550 objects, four photographs of each; all ask"
    licence = "terms not stated; not redistributed here"
    about = About(
        "UKBench",
        "https://archive.org/details/ukbench",
        "Nistér and Stewénius 2006, doi:10.1109/CVPR.2006.264",
        10_200,
        (Archive("ukbench.zip", ("https://archive.org/download/ukbench/ukbench.zip",)),),
        unverified="About 2 GB; the original host is gone, of the mirror no sum was found.",
    )
    protocols: ClassVar = {
        "query": Protocol(
            "UKBench, N-S score",
            "all 10,200 pictures",
            "all 10,200 pictures",
            "the four pictures of the object, the query among them",
            ("ns", "top1", "map"),
            "relevant images among the first four, 0 to 4; mean over all pictures",
            "Nistér and Stewénius 2006, doi:10.1109/CVPR.2006.264",
            10_200,
            10_200,
            keeps_query=True,
            published=(
                Published("BoW 200k", {"ns": 2.81}, _T7),
                Published("OverFeat CNN", {"ns": 3.04}, _T7),
                Published("CNN aug+SS", {"ns": 3.64}, _T7),
                Published("VLAD on VGG-D conv", {"ns": 3.71}, _LASC),
            ),
        )
    }

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List ``ukbenchNNNNN.jpg``; four in a row show one object."""
        listing, numbers = self.numbered(root, r"ukbench(\d{5})")
        entries = [Entry(name, "gallery", str(n // 4), "query") for name, n in numbers.items()]
        return self.gather(listing, entries, ["thumbnails"])
