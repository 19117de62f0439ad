"""Plug-ins: files and installed packages that add to the menus, the checkout left as it is.

A file says what it adds by its names ``EXTRACTORS``, ``DATASETS`` and ``METRICS``; a package by
entry points of the groups ``image_retrieval_benchmark.extractors``, ``.datasets`` and
``.metrics``.
"""

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import FunctionType, ModuleType

from extractors import MENU
from extractors.base import Step, steps_of

GROUP = "image_retrieval_benchmark"
"""First part of the names of entry points' groups."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


_METHODS = (FunctionType, property, classmethod, staticmethod)


class PluginError(ValueError):
    """A plug-in cannot be used; the message names it and the remedy."""


@dataclass(frozen=True)
class Added:
    """A thing that a plug-in adds to a menu.

    Attributes
    ----------
    name : str
        Its name there.
    value : object
        The thing itself.
    origin : str
        The file or package that it comes from.
    """

    name: str
    value: object
    origin: str

    @property
    def place(self) -> str:
        """The beginning of a message about it."""
        return f"{self.origin}: {self.name!r}"


def load_plugin(path: Path) -> ModuleType:
    """Import a plug-in by the name of its file, so that other processes can, too.

    Its folder joins the end of the search path: modules beside it can be imported, and none of
    them hides another.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    PluginError
        If it is no Python file, its name is another module's, it cannot be imported, goes to
        another folder, or changes code or the menu of this package.
    """
    path = path.expanduser().resolve()
    if path.suffix != ".py" or not path.is_file():
        raise PluginError(f"{path} is no file of Python code (.py)")
    name, folder = path.stem, str(path.parent)
    if not name.isidentifier():
        raise PluginError(f"{path}: {name!r} can be no name of a module; rename the file")
    if folder not in sys.path:
        sys.path.append(folder)
    importlib.invalidate_caches()
    if (found := _file_of(name)) != path:
        raise PluginError(f"{path}: another module is called {name!r} ({found}); rename the file")
    here = Path.cwd()
    before = _code_of_suite()
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:  # it may do anything
        raise PluginError(f"{path}: {_in_words(error, path)}") from error
    if Path.cwd() != here:
        os.chdir(here)
        raise PluginError(
            f"{path}: changes the folder that paths are told from (os.chdir); take that out, and "
            "name files by Path(__file__).parent"
        )
    _require_unchanged(before, str(path))
    return module


def installed(kind: str) -> Iterator[Added]:
    """Load what installed packages add.

    Parameters
    ----------
    kind : str
        Last part of the entry points' group, such as ``"extractors"``.

    Raises
    ------
    PluginError
        If one of them cannot be loaded, or changes code or the menu of this package.
    """
    for point in sorted(entry_points(group=f"{GROUP}.{kind}"), key=lambda one: one.name):
        origin = f"the package {point.dist.name if point.dist else '?'} ({point.value})"
        before = _code_of_suite()
        try:
            value = point.load()
        except (Exception, SystemExit) as error:
            raise PluginError(f"{origin}: {type(error).__name__}: {error}; remove it") from error
        _require_unchanged(before, origin)
        yield Added(point.name, value, origin)


def add_extractor(added: Added) -> None:
    """Put an extractor into the menu.

    Raises
    ------
    PluginError
        If it is none, or its name is taken or ill-formed.
    """
    if not _NAME.fullmatch(added.name):
        raise PluginError(f"{added.place}: names are lower case, with hyphens between words")
    if added.name in MENU:
        raise PluginError(f"{added.place} is in the menu already; choose another name")
    if not isinstance(steps_of(added.value)[0], Step):
        raise PluginError(
            f"{added.place} is no extractor; give an instance of a class that derives from "
            "Extractor or Descriptor of extractors.base"
        )
    MENU[added.name] = added.value


def extractors_of(module: ModuleType) -> list[Added]:
    """The extractors that a plug-in's file adds.

    Raises
    ------
    PluginError
        If ``EXTRACTORS`` is no mapping.
    """
    found = getattr(module, "EXTRACTORS", {})
    if not isinstance(found, dict):
        raise PluginError(f"{module.__file__}: EXTRACTORS has to be a dictionary by name")
    return [Added(str(name), value, str(module.__file__)) for name, value in found.items()]


def _code_of_suite() -> dict[str, object]:
    """The menu's entries, and functions and methods of this package, by their names."""
    found: dict[str, object] = dict(MENU)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == __package__:
            own = {k: v for k, v in vars(module).items() if getattr(v, "__module__", "") == name}
            found |= {f"{name}.{key}": value for key, value in own.items()}
            for key, kind in own.items():
                if isinstance(kind, type):
                    methods = {k: v for k, v in vars(kind).items() if isinstance(v, _METHODS)}
                    found |= {f"{name}.{key}.{k}": method for k, method in methods.items()}
    return found


def _require_unchanged(before: dict[str, object], origin: str) -> None:
    """Refuse what changes the suite: vectors are kept under the version that this declares."""
    after = _code_of_suite()
    changed = [name for name, value in before.items() if after.get(name) is not value]
    if changed:
        raise PluginError(
            f"{origin}: changes {changed[0]} of the suite; derive a class of your own"
        )


def _file_of(name: str) -> Path | None:
    """The file that importing a name would run, or has run."""
    if name in sys.modules:
        file = getattr(sys.modules[name], "__file__", None)
    else:
        spec = importlib.util.find_spec(name)
        file = spec.origin if spec else None
    return Path(file).resolve() if file and file not in ("built-in", "frozen") else None


def _in_words(error: BaseException, path: Path) -> str:
    """An error in one line, with the plug-in's own line that led to it."""
    line, trace = getattr(error, "lineno", None), error.__traceback__
    while trace is not None:
        if Path(trace.tb_frame.f_code.co_filename) == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" + (f" (line {line})" if line else "")
