"""Stanford Cars-196: half of the models are learned from, the others ask each other."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from datasets.errors import InputError
from datasets.fetching.archive import Archive
from datasets.layout import Collection
from datasets.protocols import Published
from datasets.public.protocols import MARGIN, metric_learning
from datasets.public.public_set import About, Entry, PublicSet, read_matlab
from datasets.source import Each, serially

_LEARNED = 98
_LISTS = {
    "cars_train": "devkit/cars_train_annos.mat",
    "cars_test": "cars_test_annos_withlabels.mat",
}
"""Folders of pictures, and what tells their classes."""


class Cars196(PublicSet):
    """Cars of 196 models, by the class-disjoint halves of metric learning.

    References
    ----------
    J. Krause, M. Stark, J. Deng, L. Fei-Fei (2013), 3D object representations for fine-grained
    categorization, ICCV workshop, doi:10.1109/ICCVW.2013.77
    """

    name = "cars196"
    summary = "196 models of cars: 98 to learn from, 98 that ask each other"
    licence = "research use; not redistributed here"
    signature = tuple(_LISTS.values())
    about = About(
        "Stanford Cars-196",
        "http://ai.stanford.edu/~jkrause/cars/car_dataset.html",
        "Krause et al. 2013, doi:10.1109/ICCVW.2013.77",
        16_185,
        (
            Archive(
                "cars_train.tgz",
                (),
                979_269_282,
                "512b227b30e2f0a8aab9e09485786ab4479582073a144998da74d64b801fd288",
                "065e5b463ae28d29e77c1b4b166cfe61",
            ),
            Archive(
                "cars_test.tgz",
                (),
                977_350_468,
                "bffea656d6f425cba3c91c6d83336e4c5f86c6cffd8975b0f375d3a10da8e243",
                "4ce7ebf6a94d07f1952d94dd34c4d501",
            ),
            Archive(
                "car_devkit.tgz",
                ("https://github.com/pytorch/vision/files/11644847/car_devkit.tgz",),
                330_960,
                "b97deb463af7d58b6bfaa18b2a4de9829f0f79e8ce663dfa9261bf7810e9accd",
                "c3b158d763b6e2245038c8ad08e45376",
            ),
            Archive(
                "cars_test_annos_withlabels.mat",
                (),
                185_758,
                "790f75be8ea34eeded134cc559332baf23e30e91367e9ddca97d26ed9b895f05",
                "b0a2b23655a3edd16d84508592a98d10",
                is_packed=False,
            ),
        ),
        by_hand="its host is gone since 2023; Kaggle has copies "
        "(jessicali9530/stanford-cars-dataset keeps the original layout)",
        unverified="The sizes of the two halves (8,054 and 8,131 images) and the terms are "
        "recalled, not read. Copies may have other file names than the lists: each is looked for "
        "by name, and those that are missing are counted.",
    )
    protocols: ClassVar = {
        "query": metric_learning(
            "Cars-196",
            "classes 99 to 196",
            8_131,
            (1, 2, 4, 8),
            (
                Published("ResNet50, margin loss, trained on it", {"top1": 0.793}, MARGIN),
                Published("ResNet50, triplets, trained on it", {"top1": 0.752}, MARGIN),
            ),
        )
    }

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List the files that the annotations name."""
        listing = self.open(root)
        entries = [
            one for folder, file in _LISTS.items() for one in _entries(folder, listing.root / file)
        ]
        return self.gather(listing, entries)


def _entries(folder: str, path: Path) -> Iterator[Entry]:
    [rows] = read_matlab(path, "annotations")
    for row in rows if isinstance(rows, list) else [rows]:
        try:
            name, label = str(row["fname"]), int(row["class"])
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise InputError(f"{path}: tells no class and file; fetch the set anew") from error
        part, asks = ("training", None) if label <= _LEARNED else ("gallery", "query")
        yield Entry(f"{folder}/{name}", part, str(label), asks)
