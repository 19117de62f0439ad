"""DomainNet: sketches ask photographs, by the official lists of test images."""

from pathlib import Path
from typing import ClassVar

from datasets.fetching.archive import Archive
from datasets.layout import Collection
from datasets.protocols import Protocol
from datasets.public.public_set import About, Entry, PublicSet, read_rows
from datasets.source import Each, serially

_PLACE = "http://csr.bu.edu/ftp/visda/2019/multi-source"
_LISTS = {
    "real_train.txt": "training",
    "real_test.txt": "gallery",
    "sketch_test.txt": "query-sketch",
}
_SUMS = {
    "real_train.txt": (
        4_440_944,
        "19d483256d24aef19e581b65eda8333fd918aef3eb733fe499ff384120e3a289",
    ),
    "real_test.txt": (
        1_911_327,
        "2b3f75bcde309aeb5931292084b2162e936b5f189e3bb1ad716f0f74c460864c",
    ),
    "sketch_test.txt": (
        850_581,
        "3fb48fca18c507c4321f007c3f62b308ec232ff6928cbfe2af64e76ec366e840",
    ),
}


class DomainNet(PublicSet):
    """Objects of 345 classes as photographs and as sketches; its other domains are not used.

    References
    ----------
    X. Peng, Q. Bai, X. Xia, Z. Huang, K. Saenko, B. Wang (2019), Moment matching for multi-source
    domain adaptation, ICCV, doi:10.1109/ICCV.2019.00149
    """

    name = "domainnet"
    summary = "345 classes: photographs searched by sketches, by the official lists"
    licence = "fair-use notice, research use; not redistributed here"
    signature = tuple(_LISTS)
    about = About(
        "DomainNet (real and sketch)",
        "http://ai.bu.edu/M3SDA/",
        "Peng et al. 2019, doi:10.1109/ICCV.2019.00149",
        193_863,
        (
            Archive(
                "real.zip",
                (f"{_PLACE}/real.zip",),
                6_062_039_589,
                "d7fe010b430c5b510f85d657d38c4a1924822695fabea4fef57bd00dba251d63",
            ),
            Archive(
                "sketch.zip",
                (f"{_PLACE}/sketch.zip",),
                2_633_992_926,
                "23a7dbae7016b343e934399beaa8a68728fb5e570ebe2c71df9b75cf91c499fc",
            ),
            *(
                Archive(name, (f"{_PLACE}/domainnet/txt/{name}",), *known, is_packed=False)
                for name, known in _SUMS.items()
            ),
        ),
        unverified="The server was reported to answer 404 since 2024. The numbers of images in "
        "the lists are recalled; with those of the other domains they add up to the published "
        "sum. The names of these photographs' archives are those "
        "of the uncleaned release.",
    )
    protocols: ClassVar = {
        "query-sketch": Protocol(
            "sketches ask photographs, DomainNet (no published one for these lists)",
            "the sketches of the official test list",
            "the photographs of the official test list",
            "photographs of the sketch's class",
            ("map200", "p200", "map"),
            "AP@200 divides by the relevant images or 200, whichever is less; means over all "
            "sketches",
            "this suite",
            20_916,
            52_041,
        )
    }

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List the files that the lists name."""
        listing = self.open(root)
        entries = [
            Entry(file, part, Path(file).parent.name)
            for name, part in _LISTS.items()
            for file, _ in read_rows(listing.root / name, 2)
        ]
        return self.gather(listing, entries)
