"""Stanford Online Products: half of the products are learned from, the others ask each other."""

from pathlib import Path
from typing import ClassVar

from datasets.fetching.archive import Archive
from datasets.layout import Collection
from datasets.protocols import Published
from datasets.public.protocols import MARGIN, metric_learning
from datasets.public.public_set import About, Entry, PublicSet, read_rows
from datasets.source import Each, serially


class Products(PublicSet):
    """Products of a shop, a few photographs of each.

    References
    ----------
    H. Oh Song, Y. Xiang, S. Jegelka, S. Savarese (2016), Deep metric learning via lifted
    structured feature embedding, CVPR, doi:10.1109/CVPR.2016.434
    """

    name = "sop"
    summary = "22,634 products: half to learn from, half that ask each other"
    licence = "pictures of eBay's sellers, research use; not redistributed here"
    signature = ("Ebay_train.txt", "Ebay_test.txt")
    about = About(
        "Stanford Online Products",
        "https://cvgl.stanford.edu/projects/lifted_struct/",
        "Oh Song et al. 2016, doi:10.1109/CVPR.2016.434",
        120_053,
        (
            Archive(
                "Stanford_Online_Products.zip",
                (
                    "ftp://cs.stanford.edu/cs/cvgl/Stanford_Online_Products.zip",
                    "http://ftp.cs.stanford.edu/cs/cvgl/Stanford_Online_Products.zip",
                ),
                3_083_860_082,
                "b04fa78210e69fab050ce73939550e1cd0f96890bdd98ec9fee732c3b756ef48",
                "7f73d41a2f44250d4779881525aea32e",
            ),
        ),
        unverified="The host was reported to refuse a login. The terms and the address of the "
        "page are recalled, not read.",
    )
    protocols: ClassVar = {
        "query": metric_learning(
            "Stanford Online Products",
            "the 11,316 test products",
            60_502,
            (1, 10, 100, 1000),
            (
                Published(
                    "ResNet50, margin loss, trained on it",
                    {"top1": 0.761, "top10": 0.887, "top100": 0.951, "top1000": 0.983},
                    MARGIN,
                ),
            ),
        )
    }

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List the files of ``Ebay_train.txt`` and ``Ebay_test.txt``."""
        listing = self.open(root)
        entries = [
            Entry(path, part, label, asks)
            for name, part, asks in (
                ("Ebay_train.txt", "training", None),
                ("Ebay_test.txt", "gallery", "query"),
            )
            for _, label, _, path in read_rows(listing.root / name, 4, skip=1)
        ]
        return self.gather(listing, entries)
