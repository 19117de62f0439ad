"""Recognition of a folder's form, by the names of its folders and by where pictures lie."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from datasets.class_folders import doubts_about_folders
from datasets.errors import InputError
from datasets.folder_names import (
    is_distractor,
    is_hardly_a_class,
    is_no_class,
    listed,
    part_in,
    role_of,
)
from datasets.layout import HELD_OUT, UNSPLIT, Collection, Layout, Part, list_parts
from datasets.part_classes import strangers, with_classes
from datasets.roles import read_roles
from datasets.unread import pictures_beside, require_judgements_at_the_top, unread_beside
from datasets.walk import QRELS, RELEVANCE, Listing

_SEARCH = ("gallery", "query")
_SPLITS = ("training", "validation", "test")

_BY_ROLE = "say which is which by --layout ROLE=FOLDER …"
_THE_CLASSES = (
    "say --layout classes if these are the classes, give the folder that holds them, or "
    f"{_BY_ROLE}"
)
_OF_A_PART = (
    "name the folders that hold the classes, such as --layout training=train/images "
    "held-out=val/images, or these if they are classes; say --layout flat if there are none"
)
"""Remedies where folders may not be classes."""


def read_layout(listing: Listing, words: Sequence[str] = ()) -> Collection:
    """List a folder in any of the layout's forms.

    Parameters
    ----------
    listing : Listing
        All files of the folder.
    words : sequence of str
        The form, if a user names it; see `by_hand`.

    Raises
    ------
    InputError
        If it is in none of the forms, or could be in more than one.
    """
    if words:
        listing, layout = by_hand(listing, words)
    else:
        listing, layout = recognise(listing)
    require_judgements_at_the_top(listing)
    return list_parts(listing, layout)


def recognise(listing: Listing) -> tuple[Listing, Layout]:
    """Find out in which form a folder is.

    Parameters
    ----------
    listing : Listing
        All files of the folder.

    Returns
    -------
    listing : Listing
        Of the folder itself, or of the one in it that all pictures lie in.
    layout : Layout
        Its form.

    Raises
    ------
    InputError
        If it is in no form, or could be in more than one; names what to do.
    """
    folder, wrappers = _unwrapped(listing)
    listing = folder.listing
    if wrapper := folder.wrapper:
        raise InputError(
            f"{_judgements(listing)[0]}: lies beside {wrapper!r}, which holds the pictures; "
            f"move it into {wrapper}/, its ids relative to that"
        )
    layout = folder.layout()
    warnings = [*layout.warnings, *pictures_beside(listing, layout)]
    for place, inside in _class_folders(listing, layout):
        if place:
            warnings += [f"{place}: {warning}" for warning in inside.doubts(_OF_A_PART)]
    warnings += strangers(listing, layout)
    return listing, replace(layout, wrappers=wrappers, warnings=tuple(warnings))


def _unwrapped(listing: Listing) -> tuple["_Folder", tuple[str, ...]]:
    """The one folder that all pictures lie in, and the names down to it.

    Judgements stay where they are, as their ids are relative to that.
    """
    wrappers: tuple[str, ...] = ()
    folder = _Folder(listing.undoubled())
    while (wrapper := folder.wrapper) and not _judgements(folder.listing):
        wrappers = (*wrappers, wrapper)
        folder = _Folder(folder.listing.unwrapped(wrapper).undoubled())
    return folder, wrappers


def _judgements(listing: Listing) -> list[Path]:
    """Files at the top of a folder that are read as judgements."""
    return [file.path for file in listing.loose if file.id in (RELEVANCE, QRELS)]


def by_hand(listing: Listing, words: Sequence[str]) -> tuple[Listing, Layout]:
    """Read the form that a user names.

    Parameters
    ----------
    listing : Listing
        All files of the folder.
    words : sequence of str
        ``classes``, ``flat`` (gallery and queries without classes), or pairs ``ROLE=FOLDER`` with
        a role of `datasets.roles.ROLES`, without classes behind ``flat``; what is held out is
        split into gallery and queries.

    Returns
    -------
    listing : Listing
        Of the folder itself, or of the one in it that all pictures lie in.
    layout : Layout
        Its form.

    Raises
    ------
    InputError
        If that is no form, or if the folder has not what it names.
    """
    inner, wrappers = _unwrapped(listing)
    match [*words]:
        case ["flat"]:
            return inner.listing, replace(inner.search(), wrappers=wrappers)
        case ["flat", *pairs]:
            return listing, Layout("by-hand", tuple(read_roles(listing, pairs, wrappers)))
        case ["classes"]:
            listing = inner.listing
            layout = Layout("classes", (Part(UNSPLIT, ()),), wrappers)
        case pairs:
            parts = tuple(read_roles(listing, pairs, wrappers))
            layout = with_classes(listing, Layout("by-hand", parts))
    warnings = [
        f"{place}: {doubt}".removeprefix(": ")
        for place, folder in _class_folders(listing, layout)
        for doubts in doubts_about_folders(folder.pictures, above=folder.root.name)
        for doubt in doubts
    ]
    warnings += strangers(listing, layout)
    return listing, replace(layout, warnings=(*layout.warnings, *warnings))


class _Folder:
    """A folder under recognition.

    Attributes
    ----------
    pictures : list of tuple of str
        Names down to each picture.
    names : list of str
        Names of the folders in it that have pictures.
    roles : dict of str to str
        Name of a folder to the part that it stands for.
    direct, deep : Counter
        Number of pictures that lie in a folder itself, and in folders of it.
    loose : int
        Number of pictures that lie in no folder.
    """

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.root = listing.root
        self.pictures = [file.parts for file in listing.files if file.is_picture]
        self.loose = sum(len(parts) == 1 for parts in self.pictures)
        self.direct = Counter(parts[0] for parts in self.pictures if len(parts) == 2)
        self.deep = Counter(parts[0] for parts in self.pictures if len(parts) > 2)
        self.names = sorted(self.direct.keys() | self.deep.keys())
        self.roles = {name: role for name in listing.names if (role := role_of(name))}
        in_other_words = {name: role for name in self.names if (role := part_in(name))}
        others = [name for name in self.names if name not in in_other_words]
        if self._are_parts(in_other_words, others):
            self.roles |= in_other_words

    @property
    def wrapper(self) -> str | None:
        """The only folder in it, if that is no part and holds no pictures but in folders."""
        [name, *others] = self.names or [""]
        is_one = not (others or self.loose or self.direct or self._is_searched())
        return name if is_one and not (name in self.roles or is_distractor(name)) else None

    def _is_searched(self) -> bool:
        return {*_SEARCH} <= set(self.roles.values()) or bool(self._own())

    def layout(self) -> Layout:
        """The form of the folder."""
        if self._is_searched():
            return with_classes(self.listing, self.search())
        named = [name for name in self.names if name in self.roles]
        others = [
            name for name in self.names if name not in self.roles and not is_distractor(name)
        ]
        one_of_the_classes = (
            len(named) == 1
            and len(others) > 1
            and all(self.direct[name] for name in (*named, *others))
        )
        if not named or one_of_the_classes:
            return self._classes()
        if others and not self._are_parts({name: self.roles[name] for name in named}, others):
            self._refuse(
                f"{listed(named)} could be part of a dataset beside {listed(others)}, or all "
                f"could be classes; {_BY_ROLE}, keep apart what is no part, or say --layout "
                "classes if all are"
            )
        return self._train_test(named)

    def search(self) -> Layout:
        """Gallery and queries without classes, below ``validation/`` or at the top."""
        training = self._called("training")
        self._require_one(training)
        parts = [Part("training", (name,)) for name in training]
        own = self._own()
        if not own:
            return self._gallery_query(self.listing, (), "gallery-query", parts)
        self._require_one(own)
        inside = self.listing.inside(own[0])
        for name in inside.names:
            role = role_of(name) or ""
            if not role.startswith(_SEARCH):
                self._refuse(
                    f"{own[0]}/{name}: unknown part; {own[0]}/ holds 'gallery', 'query' and "
                    f"'query-<name>'; rename it, or {_BY_ROLE}"
                )
        return self._gallery_query(inside, (own[0],), "parts", parts)

    def _own(self) -> list[str]:
        """Folders that hold a gallery or queries themselves, rather than classes called so."""
        training = self._called("training")
        classes = {inner for name in training for inner in self.listing.inside(name).names}
        return [
            name
            for name in self._called("validation", "test")
            if {*_SEARCH}
            & {role_of(inner) for inner in self.listing.inside(name).names if inner not in classes}
        ]

    def _called(self, *roles: str) -> list[str]:
        """Folders whose names stand for one of some parts."""
        return [name for name, role in self.roles.items() if role in roles]

    def _gallery_query(
        self, inside: Listing, above: tuple[str, ...], form: str, parts: Sequence[Part]
    ) -> Layout:
        named: dict[str, str] = {}
        for name in inside.names:
            role = role_of(name) or ""
            if role.startswith(_SEARCH):
                if role in named:
                    self._require_one([named[role], name])
                named[role] = name
        for needed in _SEARCH:
            if needed not in named:
                self._refuse(
                    f"{'/'.join((*above, needed))} is missing; add it, or name the folders by "
                    "--layout gallery=FOLDER query=FOLDER"
                )
        found = [Part(role, (*above, name), False) for role, name in sorted(named.items())]
        return Layout(form, (*parts, *found))

    def _are_parts(self, named: Mapping[str, str], others: Sequence[str]) -> bool:
        """Whether folders, with their roles, share several classes, of which others have none."""
        roles = {*named.values()}
        if roles - {*_SPLITS} or "training" not in roles or len(roles) < 2:
            return False
        classes = [{*self.listing.inside(name).names} for name in named if self.deep[name]]
        shared = set.intersection(*classes) if len(classes) == len(named) else set()
        return len(shared) > 1 and not any(self.deep[name] or name in shared for name in others)

    def _train_test(self, named: Sequence[str]) -> Layout:
        for name in named:
            if self.roles[name] not in _SPLITS:
                other = "query" if self.roles[name] == "gallery" else "gallery"
                self._refuse(f"{name!r} stands without {other!r}; add {other}/, or {_BY_ROLE}")
        by_role = {role: [name for name in named if self.roles[name] == role] for role in _SPLITS}
        for names in by_role.values():
            self._require_one(names)
        classed = [name for name in named if self.deep[name] and not self._is_flat(name)]
        held_out = [n for role in ("test", "validation") for n in by_role[role] if n in classed]
        if not held_out or len(classed) < 2:
            self._refuse_part(named, classed)
        learned_from = [name for name in classed if name != held_out[0]]
        self._require_known_classes(held_out, by_role["training"])
        parts = [Part("training", (name,)) for name in learned_from]
        return Layout("train-test", (*parts, Part(HELD_OUT, (held_out[0],))))

    def _is_flat(self, name: str) -> bool:
        """Whether the pictures of a part lie in folders for those of all classes."""
        inside = [parts[1:] for parts in self.pictures if parts[0] == name]
        return all(len(parts) < 3 and is_no_class(parts[0]) for parts in inside)

    def _require_known_classes(self, held_out: Sequence[str], training: Sequence[str]) -> None:
        """Refuse test images of other classes than those that validation and training share."""
        inside = {name: self.listing.inside(name).names for name in (*held_out, *training)}
        learned = {label for name in training for label in inside[name]}
        fits = [name for name in held_out if learned & {*inside[name]}]
        if fits and held_out[0] not in fits:
            self._refuse(
                f"{held_out[0]!r} ({listed(inside[held_out[0]])}) has none of the classes of "
                f"{training[0]!r}; say --layout training={training[0]} held-out={fits[0]}, or "
                "which it is"
            )

    def _refuse_part(self, named: Sequence[str], classed: Sequence[str]) -> NoReturn:
        if not classed:
            self._refuse(
                f"no class folders in {listed(named)}{unread_beside(self.listing)}; put the "
                "pictures in <class>/ folders, or say --layout classes if these are the classes"
            )
        split_it = f"give {self.root / classed[0]} to have its classes split"
        if len(named) > 1:
            bare = [name for name in named if name not in classed]
            self._refuse(
                f"no class folders in {listed(bare)}, so nothing says what is right; {split_it}"
            )
        other = "validation" if self.roles[classed[0]] == "training" else "training"
        if empty := [name for name in self.roles if name not in self.names]:
            self._refuse(f"no picture in {listed(empty)}; add some, or {split_it}")
        self._refuse(
            f"{classed[0]!r} stands without {other!r}; add validation/gallery/<class> and "
            f"validation/query/<class>, or {split_it}"
        )

    def _classes(self) -> Layout:
        names = [name for name in self.names if not is_distractor(name)]
        unread = unread_beside(self.listing)
        if not names:
            self._refuse(
                f"no class folders in it{unread}; put the pictures in <class>/ folders, or in "
                "gallery/ and query/ if they have no classes, or give a table with columns path "
                "and label"
            )
        warnings = self.doubts(_THE_CLASSES, unread)
        if self.names == names[:1] and unread and not _judgements(self.listing):
            self._refuse(
                f"{names[0]!r} would be the only class{unread}; put the pictures in <class>/ "
                "folders"
            )
        warnings += [
            f"{name!r} is taken for a class, not for a part"
            for name in names
            if name in self.roles or is_hardly_a_class(name)
        ]
        if self.loose > self.direct.total() + self.deep.total():
            warnings.append("most pictures lie in no class folder and are left out")
        return Layout("classes", (Part(UNSPLIT, ()),), warnings=tuple(warnings))

    def doubts(self, remedy: str, unread: str = "") -> list[str]:
        """Refuse folders that are hardly classes; returns warnings about those that may not be."""
        refusals, warnings = doubts_about_folders(self.pictures, unread, self.root.name)
        if refusals:
            self._refuse(f"{refusals[0]}; {remedy}")
        return warnings

    def _require_one(self, names: Sequence[str]) -> None:
        if len(names) > 1:
            self._refuse(f"{listed(names)} play the same part; keep one of them")

    def _refuse(self, reason: str) -> NoReturn:
        raise InputError(f"{self.root}: {reason}")


def _class_folders(listing: Listing, layout: Layout) -> Iterator[tuple[str, _Folder]]:
    """Path and content of every folder that holds class folders."""
    for part in layout.parts:
        if part.has_classes:
            yield "/".join(part.folder), _Folder(listing.below(part.folder))
