"""Names that people write down: equal whatever their Unicode form, with near misses found."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from urllib.parse import unquote

from datasets.errors import InputError

_WHOLE = re.compile(r"-?[0-9]{1,15}(?:\.0*)?")
_ENDING = re.compile(r"\.[a-z][a-z0-9]{1,4}\Z")
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])[ _-]+(?=[0-9])")


def canonical(name: str) -> str:
    """A name in Unicode's composed form (NFC), in which names are compared."""
    return unicodedata.normalize("NFC", name)


def require_once(names: Iterable[str], place: str) -> None:
    """Refuse names of which two are one but for their Unicode form.

    Raises
    ------
    InputError
        Begins with `place`.
    """
    seen: dict[str, str] = {}
    for name in names:
        if seen.setdefault(canonical(name), name) != name:
            raise InputError(f"{place}: {name!r} stands twice, in two spellings; remove one")


def near_miss(name: str, known: Collection[str]) -> str | None:
    """A known name that differs only in case, in slashes or in form, if there is one."""
    wanted = _loose(name)
    return next((one for one in known if _loose(one) == wanted), None)


def _loose(name: str) -> str:
    plain = unquote(canonical(name)).strip().casefold().replace("\\", "/")
    return canonical(re.sub("//+", "/", plain).removeprefix("./"))


def misspelt(names: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Names to the known ones that they are but for case, blanks, slashes, form, folders, ending.

    The folders are leading ones, and the ending is that of a file, which one of the two lacks.
    """
    whole = {_loose(one): one for one in known}
    shorter = {end: one for loose, one in whole.items() for end in ends(loose)}
    shorter |= {_ENDING.sub("", loose): one for loose, one in (shorter | whole).items()}
    found = {}
    for name in set(names).difference(known):
        loose = _loose(name)
        spellings = (loose, _ENDING.sub("", loose))
        longer = [end for one in spellings for end in (one, *ends(one))]
        if other := next(filter(None, (*map(whole.get, longer), shorter.get(loose))), None):
            found[name] = other
    return found


def ends(path: str) -> Iterator[str]:
    """Ends of a path: without its first folder, without its first two, and so on."""
    while "/" in path:
        path = path.partition("/")[2]
        yield path


def near_misses(names: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Names that are others but for case, width, separators or the form of a number.

    Parameters
    ----------
    names, others : iterable of str
        Names of classes or images.

    Returns
    -------
    dict of str to str
        Name to the other that it nearly is.
    """
    near = {_folded(other): other for other in sorted(others, reverse=True)}
    return {name: near[_folded(name)] for name in names if near.get(_folded(name), name) != name}


def _folded(name: str) -> str:
    letters = unicodedata.normalize("NFKC", name).strip()
    if len(letters) == 1:
        return letters  # a letter in two cases is two classes
    letters = _BETWEEN_DIGITS.sub(".-.", letters.casefold())  # 1_11 is not 11_1
    sign = "-" * bool(re.match(r"-[0-9]", letters))  # -1 is not 1
    plain = sign + "".join(
        letter
        for letter in letters
        if letter not in " _-" and unicodedata.category(letter) != "Cf"  # invisible
    )
    return str(int(float(plain))) if _WHOLE.fullmatch(plain) else plain
