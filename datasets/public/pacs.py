"""PACS: the same classes as photographs and as free-hand sketches."""

from pathlib import Path

from datasets.fetching.archive import Archive
from datasets.layout import UNSPLIT, Collection
from datasets.public.public_set import About, PublicSet
from datasets.source import Each, serially
from datasets.walk import Listing

PHOTO = "photo"
_OTHERS = ("sketch", "cartoon", "art_painting")


class Pacs(PublicSet):
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
    about = About(
        "PACS",
        "https://domaingeneralization.github.io",
        "Li et al. 2017, doi:10.1109/ICCV.2017.591",
        9_991,
        (Archive("PACS.zip", md5="fd5db817f7cdafeef3bfd525aaf9b42e"),),
        by_hand="its first host is gone; DomainBed's download script names a file on Google Drive",
        unverified="Three packagings with three sums are around; this one is a third party's word "
        "for DomainBed's. The page's address is recalled. No protocol of retrieval is standard: "
        "photographs are split by content. Its sketches and photographs stand in other sets, too.",
    )

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List ``<root>/<domain>/<class>/``."""
        listing = self.open(root, PHOTO)
        parts = {domain: f"query-{domain.replace('_', '-')}" for domain in listing.names}
        return self.by_domain(listing, parts | {PHOTO: UNSPLIT})

    def resembles(self, listing: Listing) -> bool:
        """Whether photographs and another domain have a class in common."""
        if PHOTO not in listing.names:
            return False
        photos = set(listing.inside(PHOTO).names)
        return any(photos & set(listing.inside(domain).names) for domain in _OTHERS)
