"""The choice among candidates, and the preset that it makes."""

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.pipeline.evaluation.fitted_method import CANNOT_LEARN
from benchmarks.pipeline.extraction.extract import extract
from benchmarks.pipeline.loading.training import FOLDS, distinct, training_fingerprint
from benchmarks.pipeline.methods.method import short_hash
from benchmarks.pipeline.methods.presets import Preset, Trial, as_tried
from benchmarks.pipeline.methods.space import Choice, SearchSpace, in_words, written
from benchmarks.pipeline.records.card import RULES, commit, machine
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.format import p_value
from benchmarks.tune.scoring import LeaveOneOut, compare, leave_one_out
from datasets.task import Dataset
from retrieval import protocol

_CRITERION = (
    "mean average precision, every training image asking for the others of its class; another "
    "choice than the menu's must be significantly better (paired permutation test, Holm, 5 %)"
)

_EQUAL = 1e-12
"""Scores closer than this are a tie."""


class NotTriedError(RuntimeError):
    """A candidate cannot be scored; the message says why."""


def tune(
    space: SearchSpace, dataset: Dataset, cache: Path, workforce: Workforce, seed: int = 0
) -> Preset:
    """Try every candidate of a method.

    Parameters
    ----------
    space : SearchSpace
        The candidates.
    dataset : Dataset
        Training images, and nothing else: see `load_training`.
    cache : Path
        Folder of vectors; what was made of a candidate is not made again.
    workforce : Workforce
        The workers.
    seed : int
        Seed of the dataset's split, for the card.

    Raises
    ------
    NotTriedError
        If the method cannot be scored as the menu has it.
    """
    choices = space.choices()
    tried: list[tuple[Choice, LeaveOneOut]] = []
    failed: dict[str, str] = {}
    for choice in workforce.track(choices, len(choices), f"tuning {space.method.name}"):
        try:
            tried.append((choice, _try(space, choice, dataset, cache, workforce)))
        except NotTriedError as error:
            if choice == space.own:
                raise
            failed[in_words(choice)] = str(error)
    trials = compare([choice for choice, _ in tried], [result for _, result in tried])
    return make_preset(space, trials, failed, dataset, seed)


def choose(trials: Sequence[Trial]) -> Trial:
    """The best of those significantly better than the menu's own choice; else that.

    Of equally good ones the smallest vector, then the first declared.
    """
    better = [trial for trial in trials[1:] if trial.is_better]
    if not better:
        return trials[0]
    best = max(trial.map for trial in better)
    tied = [trial for trial in better if trial.map >= best - _EQUAL]
    return min(tied, key=lambda trial: trial.dimensions)


def make_preset(
    space: SearchSpace,
    trials: Sequence[Trial],
    failed: Mapping[str, str],
    dataset: Dataset,
    seed: int,
) -> Preset:
    """Make the preset of what tuning found.

    Parameters
    ----------
    space : SearchSpace
        The candidates.
    trials : sequence of Trial
        Those that were scored, the menu's own choice first.
    failed : mapping of str to str
        Those that could not be, in words, and why.
    dataset : Dataset
        The training images.
    seed : int
        Seed of the dataset's split, for the card.
    """
    name, chosen = space.method.name, choose(trials)
    built = space.build(chosen.choice, f"{name}@{dataset.name}")
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
        "extractor": built.card,
        "protocol": RULES,
        "protocol version": protocol.VERSION,
        "commit": commit(),
        "python": platform.python_version(),
        "machine": machine(),
    }
    return Preset(
        format=1,
        method=name,
        dataset=dataset.name,
        parameters=written(chosen.choice),
        is_tuned=chosen is not trials[0],
        verdict=verdict(trials, chosen),
        candidates=[as_tried(trial) for trial in trials],
        failed=dict(failed),
        images=sorted(short_hash(image.sha256) for image in images),
        card=card,
    )


def verdict(trials: Sequence[Trial], chosen: Trial) -> str:
    """Say in words what tuning chose."""
    own, others = trials[0], trials[1:]
    if chosen is not own:
        return (
            f"{in_words(chosen.choice)} instead of {in_words(own.choice)}: mAP {chosen.map:.3f} "
            f"instead of {own.map:.3f} ({_change(chosen)})"
        )
    best = max(others, key=lambda trial: trial.map, default=own)
    if best.map <= own.map:
        return f"the menu's own {in_words(own.choice)}: none of {len(others)} others scores higher"
    return (
        f"the menu's own {in_words(own.choice)}: none of {len(others)} others is significantly "
        f"better (highest {in_words(best.choice)}, {_change(best)})"
    )


def _try(
    space: SearchSpace, choice: Choice, dataset: Dataset, cache: Path, workforce: Workforce
) -> LeaveOneOut:
    method = space.build(choice, f"{space.method.name}@{dataset.name}")
    extracted = extract(method.extractors, dataset, cache, False, workforce)
    for mine in extracted.values():
        if not mine.is_usable:
            raise NotTriedError(mine.obstacle)
    try:
        return leave_one_out(method, dataset, extracted, cache)
    except CANNOT_LEARN as error:
        raise NotTriedError(str(error)) from error


def _change(trial: Trial) -> str:
    return f"{trial.change:+.3f}, p {p_value(trial.p_value)}"
