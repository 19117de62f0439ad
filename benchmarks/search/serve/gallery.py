"""The pictures that are searched and asked with, found by the hashes of their contents."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from benchmarks.search.index import Index
from datasets.task import Dataset, Image
from retrieval.protocol import Judge

GALLERY = "gallery"
"""Name of the searched pictures among the sets of pictures."""


class Gallery:
    """The pictures of an index, and the queries of its dataset.

    Parameters
    ----------
    index : Index
        Its pictures are searched.
    dataset : Dataset or None
        Has queries and judgements, if it is known.

    Attributes
    ----------
    name : str
        Name of what is searched.
    licence : str
        Terms of the pictures.
    fingerprint : str
        As of the index.
    dataset : Dataset or None
        As given.
    sets : mapping of str to sequence of Image
        `GALLERY` and the query sets.
    """

    def __init__(self, index: Index, dataset: Dataset | None) -> None:
        self.name, self.fingerprint = index.about.name, index.fingerprint
        self.dataset = dataset
        self.licence = dataset.licence if dataset else ""
        images: Sequence[Image] = [index.image(row) for row in range(len(index))]
        if dataset and images == list(dataset.gallery):
            images = dataset.gallery  # which know more, such as their groups
        self._images = images
        self._rows: dict[str, int] = {}
        for row, image in enumerate(images):
            self._rows.setdefault(image.sha256, row)
        queries = dataset.queries if dataset else {}
        self.sets: Mapping[str, Sequence[Image]] = {GALLERY: images, **queries}
        self._queries = {one.sha256: one for some in queries.values() for one in some}
        self._relevance = dataset.relevance if dataset else {}

    @cached_property
    def judge(self) -> Judge:
        """Says of a known picture which others are right for it."""
        return Judge(self._images, self._relevance)

    def __len__(self) -> int:
        return len(self._images)

    def image(self, row: int) -> Image:
        """One of the searched pictures."""
        return self._images[row]

    def row(self, sha256: str) -> int | None:
        """Place of a searched picture, or None if there is none of that content."""
        return self._rows.get(sha256)

    def find(self, sha256: str) -> Image | None:
        """A picture by its content hash, a query rather than one that is searched; or None."""
        if sha256 in self._queries:
            return self._queries[sha256]
        row = self.row(sha256)
        return None if row is None else self.image(row)
