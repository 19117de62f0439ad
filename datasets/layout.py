"""Forms of folders: which parts a dataset's folder has, and the files of each part.

::

    <root>/training/<class>/*                  the suite's own form: the only images that
    <root>/validation/gallery/<class>/*        fit() may see, what is searched, the queries and
    <root>/validation/query/<class>/*          further query sets on the same gallery;
    <root>/validation/query-<name>/<class>/*   gallery/distractor[/<name>]/* are distractors
    <root>/gallery/[<class>/]*                 the same without validation/; without classes
    <root>/query/[<class>/]*                   there are answers and no scores
    <root>/train/<class>/*                     with val/ or test/, whose images are dealt out
    <root>/val/<class>/*                       by content to gallery and queries
    <root>/<class>/*                           classes only: dealt out by content to all parts
    <root>/relevance.json                      optional judgements, see `datasets.relevance`
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field, replace
from pathlib import Path

from datasets.folder_names import is_distractor, listed
from datasets.names import near_misses
from datasets.shared_names import versions_among
from datasets.task import Box, Image, Problem, Relevance
from datasets.versions import look_inside
from datasets.walk import QRELS, RELEVANCE, Listing, left_out

UNSPLIT = ""
"""Part of an image that `datasets.split` deals out to training, gallery or queries."""

HELD_OUT = "held out"
"""Part of an image that `datasets.split` deals out to gallery or queries."""


@dataclass(frozen=True)
class Item:
    """A file that has a place in the layout, not yet known to be a readable picture.

    Its attributes are those of an `Image`, and:

    Attributes
    ----------
    part : str
        Training, gallery, a query set, `UNSPLIT` or `HELD_OUT`.
    asks : str or None
        Query set that an image of the gallery belongs to as well.
    """

    id: str
    path: Path
    part: str
    label: str | None = None
    distractor: str | None = None
    further: tuple[str, ...] = ()
    group: str | None = None
    box: Box | None = None
    asks: str | None = None

    @property
    def labels(self) -> list[str]:
        """Its classes."""
        return [label for label in (self.label, *self.further) if label is not None]

    def to_image(self, sha256: str) -> Image:
        """The image that it is, known to be readable."""
        return Image(
            self.id,
            self.path,
            sha256,
            self.label,
            self.distractor,
            self.further,
            self.group,
            self.box,
        )


@dataclass(frozen=True)
class Part:
    """A folder that plays a part.

    Attributes
    ----------
    role : str
        ``training``, ``gallery``, ``query`` or ``query-<name>``, `HELD_OUT` or `UNSPLIT`.
    folder : tuple of str
        Names of the folders down to it; empty for the dataset's folder itself.
    has_classes : bool
        Whether the folders in it are classes.
    """

    role: str
    folder: tuple[str, ...]
    has_classes: bool = True

    def __str__(self) -> str:
        place = f"{'/'.join(self.folder) or '.'}/"
        same = self.folder[-1:] == (self.role,)
        return place if same else f"{place} as {ROLES_IN_WORDS.get(self.role, self.role)}"


@dataclass(frozen=True)
class Layout:
    """The form of a dataset's folder.

    Attributes
    ----------
    form : str
        One of `FORMS`.
    parts : tuple of Part
        The folders that play a part.
    wrappers : tuple of str
        Folders around it, which hold nothing else.
    warnings : tuple of str
        What makes scores doubtful.
    """

    form: str
    parts: tuple[Part, ...]
    wrappers: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


FORMS = {
    "parts": "training/ and validation/ with gallery/ and query/ in it",
    "gallery-query": "gallery/ and query/",
    "train-test": "train/ and val/ or test/, with class folders",
    "classes": "class folders only",
    "by-hand": "as --layout says",
    "table": "a table",
    "own": "the dataset's own",
}
"""Forms of folders and what they look like."""


ROLES_IN_WORDS = {UNSPLIT: "to split", HELD_OUT: "held out"}
"""Parts whose name does not tell what becomes of them."""


@dataclass(frozen=True)
class Collection:
    """Content of a folder: items in order of id, and files that have no place in it.

    Attributes
    ----------
    root : Path
        Folder that ids are relative to.
    items : sequence of Item
        In order of id.
    problems : sequence of Problem
        Files without a place, and what was passed over.
    layout : Layout
        The form that was recognised.
    relevance : mapping of str to Relevance
        Judgements that the dataset itself has of queries, in place of a `RELEVANCE` file.
    """

    root: Path
    items: Sequence[Item]
    problems: Sequence[Problem] = ()
    layout: Layout = Layout("own", ())
    relevance: Mapping[str, Relevance] = field(default_factory=dict)

    def understood(self) -> list[str]:
        """Tell what was understood, in two lines: form, classes, files of each part.

        Groups, if there are any, have a third: they change what is asked.
        """
        return [self._form(), self._content(), *self._groups()]

    def _form(self) -> str:
        text = FORMS[self.layout.form]
        if self.layout.parts and self.layout.form != "classes":
            text = f"{self.layout.form} ({', '.join(map(str, self.layout.parts))})"
        if self.layout.wrappers:
            text += f", inside {'/'.join(self.layout.wrappers)}/"
        return f"layout: {text}"

    def _content(self) -> str:
        labels = sorted({label for item in self.items for label in item.labels})
        counts = Counter(
            "distractors"
            if item.distractor is not None
            else ROLES_IN_WORDS.get(item.part, item.part)
            for item in self.items
        )
        counts.update(f"of them as {item.asks}" for item in self.items if item.asks)
        files = ", ".join(f"{number:,} {name}" for name, number in sorted(counts.items()))
        judged = [name for name in (RELEVANCE, QRELS) if (self.root / name).exists()]
        if self.relevance:
            classes = f"judgements of {len(self.relevance):,} queries"
        elif labels:
            classes = f"{len(labels):,} classes ({_listed(labels)})"
        elif judged:
            classes = f"no classes, judgements in {judged[0]}"
        else:
            classes = "no classes, so answers and no scores"
        return f"content: {classes}; files: {files}"

    def _groups(self) -> Iterator[str]:
        names = sorted({item.group for item in self.items if item.group is not None})
        if names:
            count, first = groups_in_words(names), ", ".join(names[:3]) + ", …" * (len(names) > 3)
            yield f"group: {count} ({first}); pictures of one are junk for each other"


def groups_in_words(names: Sized) -> str:
    """The number of groups, in words."""
    return f"{len(names):,} group{'s' * (len(names) > 1)}"


def _listed(names: Sequence[str], most: int = 6) -> str:
    more = f", … {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def list_parts(listing: Listing, layout: Layout) -> Collection:
    """List the files of every part of a layout; all others become rows of the problems table.

    Parameters
    ----------
    listing : Listing
        All files of the folder.
    layout : Layout
        Its form.
    """
    items: list[Item] = []
    problems = list(listing.problems)
    warnings = list(layout.warnings)
    placed: set[str] = set()
    for part in layout.parts:
        inside = listing.below(part.folder)
        placed |= {file.id for file in inside.files}
        if part.has_classes:
            inside, odd, doubtful = look_inside(inside)
            problems += odd
            warnings += doubtful
            found, misplaced = classed_items(inside, part.role)
            items += found
            problems += misplaced
        else:
            items += [Item(file.id, file.path, part.role) for file in inside.files]
        problems += _empty_folders(listing.below(part.folder), part)
    others = (file for file in listing.files if file.id not in placed)
    problems += left_out(others, "plays no part in this layout")
    warnings += _versions(items)
    told = replace(layout, warnings=tuple(dict.fromkeys(warnings)))
    return collection(listing.root, items, problems, told)


def _versions(items: Sequence[Item]) -> Iterator[str]:
    """Warnings about pictures called like versions of those that they are not to be found by."""
    names: dict[str, dict[str, dict[str, Path]]] = defaultdict(lambda: defaultdict(dict))
    for item in items:
        if item.label is not None:
            names[item.part][item.label][item.path.name] = item.path
    for asked, there, what in (
        ("query", "gallery", "queries are called like versions of pictures in the gallery"),
        ("query", "training", "queries are called like versions of training pictures"),
        (HELD_OUT, "training", "held-out pictures are called like versions of training pictures"),
    ):
        if found := sorted(versions_among(names[asked], names[there])):
            yield f"{len(found):,} {what}, as {listed(found[0])}"


def classed_items(listing: Listing, part: str) -> tuple[list[Item], list[Problem]]:
    """Items of ``<class>/*``, with ``distractor[/<name>]`` understood.

    Parameters
    ----------
    listing : Listing
        Of the folder that holds the class folders.
    part : str
        Part that the items play.
    """
    items, problems = [], []
    for file in listing.files:
        if len(file.parts) == 1 and not file.is_about:
            problems.append(Problem(file.id, "lies in no class folder", "left out"))
        elif is_distractor(file.parts[0]):
            kind = file.parts[1] if len(file.parts) > 2 else ""
            # A distractor is searched, never learned from: it is not dealt out.
            searched = "gallery" if part in (UNSPLIT, HELD_OUT) else part
            items.append(Item(file.id, file.path, searched, distractor=kind))
        elif len(file.parts) > 1:
            items.append(Item(file.id, file.path, part, label=file.parts[0]))
    return items, problems


def _empty_folders(inside: Listing, part: Part) -> list[Problem]:
    """Rows of a part, or of classes in it, that hold no file."""
    if not inside.files:
        return [Problem("/".join(part.folder), "holds no file", "passed over")]
    filled = {file.parts[0] for file in inside.files}
    names = inside.names if part.has_classes else []
    return [
        Problem("/".join((*part.folder, name)), "class folder without a file", "passed over")
        for name in names
        if name not in filled
    ]


def collection(
    root: Path,
    items: Sequence[Item],
    problems: Sequence[Problem],
    layout: Layout = Layout("own", ()),
    relevance: Mapping[str, Relevance] | None = None,
) -> Collection:
    """A collection in order of id.

    Parameters
    ----------
    root : Path
        Folder that ids are relative to.
    items : sequence of Item
        In any order.
    problems : sequence of Problem
        In any order.
    layout : Layout
        The form that was recognised.
    relevance : mapping of str to Relevance, optional
        Judgements of queries.
    """
    labels = {label for item in items for label in item.labels if label}
    near = near_misses(sorted(labels), labels)
    alike = [
        Problem(name, f"differs from the class {other!r} in case or form only", "kept apart")
        for name, other in near.items()
    ]
    if near:
        [name, other], *_ = sorted(near.items())
        doubt = (
            f"{len(near):,} classes differ from others in case or form only, as "
            f"{listed([name, other])}, and are kept apart"
        )
        layout = replace(layout, warnings=(*layout.warnings, doubt))
    return Collection(
        root,
        sorted(items, key=lambda item: item.id),
        sorted([*problems, *alike], key=lambda problem: problem.order),
        layout,
        relevance or {},
    )
