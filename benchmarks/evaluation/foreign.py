"""Extractors of other makes, wrapped: estimators, functions and Keras models."""

import copy
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from benchmarks.formats.vectors import as_rows
from benchmarks.pipeline.cache.fingerprint import computes
from benchmarks.pipeline.extraction.contract import as_array, as_matrix
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from datasets.errors import InputError
from datasets.reading import Pixels
from extractors import Extractor
from extractors.base import Step, steps_of
from extractors.preprocessing import resize


class ForeignExtractor(Extractor):
    """Anything that makes vectors of pictures, as it is.

    Parameters
    ----------
    subject : object
        The thing itself, for the protocol card.
    describe : callable
        From a list of pictures to a matrix of one row each.
    """

    summary = "An extractor of one's own"

    def __init__(self, subject: object, describe: Callable[[list[Pixels]], Any]) -> None:
        self.subject = subject
        self.describe = describe

    def __sklearn_clone__(self) -> Self:
        """Another of the same, for the subject may be large and is not changed."""
        return type(self)(self.subject, self.describe)

    @property
    def identity(self) -> dict[str, object]:
        """The subject, as far as it is known; nothing is recalled by it."""
        version = "foreign extractor 1"
        try:
            return {"version": version, "subject": computes(self.subject)}
        except Exception:  # whatever get_params makes of a class that is none of scikit-learn's
            kind = self.subject if hasattr(self.subject, "__qualname__") else type(self.subject)
            named = f"{kind.__module__}.{kind.__qualname__}, its code not known"
            return {"version": version, "subject": named}

    def transform(self, images: Iterable[Pixels]) -> NDArray[np.float32]:
        """Describe pictures."""
        pictures = list(images)
        return as_matrix(self.describe(pictures), len(pictures))


class ForeignLearner(ForeignExtractor):
    """An object with ``fit`` and ``transform``; a copy of it is fitted on training images."""

    def fit(self, images: Iterable[Pixels], y: object = None) -> Self:
        """Fit a copy."""
        fresh = _copied(self.subject)
        fitted = fresh.fit(images)
        self.describe = getattr(fitted, "transform", fresh.transform)
        return self


def _copied(subject: Any) -> Any:
    """A copy, which shares only what cannot be copied, such as a lock or an open file."""
    try:
        return copy.deepcopy(subject)
    except Exception:  # of whatever its attributes raise
        fresh = copy.copy(subject)
        for name, value in list(vars(fresh).items()):
            with suppress(Exception):
                setattr(fresh, name, copy.deepcopy(value))
        return fresh


class EachPicture:
    """A function of one picture, applied to many.

    Parameters
    ----------
    function : callable
        From a picture to its vector.
    """

    def __init__(self, function: Callable[[Pixels], Any]) -> None:
        self.function = function

    def __call__(self, images: Sequence[Pixels]) -> NDArray[np.float32]:
        """A matrix of one row for each picture."""
        # Copied, as it may give one buffer again and again.
        rows = [as_rows(np.array([as_array(self.function(image))]))[0] for image in images]
        if any(row.shape != rows[0].shape or row.ndim != 1 for row in rows):
            shapes = sorted(
                {" x ".join(map(str, row.shape)) or type(row.item()).__name__ for row in rows}
            )
            raise ValueError(
                "a function of a picture gives a vector, of one length for all; this one gave "
                f"{' and '.join(shapes[:3])}"
            )
        return np.stack(rows)


class KerasModel:
    """A Keras model with its preprocessing.

    Parameters
    ----------
    model : keras.Model
        Takes batches of RGB pictures, (n, height, width, 3); where the size is open, of 224.
    preprocess : callable, optional
        From a batch of float32 in 0 to 255 to what the model was trained on, such as
        ``keras.applications.vgg16.preprocess_input``.
    """

    def __init__(self, model: Any, preprocess: Callable[[Any], Any] | None) -> None:
        shape = getattr(model, "input_shape", None)
        if not isinstance(shape, tuple) or len(shape) != 4 or shape[3] != 3:
            raise InputError(
                f"{model.name}: its input is {shape}; one batch of RGB pictures, (None, height, "
                "width, 3), is what can be given"
            )
        self.model = model
        self.size = (shape[2] or 224, shape[1] or 224)
        self.preprocess = preprocess

    def __call__(self, images: Sequence[Pixels]) -> NDArray[np.float32]:
        """Vectors; a map of features is averaged over its places."""
        batch = np.stack([resize(image, *self.size) for image in images]).astype(np.float32)
        made = self.model.predict_on_batch(self.preprocess(batch) if self.preprocess else batch)
        if isinstance(made, list | tuple | dict):
            raise ValueError("the model has several outputs; give a model of one of them")
        rows = np.asarray(made, np.float32)
        return rows.mean(axis=(1, 2)) if rows.ndim == 4 else rows


def is_own(extractor: object) -> bool:
    """Whether it is made of this suite's classes, whose vectors can be known again."""
    return isinstance(steps_of(extractor)[0], Step)


def as_extractor(
    subject: Any, pair: list[Pixels], fit: bool, preprocess: Callable[[Any], Any] | None
) -> ForeignExtractor:
    """Make an extractor of anything that describes pictures.

    Parameters
    ----------
    subject : object
        Has ``transform``, or is a function or a Keras model.
    pair : list of ndarray of uint8, shape (height, width, 3)
        Two pictures. A function that gives a matrix of two rows for them is one of pictures;
        any other is one of a picture.
    fit : bool
        Whether something with ``fit`` is to be fitted.
    preprocess : callable, optional
        Of a Keras model.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if _is_keras(subject):
        return ForeignExtractor(subject, KerasModel(subject, preprocess))
    if preprocess is not None:
        raise InputError("preprocess= goes with a Keras model; others prepare pictures themselves")
    transform = getattr(subject, "transform", None)
    if isinstance(subject, type) or not (transform or callable(subject)):
        kind = getattr(subject, "__name__", type(subject).__name__)
        raise InputError(
            f"{kind} makes no vectors; give a name of the menu, a function, a Keras model or an "
            "object with transform(images)"
        )
    if transform and fit and getattr(type(subject), "fit", Extractor.fit) is not Extractor.fit:
        return ForeignLearner(subject, transform)
    if transform:
        return ForeignExtractor(subject, transform)
    return ForeignExtractor(subject, _of_pictures(subject, pair))


def is_known(extractor: Any, steps: ExtractorSteps) -> bool:
    """Whether an extractor of this suite's classes is all that its steps are.

    What is known by its code in a file alone is not: a session may have set something in its
    module, or not have imported it again since the file was edited.

    Parameters
    ----------
    extractor : Extractor or Pipeline
        As it was given.
    steps : ExtractorSteps
        Made of it.
    """
    one, other = (steps_of(made) for made in (extractor, clone(extractor)))
    try:
        return not _has_code(steps.identity) and list(map(_set, one)) == list(map(_set, other))
    except (TypeError, OSError):  # typed at a prompt, or a parameter that is not told apart
        return False


def _has_code(identity: object) -> bool:
    """Whether there is a class or function without a version in what an extractor is known by."""
    if isinstance(identity, dict):
        return "code" in identity or any(map(_has_code, identity.values()))
    return isinstance(identity, list) and any(map(_has_code, identity))


def _set(step: Any) -> dict[str, str]:
    """Attributes of a step that were set, and neither learned nor kept for later."""
    public = (name for name in vars(step) if not (name.startswith("_") or name.endswith("_")))
    return {name: repr(getattr(step, name)) for name in public}


def name_of(subject: object) -> str:
    """A name for a method by a thing that has none, fit for files."""
    named = getattr(subject, "name", None) or getattr(subject, "__name__", None)
    text = named if isinstance(named, str) else type(subject).__name__
    return re.sub(r"[^\w.-]+", "-", text).strip("-._") or "mine"


def _is_keras(subject: object) -> bool:
    # Whoever has a model has imported Keras.
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(subject, keras.Model)


def _of_pictures(function: Callable[[Any], Any], pair: list[Pixels]) -> Callable[[Any], Any]:
    """The function, if two pictures give a matrix of two rows; else applied to each."""
    try:
        made = as_rows(as_array(function(pair)))
    except (Exception, SystemExit) as of_two:  # one of a picture may do anything with a list
        try:
            function(pair[0])
        except (Exception, SystemExit) as of_one:
            raise InputError(
                f"{name_of(function)}: fails on a list of pictures ({_in_words(of_two)}) and on a "
                f"picture ({_in_words(of_one)})"
            ) from of_two
        return EachPicture(function)
    return function if made.ndim == 2 and len(made) == len(pair) else EachPicture(function)


def _in_words(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
