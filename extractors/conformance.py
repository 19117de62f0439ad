"""Conformance of extractors: the rules that hold for each of them, whatever it describes."""

import inspect
import pickle
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from extractors.base import FAMILIES, Extractor, Step, describe, steps_of
from extractors.local_features.detector import Detector
from extractors.networks.pretrained import Network
from extractors.networks.training import Recipe
from extractors.precision import is_same
from extractors.preprocessing import Pixels, resize

_SIZES = (40, 64, 97, 128, 300)
_LABELS = ("a", "b", "a", "b", "a")
_SUMMARY = 80
_ROUNDING = 1e-4
"""A network's kernels may round by a picture's place in the batch, by this share."""
_BESIDE = "gives a picture another row when others are beside it"


class NonconformityError(ValueError):
    """An extractor breaks a rule; the message says how."""


@dataclass
class Candidate:
    """An extractor that is checked.

    Parameters
    ----------
    name : str
        Its name in the menu.
    estimator : Extractor or Pipeline
        The extractor, with what stands behind it.
    """

    name: str
    estimator: Extractor | Pipeline

    @property
    def steps(self) -> list[Any]:
        """Its steps, those of libraries included."""
        return steps_of(self.estimator)

    @property
    def own_steps(self) -> list[Step]:
        """Its steps that are no library's."""
        return [step for step in self.steps if isinstance(step, Step)]

    @cached_property
    def ready(self) -> Any:
        """Its first step, trained a little if pictures cannot be described without."""
        step = clone(self.steps[0])
        if _shortened(step):
            step.fit(photos(), _LABELS)
        return step

    @cached_property
    def fitted(self) -> Any:
        """All of its steps, trained a little."""
        estimator = clone(self.estimator)
        for step in steps_of(estimator):
            _shortened(step)
        return estimator.fit(photos(), _LABELS)

    @property
    def is_network(self) -> bool:
        """Whether it runs a network."""
        return isinstance(self.steps[0], Network)

    def extract(self, pictures: Sequence[Pixels]) -> list[NDArray[Any]]:
        """Describe pictures by the first step; an array for each."""
        made = self.ready.transform(pictures)
        if isinstance(self.ready, Detector):
            return [np.column_stack([found.points, found.descriptors]) for found in made]
        if not isinstance(made, np.ndarray) or made.dtype != np.float32:
            kind = made.dtype if isinstance(made, np.ndarray) else type(made).__name__
            raise NonconformityError(f"transform gives {kind}, not float32")
        return list(made)


def photos() -> list[Pixels]:
    """Seeded pictures with soft colours, an edge and a fine pattern, of several sizes."""
    made: list[Pixels] = []
    for number, size in enumerate(_SIZES):
        rng = np.random.default_rng(number)
        coarse = rng.integers(0, 240, (4, 4, 3)).astype(np.uint8)
        photo = resize(coarse, size, size)
        photo[5 + number : 20, 10 : 22 + 2 * number] = 0
        fine = rng.integers(0, 2, (9, 9, 1)).astype(np.uint8)
        scale = size // 2 // 9
        pattern = fine.repeat(scale, 0).repeat(scale, 1)
        side = len(pattern)
        photo[-side - 2 : -2, -side - 2 : -2] //= 1 + 2 * pattern
        made.append(photo)
    return made


def odd_pictures() -> dict[str, Pixels]:
    """Pictures at the edge of what there is, by name."""
    rng = np.random.default_rng(0)
    return {
        "one pixel": np.zeros((1, 1, 3), np.uint8),
        "two by two": np.array([[[0, 0, 0], [255, 255, 255]]] * 2, np.uint8),
        "a line": np.full((1, 90, 3), 200, np.uint8),
        "very long": rng.integers(0, 256, (3, 900, 3)).astype(np.uint8),
        "black": np.zeros((50, 70, 3), np.uint8),
        "white": np.full((50, 70, 3), 255, np.uint8),
        "noise": rng.integers(0, 256, (80, 60, 3)).astype(np.uint8),
        "stripes": np.tile(np.array([[0], [255]], np.uint8), (20, 30))[..., None].repeat(3, 2),
    }


def fits_then_transforms(candidate: Candidate) -> None:
    """``fit`` and ``transform`` give one finite row for each picture, not all alike."""
    pictures = photos()
    rows = _rows(candidate.fitted, pictures)
    _require(rows.ndim == 2 and len(rows) == len(pictures), f"gives {rows.shape} for 5 pictures")
    _require(bool(np.isfinite(rows).all()), "gives numbers that are not finite")
    _require(rows.std(axis=0).max() > 0, "gives the same row for every picture")
    count = len(candidate.extract(pictures))
    _require(count == len(pictures), f"gives {count} rows for 5 pictures")


def describes_each_picture_alone(candidate: Candidate) -> None:
    """A row depends on its picture alone, at the end as well, and is the same every time."""
    pictures = photos()
    together = candidate.extract(pictures)
    again = candidate.extract(pictures)
    _require(all(map(np.array_equal, together, again)), "gives other rows the second time")
    alone = [candidate.extract([photo])[0] for photo in reversed(pictures)][::-1]
    for one, other in zip(together, alone, strict=True):
        spread = _ROUNDING * np.abs(one).max() if candidate.is_network else 0
        same = one.shape == other.shape and np.allclose(one, other, rtol=0, atol=spread)
        _require(same, _BESIDE)
    [first], [beside, *_] = (_rows(candidate.fitted, some) for some in (pictures[:1], pictures))
    _require(is_same(beside, first), _BESIDE)


def leaves_pictures_alone(candidate: Candidate) -> None:
    """Pictures are as they were before."""
    pictures = photos()
    if prepare := getattr(candidate.ready, "prepare", None):
        # Of the very size that is wanted, a picture is passed on as it is.
        pictures += [prepare(photo).copy() for photo in photos()]
    before = [picture.copy() for picture in pictures]
    candidate.ready.transform(pictures)
    _require(all(map(np.array_equal, pictures, before)), "changes the pictures it is given")


def describes_odd_pictures(candidate: Candidate) -> None:
    """Tiny, long and plain pictures have finite rows of the usual length."""
    [usual] = candidate.extract(photos()[-1:])
    for name, odd in odd_pictures().items():
        try:
            [made] = candidate.extract([odd])
        except NonconformityError:
            raise
        except Exception as error:
            raise NonconformityError(f"{name}: {type(error).__name__}: {error}") from error
        _require(made.shape[-1] == usual.shape[-1], f"{name}: a row of another length")
        _require(bool(np.isfinite(made).all()), f"{name}: numbers that are not finite")


def only_stores_parameters(candidate: Candidate) -> None:
    """The constructor stores its parameters and learns nothing; `prepare` is one of them."""
    first = candidate.steps[0]
    twin = clone(first)
    _require(twin.get_params() == first.get_params(), "a clone has other parameters")
    learned = [key for key in vars(first) if key.endswith("_")]
    _require(not learned, f"is fitted already ({', '.join(learned)})")
    prepared = "prepare" in twin.get_params() or hasattr(twin, "prepare")
    _require(prepared, "has no `prepare`: its preprocessing is part of an extractor")


def travels_to_workers(candidate: Candidate) -> None:
    """It can be pickled, after use as well, and does the same elsewhere."""
    candidate.ready.transform(photos()[:1])  # what it then holds must travel, too
    twin = Candidate(candidate.name, candidate.estimator)
    twin.ready = pickle.loads(pickle.dumps(candidate.ready))
    same = map(np.array_equal, twin.extract(photos()), candidate.extract(photos()))
    _require(all(same), "gives other rows in another process")


def documents_its_parameters(candidate: Candidate) -> None:
    """The docstring of each class names its parameters, as numpydoc has it."""
    for step in candidate.own_steps:
        text = inspect.getdoc(type(step)) or ""
        for parameter in step.get_params(deep=False):
            found = re.search(rf"^{parameter} : ", text, re.MULTILINE)
            _require(found, f"the docstring of {type(step).__name__} leaves out {parameter}")


def says_what_it_is(candidate: Candidate) -> None:
    """Each class has a family, a summary in one line, and sources with DOI or address."""
    described = describe(candidate.estimator)
    _require(described.family in FAMILIES, f"its family is none of {', '.join(FAMILIES)}")
    for step in candidate.own_steps:
        name, summary = type(step).__name__, step.summary
        is_line = 0 < len(summary) < _SUMMARY and "\n" not in summary
        _require(is_line, f"{name} has no summary in one line of less than {_SUMMARY} letters")
        _require(summary in described.summary, f"the summary of {name} is not shown")
        for source in step.reference.split("; "):
            found = re.search(r"doi:10\.\d{4,}/\S+$|https?://\S+$", source)
            _require(found, f"{name}: its reference {source!r} ends with no doi: or https://")
            _require(source in described.references, f"the source {source} is not shown")


def has_a_plain_name(candidate: Candidate) -> None:
    """Its name is lower case, with hyphens between words."""
    plain = re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", candidate.name)
    _require(plain, f"{candidate.name!r} is not lower case with hyphens")


CHECKS: Mapping[str, Callable[[Candidate], None]] = {
    check.__name__: check
    for check in (
        has_a_plain_name,
        says_what_it_is,
        documents_its_parameters,
        only_stores_parameters,
        fits_then_transforms,
        describes_each_picture_alone,
        leaves_pictures_alone,
        describes_odd_pictures,
        travels_to_workers,
    )
}
"""Every check, by name; each raises `NonconformityError`, or whatever the extractor raises."""


def run_checks(candidate: Candidate) -> Iterable[tuple[str, str | None]]:
    """Run every check.

    Parameters
    ----------
    candidate : Candidate
        The extractor.

    Yields
    ------
    name : str
        The check.
    failure : str or None
        What is wrong, if something is.
    """
    for name, check in CHECKS.items():
        try:
            check(candidate)
        except NonconformityError as error:
            yield name, str(error)
        except Exception as error:  # an extractor may raise anything
            yield name, f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
        else:
            yield name, None


def _rows(estimator: Any, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
    made = estimator.transform(pictures)
    return np.asarray(made.toarray() if scipy.sparse.issparse(made) else made, np.float32)


def _shortened(step: Any) -> bool:
    """Let what is trained by a recipe be trained for one epoch; whether it is."""
    params = step.get_params(deep=False)
    if "recipe" not in params:
        return False
    step.set_params(recipe=Recipe(epochs=1))
    if "augmentation" in params:
        step.set_params(augmentation=None)
    return True


def _require(holds: object, otherwise: str) -> None:
    if not holds:
        raise NonconformityError(otherwise)
