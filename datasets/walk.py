"""Every file below a folder; what belongs to a system or a program is passed over."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, count
from pathlib import Path

from datasets.decoding.formats import ENDINGS, HEAD, Format, identify
from datasets.errors import InputError
from datasets.names import canonical
from datasets.opening import open_file
from datasets.task import Problem, ProblemKind

_SYSTEM = {
    *("@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@transcode"),  # NAS
    *("__macosx", "network trash folder", "temporary items", "icon\r"),  # macOS
    *("$recycle.bin", "recycler", "system volume information", "found.000"),
    *("thumbs.db", "thumbs.db:encryptable", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini"),
    *("lost+found", "lost.dir", "__pycache__", "picasa.ini", "zbthumbnail.info"),
}
"""Names that systems and their programs give, in lower case; hidden ones begin with a dot."""

CACHE_TAG = "CACHEDIR.TAG"
"""File that marks a folder as a cache, see https://bford.info/cachedir/."""

CACHE_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
"""First line of that file."""

_RESULTS = ({"dataset.json", "images.csv", "problems.csv"}, {"dataset.json", "records.tar.xz"})
"""Files that a results folder of this suite has: that of a run, and a published one."""

_MOST_LINKED = 100_000
"""Folders that links may lead to; links that lead to one another multiply."""

_OTHER_PICTURES = {
    *("jxl", "svg", "tga", "ico", "psd", "cr2", "cr3", "nef", "arw", "dng", "orf", "raf", "rw2"),
}
"""Endings of pictures that are not read here."""

_NO_PICTURES = {
    *("txt", "md", "rst", "csv", "tsv", "json", "jsonl", "xml", "yaml", "yml", "html", "htm"),
    *("xmp", "aae", "log", "db", "ini", "lnk", "url", "py", "ipynb", "pdf", "doc", "docx"),
    *("xlsx", "parquet", "npy", "npz", "mat", "pt", "pth", "pkl", "h5", "hdf5", "onnx"),
    *("zip", "tar", "tgz", "gz", "bz2", "xz", "7z", "rar", "zst", "tfrecord", "lmdb", "mdb"),
    *("mp4", "mov", "avi", "mkv", "webm", "mp3", "wav", "m4a", "flac"),
}
"""Endings of files that are no pictures, so that nobody needs to open them."""

RELEVANCE = "relevance.json"
"""Judgements of single queries."""

QRELS = "qrels.txt"
"""The same in the form of trec_eval."""

_JUDGEMENTS = re.compile(r"(?:qrels?|relevance)(?:[-_. (].*)?\Z", re.DOTALL)
"""Names that people give to judgements, in lower case."""

_ABOUT = {"readme", "license", "licence", "copying", "attribution", "citation", "changelog"}


@dataclass(frozen=True)
class File:
    """A file below a folder.

    Attributes
    ----------
    id : str
        POSIX path relative to the folder that was walked, in Unicode's form NFC.
    path : Path
        Where it is.
    parts : tuple of str
        Names of the folders down to it, and its own, relative to the listing it is in.
    """

    id: str
    path: Path
    parts: tuple[str, ...]

    @property
    def is_about(self) -> bool:
        """Whether its name says that it tells of the folder, or of what is relevant in it."""
        stem, _, endings = self.parts[-1].lower().partition(".")
        is_picture = endings.rpartition(".")[2] in ENDINGS
        return self.parts in ((RELEVANCE,), (QRELS,)) or (stem in _ABOUT and not is_picture)

    @property
    def sounds_like_judgements(self) -> bool:
        """Whether its name is that of judgements, or nearly, or that of its folder is."""
        *folders, name = map(str.lower, self.parts)
        is_named = _JUDGEMENTS.match(name) is not None or "qrels" in folders
        return is_named and not self.is_picture

    @cached_property
    def is_picture(self) -> bool:
        """Whether its name or, if that has no known ending, its first bytes are a picture's."""
        ending = self.path.suffix[1:].lower()
        if ending in ENDINGS or ending in _OTHER_PICTURES:
            return True
        return ending not in _NO_PICTURES and self._other_format is None

    @property
    def remedy(self) -> str:
        """The name of its format and a way to one that is read, if its first bytes tell both."""
        found = self._other_format
        return f"{found.name}, which is not read; {found.remedy}" if found and found.remedy else ""

    @property
    def _other_format(self) -> Format | None:
        """Its format, if that is not read; one without a name if the file cannot be opened."""
        try:
            with open_file(self.path) as file:
                return identify(file.read(HEAD))
        except OSError:
            return Format("")


@dataclass(frozen=True)
class Listing:
    """The files and folders below a folder.

    Attributes
    ----------
    root : Path
        The folder.
    files : tuple of File
        In order of id.
    folders : tuple of tuple of str
        Names down to each folder below it, those without files as well.
    problems : tuple of Problem
        What was passed over, counted.
    """

    root: Path
    files: tuple[File, ...]
    folders: tuple[tuple[str, ...], ...]
    problems: tuple[Problem, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the folders that lie directly in it, in order."""
        return sorted({parts[0] for parts in self.folders})

    @property
    def loose(self) -> list[File]:
        """Files that lie directly in it."""
        return [file for file in self.files if len(file.parts) == 1]

    def inside(self, name: str) -> "Listing":
        """The part of it that lies in one of its folders; ids stay as they are."""
        below = [file for file in self.files if file.parts[0] == name and len(file.parts) > 1]
        root = below[0].path.parents[len(below[0].parts) - 2] if below else self.root / name
        return Listing(
            root,
            tuple(File(file.id, file.path, file.parts[1:]) for file in below),
            tuple(parts[1:] for parts in self.folders if parts[0] == name and len(parts) > 1),
        )

    def below(self, names: Sequence[str]) -> "Listing":
        """The part of it that lies several folders down; ids stay as they are."""
        return self.inside(names[0]).below(names[1:]) if names else self

    def undoubled(self) -> "Listing":
        """The same without those of its folders that hold nothing but one called like them.

        Programs that unpack ``train.zip`` may leave ``train/train``; ids and files stay.
        """
        inside: dict[str, set[str]] = defaultdict(set)
        for file in self.files:
            if len(file.parts) > 1:
                inside[file.parts[0]].add(file.parts[1] if len(file.parts) > 2 else "")
        doubled = {name for name, names in inside.items() if names == {name}}
        if not doubled:
            return self
        return replace(
            self,
            files=tuple(
                replace(file, parts=file.parts[file.parts[0] in doubled :]) for file in self.files
            ),
            folders=tuple(
                sorted({parts[len(parts) > 1 and parts[0] in doubled :] for parts in self.folders})
            ),
        )

    def unwrapped(self, name: str) -> "Listing":
        """The same listing as if that folder had been walked: ids are relative to it."""
        inside = self.inside(name)
        files = _named([(file.path, file.parts) for file in inside.files])
        others = [file for file in self.files if file.parts[0] != name]
        outside = left_out(others, "lies beside the folder that holds the pictures", "../")
        return replace(inside, files=_in_order(files), problems=(*self.problems, *outside))


def require_folder(root: Path) -> None:
    """Raise one clear `InputError` unless `root` is a readable folder with something in it."""
    try:
        if next(root.iterdir(), None) is None:
            raise InputError(f"{root}: the folder is empty; put pictures into it")
    except FileNotFoundError:
        raise InputError(f"{root}: no such folder; give one that holds pictures") from None
    except NotADirectoryError:
        raise InputError(f"{root}: not a folder; give one that holds pictures") from None
    except PermissionError:
        raise InputError(f"{root}: no permission to read this folder") from None


def walk(root: Path) -> Listing:
    """List everything below a folder, at any depth.

    Hidden files, those of systems, caches and the results of this suite are passed over and
    counted. Links are followed; one that leads back to a folder above it is passed over.

    Parameters
    ----------
    root : Path
        The folder.

    Returns
    -------
    Listing
        Ids are relative to `root`.

    Raises
    ------
    InputError
        If the folder is missing or empty, or if one below it cannot be listed.
    """
    require_folder(root)
    passed_over: dict[tuple[str, str], list[str]] = defaultdict(list)  # by name and reason
    found: list[tuple[Path, tuple[str, ...]]] = []
    folders: list[tuple[str, ...]] = []
    pending: list[tuple[Path, tuple[str, ...], frozenset[tuple[int, int]], bool]] = [
        (root, (), frozenset(), False)
    ]
    linked = 0
    while pending:
        folder, parts, above, is_linked = pending.pop()
        state = folder.stat()
        here = (state.st_dev, state.st_ino)
        if here in above:
            passed_over[parts[-1], "a link to a folder above it"].append("/".join(parts))
            continue
        entries = _entries(folder)
        if parts and (reason := _made_by_program(folder, {entry.name for entry in entries})):
            passed_over[parts[-1], reason].append("/".join(parts))
            continue
        if parts:
            folders.append(parts)
        for entry in entries:
            inner = (*parts, as_text(entry.name))
            if entry.name.startswith(".") and entry.name.endswith(".icloud"):
                passed_over[".*.icloud", "still in iCloud; download it"].append("/".join(inner))
            elif _is_system(entry.name):
                passed_over[_group(entry), "hidden or the system's own"].append("/".join(inner))
            elif _is_folder(entry):
                through_link = is_linked or entry.is_symlink()
                linked += through_link
                if linked > _MOST_LINKED:
                    raise InputError(
                        f"{root}: links in it lead to more than {_MOST_LINKED:,} folders; "
                        "remove those that lead to one another"
                    )
                pending.append((Path(entry.path), inner, above | {here}, through_link))
            else:
                found.append((Path(entry.path), inner))
    composed = {tuple(map(canonical, parts)) for parts in folders}
    problems = (_passed_over(*key, places) for key, places in passed_over.items())
    return Listing(root, _in_order(_named(found)), tuple(sorted(composed)), tuple(problems))


def _passed_over(name: str, reason: str, places: Sequence[str]) -> Problem:
    """A row for files or folders of one name that are passed over for one reason."""
    times = "" if len(places) == 1 else f"{len(places):,} times, such as "
    what = f"{reason} ({times}{min(places)})"
    return Problem(name, what, "passed over", ProblemKind.PASSED_OVER)


def left_out(files: Iterable[File], what: str, above: str = "") -> Iterator[Problem]:
    """A row for each file, and for each folder at the top with its files, that has no place."""
    counts = Counter(
        f"{file.parts[0]}/" if len(file.parts) > 1 else file.id
        for file in files
        if not file.is_about
    )
    for name, number in counts.items():
        outcome = f"{number:,} files left out" if name.endswith("/") else "left out"
        yield Problem(f"{above}{name}", what, outcome)


def _in_order(files: Iterable[File]) -> tuple[File, ...]:
    return tuple(sorted(files, key=lambda file: file.id))


def _named(found: Sequence[tuple[Path, tuple[str, ...]]]) -> Iterator[File]:
    """Give every file an id of its own: names in NFC, unless that is another file's name."""
    taken: set[str] = set()
    by_form = sorted(found, key=lambda one: (tuple(map(canonical, one[1])) != one[1], one[1]))
    for path, parts in by_form:
        composed = tuple(map(canonical, parts))
        raw = "/".join(parts)
        numbered = (f"{raw} ({number})" for number in count(2))
        name = next(
            name for name in chain(("/".join(composed), raw), numbered) if name not in taken
        )
        taken.add(name)
        yield File(name, path, composed)


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    """Content of a folder; stops where it cannot be listed, rather than drop what is in it."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be listed ({error.strerror}); mend its permissions"
        ) from error


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # opening it will say why


def _is_system(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in _SYSTEM


def _group(entry: "os.DirEntry[str]") -> str:
    """The name under which something of the system is counted."""
    if _is_folder(entry) or entry.name in (".DS_Store", ".nomedia"):
        return as_text(entry.name)
    for start in ("._", ".", "~$"):
        if entry.name.startswith(start):
            return f"{start}*"
    return entry.name


def _made_by_program(folder: Path, names: set[str]) -> str | None:
    """Why a folder's files are no content, if they are not."""
    if any(names >= files for files in _RESULTS):
        return "results of this suite"
    if CACHE_TAG in names:
        with suppress(OSError), open_file(folder / CACHE_TAG) as file:
            if file.read(len(CACHE_SIGNATURE)) == CACHE_SIGNATURE.encode():
                return "a cache"
    return None


def as_text(name: str | Path) -> str:
    """A name as text; bytes that are no UTF-8 are written as escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
