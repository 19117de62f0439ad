"""What a row's name says: which extractors, how they are combined, and what re-ranks.

``a`` is an extractor; ``a+b`` combines two by learned weights, ``a+b+rrf`` by reciprocal ranks;
``a+alpha-qe`` and ``a+b+rrf+alpha-qe`` re-rank what the rest of the name finds.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from benchmarks.formats.files import Json
from benchmarks.pipeline.cache.fingerprint import closure, code_hash, implementation, plain
from benchmarks.pipeline.methods.extractor import Row
from datasets.task import Dataset
from retrieval.fusion.methods import Combining
from retrieval.reranking.menu import Reranking
from retrieval.reranking.spatial import Verification
from retrieval.search import Search, single

VERIFIED = 50
"""Images of each query whose local features are matched."""


_SHORT = 16

_LEARNING = (
    "benchmarks.pipeline.evaluation.fitted_method",
    "benchmarks.pipeline.extraction.encode",
)
"""Modules that decide what is learned from."""


@dataclass(frozen=True)
class Tuning:
    """How a row came to other parameters than the menu's.

    Parameters
    ----------
    note : str
        For readers of its numbers.
    images : frozenset of str
        What chose them: images, by `short_hash`.
    preset : dict
        All of it, to be kept where the row is.
    """

    note: str
    images: frozenset[str]
    preset: Json

    def obstacle(self, dataset: Dataset) -> str | None:
        """Why the row may not be run on a dataset; None if it may."""
        asked = {short_hash(image.sha256) for part, image in dataset.images if part != "training"}
        if not (seen := len(asked & self.images)):
            return None
        return f"tuned on {seen} images that are searched or asked here; tune on this split"


def short_hash(sha256: str) -> str:
    """The beginning of an image's hash, long enough to know it again."""
    return sha256[:_SHORT]


@dataclass
class Combination:
    """A row of the table: extractors, joined or one alone, and the re-ranking behind them.

    Parameters
    ----------
    name : str
        The row's name.
    rows : tuple of Row
        The extractors.
    combining : Combining, optional
        How they are combined; None for one alone.
    rerankings : tuple of Reranking
        In the order that they are applied in.
    verification : Verification, optional
        Last of all, re-ranks the first `VERIFIED` images by the matches of the local features
        of the first extractor that has them.
    tuning : Tuning, optional
        Where its parameters come from, if not from the menu.
    """

    name: str
    rows: tuple[Row, ...]
    combining: Combining | None = None
    rerankings: tuple[Reranking, ...] = ()
    verification: Verification | None = None
    tuning: Tuning | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is an extractor and nothing more."""
        return not (self.combining or self.rerankings or self.verification)

    @property
    def learns(self) -> bool:
        """Whether anything has to be fitted."""
        return any(row.learns for row in self.rows) or self.weighs

    @property
    def weighs(self) -> bool:
        """Whether the combining itself learns from training images."""
        return self.combining is not None and self.combining.learns

    @property
    def obstacle(self) -> str | None:
        """Why the row cannot run here, with the remedy; None if it can."""
        return next((row.obstacle for row in self.rows if row.obstacle), None)

    @property
    def note(self) -> str:
        """What a reader of the numbers must know, each in short and at length; or nothing."""
        notes = [self.tuning.note] if self.tuning else []
        notes += [note for row in self.rows for note in row.note.split("; ") if note]
        trained = [row.name for row in self.rows if row.is_supervised]
        if self.weighs and trained:
            notes.append(
                f"weights seen: they are learned from images that {' and '.join(trained)} was "
                "trained on, where it looks better than it is"
            )
        return "; ".join(dict.fromkeys(notes))

    @property
    def verified(self) -> Row | None:
        """The extractor whose local features are matched."""
        return next((row for row in self.rows if row.detector), None)

    @cached_property
    def identity(self) -> dict[str, object]:
        """What decides the row's ranking, data and protocol aside."""
        more: dict[str, object] = {"tuned": self.tuning.note} if self.tuning else {}
        if self.weighs or any(row.tail for row in self.rows):
            more["learning"] = code_hash(*_LEARNING)
        if self.is_plain:
            return self.rows[0].identity | more
        steps: list[object] = [self.combining, *self.rerankings, self.verification]
        used = [step for step in steps if step is not None]
        modules = sorted({name for step in used for name in closure(type(step).__module__)})
        made: dict[str, object] = {
            "rows": {row.name: row.identity for row in self.rows},
            "steps": [plain(step) for step in used],
            **implementation(*modules),
        }
        if self.verification and self.verified:
            made["verified"] = {"row": self.verified.name, "first": VERIFIED}
        return made | more

    def fresh_combining(self) -> Combining | None:
        """The combining, with nothing learned."""
        return replace(self.combining) if self.combining else None  # type: ignore[type-var]

    def search(self, combining: Combining | None) -> Search:
        """The search, without verification; `combining` is fitted."""
        made = combining.search if combining else single
        for reranking in self.rerankings:
            made = reranking.around(made)
        return made
