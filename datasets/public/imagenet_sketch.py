"""ImageNet-Sketch: fifty drawings of each of ImageNet's classes, which ask each other."""

from pathlib import Path
from typing import ClassVar

from datasets.fetching.archive import Archive
from datasets.layout import Collection
from datasets.public.protocols import leave_one_out
from datasets.public.public_set import About, PublicSet, of_classes
from datasets.source import Each, serially

_DRIVE = "https://drive.usercontent.google.com/download?export=download&confirm=t&id="
_WORDNET = r"n\d{8}"
"""Names of ImageNet's classes."""


class ImageNetSketch(PublicSet):
    """Drawings of the web, of ImageNet's thousand classes.

    References
    ----------
    H. Wang, S. Ge, Z. Lipton, E. P. Xing (2019), Learning robust global representations by
    penalizing local predictive power, NeurIPS, doi:10.48550/arXiv.1905.13549
    """

    name = "imagenet-sketch"
    summary = "1,000 classes of drawings, which ask each other"
    licence = "pictures of the web, licence unknown; not redistributed here"
    about = About(
        "ImageNet-Sketch",
        "https://github.com/HaohanWang/ImageNet-Sketch",
        "Wang et al. 2019, doi:10.48550/arXiv.1905.13549",
        50_889,
        (
            Archive(
                "ImageNet-Sketch.zip",
                (f"{_DRIVE}1Mj0i5HBthqH1p_yeXzsg22gZduvgoNeA",),
                7_593_573_012,
                "4d3ce6b82a7c48aabf14aeac105eb533e75707f152cc858f55bfc022031a72ed",
            ),
        ),
        unverified="The README counts 50,000 pictures; 50,889 is recalled. No protocol of "
        "retrieval is standard. Some pictures are others turned or mirrored, so leave-one-out "
        "flatters. Networks pretrained on ImageNet have learned these classes.",
    )
    protocols: ClassVar = {"query": leave_one_out("ImageNet-Sketch", 50_889)}

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List ``sketch/<class>/``."""
        listing = self.open(root, "sketch")
        return self.gather(listing, of_classes(listing, {"sketch": "gallery"}, "query", _WORDNET))
