"""Class folders under doubt: parts, views or by-products that could be taken for classes."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from datasets.folder_names import (
    are_opposites,
    is_anything,
    is_distractor,
    is_no_class,
    joined,
    listed,
    may_be_a_class,
    role_of,
    sound_like_parts,
    sound_like_views,
)
from datasets.shared_names import Inside, are_portions, are_shards, gathered, same_names, times
from datasets.versions import first_of, plain, stem_of

_NEARLY_ALL = 0.9


def doubts_about_folders(
    pictures: Sequence[tuple[str, ...]], unread: str = "", above: str = ""
) -> tuple[list[str], list[str]]:
    """Tell what speaks against folders as classes.

    Parameters
    ----------
    pictures : sequence of tuple of str
        Names down to each picture below the folder that holds them.
    unread : str
        What else lies there and is not read, in brackets.
    above : str
        Name of the folder that holds them.

    Returns
    -------
    refusals, warnings : list of str
        Reasons why they are hardly classes, and why they may not be.
    """
    inside: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for first, *rest in sorted(pictures):
        if rest and not is_distractor(first):
            inside[first].append(tuple(rest))
    if not inside:
        return [], []
    same, time = same_names(inside), times(inside, above)
    refusals = [*_against_names(inside, unread, time), *_against_content(inside, same)]
    return refusals, [*_doubtful_names(inside), *_doubtful_content(inside, same, time)]


def _against_names(inside: Inside, unread: str, time: str) -> Iterator[str]:
    """Reasons why folders are no classes, by their names."""
    names = [*inside]
    if all(map(_is_nested, inside.values())) and not _are_looked_through(inside):
        if parts := _parts_below(inside):
            yield (
                f"{listed(names)} hold {listed(parts)} themselves, parts below classes, which "
                "--layout classes would deal out anew: a table with columns path, label and part "
                "keeps them"
            )
        else:
            yield (
                f"{listed(names)} hold folders, not pictures, so classes could be either (a table "
                "with columns path and label says that those in them are)"
            )
    if general := [name for name in names if is_no_class(name) and not _may_be(name, inside)]:
        yield f"{listed(general)}: not the name of a class{unread}"
    if parts := sound_like_parts(names):
        yield f"{listed(parts)} sound like parts, not like classes{unread}"
    elif time == "taken":
        yield f"{listed(names)} hold what was photographed then, so they are hardly classes"
    if views := sound_like_views(names):
        yield f"{listed(views)} sound like views of the same things"
    if made := {name: of for name in names if (of := first_of(name, inside)) != name}:
        originals = [*dict.fromkeys(made.values())]
        yield f"{listed([*made])} sound like what was made of {listed(originals)}"


def _against_content(inside: Inside, same: str) -> Iterator[str]:
    """Reasons why folders are no classes, by what lies in them."""
    for name, files in inside.items():
        folders = {rest[0] for rest in files if len(rest) > 1}
        again = {folder for folder in folders if folder in inside and folder != name}
        if len(again) > 1:
            also = listed(sorted(again))
            yield f"{name!r} holds folders called like classes beside it ({also})"
    if same == "names":
        yield (
            f"{listed([*inside])} hold pictures of the same names, so they could be views of the "
            "same things"
        )
    elif not same:
        for name, others in gathered(inside):
            yield (
                f"{name!r} holds pictures called like those of {listed(others)}, so it could be "
                "all of them again; move it away if it is"
            )


def _doubtful_names(inside: Inside) -> Iterator[str]:
    """Warnings about folders that may be no classes, by their names."""
    nested = [name for name, files in inside.items() if _is_nested(files)]
    if len(nested) < len(inside):
        yield from (f"class {name!r} holds folders, not pictures" for name in nested)
    for name in inside:
        if is_anything(name) and not are_opposites(name, inside):
            yield (
                f"class {name!r}: if its pictures have nothing in common, call its folder "
                "'distractor'"
            )
    yield from (
        f"{name!r} is taken for a class, not for what is made of others"
        for name in inside
        if may_be_a_class(name) and _may_be(name, inside) and not are_opposites(name, inside)
    )
    if several := joined([*inside]):
        yield (
            f"{listed(several)} sound like several of the classes beside them; give a table with "
            "labels 'a|b' if its pictures are of both"
        )


def _doubtful_content(inside: Inside, same: str, time: str) -> Iterator[str]:
    """Warnings about folders that may be no classes, by what lies in them."""
    names = listed([*inside])
    if are_portions(inside):
        yield f"{names} hold consecutive numbers: portions of one whole rather than classes?"
    elif are_shards(inside):
        yield (
            f"{names} are called like an end or remainder of their pictures' names: portions of "
            "one whole rather than classes?"
        )
    if time == "maybe":
        yield f"{names} hold a camera's pictures: when they were taken rather than classes?"
    if same == "numbers":
        yield (
            f"{names} hold pictures of the same names: views of the same things rather than "
            "classes?"
        )


def _may_be(name: str, inside: Inside) -> bool:
    """Whether a folder that is called like no class is one after all."""
    if are_opposites(name, inside):
        return True
    if not may_be_a_class(name):
        return False
    stems = {plain(stem_of(file[-1])) for file in inside[name]}
    others = {
        plain(stem_of(file[-1]))
        for other, files in inside.items()
        for file in files
        if other != name
    }
    return bool(others) and 2 * len(stems & others) < len(stems)


def _is_nested(pictures: Sequence[tuple[str, ...]]) -> bool:
    """Whether nearly all pictures of a folder lie in folders of it; a cover may lie above."""
    return sum(len(rest) > 1 for rest in pictures) > _NEARLY_ALL * len(pictures)


def _are_looked_through(inside: Inside) -> bool:
    """Whether classes hold folders that are none, as ``cat/images``, or one each of its own."""
    below = [{rest[:-1] for rest in files if len(rest) > 1} for files in inside.values()]
    places = Counter(folder for folders in below for folder in folders)
    if any(len(folder) > 1 for folder in places):
        return False
    return all(
        all(is_no_class(name) for (name,) in folders)
        or (len(folders) == 1 and places[min(folders)] == 1)
        for folders in below
    )


def _parts_below(inside: Inside) -> list[str]:
    """Folders called like parts that nearly all class folders hold, if there are several."""
    below = [{rest[0] for rest in files if len(rest) > 1} for files in inside.values()]
    roles = {role: name for names in below for name in names if (role := role_of(name))}
    shared = [
        name
        for name in sorted(roles.values())
        if sum(name in names for names in below) >= _NEARLY_ALL * len(below)
    ]
    return shared if len(shared) > 1 else []
