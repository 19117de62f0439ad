"""Presets: files of the parameters that tuning chose, every candidate's score, and the card.

::

    <out>/<dataset>/presets/<row>.json

A preset makes a method of its own, ``<row>@<dataset>``, which stands in tables beside the menu's.
"""

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_origin

from benchmarks.formats.files import Json, read_json, write_json
from benchmarks.pipeline.methods.method import Method, Tuning
from benchmarks.pipeline.methods.space import Choice, in_words, search_space
from datasets.errors import InputError
from retrieval.statistics import LEVEL

FORMAT = 1
"""Of the file; another number is another layout."""

FOLDER = "presets"
_OPTION = "--preset"


@dataclass(frozen=True)
class Trial:
    """A candidate that was tried.

    Attributes
    ----------
    choice : mapping of str to object
        Its parameters.
    dimensions : int
        Numbers that describe an image.
    map, low, high, top1 : float
        Mean average precision, its interval, and share of images whose nearest is of their
        class.
    change : float
        Change of mAP against the menu's own choice.
    p_value : float
        Of that change, corrected for all candidates; 1 for the menu's own.
    """

    choice: Choice
    dimensions: int
    map: float
    low: float
    high: float
    top1: float
    change: float
    p_value: float

    @property
    def is_better(self) -> bool:
        """Whether it is significantly better than the menu's own choice."""
        return self.change > 0 and self.p_value < 1 - LEVEL


@dataclass(frozen=True)
class Preset:
    """A tuned method, as its file has it.

    Attributes
    ----------
    format : int
        `FORMAT`.
    row, dataset : str
        What was tuned, and on whose training images.
    parameters : dict
        The choice, as `to_jsonable` writes it.
    is_tuned : bool
        Whether that is another choice than the menu's.
    verdict : str
        The outcome, in words.
    candidates : list of dict
        Everything that was tried, see `Trial`, each with its choice in words; the menu's own
        first.
    failed : dict of str to str
        What could not be tried, in words, and why.
    images : list of str
        Beginnings of the training images' hashes: where one of these is searched or asked, the
        preset is refused.
    card : dict
        How it came about.
    """

    format: int
    row: str
    dataset: str
    parameters: Json
    is_tuned: bool
    verdict: str
    candidates: list[Json]
    failed: dict[str, str]
    images: list[str]
    card: Json

    @property
    def name(self) -> str:
        """Name of the row that it makes."""
        return f"{self.row}@{self.dataset}"


def write_preset(out: Path, preset: Preset) -> Path:
    """Write a preset into the results folder; returns its file."""
    path = out / preset.dataset / FOLDER / f"{preset.row}.json"
    write_json(path, asdict(preset))
    return path


def read_preset(path: Path, where: str = "") -> Preset:
    """Read a preset.

    Parameters
    ----------
    path : Path
        Its file.
    where : str
        Its name in messages, if not its path.

    Raises
    ------
    InputError
        If there is none, or if it is damaged or something else.
    """
    where = where or str(path)
    try:
        content: Any = read_json(path)
    except (OSError, InputError) as error:
        raise InputError(f"{where}: cannot be read; make it with benchmarks.tune") from error
    if content is None:
        raise InputError(f"{where}: no such file; benchmarks.tune makes presets")
    return understood(content, where)


def understood(content: Any, where: str) -> Preset:
    """The preset that was read as JSON.

    Raises
    ------
    InputError
        If it is something else.
    """
    try:
        made = Preset(**content)
        _require_sane(made)
    except (TypeError, ValueError, KeyError) as error:
        raise InputError(
            f"{where}: no preset of this suite ({error}); make it with benchmarks.tune"
        ) from error
    return made


def tuned_method(preset: Preset, where: str) -> Method:
    """Make the method of a preset.

    Parameters
    ----------
    preset : Preset
        As read from its file.
    where : str
        Its place, for messages.

    Raises
    ------
    InputError
        If it chooses what is not declared in `extractors.spaces`.
    """
    space = search_space(preset.row, f"{where}: row")
    try:
        choice = space.understand(preset.parameters)
    except ValueError as error:
        raise InputError(f"{where}: {error}; tune it again") from error
    by = f"by leave-one-out among {len(preset.images)} training images of {preset.dataset}"
    note = f"tuned: {in_words(choice)} {by}"
    if choice == space.own:
        note = f"as in the menu: no other choice is significantly better {by}"
    built = space.build(choice, preset.name)
    return replace(built, tuning=Tuning(note, frozenset(preset.images), asdict(preset)))


def method_from(path: Path) -> Method:
    """Make the method of a preset that a user gave with ``--preset``.

    Raises
    ------
    InputError
        If it is no preset, or chooses what is not declared.
    """
    return tuned_method(read_preset(path, f"{_OPTION} {path}"), f"{_OPTION} {path}")


def _require_sane(preset: Preset) -> None:
    """Check what a foreign file could do harm with: types, and names that become paths."""
    for field in fields(Preset):
        kind = get_origin(field.type) or field.type
        if not isinstance(getattr(preset, field.name), kind):  # type: ignore[arg-type]
            raise TypeError(f"{field.name} is no {kind.__name__}")  # type: ignore[union-attr]
    if preset.format != FORMAT:
        raise ValueError(f"format {preset.format} is not {FORMAT}")
    if Path(preset.dataset).name != preset.dataset or not preset.dataset.isprintable():
        raise ValueError(f"{preset.dataset!r} is no name of a dataset")
    if not all(isinstance(image, str) for image in preset.images):
        raise TypeError("images are no hashes")
    for tried in preset.candidates:
        numbers = [tried[field.name] for field in fields(Trial) if field.name != "choice"]
        if not all(isinstance(number, int | float) for number in numbers):
            raise TypeError("a candidate's score is no number")
