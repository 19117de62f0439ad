"""DeepFashion In-shop: photographs of clothes find other photographs of the same item."""

from pathlib import Path
from typing import ClassVar

from datasets.errors import InputError
from datasets.fetching.archive import Archive
from datasets.layout import Collection
from datasets.protocols import Protocol, Published
from datasets.public.protocols import MARGIN
from datasets.public.public_set import About, Entry, PublicSet, read_rows
from datasets.source import Each, serially

_LIST = "list_eval_partition.txt"
_PARTS = {"train": "training", "query": "query", "gallery": "gallery"}
_BELOW = ("", "Img/", "In-shop Clothes Retrieval Benchmark/Img/")
"""Folders that the list's paths may be relative to."""


class InShop(PublicSet):
    """Items of a clothes shop, from several sides.

    References
    ----------
    Z. Liu, P. Luo, S. Qiu, X. Wang, X. Tang (2016), DeepFashion: Powering robust clothes
    recognition and retrieval with rich annotations, CVPR, doi:10.1109/CVPR.2016.124
    """

    name = "in-shop"
    summary = "7,982 clothes: 3,997 to learn from, 3,985 that are asked for and searched"
    licence = "non-commercial research, agreement on its page; not redistributed here"
    signature = (_LIST,)
    about = About(
        "DeepFashion In-shop",
        "http://mmlab.ie.cuhk.edu.hk/projects/DeepFashion/InShopRetrieval.html",
        "Liu et al. 2016, doi:10.1109/CVPR.2016.124",
        52_712,
        (
            Archive("img.zip", into="Img"),
            Archive(_LIST, into="Eval", is_packed=False),
        ),
        by_hand="its agreement gives the address of a folder; take img.zip (not img_highres.zip, "
        "which needs a password) and list_eval_partition.txt from there",
        unverified="Neither sizes nor sums were found.",
    )
    protocols: ClassVar = {
        "query": Protocol(
            "In-shop",
            "14,218 query pictures",
            "12,612 other pictures of the same 3,985 items",
            "pictures of the query's item",
            ("top1", "top10", "top20", "top30", "top40", "top50"),
            "Recall@k (top-k here): share of queries with a relevant image among the first k",
            "Liu et al. 2016, doi:10.1109/CVPR.2016.124",
            14_218,
            12_612,
            published=(
                Published(
                    "ResNet50, margin loss, trained on it",
                    {"top1": 0.845, "top10": 0.961, "top20": 0.974, "top30": 0.979},
                    MARGIN,
                ),
            ),
        )
    }

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List the files of the partition."""
        place = next((one for one in (f"Eval/{_LIST}", _LIST) if (root / one).exists()), None)
        listing = self.open(root, place or f"Eval/{_LIST}")
        path = listing.root / (place or f"Eval/{_LIST}")
        rows = list(read_rows(path, 3, skip=2))
        there = {file.id for file in listing.files}
        if unknown := {status for _, _, status in rows} - _PARTS.keys():
            raise InputError(f"{path}: unknown part {min(unknown)!r}; fetch the set anew")
        before = next((one for one in _BELOW if rows and one + rows[0][0] in there), "Img/")
        entries = [Entry(before + name, _PARTS[status], item) for name, item, status in rows]
        return self.gather(listing, entries)
