"""Imagenette: ten easy classes of ImageNet; the validation images ask."""

from pathlib import Path
from typing import ClassVar

from datasets.fetching.archive import Archive
from datasets.layout import Collection
from datasets.protocols import Protocol
from datasets.public.public_set import About, PublicSet, of_classes
from datasets.source import Each, serially

_PARTS = {"train": "gallery", "val": "query"}
_CLASSES = "n0(1440764|2102040|2979186|3000684|3028079|3394916|3417042|3425413|3445777|3888257)"
"""Imagewoof has the same folders for ten other classes."""


class Imagenette(PublicSet):
    """Ten classes of ImageNet with the shortest side 320."""

    name = "imagenette"
    summary = "10 easy classes of ImageNet: 3,925 validation images ask 9,469 others"
    licence = "ImageNet's terms, non-commercial research; not redistributed here"
    about = About(
        "Imagenette (version 2, 320 pixels)",
        "https://github.com/fastai/imagenette",
        "Howard 2019, https://github.com/fastai/imagenette",
        13_394,
        (
            Archive(
                "imagenette2-320.tgz",
                ("https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-320.tgz",),
                341_663_724,
                "569b4497c98db6dd29f335d1f109cf315fe127053cedf69010d047f0188e158c",
                "3df6f0d01a2c9592104656642f5e78a3",
            ),
        ),
        unverified="No protocol of retrieval is standard. Both halves are training images of "
        "ImageNet: networks pretrained on it have learned the queries.",
    )
    protocols: ClassVar = {
        "query": Protocol(
            "validation asks training images, Imagenette (no published one for retrieval)",
            "the 3,925 validation images",
            "the 9,469 training images, which nothing learns from",
            "images of the query's class",
            ("map", "top1", "p10"),
            "AP divides by all relevant images; means over all queries",
            "this suite",
            3_925,
            9_469,
        )
    }

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List ``{train,val}/<class>/``."""
        listing = self.open(root, "train", "val")
        return self.gather(listing, of_classes(listing, _PARTS, pattern=_CLASSES))
