"""The search space of tuning: a method with every choice of its parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import product
from typing import Any

from sklearn.base import clone

from benchmarks.formats.files import Json
from benchmarks.pipeline.cache.fingerprint import to_jsonable
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.method import Method
from benchmarks.pipeline.methods.names import parse_method
from datasets.errors import InputError
from extractors.spaces import SPACES, Space
from retrieval.fusion.methods import FUSION_METHODS, LEARNED, EarlyFusion

FUSION = "combining"
"""The parameter of ``a+b``: the way of fusion that a name leaves open."""

_WHITENED = "whitened"
_DIMS = (16, 32, 64, 128, 256)

Choice = Mapping[str, Any]
"""Parameter to value."""


@dataclass(frozen=True)
class SearchSpace:
    """The declared space of a method's parameters.

    Attributes
    ----------
    method : Method
        As the menu has it.
    space : dict of str to tuple
        Parameter to the values to try, see `extractors.spaces`.
    own : dict of str to object
        The menu's own choice.
    """

    method: Method
    space: Space
    own: Choice

    def choices(self) -> list[Choice]:
        """Every choice, the menu's own first."""
        every = product(*self.space.values())
        made = [dict(zip(self.space, values, strict=True)) for values in every]
        return sorted(made, key=lambda choice: choice != self.own)

    def build(self, choice: Choice, name: str) -> Method:
        """The method with a choice of parameters; the menu's own leaves its extractor as it is.

        Parameters
        ----------
        choice : mapping of str to object
            Parameter to value.
        name : str
            Of the method, and of its extractor if it is another than the menu's.
        """
        if choice == self.own:
            return replace(self.method, name=name)
        if FUSION in choice:
            return replace(self.method, name=name, fusion=FUSION_METHODS[choice[FUSION]])
        if isinstance(self.method.fusion, EarlyFusion):
            return replace(self.method, name=name, fusion=replace(self.method.fusion, **choice))
        estimator = clone(self.method.extractors[0].estimator).set_params(**choice)
        return replace(self.method, name=name, extractors=(ExtractorSteps(name, estimator),))

    def understand(self, parameters: Json) -> Choice:
        """The choice of which `written` gave these parameters.

        Raises
        ------
        ValueError
            If it is none of this space.
        """
        for choice in self.choices():
            if written(choice) == parameters:
                return choice
        raise ValueError(f"{parameters} is no choice of those declared for {self.method.name}")


def search_space(name: str, option: str = "--extractor") -> SearchSpace:
    """Look up which parameters of a method may be tuned.

    Parameters
    ----------
    name : str
        Name of the method, see `parse_method`.
    option : str
        The option that it was written behind, for messages.

    Raises
    ------
    InputError
        If there is no such method, or nothing about it that training images could choose.
    """
    method = parse_method(name, option=option)
    trained = [one.name for one in method.extractors if one.head.is_supervised]
    if trained:
        raise InputError(
            f"{option} {name}: {' and '.join(trained)} is trained with the classes of the very "
            "images that would judge it, among which it looks better than it is"
        )
    if method.reranks:
        whole = "+".join(one.name for one in method.extractors)
        raise InputError(f"{option} {name}: tune what is re-ranked, {whole}, by itself")
    if method.fusion is None:
        space = SPACES.get(name, {})
        params = method.extractors[0].estimator.get_params()
        own = {key: params[key] for key in space}
    elif method.fusion == FUSION_METHODS[LEARNED] and not name.endswith(f"+{LEARNED}"):
        space, own = {FUSION: tuple(FUSION_METHODS)}, {FUSION: LEARNED}
    elif isinstance(method.fusion, EarlyFusion) and method.fusion.whitened:
        space, own = {_WHITENED: _DIMS}, {_WHITENED: method.fusion.whitened}
    else:
        space, own = {}, {}
    if not space:
        raise InputError(
            f"{option} {name}: nothing about it is declared to be tuned; there is of: "
            f"{', '.join(SPACES)}; a+b (the way of fusion), a+b+concat-whitened (dimensions)"
        )
    return SearchSpace(method, space, own)


def written(choice: Choice) -> Json:
    """A choice of parameters as presets keep it."""
    return {key: to_jsonable(value) for key, value in choice.items()}


def in_words(choice: Choice) -> str:
    """Write a choice for people, by the last parts of its parameters' names.

    >>> in_words({"bagofwords__words": 500, "bagofwords__power": 0.5})
    'words=500, power=0.5'
    """
    return ", ".join(
        f"{key.rpartition('__')[2]}={_value_in_words(value)}" for key, value in choice.items()
    )


def _value_in_words(value: object) -> str:
    if is_dataclass(value):
        inner = ", ".join(_value_in_words(getattr(value, one.name)) for one in fields(value))
        return f"{type(value).__name__}({inner})"
    return str(value)
