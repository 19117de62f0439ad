"""PACS: the same classes as photographs and as free-hand sketches."""

from pathlib import Path

from datasets.errors import InputError
from datasets.layout import UNSPLIT, Collection, Item, classed_items, collection, require_folder
from datasets.source import Each, Source, serially
from datasets.task import Problem

PHOTO = "photo"


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
        require_folder(root)
        if not (root / PHOTO).is_dir():
            raise InputError(
                f"{root}: not PACS; expected photo/<class>/ and sketch/<class>/ in it"
            )
        items: list[Item] = []
        problems: list[Problem] = []
        for folder in sorted(path for path in root.iterdir() if path.is_dir()):
            domain = folder.name.replace("_", "-")
            part = UNSPLIT if folder.name == PHOTO else f"query-{domain}"
            found, misplaced = classed_items(folder, root, part)
            items += found
            problems += misplaced
        return collection(root, items, problems)
