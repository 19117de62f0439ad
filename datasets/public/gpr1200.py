"""GPR1200: twelve hundred categories of six kinds, of which every picture asks."""

from pathlib import Path
from typing import ClassVar

from datasets.errors import InputError
from datasets.fetching.archive import Archive
from datasets.layout import Collection
from datasets.protocols import Protocol, Published
from datasets.public.public_set import About, Entry, PublicSet
from datasets.source import Each, serially

_CATEGORIES = 1_200


class GPR1200(PublicSet):
    """Twelve hundred categories of six kinds, ten pictures each.

    References
    ----------
    K. Schall, K. U. Barthel, N. Hezel, K. Jung (2022), GPR1200: A benchmark for general-purpose
    content-based image retrieval, MMM, doi:10.1007/978-3-030-98358-1_17
    """

    name = "gpr1200"
    summary = "1,200 categories x 10: landmarks, animals, sketches, objects, products, faces"
    licence = "non-commercial research and education, mixed origins; not redistributed here"
    about = About(
        "GPR1200",
        "https://github.com/Visual-Computing/GPR1200",
        "Schall et al. 2022, doi:10.1007/978-3-030-98358-1_17",
        12_000,
        (Archive("GPR1200.zip", ("https://visual-computing.com/files/GPR1200/GPR1200.zip",)),),
        unverified="Neither size nor sum of the archive was found.",
    )
    protocols: ClassVar = {
        "query": Protocol(
            "GPR1200",
            "all 12,000 pictures",
            "all 12,000 pictures",
            "the ten pictures of the category, the query among them",
            ("map", "top1", "p10"),
            "AP (steps) divides by ten; mean over all pictures",
            "Schall et al. 2022, doi:10.1007/978-3-030-98358-1_17",
            12_000,
            12_000,
            keeps_query=True,
            published=(
                Published("BiT ResNetV2-101x1", {"map": 0.5559}, "notebook of the authors"),
                Published("BiT ResNetV2-101x3", {"map": 0.5694}, "notebook of the authors"),
            ),
        )
    }

    def collect(self, root: Path, each: Each = serially) -> Collection:
        """List ``CATEGORY_NAME.jpg``."""
        listing, numbers = self.numbered(root, r"(\d{1,4})_.+")
        if max(numbers.values()) >= _CATEGORIES:
            name = max(numbers, key=numbers.__getitem__)
            raise InputError(
                f"{root}: not {self.about.title}; {name} is in none of its categories"
            )
        entries = [Entry(name, "gallery", str(n), "query") for name, n in numbers.items()]
        return self.gather(listing, entries)
