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

_EXPORTED = ("vectors/*", "*/*.neighbours.*", "*/*.distances.*", "*/*.run", f"*/{QRELS}")


def note_pictures(folder: Path, dataset: Dataset, written: Sequence[Path]) -> None:
    """Note which pictures all that is exported into a dataset's folder is about.

    Parameters
    ----------
    folder : Path
        ``<out>/<dataset>``.
    dataset : Dataset
        Its pictures.
    written : sequence of Path
        Files that are about to be written; those of other pictures go.
    """
    if _noted(folder) != dataset.fingerprint:
        for path in _all_files(written):
            path.unlink(missing_ok=True)
        write_json(folder / _NOTE, {_SPLIT: dataset.fingerprint})


def require_same_pictures(folder: Path, dataset: Dataset, written: Sequence[Path]) -> None:
    """Refuse a folder in which files of other pictures would stay beside new ones, or be lost.

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
        Naming a file that would stay, or that nobody noted to be exported.
    """
    noted, replaced = _noted(folder), _all_files(written)
    there = {path for pattern in _EXPORTED for path in folder.glob(pattern)}
    if noted is None:
        what = f"is there already, and no {_NOTE} beside it says of which pictures; move it"
        left = there.union(path for path in replaced if path.exists())
    else:
        what = f"is of other pictures, which {dataset.name} had before; remove what was exported "
        what += "there"
        left = there - replaced if noted != dataset.fingerprint else set()
    if left:
        raise InputError(f"--out {folder.parent}: {min(left)} {what}, or choose another --out")


def _noted(folder: Path) -> str | None:
    """Hash of the pictures that exported files are about, if any were."""
    return (read_json_as(folder / _NOTE, dict[str, str], DAMAGED) or {}).get(_SPLIT)


def _all_files(written: Sequence[Path]) -> set[Path]:
    """Files that are written, and those beside them: the ids of vectors, the relevant images."""
    beside = {path.with_suffix(".txt") for path in written if path.suffix == ".npy"}
    beside |= {path.with_name(QRELS) for path in written if path.suffix == ".run"}
    return beside.union(written)
