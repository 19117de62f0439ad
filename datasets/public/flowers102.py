"""Oxford Flowers-102: flowers of the official test images ask each other."""

from pathlib import Path
from typing import ClassVar

from datasets.errors import InputError
from datasets.fetching.archive import Archive
from datasets.layout import Collection
from datasets.public.protocols import leave_one_out
from datasets.public.public_set import About, Entry, PublicSet, read_numbers
from datasets.source import Each, serially

_PLACE = "https://www.robots.ox.ac.uk/~vgg/data/flowers/102"
_TEST = 6_149


class Flowers102(PublicSet):
    """Flowers of 102 kinds, 40 to 258 photographs of each.

    References
    ----------
    M.-E. Nilsback, A. Zisserman (2008), Automated flower classification over a large number of
    classes, ICVGIP, doi:10.1109/ICVGIP.2008.47
    """

    name = "flowers102"
    summary = "102 kinds of flowers; the official test images ask each other"
    licence = "no licence stated; not redistributed here"
    signature = ("setid.mat", "imagelabels.mat")
    about = About(
        "Oxford Flowers-102",
        "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
        "Nilsback and Zisserman 2008, doi:10.1109/ICVGIP.2008.47",
        8_189,
        (
            Archive(
                "102flowers.tgz",
                (f"{_PLACE}/102flowers.tgz",),
                344_862_509,
                "2d01ecc807db462958cfe3d92f57a8c252b4abd240eb955770201e45f783b246",
                "52808999861908f626f3c1f4e79d11fa",
            ),
            Archive(
                "imagelabels.mat",
                (f"{_PLACE}/imagelabels.mat",),
                502,
                "4903e94206bac23bf772aadf06451916df56b58fc483a62db32a97b82656651d",
                "e0620be6f572b9609742df49c70aed4d",
                is_packed=False,
            ),
            Archive(
                "setid.mat",
                (f"{_PLACE}/setid.mat",),
                14_989,
                "46b8678f91fd95d3c8f4feab80d271a6c834a1dd896fe29fd3e6ad9ce5c8dccd",
                "a5357ecc9cb78c4bef273ce3793fc85c",
                is_packed=False,
            ),
        ),
        unverified="No protocol of retrieval is standard. The official training images are fewer "
        "(1,020, and as many for validation) than the test images; some papers swap them.",
    )
    protocols: ClassVar = {"query": leave_one_out("test images of Flowers-102", _TEST)}

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List ``jpg/image_NNNNN.jpg`` by the numbers of the official split."""
        listing = self.open(root)
        setid, labels = listing.root / "setid.mat", listing.root / "imagelabels.mat"
        training, validation, test = read_numbers(setid, "trnid", "valid", "tstid")
        [classes] = read_numbers(labels, "labels")
        entries = []
        for part, numbers in (("training", [*training, *validation]), ("gallery", test)):
            for number in numbers:
                if not 1 <= number <= len(classes):
                    raise InputError(f"{setid}: {number} is no image; fetch the set anew")
                label, asks = str(classes[number - 1]), "query" if part == "gallery" else None
                entries.append(Entry(f"jpg/image_{number:05}.jpg", part, label, asks))
        return self.gather(listing, entries)
