"""Golden numbers: what each declared version computed when it was recorded.

A cache key holds the declared version of an extractor, not its code. So the numbers may not
change while the version stays: a changed number needs a new version, and only numbers of
versions that were never recorded can be added (``pytest --record-golden``).
"""

import importlib
import inspect
import json
import pkgutil
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

FOLDER = Path(__file__).parent / "golden"

_DIRECTIONS = 8
"""Numbers that are kept of an array, whatever its size: projections on random directions."""


def shorten(array: np.ndarray) -> list[float]:
    """A few numbers that change when anything in the array does: its length and projections."""
    values = np.asarray(array, np.float64).ravel()
    length = float(np.linalg.norm(values))
    directions = np.random.default_rng(len(values)).standard_normal((_DIRECTIONS, len(values)))
    projected = directions @ values / length if length else np.zeros(_DIRECTIONS)
    return [float(f"{number:.6g}") for number in (len(values), length, *projected)]


def declaring(package: ModuleType) -> set[type]:
    """Every class of a package that declares a version."""
    prefix = f"{package.__name__}."
    found: set[type] = set()
    for module in pkgutil.walk_packages(package.__path__, prefix):
        members = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
        found |= {one for _, one in members if one.__module__.startswith(prefix)}
    return {one for one in found if "version" in vars(one)}


class Golden:
    """The golden numbers of one file in ``tests/golden/``.

    Parameters
    ----------
    name : str
        The file, without its ending.
    is_recording : bool
        Whether versions that were never recorded are added.
    """

    def __init__(self, name: str, is_recording: bool) -> None:
        self.path = FOLDER / f"{name}.json"
        self.is_recording = is_recording

    def check(
        self, version: str, arrays: Sequence[np.ndarray], case: str = "", tolerance: float = 1e-4
    ) -> None:
        """Compare arrays with what this version gave when it was recorded.

        Parameters
        ----------
        version : str
            As declared, ``"colour-histogram 1"``.
        arrays : sequence of ndarray
            What it computes of the reference pictures.
        case : str
            With which parameters, where a version is checked with several.
        tolerance : float
            Allowed difference, relative to the array's length: processors round differently.
        """
        key = f"{version}: {case}" if case else version
        found = [shorten(array) for array in arrays]
        known = self._read()
        if key not in known and self.is_recording:
            self._write(known | {key: found})
            return
        if key not in known:
            pytest.fail(f"{key} was never recorded; pytest {self._test()} --record-golden adds it")
        assert len(found) == len(known[key]), f"{key}: other reference pictures"
        for number, (now, then) in enumerate(zip(found, known[key], strict=True)):
            same = now[0] == then[0] and np.allclose(now[1], then[1], rtol=tolerance, atol=1e-9)
            if not same or not np.allclose(now[2:], then[2:], atol=10 * tolerance):
                pytest.fail(
                    f"{key}: reference {number} gives {now}, and gave {then}: give the class a "
                    "new version, or nobody's cache knows that its numbers are others"
                )

    def _test(self) -> str:
        return f"tests/test_golden_{self.path.stem}.py"

    def _read(self) -> dict[str, list[list[float]]]:
        return json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}

    def _write(self, content: dict[str, list[list[float]]]) -> None:
        self.path.parent.mkdir(exist_ok=True)
        lines = [f" {json.dumps(key)}: {json.dumps(content[key])}" for key in sorted(content)]
        self.path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
