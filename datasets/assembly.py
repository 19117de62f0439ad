"""From files that were found and looked at to a dataset that stands."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from datasets.errors import InputError
from datasets.layout import UNSPLIT, Collection
from datasets.relevance import FILE_NAME, read_relevance
from datasets.split import RULE, split_by_content
from datasets.task import Dataset, Image, Problem, ProblemKind


@dataclass(frozen=True)
class Inspected:
    """A file, looked at.

    Attributes
    ----------
    sha256 : str
        Hash of its bytes; empty if it cannot be opened.
    problem : str or None
        Reason why it cannot be used.
    kind : ProblemKind
        Kind of that problem.
    remarks : tuple of str
        What is odd about it though it can be used.
    """

    sha256: str
    problem: str | None = None
    kind: ProblemKind = ProblemKind.BROKEN
    remarks: tuple[str, ...] = ()

    def problems(self, name: str) -> list[Problem]:
        """Rows for the table of problems, of the file under its id."""
        if self.problem is not None:
            return [Problem(name, self.problem, "left out", self.kind)]
        return [Problem(name, one, "kept", ProblemKind.REMARK) for one in self.remarks]


def assemble(
    name: str,
    found: Collection,
    inspected: Mapping[str, Inspected],
    seed: int = 0,
    licence: str = "",
) -> Dataset:
    """Put the readable images into their parts and list everything that is wrong.

    Parameters
    ----------
    name : str
        The dataset's name.
    found : Collection
        Its files.
    inspected : mapping of str to Inspected
        Per item id.
    seed : int
        Seed of the split, where the folders give none.
    licence : str
        Terms and attribution.

    Raises
    ------
    InputError
        If no readable image is left in the gallery or in all query sets.
    """
    problems = list(found.problems)
    parts: dict[str, list[Image]] = defaultdict(list)
    dealt = _deal(found, inspected, seed)
    for item in found.items:
        look = inspected[item.id]
        problems += look.problems(item.id)
        if look.problem is not None:
            continue
        searched = "gallery" if item.distractor is not None else ""
        part = item.part or searched or dealt[look.sha256]
        image = Image(item.id, item.path, look.sha256, item.label, item.distractor)
        parts[part].append(image)
    gallery = tuple(parts.pop("gallery", ()))
    training = tuple(parts.pop("training", ()))
    queries = {part: tuple(images) for part, images in sorted(parts.items())}
    _require_something(found, gallery, queries)
    training, copies = _without_copies(training, gallery, queries)
    problems += copies
    problems += _equal_bytes((training, gallery, *queries.values()))
    relevance = read_relevance(
        found.root / FILE_NAME,
        {item.id for item in found.items if item.part.startswith("query")} | _ids(queries),
        {item.id for item in found.items if item.part == "gallery"} | {i.id for i in gallery},
    )
    problems += _class_problems(gallery, queries, relevance, bool(dealt))
    return Dataset(
        name,
        found.root,
        training,
        gallery,
        queries,
        relevance,
        tuple(sorted(problems, key=lambda problem: problem.order)),
        f"{RULE}, seed {seed}" if dealt else "as the folders say",
        licence,
    )


def _deal(found: Collection, inspected: Mapping[str, Inspected], seed: int) -> dict[str, str]:
    classes: dict[str, list[str]] = defaultdict(list)
    for item in found.items:
        if item.part == UNSPLIT and item.label and inspected[item.id].problem is None:
            classes[item.label].append(inspected[item.id].sha256)
    return split_by_content(classes, seed)


def _ids(queries: Mapping[str, tuple[Image, ...]]) -> set[str]:
    return {image.id for images in queries.values() for image in images}


def _require_something(
    found: Collection, gallery: tuple[Image, ...], queries: Mapping[str, tuple[Image, ...]]
) -> None:
    if not gallery:
        raise InputError(f"{found.root}: no readable picture in the gallery; add some")
    if not any(queries.values()):
        raise InputError(
            f"{found.root}: no readable query picture; add some "
            "(a class needs two pictures before one of them can be a query)"
        )


def _without_copies(
    training: tuple[Image, ...],
    gallery: tuple[Image, ...],
    queries: Mapping[str, tuple[Image, ...]],
) -> tuple[tuple[Image, ...], list[Problem]]:
    """Training images without those that are also searched or asked, byte for byte."""
    used = {image.sha256: image.id for part in (gallery, *queries.values()) for image in part}
    kept = tuple(image for image in training if image.sha256 not in used)
    problems = [
        Problem(image.id, f"same bytes as {used[image.sha256]}", "left out of training")
        for image in training
        if image.sha256 in used
    ]
    return kept, problems


def _equal_bytes(parts: tuple[tuple[Image, ...], ...]) -> list[Problem]:
    problems = []
    first: dict[str, Image] = {}
    for images in parts:
        for image in images:
            other = first.setdefault(image.sha256, image)
            if other is not image:
                what = f"same bytes as {other.id}"
                if other.label != image.label:
                    what += " in another class"
                problems.append(Problem(image.id, what, "kept"))
    return problems


def _class_problems(
    gallery: tuple[Image, ...],
    queries: Mapping[str, tuple[Image, ...]],
    relevance: Mapping[str, object],
    dealt: bool,
) -> list[Problem]:
    searched = Counter(image.label for image in gallery if image.label)
    problems = []
    if searched:
        for part, images in queries.items():
            asked = Counter(
                image.label or "distractor" for image in images if image.id not in relevance
            )
            problems += [
                Problem(
                    f"{part}/{label}",
                    "class is absent from the gallery",
                    f"{count} queries not scored",
                )
                for label, count in sorted(asked.items())
                if label not in searched
            ]
    if dealt:
        asked_labels = {image.label for images in queries.values() for image in images}
        problems += [
            Problem(label, "class has a single picture", "in the gallery; no query for it")
            for label, count in sorted(searched.items())
            if count == 1 and label not in asked_labels
        ]
    return problems
