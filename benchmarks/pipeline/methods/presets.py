"""Presets: files of the parameters that tuning chose for a method.

::

    <out>/<dataset>/presets/<row>.json

A preset makes a method of its own, ``<row>@<dataset>``, which stands in tables beside the menu's.
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import msgspec

from benchmarks.formats.files import Json, write_json
from benchmarks.pipeline.cache.fingerprint import plain
from benchmarks.pipeline.extraction.encode import FOLDS, distinct
from benchmarks.pipeline.methods.extractor import training_fingerprint
from benchmarks.pipeline.methods.method import Combination, Tuning, short_hash
from benchmarks.pipeline.methods.space import Candidates, candidates, in_words
from benchmarks.pipeline.records.card import RULES, commit, machine, protocol_code
from benchmarks.tune.scoring import Trial, choose
from datasets.errors import InputError
from datasets.json_files import read_json_as
from datasets.task import Dataset

FOLDER = "presets"
# Part of the names of files, and printed.
_DatasetName = Annotated[str, msgspec.Meta(pattern=r"\A(?!\.\.?\Z)[^/\\\x00-\x1f\x7f-\x9f]+\Z")]
_ShortHash = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{16}\Z")]
_REMEDY = "no preset of this version: make it with benchmarks.tune"

_CRITERION = (
    "mean average precision, every training image asking for the others of its class; another "
    "choice than the menu's must be significantly better (paired permutation test, Holm, 5 %)"
)


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
    row, dataset : str
        The method that was tuned, and the dataset whose training images chose.
    parameters : dict
        The choice, as `benchmarks.pipeline.cache.fingerprint.plain` writes it.
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
    row: str
    dataset: _DatasetName
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
        return f"{self.row}@{self.dataset}"


def make_preset(
    tried: Candidates,
    trials: Sequence[Trial],
    failed: Mapping[str, str],
    dataset: Dataset,
    seed: int,
) -> Preset:
    """Make the preset of a tuning.

    Parameters
    ----------
    tried : Candidates
        The method, and the space of its parameters.
    trials : sequence of Trial
        The menu's own choice first.
    failed : mapping of str to str
        Choices that could not be tried, in words, and why.
    dataset : Dataset
        The training images.
    seed : int
        Of the dataset's split, for the card.
    """
    row, chosen = tried.row.name, choose(trials)
    built = tried.build(chosen.choice, f"{row}@{dataset.name}")
    images = distinct(dataset.training)
    card = {
        "dataset": dataset.name,
        "split": dataset.split,
        "seed": seed,
        "training hash": training_fingerprint(dataset),
        "training images": len(images),
        "training classes": len({image.label for image in images} - {None}),
        "criterion": _CRITERION,
        "folds of what learns from vectors": FOLDS,
        "extractor": built.identity,
        "protocol": RULES,
        "protocol code": protocol_code(),
        "commit": commit(),
        "python": platform.python_version(),
        "machine": machine(),
    }
    return Preset(
        format=1,
        row=row,
        dataset=dataset.name,
        parameters=_written(chosen.choice),
        is_tuned=chosen is not trials[0],
        verdict=verdict(trials, chosen),
        candidates=[_tried(trial) for trial in trials],
        failed=dict(failed),
        images=sorted(short_hash(image.sha256) for image in images),
        card=card,
    )


def verdict(trials: Sequence[Trial], chosen: Trial) -> str:
    """Say in words which choice was made, and why."""
    own, others = trials[0], trials[1:]
    if chosen is not own:
        return (
            f"{in_words(chosen.choice)} instead of {in_words(own.choice)}: mAP {chosen.map:.3f} "
            f"instead of {own.map:.3f} ({_change(chosen)})"
        )
    best = max(others, key=lambda trial: trial.map)
    if best.map <= own.map:
        return f"the menu's own {in_words(own.choice)}: none of {len(others)} others scores higher"
    return (
        f"the menu's own {in_words(own.choice)}: none of {len(others)} others is significantly "
        f"better (highest {in_words(best.choice)}, {_change(best)})"
    )


def write_preset(out: Path, preset: Preset) -> Path:
    """Write a preset into the results folder; returns its file."""
    path = out / preset.dataset / FOLDER / f"{preset.row}.json"
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


def tuned_row(preset: Preset, where: str) -> Combination:
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
    tried = candidates(preset.row, f"{where}: row")
    try:
        choice = tried.understand(preset.parameters)
    except ValueError as error:
        raise InputError(f"{where}: {error}; tune it again") from error
    by = f"by leave-one-out among {len(preset.images)} training images of {preset.dataset}"
    note = f"tuned: {in_words(choice)} {by}"
    if choice == tried.own:
        note = f"as in the menu: no other choice is significantly better {by}"
    built = tried.build(choice, preset.name)
    return replace(
        built, tuning=Tuning(note, frozenset(preset.images), msgspec.to_builtins(preset))
    )


def row_from(path: Path) -> Combination:
    """Make the method of the preset that a user gave with ``--preset``.

    Raises
    ------
    InputError
        If it is no preset, or chooses what is not declared.
    """
    try:
        return tuned_row(read_preset(path), str(path))
    except InputError as error:
        raise InputError(f"--preset {error}") from error


def _tried(trial: Trial) -> Tried:
    words = {"words": in_words(trial.choice), "choice": _written(trial.choice)}
    return msgspec.convert(asdict(trial) | words, Tried)


def _written(choice: Any) -> Json:
    return {key: plain(value) for key, value in choice.items()}


def _change(trial: Trial) -> str:
    p_value = "p < 0.001" if trial.p_value < 1e-3 else f"p {trial.p_value:.3f}"
    return f"{trial.change:+.3f}, {p_value}"
