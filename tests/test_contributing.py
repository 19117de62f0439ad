"""CONTRIBUTING.md, followed to the letter in a copy of the checkout."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pictures import fill

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("benchmarks", "datasets", "extractors", "retrieval", "tests")


def code_blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def insert(path: Path, place: str, code: str) -> None:
    """Put code where a recipe says: among the imports, or in a table."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    table = place.removeprefix("in ")
    starts = r"from \w+\." if place == "among the imports" else rf"{table}\b.* = [\[{{]$"
    number = next(n for n, line in enumerate(lines) if re.match(starts, line))
    lines.insert(number if place == "among the imports" else number + 1, code)
    path.write_text("".join(lines), encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the checkout in which every recipe was followed."""
    root = tmp_path_factory.mktemp("contributor")
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, root)
    for block in code_blocks((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), "python"):
        heading, _, code = block.partition("\n")
        name, _, place = heading.removeprefix("# ").partition(": ")
        if place:
            insert(root / name, place, code)
        else:
            assert not (root / name).exists(), name
            (root / name).write_text(code, encoding="utf-8")
    return root


def run(root: Path, *arguments: object) -> None:
    """Run a Python module in the copy; it has to succeed."""
    found = subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-3000:] + found.stderr[-3000:]


def test_lint_and_types_pass(copy):
    run(copy, "ruff", "check", "--fix", ".")
    run(copy, "ruff", "format", ".")
    run(copy, "ruff", "check", ".")
    run(copy, "mypy", "--cache-dir", copy / ".mypy_cache")


def test_the_tests_that_a_contributor_runs_pass(copy):
    chosen = "brightness or resnet101 or structure or metric or readme"
    files = ["tests/test_extractors.py", "tests/test_structure.py", "tests/test_metrics.py"]
    run(copy, "pytest", "-q", "-x", "-p", "no:cacheprovider", *files, "-k", chosen)


def test_what_was_added_is_in_the_tables_and_lists(copy, tmp_path):
    for month in ("1998-03", "1998-04"):
        fill(tmp_path / "photos" / month, 8, int(month[-2:]), int(month[-2:]))
    folders = ["--out", tmp_path / "out", "--cache", tmp_path / "cache", "--jobs", "1"]
    months = f"months={tmp_path / 'photos'}"
    run(
        copy,
        *("benchmarks.run", "--extractor", "brightness-histogram", "lbp", "--dataset", months),
        *("--metrics", "mAP", "RBP", *folders),
    )
    page = (tmp_path / "out" / "months" / "table.md").read_text(encoding="utf-8")
    assert "brightness-histogram" in page
    assert "RBP" in page
    listed = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", "--list"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert re.search(r"brightness-histogram +texture +Histogram of brightness", listed)
    assert "resnet101" in listed
    assert "months=PATH" in listed
    assert re.search(r"rbp +0 to 1, chance 0\.050  rank-biased precision, p = 0\.8", listed)
