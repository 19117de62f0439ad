"""PACS: the same classes as photographs and as free-hand sketches."""

from pathlib import Path

from datasets.errors import InputError
from datasets.layout import UNSPLIT, Collection, Item, classed_items, collection
from datasets.source import Each, Source, serially
from datasets.walk import Listing, walk

PHOTO = "photo"
_OTHERS = ("sketch", "cartoon", "art_painting")


class Pacs(Source):
    """Seven classes in several domains; photographs are searched, the other domains ask.

    ``photo/<class>/`` is split by content into training, gallery and the main query set; every
    other domain folder (``sketch``, ``cartoon``, ``art_painting``) is one more query set.

    References
    ----------
    D. Li, Y. Yang, Y.-Z. Song, T. M. Hospedales (2017), Deeper, broader and artier domain
    generalization, ICCV, doi:10.1109/ICCV.2017.591
    """

    name = "pacs"
    summary = "7 classes: photographs searched by photographs and by free-hand sketches"
    licence = "research use, no licence stated; not redistributed here"

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List ``<root>/<domain>/<class>/``."""
        listing = walk(root)
        if PHOTO not in listing.names:
            raise InputError(
                f"{root}: not PACS; expected photo/<class>/ and sketch/<class>/ in it"
            )
        items: list[Item] = []
        problems = list(listing.problems)
        for domain in listing.names:
            part = UNSPLIT if domain == PHOTO else f"query-{domain.replace('_', '-')}"
            found, misplaced = classed_items(listing.inside(domain), part)
            items += found
            problems += misplaced
        return collection(root, items, problems)

    def resembles(self, listing: Listing) -> bool:
        """Whether photographs and another domain have a class in common."""
        if PHOTO not in listing.names:
            return False
        photos = set(listing.inside(PHOTO).names)
        return any(photos & set(listing.inside(domain).names) for domain in _OTHERS)
