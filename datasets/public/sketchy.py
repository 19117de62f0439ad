"""Sketchy: sketches of classes that were never learned from ask photographs of these classes."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from datasets.fetching.archive import Archive
from datasets.layout import Collection
from datasets.protocols import Protocol
from datasets.public.public_set import About, Entry, PublicSet
from datasets.source import Each, serially
from datasets.walk import Listing

_PLAIN = "tx_000000000000"
"""Folder of the pictures that were scaled and nothing else."""

_PHOTOS, _SKETCHES = f"256x256/photo/{_PLAIN}", f"256x256/sketch/{_PLAIN}"
_EXTENDED = "EXTEND_image_sketchy"

UNSEEN_25 = frozenset(
    {
        *("cup", "swan", "harp", "squirrel", "snail", "ray", "pineapple", "volcano"),
        *("rifle", "scissors", "parrot", "windmill", "teddy_bear", "tree", "wine_bottle"),
        *("deer", "chicken", "airplane", "wheelchair", "tank", "umbrella", "butterfly"),
        *("camel", "horse", "bell"),
    }
)
"""Classes that ask in the split that SAKE and others use."""

UNSEEN_21 = frozenset(
    {
        *("bat", "cabin", "cow", "dolphin", "door", "giraffe", "helicopter", "mouse"),
        *("pear", "raccoon", "rhinoceros", "saw", "scissors", "seagull", "skyscraper"),
        *("songbird", "sword", "tree", "wheelchair", "windmill", "window"),
    }
)
"""Classes that ask in the split of those that ImageNet lacks."""

_ABOUT = About(
    "Sketchy (extended)",
    "http://sketchy.eye.gatech.edu",
    "Sangkloy et al. 2016, doi:10.1145/2897824.2925954",
    160_983,
    (Archive("rendered_256x256.7z", into=""), Archive("EXTEND_image_sketchy.zip")),
    by_hand="its files are on Google Drive, some withdrawn; unpack rendered_256x256.7z, whose "
    "format is not unpacked here, with 7-Zip, and lay EXTEND_image_sketchy/ beside 256x256/",
    unverified="No sums were found. Papers print 75,471 sketches, the files are 75,481. Three "
    "definitions of AP are in use for this set: this one is by steps, over all relevant images.",
)


class Sketchy(PublicSet):
    """Sketches of 25 unseen classes ask photographs of these.

    References
    ----------
    P. Sangkloy, N. Burnell, C. Ham, J. Hays (2016), The Sketchy database, ACM Transactions on
    Graphics, doi:10.1145/2897824.2925954
    """

    name = "sketchy"
    summary = "125 classes: sketches of 25 unseen ones ask photographs"
    licence = "research use; not redistributed here"
    about = _ABOUT
    unseen: ClassVar[frozenset[str]] = UNSEEN_25
    protocols: ClassVar = {
        "query-sketch": Protocol(
            "zero-shot, Sketchy extended, 25 unseen classes",
            "15,229 sketches of the unseen classes",
            "17,101 photographs of the unseen classes, the extension's among them",
            "photographs of the sketch's class",
            ("map", "p100"),
            "AP (steps) divides by all relevant images; means over all sketches",
            "Liu et al. 2019, doi:10.1109/ICCV.2019.00376 (SAKE), its lists",
            15_229,
            17_101,
        )
    }

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List photographs and sketches of one scaling; the seen classes are for training."""
        listing = self.open(root, _PHOTOS, _SKETCHES)
        return self.gather(listing, self._entries(listing), ["256x256"])

    def _entries(self, listing: Listing) -> Iterator[Entry]:
        places = {tuple(_PHOTOS.split("/")): "gallery", (_EXTENDED,): "gallery"}
        places[tuple(_SKETCHES.split("/"))] = "query-sketch"
        for file in listing.files:
            part = places.get(file.parts[:-2])
            if part is None:
                continue
            label = file.parts[-2]
            yield Entry(file.id, part if label in self.unseen else "training", label)


class Sketchy21(Sketchy):
    """Sketches of 21 unseen classes, which ImageNet lacks, ask photographs of these."""

    name = "sketchy-21"
    summary = "125 classes: sketches of 21 unseen ones, which ImageNet lacks, ask photographs"
    unseen = UNSEEN_21
    protocols: ClassVar = {
        "query-sketch": Protocol(
            "zero-shot, Sketchy extended, 21 classes that ImageNet lacks",
            "the sketches of the unseen classes",
            "the photographs of the unseen classes, the extension's among them",
            "photographs of the sketch's class",
            ("map200", "p200", "map"),
            "AP@200 divides by the relevant images or 200, whichever is less (some papers divide "
            "by those found); means over all sketches",
            "Yelamarthi et al. 2018, doi:10.1007/978-3-030-01225-0_19",
            None,
            None,
        )
    }
