"""Caltech-101: a hundred and one classes of objects, split by this suite."""

from pathlib import Path

from datasets.fetching.archive import Archive
from datasets.layout import UNSPLIT, Collection
from datasets.public.public_set import About, Entry, PublicSet
from datasets.source import Each, serially
from datasets.walk import Listing, walk

_FOLDER = "101_ObjectCategories"
_BACKGROUND = "BACKGROUND_Google"


class Caltech101(PublicSet):
    """Photographs of objects, 31 to 800 a class.

    References
    ----------
    L. Fei-Fei, R. Fergus, P. Perona (2004), Learning generative visual models from few training
    examples, CVPR workshop, doi:10.1109/CVPR.2004.383
    """

    name = "caltech101"
    summary = "101 classes of objects, without the background class"
    licence = "CC BY 4.0, doi:10.22002/D1.20086"
    about = About(
        "Caltech-101",
        "https://data.caltech.edu/records/mzrjq-6wc02",
        "Fei-Fei, Fergus and Perona 2004, doi:10.1109/CVPR.2004.383",
        8_677,
        (
            Archive(
                "caltech-101.zip",
                ("https://data.caltech.edu/records/mzrjq-6wc02/files/caltech-101.zip",),
                137_414_764,
                "331234750fc7f77520e50d9565e8b6907b03565e30320da1401130db08c61f91",
                "3138e1922a9193bfa496528edbbc45d0",
                inner=("caltech-101/101_ObjectCategories.tar.gz",),
            ),
        ),
        is_open=True,
        unverified="No protocol of retrieval is standard: this suite splits by content. Faces and "
        "Faces_easy hold nearly the same pictures. Sources count 8,676 or 8,677 pictures.",
    )

    def resembles(self, listing: Listing) -> bool:
        """Whether a folder has the background class, which is none."""
        return any(parts[-1] == _BACKGROUND for parts in listing.folders)

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List ``<class>/image_NNNN.jpg``."""
        bare = (root / _BACKGROUND).is_dir()
        listing = walk(root) if bare else self.open(root, _FOLDER).inside(_FOLDER)
        entries = [
            Entry(file.id, UNSPLIT, file.parts[0])
            for file in listing.files
            if len(file.parts) == 2 and file.parts[0] != _BACKGROUND
        ]
        return self.gather(listing, entries)
