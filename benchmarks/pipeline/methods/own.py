"""A user's own: plug-ins and files of networks, which join the menus for this process."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np

import datasets
import extractors
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.names import require_own_name
from datasets.errors import InputError
from datasets.json_files import check_json, read_json_as
from datasets.source import Source, require_dataset_name
from extractors.networks.inference import NoEngineError
from extractors.networks.model_file import (
    Declaration,
    Layout,
    ModelExtractor,
    Pooling,
    model_extractor,
)
from extractors.networks.preparation import Channels, Interpolation, Order, Values
from extractors.networks.runners import ModelFile, ModelFileError
from extractors.networks.weights import variable
from extractors.plugins import (
    Added,
    PluginError,
    add_extractor,
    extractors_of,
    installed,
    load_plugin,
)
from extractors.spaces import SPACES
from retrieval.metrics import FURTHER, METRICS, Metric
from retrieval.ranking import Ranking
from retrieval.scoring import Values as MetricValues

_REMEDY = "see the models in extractors/README.md"

_FRACTION = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)/[1-9][0-9]*\.?[0-9]*")

_WHITEST = 1e6
"""What may be made of 255; networks compute in float32, which overflows not far beyond."""

_METRIC = re.compile("[a-z]+")
"""Names that ``--metrics`` cannot take for one of another spelling, or of the first k images."""

_LARGEST = 4096
"""Pixels of a side."""


class Preparation(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Preparation of a network's pictures as a user declares it; see `Declaration`.

    Attributes
    ----------
    scale : float or str
        Factor of the values of 0 to 255; ``"1/255"`` is understood.
    size, crop, interpolation, mean, std, order, layout, output, pooling : object
        As of `Declaration` and `Values`.
    """

    scale: float | str
    size: int | tuple[int, int] | None = None
    crop: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    interpolation: Interpolation = "area"
    mean: Channels = 0.0
    std: Channels = 1.0
    order: Order = "RGB"
    layout: Layout | None = None
    output: str | None = None
    pooling: Pooling | None = None

    def declaration(self) -> Declaration:
        """The same for the extractor.

        Raises
        ------
        ValueError
            If a number is none that a picture can have, or that can be divided by.
        """
        sides = (
            self.size if isinstance(self.size, tuple) else (1 if self.size is None else self.size,)
        )
        if not all(1 <= one <= _LARGEST for one in sides):  # msgspec crashes on tuples of limits
            raise ValueError(f"size is 1 to {_LARGEST} pixels")
        if isinstance(self.scale, str) and not _FRACTION.fullmatch(self.scale):
            raise ValueError(
                f"scale is a number, or a fraction such as 1/255; {self.scale!r} is none"
            )
        over, _, under = str(self.scale).partition("/")
        scale = float(over) / float(under or 1)
        if scale == 0 or not all(self.std if isinstance(self.std, tuple) else (self.std,)):
            raise ValueError("scale and std cannot be 0")
        most = float(np.max(np.abs(255 * scale - np.asarray(self.mean)) / np.abs(self.std)))
        if not most <= _WHITEST:
            raise ValueError(f"scale, mean and std make {most:.3g} of 255; mend them")
        return Declaration(
            Values(scale, self.mean, self.std, self.order),
            self.size,
            self.crop,
            self.interpolation,
            self.layout,
            self.output,
            self.pooling,
        )


_models: set[str] = set()
"""Names of the last command's networks, where one process runs several commands."""

_TEXTS = ("interpolation", "order", "layout", "output", "pooling")


def use_plugins(files: Sequence[Path]) -> None:
    """Add to the menus what installed packages and files bring.

    Parameters
    ----------
    files : sequence of Path
        Files of Python code.

    Raises
    ------
    InputError
        If one of them cannot be used.
    """
    try:
        _use_installed()
        for path in files:
            _use_file(path.expanduser().resolve())
    except PluginError as error:
        raise InputError(f"--plugin {error}" if files else str(error)) from error


def use_weights(pairs: Sequence[str]) -> None:
    """Let networks take their weights from files.

    Parameters
    ----------
    pairs : sequence of str
        ``NAME=FILE``, of a pretrained network.

    Raises
    ------
    InputError
        If a pair is none, or its file or its network does not exist.
    """
    known, seen = extractors.pretrained_networks(), set[str]()
    for pair in pairs:
        name, equals, file = pair.partition("=")
        if name in seen:
            raise InputError(f"--weights {pair}: {name} is given twice; keep one")
        seen.add(name)
        if not equals or not file:
            raise InputError(f"--weights {pair}: write NAME=FILE, resnet152=FILE for example")
        if name not in known:
            raise InputError(f"--weights {pair}: no such network; it is one of {', '.join(known)}")
        given = Path(file).expanduser()
        if not (given.is_dir() if known[name] == "folder" else given.is_file()):
            raise InputError(f"--weights {pair}: {given} is not a {known[name]}")
        os.environ[variable(name)] = str(given)


def use_models(words: Sequence[str]) -> list[str]:
    """Add files of networks to the menu; gives their names.

    Parameters
    ----------
    words : sequence of str
        ``NAME=FILE``, each followed by what is declared of it (``size=224``), ahead of what a
        file of the same name, but for its ending .json, declares.

    Raises
    ------
    InputError
        If one of them cannot be used.
    """
    for name in _models:
        del extractors.MENU[name]
        SPACES.pop(name, None)
    _models.clear()
    given: list[tuple[str, dict[str, Any]]] = []
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not value.strip():
            raise InputError(f"--model {word}: write NAME=FILE, mine=model.onnx for example")
        if key not in Preparation.__struct_fields__:
            if given and not Path(value).suffix:
                known = ", ".join(Preparation.__struct_fields__)
                raise InputError(
                    f"--model {given[-1][0]} {word}: nothing like {key} can be declared; it is "
                    f"one of {known}"
                )
            given.append((word, {}))
        elif not given:
            raise InputError(f"--model {word}: first NAME=FILE, then what is declared of it")
        elif key in given[-1][1]:
            raise InputError(f"--model {given[-1][0]} {word}: {key} is declared twice; keep one")
        else:
            given[-1][1][key] = _parsed(key, value)
    return [_use_model(word, declared) for word, declared in given]


@cache
def _use_installed() -> None:
    for added in installed("extractors"):
        _add_extractor(added)
    for added in installed("datasets"):
        _add_dataset(added)
    for added in installed("metrics"):
        _add_metric(added)


@cache
def _use_file(path: Path) -> None:
    module = load_plugin(path)
    metrics = getattr(module, "METRICS", {})
    if not isinstance(metrics, dict):
        raise PluginError(f"{path}: METRICS has to be a dictionary by name")
    try:
        sources = list(getattr(module, "DATASETS", ()))
    except TypeError as error:
        raise PluginError(f"{path}: DATASETS has to be a list of datasets") from error
    found = extractors_of(module)
    if not (found or sources or metrics):
        raise PluginError(f"{path}: defines none of EXTRACTORS, DATASETS and METRICS")
    for added in found:
        _add_extractor(added)
    for source in sources:
        _add_dataset(Added(str(getattr(source, "name", source)), source, str(path)))
    for name, metric in metrics.items():
        _add_metric(Added(str(name), metric, str(path)))


def _add_extractor(added: Added) -> None:
    require_own_name(added.name, added.origin)
    add_extractor(added)
    steps = ExtractorSteps(added.name, extractors.MENU[added.name])
    try:
        _ = steps.identity  # no assertion, which python -O leaves out
    except TypeError as error:
        del extractors.MENU[added.name]
        raise PluginError(f"{added.place}: {error}") from error


def _add_dataset(added: Added) -> None:
    if not isinstance(added.value, Source):
        raise PluginError(
            f"{added.place} is no dataset; give an instance of a class that derives from Source "
            "of datasets.source"
        )
    require_dataset_name(getattr(added.value, "name", None), f"choose another in {added.origin}")
    for attribute in ("summary", "licence"):
        if not isinstance(getattr(added.value, attribute, None), str):
            raise PluginError(f"{added.place} has no {attribute}; give it one line of text")
    if added.name in datasets.MENU:
        raise PluginError(f"{added.place} is in the menu already; choose another name")
    datasets.SOURCES.append(added.value)
    datasets.MENU[added.name] = added.value


def _add_metric(added: Added) -> None:
    if not (isinstance(added.value, Metric) and callable(added.value.function)):
        raise PluginError(f"{added.place} is no Metric of retrieval.metrics, with a function")
    if not _METRIC.fullmatch(added.name):
        raise PluginError(f"{added.place}: a metric's name is of lower-case letters alone")
    if added.name in METRICS | FURTHER:
        raise PluginError(f"{added.place} is in the menu already; choose another name")
    taken = {metric.label for metric in (METRICS | FURTHER).values()}
    if not added.value.label.strip() or added.value.label in taken:
        raise PluginError(
            f"{added.place}: its label {added.value.label!r} would head a column that has "
            "another heading, or none; choose one of its own"
        )
    checked = partial(_values, added.place, added.value.function)
    FURTHER[added.name] = replace(added.value, function=checked)


def _values(
    place: str, function: Callable[[Ranking], MetricValues], ranking: Ranking
) -> MetricValues:
    """The values of a plug-in's metric, one number for each query that has relevant images."""
    try:
        values, again = np.asarray(function(ranking)), np.asarray(function(ranking))
        if np.iscomplexobj(values):
            raise TypeError("complex numbers have no order")
        values, again = values.astype(np.float64), again.astype(np.float64)
    except (Exception, SystemExit) as error:  # it may do anything
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"{place}: {type(error).__name__}: {reason}; mend it") from error
    if values.shape != (ranking.n_queries,):
        shape = " x ".join(map(str, values.shape)) or "a single one"
        raise InputError(
            f"{place}: gives {shape} for {ranking.n_queries:,} queries; give one value for each"
        )
    if not np.isfinite(values[ranking.relevant > 0]).all():
        raise InputError(f"{place}: gives NaN or infinity for a query with relevant images")
    if not np.array_equal(values, again, equal_nan=True):
        raise InputError(f"{place}: gives other values when it is asked again; seed it")
    return values


def _use_model(word: str, options: dict[str, Any]) -> str:
    name, _, text = word.partition("=")
    place = f"--model {word}"
    require_own_name(name, place)
    made = _model(Path(text), options, place)
    extractors.MENU[name] = made
    _models.add(name)
    if made.pooling != "none":
        SPACES[name] = {"pooling": tuple(dict.fromkeys((made.pooling, "mean", "max", "gem")))}
    return name


def load_model(path: str | Path, **declared: Any) -> ModelExtractor:
    """Make an extractor of a network in a file, as ``--model`` does.

    Parameters
    ----------
    path : str or Path
        ONNX or ``.keras``. A file of the same name, but for its ending .json, may declare the
        preparation.
    **declared : object
        Preparation of its pictures and use of its output, ahead of that file: ``scale=1 / 255``,
        ``mean=(0.485, 0.456, 0.406)``, ``size=224``, …; see `Preparation`.

    Returns
    -------
    ModelExtractor
        To be evaluated, or to describe pictures with its ``transform``.

    Raises
    ------
    InputError
        If it is no network of one batch of pictures, or what is declared does not fit it.
    """
    plain = {name: _plain(value) for name, value in declared.items()}
    return _model(Path(path), plain, str(path))


def _plain(value: Any) -> Any:
    """A setting without NumPy around its numbers."""
    if hasattr(value, "tolist"):
        return value.tolist()
    return [*map(_plain, value)] if isinstance(value, list | tuple) else value


def _model(path: Path, options: dict[str, Any], place: str) -> ModelExtractor:
    path = path.expanduser()
    try:
        file = ModelFile.at(path)
    except ModelFileError as error:
        raise InputError(f"{place}: {error}") from error
    beside = path.with_suffix(".json")
    content = read_json_as(beside, dict[str, Any], _REMEDY) or {}
    if "scale" not in content | options:
        raise InputError(
            f"{place}: nothing says which values it takes; declare scale (1 for 0 to 255, 1/255 "
            f"for 0 to 1) behind it or in {beside}, with mean and std if it has some"
        )
    where = place if options else str(beside)
    preparation = check_json(content | options, Preparation, where, _REMEDY)
    try:
        return model_extractor(file, preparation.declaration())
    except (NoEngineError, ValueError) as error:
        raise InputError(f"{place}: {error}") from error


def _parsed(key: str, text: str) -> object:
    """A setting as JSON would hold it."""
    if text == "none" and key != "pooling":
        return None
    if key in _TEXTS:
        return text
    numbers = [_number(part) for part in text.split(",")]
    return numbers if len(numbers) > 1 else numbers[0]


def _number(text: str) -> int | float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number if isfinite(number) else text
