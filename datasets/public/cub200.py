"""CUB-200-2011: half of the bird species are learned from, the others ask each other."""

from pathlib import Path
from typing import ClassVar

from datasets.errors import InputError
from datasets.fetching.archive import Archive
from datasets.layout import Collection
from datasets.protocols import Published
from datasets.public.protocols import MARGIN, metric_learning
from datasets.public.public_set import About, Entry, PublicSet, read_rows
from datasets.source import Each, serially

_LEARNED = 100
"""Classes up to this number are for training."""


class Cub200(PublicSet):
    """Birds of 200 species, by the class-disjoint halves of metric learning.

    References
    ----------
    C. Wah, S. Branson, P. Welinder, P. Perona, S. Belongie (2011), The Caltech-UCSD
    Birds-200-2011 dataset, California Institute of Technology, CNS-TR-2011-001
    """

    name = "cub200"
    summary = "200 species of birds: 100 to learn from, 100 that ask each other"
    licence = "photographers' pictures, non-commercial research; not redistributed here"
    signature = ("images.txt", "image_class_labels.txt")
    about = About(
        "CUB-200-2011",
        "https://data.caltech.edu/records/65de6-vp158",
        "Wah et al. 2011, CNS-TR-2011-001",
        11_788,
        (
            Archive(
                "CUB_200_2011.tgz",
                ("https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",),
                1_150_585_339,
                "0c685df5597a8b24909f6a7c9db6d11e008733779a671760afef78feb49bf081",
                "97eceeb196236b17998738112f37df78",
            ),
        ),
        unverified="The terms are recalled, not read. Numbers on the official split of the "
        "classification task (5,794 test images) are not comparable with these.",
    )
    protocols: ClassVar = {
        "query": metric_learning(
            "CUB-200-2011",
            "classes 101 to 200",
            5_924,
            (1, 2, 4, 8),
            (
                Published("ResNet50, margin loss, trained on it", {"top1": 0.634}, MARGIN),
                Published("ResNet50, triplets, trained on it", {"top1": 0.614}, MARGIN),
            ),
        )
    }

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List the files that ``images.txt`` numbers."""
        listing = self.open(root)
        names, labels = listing.root / "images.txt", listing.root / "image_class_labels.txt"
        paths = dict(read_rows(names, 2))
        entries = []
        for number, label in read_rows(labels, 2):
            if number not in paths:
                raise InputError(f"{names}: lacks image {number}; fetch the set anew")
            try:
                learned = int(label) <= _LEARNED
            except ValueError:
                raise InputError(f"{labels}: {label!r} is no number; fetch the set anew") from None
            part, asks = ("training", None) if learned else ("gallery", "query")
            entries.append(Entry(f"images/{paths[number]}", part, label, asks))
        return self.gather(listing, entries)
