"""Presets: files of the parameters that tuning chose for a method.

::

    <out>/<dataset>/presets/<method>.json

A preset makes a method of its own, ``<method>@<dataset>``, beside the menu's in the tables.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, TypedDict

import msgspec

from benchmarks.formats.files import Json, write_json
from benchmarks.pipeline.methods.method import Method, Tuning
from benchmarks.pipeline.methods.space import Choice, in_words, search_space, written
from datasets.errors import InputError
from datasets.file_names import LONGEST, FileName
from datasets.json_files import read_json_as
from retrieval.bootstrap import LEVEL

FOLDER = "presets"
_ShortHash = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{16}\Z")]
_REMEDY = "no preset of this version: make it with benchmarks.tune"


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


_Numbers = TypedDict("_Numbers", {"training images": int, "training classes": int})
"""Fields of the card that pages show."""


class Tried(TypedDict):
    """A candidate that was tried: a `Trial`, its choice also in words."""

    words: str
    choice: Json
    dimensions: int
    map: float
    low: float
    high: float
    top1: float
    change: float
    p_value: float


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tuned method, as its file has it.

    Attributes
    ----------
    format : int
        Version of the file's layout.
    method, dataset : str
        The method that was tuned, and the dataset whose training images chose.
    parameters : dict
        The choice, as `written` gives it.
    is_tuned : bool
        Whether that is another choice than the menu's.
    verdict : str
        The outcome, in words.
    candidates : list of Tried
        Everything that was tried, the menu's own choice first.
    failed : dict of str to str
        Choices that could not be tried, in words, and why.
    images : list of str
        Training images, by `short_hash`: where one of these is searched or asked, the preset is
        refused.
    card : dict
        How it came about.
    """

    format: Literal[1]
    method: str = msgspec.field(name="row")  # its key in format 1
    dataset: FileName
    parameters: Json
    is_tuned: bool
    verdict: str
    candidates: Annotated[list[Tried], msgspec.Meta(min_length=1)]
    failed: dict[str, str]
    images: Annotated[list[_ShortHash], msgspec.Meta(min_length=1)]
    card: Json

    def __post_init__(self) -> None:
        msgspec.convert(self.card, _Numbers)

    @property
    def name(self) -> str:
        """Name of the method that it makes."""
        return f"{self.method}@{self.dataset}"


def write_preset(out: Path, preset: Preset) -> Path:
    """Write a preset into the results folder; returns its file."""
    path = out / preset.dataset / FOLDER / f"{preset.method}.json"
    write_json(path, msgspec.to_builtins(preset))
    return path


def read_preset(path: Path) -> Preset:
    """Read a preset.

    Raises
    ------
    InputError
        If there is none, or if it is damaged or something else.
    """
    preset = read_json_as(path, Preset, _REMEDY)
    if preset is None:
        raise InputError(f"{path}: no such file; benchmarks.tune makes presets")
    return preset


def tuned_method(preset: Preset, where: str) -> Method:
    """Make the method of a preset.

    Parameters
    ----------
    preset : Preset
        Its parameters, and the name of the menu's method.
    where : str
        File or option that it comes from, for messages.

    Raises
    ------
    InputError
        If it chooses what is not declared in `extractors.spaces`.
    """
    space = search_space(preset.method, f"{where}: row")
    try:
        choice = space.understand(preset.parameters)
    except ValueError as error:
        raise InputError(f"{where}: {error}; tune it again") from error
    by = f"by leave-one-out among {len(preset.images)} training images of {preset.dataset}"
    note = f"tuned: {in_words(choice)} {by}"
    if choice == space.own:
        note = f"as in the menu: no other choice is significantly better {by}"
    built = space.build(choice, preset.name)
    return replace(
        built, tuning=Tuning(note, frozenset(preset.images), msgspec.to_builtins(preset))
    )


def method_from(path: Path) -> Method:
    """Make the method of the preset that a user gave with ``--preset``.

    Raises
    ------
    InputError
        If it is no preset, or chooses what is not declared.
    """
    try:
        preset = read_preset(path)
        if len(preset.name.encode()) > LONGEST:
            raise InputError(f"{path}: makes a method of too long a name; tune it again, shorter")
        return tuned_method(preset, str(path))
    except InputError as error:
        raise InputError(f"--preset {error}") from error


def methods_from(paths: Iterable[Path]) -> list[Method]:
    """Make the methods of several presets; see `method_from`.

    Raises
    ------
    InputError
        As `method_from`; if two presets make one method.
    """
    made: dict[str, tuple[Path, Method]] = {}
    for path in dict.fromkeys(paths):
        method = method_from(path)
        if method.name in made:
            raise InputError(
                f"--preset {path}: makes {method.name}, as {made[method.name][0]} does; give one"
            )
        made[method.name] = path, method
    return [method for _, method in made.values()]


def as_tried(trial: Trial) -> Tried:
    """A trial as presets keep it."""
    words = {"words": in_words(trial.choice), "choice": written(trial.choice)}
    return msgspec.convert(asdict(trial) | words, Tried)
