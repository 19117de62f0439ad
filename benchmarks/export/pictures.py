"""The pictures that exported files are about: the same for all that lie together."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.formats.files import DAMAGED, write_json
from datasets.errors import InputError
from datasets.json_files import read_json_as
from datasets.task import Dataset

QRELS = "qrels.txt"

_NOTE = "exported.json"
_SPLIT = "split hash"


def note_pictures(folder: Path, dataset: Dataset) -> None:
    """Note which pictures all that was exported into a dataset's folder is about."""
    write_json(folder / _NOTE, {_SPLIT: dataset.fingerprint})


def require_same_pictures(folder: Path, dataset: Dataset, written: Sequence[Path]) -> None:
    """Refuse a folder in which files of other pictures would stay beside new ones.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``.
    dataset : Dataset
        Its pictures as they are now.
    written : sequence of Path
        Files that are about to be written, whose former content goes.

    Raises
    ------
    InputError
        Naming a file that would stay.
    """
    note = read_json_as(folder / _NOTE, dict[str, str], DAMAGED) or {}
    if note.get(_SPLIT, dataset.fingerprint) == dataset.fingerprint:
        return
    replaced = {*written, *(path.with_suffix(".txt") for path in written)}
    if any(path.suffix == ".run" for path in written):
        replaced |= {path.with_name(QRELS) for path in written}
    places = [folder / "vectors", *(folder / task.query_set for task in dataset.tasks)]
    left = sorted(path for place in places for path in place.glob("*") if path not in replaced)
    if left:
        raise InputError(
            f"--out {folder.parent}: {left[0]} is of other pictures, which {dataset.name} had "
            "before; remove what was exported there, or choose another --out"
        )
