"""Office-Home: photographs of things at home and at work, searched by other domains."""

from pathlib import Path

from datasets.fetching.archive import Archive
from datasets.layout import UNSPLIT, Collection
from datasets.public.public_set import About, PublicSet
from datasets.source import Each, serially

_PHOTOS = "Real World"
_OTHERS = ("Art", "Clipart", "Product")


class OfficeHome(PublicSet):
    """Things of 65 classes in four domains; photographs are searched, the others ask.

    References
    ----------
    H. Venkateswara, J. Eusebio, S. Chakraborty, S. Panchanathan (2017), Deep hashing network for
    unsupervised domain adaptation, CVPR, doi:10.1109/CVPR.2017.572
    """

    name = "office-home"
    summary = "65 classes: photographs searched by art, clip art and product pictures"
    licence = "fair use for research; not redistributed here"
    about = About(
        "Office-Home",
        "https://www.hemanthdv.org/officeHomeDataset.html",
        "Venkateswara et al. 2017, doi:10.1109/CVPR.2017.572",
        15_588,
        (Archive("OfficeHomeDataset_10072016.zip", md5="b1c14819770c4448fd5b6d931031c91c"),),
        by_hand="its page leads to a file on Google Drive",
        unverified="The sum is a third party's; the number of pictures and the terms are "
        "recalled. No protocol of retrieval is standard: photographs are split by content.",
    )

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List ``<domain>/<class>/``."""
        listing = self.open(root, _PHOTOS, *_OTHERS)
        others = {domain: f"query-{domain.lower()}" for domain in _OTHERS}
        return self.by_domain(listing, {_PHOTOS: UNSPLIT, **others})
