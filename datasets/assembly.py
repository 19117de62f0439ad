"""Assembly of a dataset: readable pictures into their parts, and everything that is wrong."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain

from datasets.copies import equal_bytes, same_pixels, second_copies, without_copies
from datasets.errors import InputError
from datasets.folder_names import listed
from datasets.layout import HELD_OUT, UNSPLIT, Collection, Item
from datasets.problems import tabulate
from datasets.relevance import Place, read_relevance
from datasets.split import HELD_OUT_RULE, RULE, TRAINING_SHARE, split_by_content
from datasets.task import Dataset, Image, Problem, ProblemKind, Relevance

ALL_ASK = "leave-one-out: every gallery image of a class asks all others"

_DEALT = (UNSPLIT, HELD_OUT)
_NEARLY_ALL = 0.9


class NothingReadableError(InputError):
    """A dataset without a picture to search or to ask with.

    Attributes
    ----------
    problems : tuple of Problem
        Why its files are none.
    """

    def __init__(self, message: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(message)
        self.problems = problems


@dataclass(frozen=True)
class Inspected:
    """A file's hash, and everything that is wrong or odd about it.

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
    pixels : str
        Hash of its pixels; empty if it cannot be read.
    """

    sha256: str
    problem: str | None = None
    kind: ProblemKind = ProblemKind.BROKEN
    remarks: tuple[str, ...] = ()
    pixels: str = ""

    def problems(self, name: str) -> list[Problem]:
        """Rows for the table of problems, of the file under its id."""
        if self.problem is not None:
            outcome = "passed over" if self.kind is ProblemKind.PASSED_OVER else "left out"
            return [Problem(name, self.problem, outcome, self.kind)]
        return [Problem(name, one, "kept", ProblemKind.REMARK) for one in self.remarks]


def assemble(
    name: str,
    found: Collection,
    inspected: Mapping[str, Inspected],
    seed: int = 0,
    licence: str = "",
    leave_one_out: bool = False,
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
    leave_one_out : bool
        Let every image that no folder says to learn from be searched, and ask all others; query
        sets play no part then.

    Raises
    ------
    InputError
        If no readable image is left in the gallery or in all query sets.
    """
    places: dict[str, Place] = {}
    if leave_one_out:
        found, places = _all_searched(found)
    problems = list(found.problems)
    parts: dict[str, list[Image]] = defaultdict(list)
    dealt = _deal(found, inspected, seed)
    for item in found.items:
        look = inspected[item.id]
        problems += look.problems(item.id)
        part = dealt.get(_dealt_with(item, look), "") if item.part in _DEALT else item.part
        asks = "query" if leave_one_out and part == "gallery" else item.asks
        places[item.id] = _place(item, {part, asks}, look, places.get(item.id))
        if look.problem is None:
            parts[part].append(item.to_image(look.sha256))
    relevance, unscored = read_relevance(found.root, places)
    relevance |= found.relevance
    problems += unscored
    gallery = tuple(parts.pop("gallery", ()))
    training = tuple(parts.pop("training", ()))
    _let_ask(found, gallery, parts)
    queries = {part: tuple(images) for part, images in sorted(parts.items())}
    if leave_one_out:
        asking = [image for image in gallery if image.labels or image.id in relevance]
        queries = {"query": tuple(asking)}
        name = f"{name}-leave-one-out"
    _require_something(found, gallery, queries, problems)
    training, copies = without_copies(training, gallery, queries)
    problems += [*copies, *equal_bytes(training, gallery, *queries.values())]
    problems += _class_problems(gallery, queries, relevance, bool(dealt))
    _require_answers(found, gallery, queries, relevance)
    told = [*_unread_classes(found, inspected), *_absent_classes(gallery, queries, relevance)]
    return Dataset(
        name,
        found.root,
        training,
        gallery,
        queries,
        relevance,
        tabulate(problems),
        ALL_ASK if leave_one_out else _split_in_words(found, seed),
        licence,
        tuple(found.understood()),
        (*found.layout.warnings, *told, *_warnings(training, gallery, queries, inspected)),
        folders={part.role: "/".join(part.folder) for part in found.layout.parts},
    )


def _place(item: Item, parts: set[str | None], look: Inspected, other: Place | None) -> Place:
    """The place of a file, also where it has another part under the same id."""
    readable = look.problem is None
    every = frozenset(filter(None, parts)) | (other.parts if other else frozenset())
    return Place(every, readable, dealt=readable and item.part in _DEALT)


def _let_ask(found: Collection, gallery: Sequence[Image], parts: dict[str, list[Image]]) -> None:
    """Put images of the gallery that ask as well into their query sets."""
    asks = {item.id: item.asks for item in found.items if item.asks is not None}
    for image in gallery:
        if image.id in asks:
            parts[asks[image.id]].append(image)


def _deal(found: Collection, inspected: Mapping[str, Inspected], seed: int) -> dict[str, str]:
    lone = [item.id for item in found.items if item.part in _DEALT and not item.label]
    if lone:
        raise InputError(
            f"{found.root}: {len(lone):,} pictures have neither a class nor a part that says what "
            f"is searched and asked, first {lone[0]!r}; give them one"
        )
    dealt: dict[str, str] = {}
    # What is held out comes last: a copy of it that is not must not be learned from.
    for part, share in ((UNSPLIT, TRAINING_SHARE), (HELD_OUT, 0)):
        classes: dict[str, list[str]] = defaultdict(list)
        for item in found.items:
            if item.part == part and item.label and inspected[item.id].problem is None:
                classes[item.label].append(_dealt_with(item, inspected[item.id]))
        dealt |= split_by_content(classes, seed, share)
    return dealt


def _dealt_with(item: Item, look: Inspected) -> str:
    """The key by which an image is dealt out: copies stay together, and views of one thing."""
    return look.sha256 if item.group is None else f"group {item.group} of {item.label}"


def _all_searched(found: Collection) -> tuple[Collection, dict[str, Place]]:
    """A collection without its queries, all that would be split in the gallery; their places."""
    asked = [item for item in found.items if item.part.startswith("query")]
    kept = [item for item in found.items if not item.part.startswith("query")]
    problems = list(found.problems)
    for part, count in sorted(Counter(item.part for item in asked).items()):
        problems.append(Problem(part, "plays no part in leave-one-out", f"{count:,} left out"))
    items = [replace(i, part="gallery") if i.part in _DEALT else i for i in kept]
    places = {item.id: Place(frozenset({item.part}), asks_not=True) for item in asked}
    return replace(found, items=items, problems=problems), places


def _split_in_words(found: Collection, seed: int) -> str:
    parts = {item.part for item in found.items}
    if {*_DEALT} <= parts:
        return f"{RULE}; of what is held out none is training, seed {seed}"
    if UNSPLIT in parts:
        return f"{RULE}, seed {seed}"
    if HELD_OUT in parts:
        return f"training as the folders say; the rest {HELD_OUT_RULE}, seed {seed}"
    return "as the folders say"


def _require_something(
    found: Collection,
    gallery: tuple[Image, ...],
    queries: Mapping[str, tuple[Image, ...]],
    problems: Sequence[Problem],
) -> None:
    reasons = tabulate(problems)
    seen = ""
    if reasons:
        seen = f" ({len(reasons):,} problems, first {reasons[0].id}: {reasons[0].what})"
    if not gallery:
        what = f"{found.root}: no readable picture in the gallery{seen}; add some"
        if {item.part for item in found.items} == {"training"}:
            what = (
                f"{found.root}: all pictures are training, so nothing is searched; leave the part "
                "out to have them split, or say which are test"
            )
        raise NothingReadableError(what, reasons)
    if not any(queries.values()):
        needs = "a class needs two pictures before one of them can be a query"
        if any(item.group is not None for item in found.items):
            needs += ", of two groups: those of one are never asked for each other"
        raise NothingReadableError(
            f"{found.root}: no readable query picture{seen}; add some ({needs})", reasons
        )


def _require_answers(
    found: Collection,
    gallery: tuple[Image, ...],
    queries: Mapping[str, tuple[Image, ...]],
    relevance: Mapping[str, Relevance],
) -> None:
    """Refuse a labelled dataset in which every answer would be right, or none."""
    searched = {label for image in gallery for label in image.labels or (None,)}
    if any(one.positive is not None for one in relevance.values()) or searched == {None}:
        return
    if len(searched) == 1:
        raise InputError(
            f"{found.root}: all pictures of the gallery are of one class ({searched.pop()}), so "
            "every score would be 1; add other classes or distractors, or a table with columns "
            "path and label"
        )
    unknown = [one for one in gallery if not one.labels and one.distractor is None]
    if unknown and found.layout.form != "own":
        raise InputError(
            f"{found.root}: {len(unknown):,} pictures of the gallery have no class, "
            f"{unknown[0].id} first, and would count as wrong answers; give them theirs, call "
            "them distractor if they are of no class, or remove them"
        )
    asked = {label for images in queries.values() for image in images for label in image.labels}
    if not searched & asked:
        raise InputError(
            f"{found.root}: no query is of a class in the gallery, so nothing could be scored; "
            "name classes alike in both"
        )
    if found.layout.form != "own":
        every = {*gallery, *chain(*queries.values())}
        labels: dict[str, set[frozenset[str]]] = defaultdict(set)
        for image in every:
            if image.labels or image.distractor is not None:
                labels[image.sha256].add(image.labels)
        _require_distinct(found, {*gallery}, "searched", labels)
        _require_distinct(found, every, "searched or asked", labels)


def _require_distinct(
    found: Collection, images: set[Image], what: str, labels: Mapping[str, set[frozenset[str]]]
) -> None:
    """Refuse a class of which nearly all pictures are in others, so right and wrong at once."""
    sizes: Counter[str] = Counter()
    shared: Counter[str] = Counter()
    for image in images:
        sizes.update(image.labels)
        if not all(image.labels & others for others in labels[image.sha256]):
            shared.update(image.labels)
    for label, number in sorted(shared.items(), key=lambda one: (-one[1], one[0])):
        if number > 1 and number >= _NEARLY_ALL * sizes[label]:
            raise InputError(
                f"{found.root}: {number:,} of {sizes[label]:,} {what} pictures of the "
                f"class {label!r} stand byte for byte in other classes or among distractors, so "
                "they would be right and wrong at once; remove one of the copies, or say by a "
                "table that both classes are right"
            )


def _unread_classes(found: Collection, inspected: Mapping[str, Inspected]) -> list[str]:
    """Warnings about classes that were found, of which nothing can be read."""
    files = Counter(label for item in found.items for label in item.labels)
    readable = {
        label
        for item in found.items
        if inspected[item.id].problem is None
        for label in item.labels
    }
    return [
        f"class {label!r}: none of its {files[label]:,} files can be read, so it takes no part"
        for label in sorted(files.keys() - readable)
    ]


def _absent_classes(
    gallery: Sequence[Image],
    queries: Mapping[str, Sequence[Image]],
    relevance: Mapping[str, Relevance],
) -> Iterator[str]:
    """Warnings about queries that nobody judged, of classes that are not searched."""
    searched = {label for image in gallery for label in image.labels}
    for name, images in queries.items():
        unanswered = _unanswered(images, searched, relevance)
        absent = [min(image.labels) for image in unanswered if image.labels]
        if absent and searched:
            yield (
                f"{name}: {len(absent):,} of {len(images):,} queries are of classes that the "
                f"gallery lacks ({listed(sorted({*absent}))}) and are not scored"
            )


def _unanswered(
    images: Sequence[Image], searched: Set[str], relevance: Mapping[str, Relevance]
) -> list[Image]:
    """Queries that nobody judged, of no class that is searched."""
    return [
        image
        for image in images
        if not image.labels & searched and relevance.get(image.id, Relevance()).positive is None
    ]


def _warnings(
    training: Sequence[Image],
    gallery: Sequence[Image],
    queries: Mapping[str, Sequence[Image]],
    inspected: Mapping[str, Inspected],
) -> Iterator[str]:
    """Warnings about query sets of one class, and about queries that other parts have."""
    for name, images in queries.items():
        labels = [image.labels for image in images if image.labels]
        if labels and {*labels} == {labels[0]}:
            yield f"{name}: all queries are of one class, {min(labels[0])!r}"
    yield from second_copies(gallery, queries)
    pixels = {name: look.pixels for name, look in inspected.items()}
    yield from same_pixels({"gallery": gallery, "training": training}, queries, pixels)


def _class_problems(
    gallery: tuple[Image, ...],
    queries: Mapping[str, tuple[Image, ...]],
    relevance: Mapping[str, Relevance],
    dealt: bool,
) -> list[Problem]:
    searched = Counter(label for image in gallery for label in image.labels)
    judged = {query for query, one in relevance.items() if one.positive is not None}
    problems = []
    if searched:
        for part, images in queries.items():
            unanswered = _unanswered(images, searched.keys(), relevance)
            asked = Counter(image.label or "distractor" for image in unanswered)
            problems += [
                Problem(
                    f"{part}/{label}",
                    "class is absent from the gallery",
                    f"{count} queries not scored",
                )
                for label, count in sorted(asked.items())
            ]
    elif judged:
        for part, images in queries.items():
            if unjudged := sum(image.id not in judged for image in images):
                what = "neither a class nor a judgement tells what is relevant"
                problems.append(Problem(part, what, f"{unjudged:,} queries not scored"))
    if dealt:
        asked_labels = {one for images in queries.values() for i in images for one in i.labels}
        problems += [
            Problem(
                label,
                "class has a single picture" if count == 1 else "no picture is left to ask with",
                "in the gallery; no query for it",
            )
            for label, count in sorted(searched.items())
            if label not in asked_labels
        ]
    return problems
