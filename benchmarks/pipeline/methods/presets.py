"""What tuning chose, in a file: parameters, every candidate's score, and the card.

::

    <out>/<dataset>/presets/<row>.json

A preset makes a row of its own, ``<row>@<dataset>``, which stands in tables beside the menu's.
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_origin

from benchmarks.formats.files import Json, read_json, write_json
from benchmarks.pipeline.cache.fingerprint import plain
from benchmarks.pipeline.extraction.encode import FOLDS, distinct
from benchmarks.pipeline.methods.extractor import training_fingerprint
from benchmarks.pipeline.methods.method import Combination, Tuning, short_hash
from benchmarks.pipeline.methods.space import Candidates, candidates, in_words
from benchmarks.pipeline.records.card import RULES, commit, machine, protocol_code
from benchmarks.tune.scoring import Trial, choose
from datasets.errors import InputError
from datasets.task import Dataset

FORMAT = 1
"""Of the file; another number is another layout."""

FOLDER = "presets"
_OPTION = "--preset"

_CRITERION = (
    "mean average precision, every training image asking for the others of its class; another "
    "choice than the menu's must be significantly better (paired permutation test, Holm, 5 %)"
)


@dataclass(frozen=True)
class Preset:
    """A tuned row, as its file has it.

    Attributes
    ----------
    format : int
        `FORMAT`.
    row, dataset : str
        What was tuned, and on whose training images.
    parameters : dict
        The choice, as `benchmarks.pipeline.cache.fingerprint.plain` writes it.
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


def make_preset(
    tried: Candidates,
    trials: Sequence[Trial],
    failed: Mapping[str, str],
    dataset: Dataset,
    seed: int,
) -> Preset:
    """Put together what tuning found.

    Parameters
    ----------
    tried : Candidates
    trials : sequence of Trial
        The menu's own choice first.
    failed : mapping of str to str
        What could not be tried, in words, and why.
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
        FORMAT,
        row,
        dataset.name,
        _written(chosen.choice),
        chosen is not trials[0],
        verdict(trials, chosen),
        [
            asdict(trial) | {"choice": _written(trial.choice), "words": in_words(trial.choice)}
            for trial in trials
        ],
        dict(failed),
        sorted(short_hash(image.sha256) for image in images),
        card,
    )


def verdict(trials: Sequence[Trial], chosen: Trial) -> str:
    """Say in words what came of it."""
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
    write_json(path, asdict(preset))
    return path


def read_preset(path: Path, where: str = "") -> Preset:
    """Read a preset.

    Parameters
    ----------
    path : Path
    where : str
        What to call it in messages, if not by its path.

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


def tuned_row(preset: Preset, where: str) -> Combination:
    """The row that a preset makes.

    Parameters
    ----------
    preset : Preset
    where : str
        Where it was found, for messages.

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
    return replace(built, tuning=Tuning(note, frozenset(preset.images), asdict(preset)))


def row_from(path: Path) -> Combination:
    """The row that the preset makes which a user gave with ``--preset``.

    Raises
    ------
    InputError
        If it is no preset, or chooses what is not declared.
    """
    return tuned_row(read_preset(path, f"{_OPTION} {path}"), f"{_OPTION} {path}")


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


def _written(choice: Any) -> Json:
    return {key: plain(value) for key, value in choice.items()}


def _change(trial: Trial) -> str:
    p_value = "p < 0.001" if trial.p_value < 1e-3 else f"p {trial.p_value:.3f}"
    return f"{trial.change:+.3f}, {p_value}"
