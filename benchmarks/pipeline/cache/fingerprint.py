"""What an extractor *is*: parameters, code and libraries, so that no cache goes stale."""

import ast
import dataclasses
import hashlib
import importlib.metadata
import importlib.util
import json
import sys
from functools import cache
from pathlib import Path
from types import FunctionType, ModuleType

from sklearn.base import BaseEstimator

from benchmarks import CHECKOUT, PACKAGES


def identity(estimator: BaseEstimator) -> dict[str, object]:
    """Everything that decides what an estimator computes, as JSON.

    Returns
    -------
    dict
        ``class``, ``params`` (nested estimators and preprocessing resolved), ``code`` (hash of
        its module and of every module of this project that it imports, comments and
        docstrings aside) and ``libraries`` (versions of what these modules import).
    """
    modules = closure(type(estimator).__module__)
    return {
        "class": f"{type(estimator).__module__}.{type(estimator).__qualname__}",
        "params": plain(estimator.get_params(deep=False)),
        **implementation(*modules),
    }


def implementation(*modules: str) -> dict[str, object]:
    """What modules do, as JSON: a hash of their code, and the versions of what they import."""
    return {"code": code_hash(*modules), "libraries": libraries(*modules)}


def digest(content: object) -> str:
    """Hash of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def code_hash(*modules: str) -> str:
    """Hash of the modules' code, comments, layout and docstrings aside."""
    return digest([_meaning(module) for module in sorted(modules)])


def libraries(*modules: str) -> dict[str, str]:
    """Versions of the distributions that the modules import, NumPy and Pillow always."""
    imported = {name.partition(".")[0] for module in modules for name in _imports(module)}
    imported |= {module.partition(".")[0] for module in modules} | {"numpy", "PIL"}
    # Whether this project is installed or run from its checkout makes no difference.
    others = imported - set(PACKAGES)
    found = {name for top in others for name in _distributions().get(top, [])}
    return {name: importlib.metadata.version(name) for name in sorted(found)}


@cache
def closure(module: str) -> tuple[str, ...]:
    """The module and, of those it imports, all that belong to this project."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen and (name == module or _is_ours(name)):
            seen.add(name)
            waiting += _imports(name)
    return tuple(sorted(seen))


def plain(value: object) -> object:
    """Write a parameter as JSON can hold it, so that equal parameters are equal text.

    Raises
    ------
    TypeError
        If it is nothing that has such a form.
    """
    if isinstance(value, BaseEstimator):
        return identity(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {"class": type(value).__qualname__, **{k: plain(v) for k, v in fields.items()}}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, type | FunctionType):
        return f"{value.__module__}.{value.__qualname__}"
    raise TypeError(f"parameter {value!r} has no form that identifies it; use plain values")


def _is_ours(name: str) -> bool:
    module = sys.modules.get(name)
    path = _source(module) if module else None
    return path is not None and CHECKOUT in path.parents and "site-packages" not in path.parts


@cache
def _imports(name: str) -> tuple[str, ...]:
    imported = []
    for node in ast.walk(_tree(name)):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported += [_meant(node.module, alias.name) for alias in node.names]
    return tuple(dict.fromkeys(imported))


def _meant(module: str, name: str) -> str:
    """The module that ``from module import name`` is about: itself, or the one called `name`.

    Otherwise whatever imports one of a room's modules would depend on the whole menu.
    """
    inner = f"{module}.{name}"
    return inner if module in PACKAGES and importlib.util.find_spec(inner) else module


@cache
def _meaning(name: str) -> str:
    tree = _tree(name)
    for node in ast.walk(tree):
        documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


def _tree(name: str) -> ast.Module:
    if name not in sys.modules:
        importlib.import_module(name)
    path = _source(sys.modules[name])
    return ast.parse(path.read_bytes() if path else b"")


def _source(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if file and file.endswith(".py") else None


@cache
def _distributions() -> dict[str, list[str]]:
    found = importlib.metadata.packages_distributions()
    return {name: list(dict.fromkeys(owners)) for name, owners in found.items()}
