"""The rows that tuning tries: one row of the menu with every choice of its parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import product
from typing import Any

from sklearn.base import clone

from benchmarks.pipeline.cache.fingerprint import plain
from benchmarks.pipeline.methods.extractor import Row
from benchmarks.pipeline.methods.method import Combination
from benchmarks.pipeline.methods.names import make
from datasets.errors import InputError
from extractors.spaces import SPACES, Space
from retrieval.fusion.methods import COMBININGS, LEARNED, Early

COMBINING = "combining"
"""The parameter of ``a+b``: the way of combining that a name leaves open."""

_WHITENED = "whitened"
_DIMS = (16, 32, 64, 128, 256)

Choice = Mapping[str, Any]
"""Parameter to value."""


@dataclass(frozen=True)
class Candidates:
    """A row's declared space.

    Attributes
    ----------
    row : Combination
        As the menu has it.
    space : dict of str to tuple
        Parameter to the values to try, see `extractors.spaces`.
    own : dict of str to object
        The menu's own choice.
    """

    row: Combination
    space: Space
    own: Choice

    def choices(self) -> list[Choice]:
        """Every choice, the menu's own first."""
        made = [dict(zip(self.space, values, strict=True)) for values in product(*self._values)]
        return sorted(made, key=lambda choice: choice != self.own)

    def build(self, choice: Choice, name: str) -> Combination:
        """The row with a choice of parameters; with the menu's own, its extractor is the menu's.

        Parameters
        ----------
        choice : mapping
        name : str
            Of the row, and of its extractor if it is another than the menu's.
        """
        if choice == self.own:
            return replace(self.row, name=name)
        if COMBINING in choice:
            return replace(self.row, name=name, combining=COMBININGS[choice[COMBINING]])
        if isinstance(self.row.combining, Early):
            return replace(self.row, name=name, combining=replace(self.row.combining, **choice))
        estimator = clone(self.row.rows[0].estimator).set_params(**choice)
        return replace(self.row, name=name, rows=(Row(name, estimator),))

    def understand(self, written: Mapping[str, object]) -> Choice:
        """The choice that was written as `plain` writes it.

        Raises
        ------
        ValueError
            If it is none of this space.
        """
        for choice in self.choices():
            if {key: plain(value) for key, value in choice.items()} == written:
                return choice
        raise ValueError(f"{written} is no choice of those declared for {self.row.name}")

    @property
    def _values(self) -> list[tuple[object, ...]]:
        return list(self.space.values())


def candidates(name: str, option: str = "--extractor") -> Candidates:
    """Look up what may be tuned of a row.

    Parameters
    ----------
    name : str
        See `benchmarks.pipeline.methods.names.make`.
    option : str
        What the user wrote it behind, for messages.

    Raises
    ------
    InputError
        If there is no such row, or nothing about it that training images could choose.
    """
    row = make(name, option=option)
    trained = [one.name for one in row.rows if one.is_supervised]
    if trained:
        raise InputError(
            f"{option} {name}: {' and '.join(trained)} is trained with the classes of the very "
            "images that would judge it, among which it looks better than it is"
        )
    if row.rerankings or row.verification:
        raise InputError(f"{option} {name}: tune what is re-ranked, {_stem(row)}, by itself")
    if row.combining is None:
        space = SPACES.get(name, {})
        params = row.rows[0].estimator.get_params()
        own = {key: params[key] for key in space}
    elif row.combining == COMBININGS[LEARNED] and not name.endswith(f"+{LEARNED}"):
        space, own = {COMBINING: tuple(COMBININGS)}, {COMBINING: LEARNED}
    elif isinstance(row.combining, Early) and row.combining.whitened:
        space, own = {_WHITENED: _DIMS}, {_WHITENED: row.combining.whitened}
    else:
        space, own = {}, {}
    if not space:
        raise InputError(
            f"{option} {name}: nothing about it is declared to be tuned; of these rows there is: "
            f"{', '.join(SPACES)}; a+b (the way of combining), a+b+concat-whitened (dimensions)"
        )
    return Candidates(row, space, own)


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


def _stem(row: Combination) -> str:
    return "+".join(one.name for one in row.rows)
