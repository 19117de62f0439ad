"""Fingerprints of what an estimator computes, so that no cache goes stale.

A class of this project declares a version, such as ``version = "gist 1"``, that changes with
the numbers and with nothing else: golden numbers in the tests hold it to that. Whatever else is
renamed or moved, its vectors stay valid. Any other class is known by its code: that of its
module, of all modules beside it that this one imports, and of the files whose paths these
name, with the variables of the environment that they read. Libraries are known by their release.
"""

import ast
import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from sklearn.base import BaseEstimator

from benchmarks import PACKAGES

Json = dict[str, object]

_RUNNERS = ("benchmarks", "datasets")
_STDLIB = Path(ast.__file__).resolve().parent
_BY_NAME = re.compile(rb"\b(import_module|__import__|spec_from_file_location)\b")
_VARIABLE = re.compile(
    rb"""\b(?:environ(?:\.\w+\s*\(|\s*\[)|getenv\s*\()\s*["'](\w+)["']""",
)
_DEEP = 3
"""Folders in a path that stands in parts in somebody's code, at most."""

_INSTALLED = {"site-packages", "dist-packages"}


def identity(estimator: BaseEstimator) -> Json:
    """Everything that decides what an estimator computes, as JSON.

    Returns
    -------
    dict
        ``version``, or ``class`` and ``code`` of a class that declares none; ``params``, with
        nested estimators and preprocessing resolved; ``files``, hashes of those that somebody's
        own class has as parameters, if there are any; ``libraries``, the releases of what its
        module and the modules that this one imports are built on.

    Raises
    ------
    TypeError
        If a parameter has no form that identifies it.
    """
    kind = type(estimator)
    parameters = to_jsonable(estimator.get_params(deep=False), _computes)
    files = _files_in(parameters) if is_own_code(kind.__module__) else []
    return {
        **_computes(kind),
        "params": parameters,
        **({"files": files} if files else {}),
        "libraries": libraries(*imported_modules(kind.__module__)),
    }


def digest(content: object) -> str:
    """Hash of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def libraries(*modules: str) -> dict[str, str]:
    """Releases of the distributions that modules import, NumPy and Pillow always."""
    imported = {name.partition(".")[0] for module in modules for name in _imports(module)}
    imported |= {module.partition(".")[0] for module in modules} | {"numpy", "PIL"}
    # Whether this project is installed or run from its checkout makes no difference.
    others = imported - set(PACKAGES)
    found = {name for top in others for name in _distributions().get(top, [])}
    return {name: importlib.metadata.version(name) for name in sorted(found)}


@cache
def module_identity(module: ModuleType) -> Json:
    """Everything that decides what a module with a declared ``VERSION`` computes."""
    imported = imported_modules(module.__name__)
    return {"version": module.VERSION, "libraries": libraries(*imported)}


@cache
def imported_modules(module: str) -> tuple[str, ...]:
    """The module and, of those it imports, all that are no installed library."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen and (name == module or not _is_library(name)):
            seen.add(name)
            waiting += _imports(name)
            package = name.rpartition(".")[0]
            if package and not _is_ours(name) and _source(package):
                waiting.append(package)  # whose own code has run before
    return tuple(sorted(seen))


def _by_name(kind: type | FunctionType) -> Json:
    return {"class": kind.__qualname__}


def to_jsonable(value: object, describe: Callable[[Any], Json] = _by_name) -> object:
    """Write a parameter as JSON can hold it, so that equal parameters are equal text.

    Parameters
    ----------
    value : object
        A plain value, or an estimator or dataclass made of such.
    describe : callable
        Tells of a class what it is; by its name, if left out.

    Raises
    ------
    TypeError
        If it is nothing that has such a form.
    """
    if isinstance(value, BaseEstimator):
        return identity(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # A field that does not count among equals (a path, say) decides nothing.
        counted = [field.name for field in dataclasses.fields(value) if field.compare]
        fields = {name: getattr(value, name) for name in counted}
        return describe(type(value)) | {k: to_jsonable(v, describe) for k, v in fields.items()}
    if isinstance(value, dict):
        return {str(key): to_jsonable(item, describe) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_jsonable(item, describe) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, type | FunctionType) and "<" not in value.__qualname__:
        return _by_name(value) if _is_ours(value.__module__) else _computes(value)
    raise TypeError(
        f"parameter {value!r} has no form that identifies it; use plain values, dataclasses, or "
        "functions that stand at the top of a module"
    )


def computes(value: object) -> object:
    """Everything that decides what a configured object computes, as JSON; see `identity`."""
    return to_jsonable(value, _computes)


def is_versioned(kind: Any) -> bool:
    """Whether a class of this project declares a version, which tests hold its numbers to."""
    return bool(vars(kind).get("version")) and _is_ours(kind.__module__)


def _computes(kind: Any) -> Json:
    """Identify a class or function by its declared version, its library, or its code."""
    if is_versioned(kind):
        return {"version": vars(kind)["version"]}
    name = f"{kind.__module__}.{kind.__qualname__}"
    if _is_library(kind.__module__):
        return {"class": name, "libraries": libraries(kind.__module__)}
    # What it builds on here counts as well, but not what runs it.
    used = [m for m in imported_modules(kind.__module__) if m.partition(".")[0] not in _RUNNERS]
    if any(_loads_by_name(module) for module in used):
        used += _loaded_beside(kind.__module__)
    return {"class": kind.__qualname__, "code": code_hash(*dict.fromkeys(used))}


def _loads_by_name(module: str) -> bool:
    """Whether a module of one's own imports others as ``importlib`` does."""
    path = None if _is_ours(module) else _source(module)
    return path is not None and bool(_BY_NAME.search(path.read_bytes()))


def _loaded_beside(module: str) -> list[str]:
    """Modules that have been imported from the folder of one: it may have named any of them."""
    path = _source(module)
    files = {name: getattr(one, "__file__", None) for name, one in list(sys.modules.items())}
    return [
        name
        for name, file in files.items()
        if path and isinstance(file, str) and path.parent in Path(file).resolve().parents
        if not (_is_ours(name) or _is_library(name) or name == "__main__")
    ]


def code_hash(*modules: str) -> str:
    """Hash of the files of modules, and of those that somebody's own code reads beside itself.

    Raises
    ------
    TypeError
        If a module has no file, such as what was typed at a prompt.
    """
    code = hashlib.sha256()
    for name in sorted(modules):
        path = _source(name)
        if path is None:
            raise TypeError(f"{name} has no file whose code could be known again; put it in one")
        content = path.read_bytes()
        code.update(content)
        if not _is_ours(name) and path.suffix == ".py":
            for read in _named_in(path, content):
                code.update(_content_hash(read))
            for line in _variables_in(content):
                code.update(line.encode())
    return code.hexdigest()


def _named_in(module: Path, content: bytes) -> list[Path]:
    """Files that a module's code names, from its folder or the current one, each once.

    A path may stand there as a whole, in parts, each below the one before, or as what follows
    the module's own name, such as a suffix. In an order that depends on no absolute path.
    """
    nodes = ast.walk(_tree(content))
    values = {node.value for node in nodes if isinstance(node, ast.Constant)}
    texts = {text for text in values if isinstance(text, str) and "\n" not in text}
    texts |= {module.stem + text for text in texts}
    files: dict[Path, None] = {}
    for root in (module.parent, Path.cwd()):
        folders = {Path()}
        for _ in range(_DEEP):
            below = {folder / text for folder in folders for text in texts}
            folders |= {one for one in below if _is(Path.is_dir, root / one)}
        named = sorted({folder / text for folder in folders for text in texts})
        files |= {(root / one).resolve(): None for one in named if _is(Path.is_file, root / one)}
    return list(files)


def _variables_in(content: bytes) -> list[str]:
    """Variables of the environment that a module's code names, with their values, if set."""
    names = {name.decode() for name in _VARIABLE.findall(content)}
    values = {name: os.environ[name] for name in sorted(names & set(os.environ))}
    for name, value in values.items():
        if _is(Path.is_file, Path(value)):
            values[name] = _content_hash(Path(value)).hex()
    # Where a folder lies says nothing of what is in it, and differs from machine to machine.
    return [f"{name}={value}" for name, value in values.items() if not Path(value).is_absolute()]


def _files_in(parameters: object) -> list[str]:
    """Hashes of the files whose paths are parameters, written as `to_jsonable` does."""
    if isinstance(parameters, str):
        path = Path(parameters)
        return [_content_hash(path).hex()] if _is(Path.is_file, path) else []
    if isinstance(parameters, dict):
        return _files_in([parameters[name] for name in sorted(parameters)])
    items = parameters if isinstance(parameters, list) else []
    return [one for item in items for one in _files_in(item)]


def _content_hash(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _is(kind: Callable[[Path], bool], path: Path) -> bool:
    try:
        return kind(path)
    except OSError:  # longer than any name
        return False


@cache
def is_own_code(module: str) -> bool:
    """Whether a module is the user's own, such as a plug-in."""
    return not (module == "__main__" or _is_ours(module) or _is_library(module))


def _is_ours(name: str) -> bool:
    """Whether a module is of one of this project's packages."""
    return name.partition(".")[0] in PACKAGES


def _is_library(name: str) -> bool:
    """Whether a module is installed, part of Python, or missing: nobody's own code."""
    top = name.partition(".")[0]
    path = _source(top) or _source(name)  # a folder without __init__.py has no file of its own
    if _is_ours(name) or top == "__main__":
        return False
    return path is None or _STDLIB in path.parents or not _INSTALLED.isdisjoint(path.parts)


@cache
def _imports(name: str) -> tuple[str, ...]:
    """Names of the modules that a module imports, wherever in it."""
    path = _source(name)
    if path is None or path.suffix != ".py":
        return ()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    imported = []
    for node in ast.walk(_tree(path.read_bytes())):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            named = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(named, package) if node.level else named
            imported += [_meant(base, alias.name) for alias in node.names]
    return tuple(dict.fromkeys(imported))


def _tree(content: bytes) -> ast.Module:
    """The code of a module; none of one that this Python cannot run, such as another's."""
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _meant(package: str, name: str) -> str:
    """The module that ``from package import name`` is about: itself, or the one called `name`.

    Otherwise whatever imports one module of a package would depend on the whole package.
    """
    inner = f"{package}.{name}"
    is_library = _source(package) is not None and _is_library(package)
    return package if is_library or _source(inner) is None else inner


def _source(name: str) -> Path | None:
    """File of a module, which is not imported for that."""
    if name in sys.modules:
        file = getattr(sys.modules[name], "__file__", None)
    else:
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):  # its package is missing, or is no package
            spec = None
        file = spec.origin if spec and spec.has_location else None
    return Path(file).resolve() if file else None


@cache
def _distributions() -> dict[str, list[str]]:
    found = importlib.metadata.packages_distributions()
    return {name: list(dict.fromkeys(owners)) for name, owners in found.items()}
