"""The house itself: imports run one way, names are ours, docs tell the truth."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pictures import fill

import datasets
import extractors
from benchmarks.pipeline.records.record import read_results
from benchmarks.report.pages.overview import write_overview
from benchmarks.report.write import dataset_folders
from benchmarks.run import main
from retrieval import metrics

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {
    "datasets": set(),
    "extractors": set(),
    "retrieval": set(),
    "benchmarks": {"datasets", "extractors", "retrieval"},
}


@pytest.mark.parametrize("room", ROOMS)
def test_imports_run_one_way(room):
    for path in (ROOT / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            for name in names:
                other = name.partition(".")[0]
                assert other not in ROOMS or other in ROOMS[room] | {room}, f"{path}: {name}"


def test_top_level_is_what_it_should_be():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    assert {name.partition("/")[0] for name in listed.stdout.splitlines()} == {
        *("benchmarks", "datasets", "extractors", "results", "retrieval", "tests"),
        *("README.md", "CONTRIBUTING.md", "LICENSE", "pyproject.toml", "tox.ini"),
        *(".ci", ".gitignore", "requirements.lock", "requirements-tools.lock"),
    }


def run_beside(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the checkout with another folder ahead of it on the path."""
    code = (
        f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ROOT)!r}]; sys.argv = {arguments!r}; "
        "import runpy; runpy.run_module('benchmarks.run', run_name='__main__', alter_sys=True)"
    )
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_package_of_the_same_name_gives_one_clear_error(tmp_path):
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "__init__.py").write_text("def load_dataset(): ...\n")
    found = run_beside(tmp_path, "-m", "--list")
    assert found.returncode == 2
    assert found.stderr.count("\n") == 1
    assert re.match(r"error: the name 'datasets' means .*another package", found.stderr)
    imported = run_beside(tmp_path, "program")
    assert "ImportError: the name 'datasets' means" in imported.stderr


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as leaving:
        main(["--help"])
    assert leaving.value.code == 0
    text = capsys.readouterr().out
    for option in ("all", "extractor", "dataset", "list", "out", "cache", "jobs", "seed", "force"):
        assert f"--{option}" in text


def code_blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_ci_runs_the_readme_test_command():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first, second = code_blocks(readme, "sh")[:2]
    assert "python -m benchmarks.run --all" in first
    assert second.strip() in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_readme_names_the_menus_and_the_attribution():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in (*extractors.MENU, *datasets.MENU):
        assert f"`{name}`" in readme, name
    assert "CC BY-SA 4.0" in readme
    assert "libGL" in readme


def test_readme_answers_from_the_committed_records(tmp_path):
    folders = dataset_folders(ROOT / "results")
    write_overview(tmp_path, [read_results(folder) for folder in folders])
    answer, source = (
        re.search(r"<!-- which feature -->\n(.*?)<!-- end -->", page.read_text(), re.DOTALL)[1]
        for page in (ROOT / "README.md", tmp_path / "README.md")
    )
    assert "| most accurate |" in answer
    assert answer == source


def load_module(path: Path, name: str, monkeypatch):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    return module


def test_contributing_recipes_work(tmp_path, monkeypatch, capsys):
    """Follow CONTRIBUTING.md to the letter: a new extractor, dataset and metric, and a run."""
    blocks = code_blocks((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), "python")
    recipes = {}
    for block in blocks:
        path, _, code = block.partition("\n")
        recipes[path.removeprefix("# ")] = code
    for menu in (extractors.MENU, datasets.MENU, metrics.METRICS):
        for name in list(menu):
            monkeypatch.setitem(menu, name, menu[name])  # so that additions are undone
    before = [set(menu) for menu in (extractors.MENU, datasets.MENU, metrics.METRICS)]
    for name in ("extractors/brightness.py", "datasets/months.py"):
        path = tmp_path / Path(name).name
        path.write_text(recipes[name])
        module = load_module(path, path.stem, monkeypatch)
        additions = recipes[f"{name.partition('/')[0]}/__init__.py"]
        menu = {"extractors": extractors, "datasets": datasets}[name.partition("/")[0]].MENU
        scope = {"MENU": menu, **vars(module)}
        exec(additions, scope)
    exec(recipes["retrieval/metrics.py"], vars(metrics))
    added = [
        set(menu) - old
        for menu, old in zip(
            (extractors.MENU, datasets.MENU, metrics.METRICS), before, strict=True
        )
    ]
    try:
        assert added == [{"brightness-histogram"}, {"months"}, {"top20"}]
        for month in ("1998-03", "1998-04"):
            fill(tmp_path / "photos" / month, 8, int(month[-2:]), int(month[-2:]))
        arguments = ["--extractor", "brightness-histogram", "--jobs", "1"]
        arguments += ["--dataset", f"months={tmp_path / 'photos'}"]
        arguments += ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
        assert main(arguments) == 0
        page = (tmp_path / "out" / "months" / "table.md").read_text()
        assert "brightness-histogram" in page
        assert "top-20" in page
    finally:
        for menu, names in zip(
            (extractors.MENU, datasets.MENU, metrics.METRICS), added, strict=True
        ):
            for name in names:
                del menu[name]
