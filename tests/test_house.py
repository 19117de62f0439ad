"""The first things that a user meets: names that may clash, the help, the READMEs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import datasets
from benchmarks.pipeline.records.results import dataset_folders, read_results
from benchmarks.report.pages.overview import write_overview
from benchmarks.run import main

ROOT = Path(__file__).resolve().parents[1]


def run_beside(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the checkout with another folder ahead of it on the path."""
    code = (
        f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ROOT)!r}]; sys.argv = {arguments!r}; "
        "sys.orig_argv = ['python', '-m', 'benchmarks.run', '--list']; "
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


def test_readme_names_the_datasets_and_the_attribution():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    public = (ROOT / "datasets" / "PUBLIC.md").read_text(encoding="utf-8")
    for name in datasets.MENU:  # extractors stand in extractors/README.md
        assert f"`{name}`" in readme + public, name
    assert "(datasets/PUBLIC.md)" in readme
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


def test_a_list_comes_without_what_it_does_not_need():
    command = [sys.executable, "-X", "importtime", "-m", "benchmarks.run", "--list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip() for line in listed.stderr.splitlines()}
    assert "sklearn.pipeline" in imported
    assert not imported & {"scipy.stats._stats_py", "tensorflow", "keras", "matplotlib"}


def test_what_is_imported_late_is_whole():
    code = (
        "import sys; sys.argv[0], sys.orig_argv = '-m', ['python', '-m', 'benchmarks.run']\n"
        "import benchmarks, scipy; from scipy import stats\n"
        "assert 'scipy.stats._stats_py' not in sys.modules\n"
        "import scipy.stats.qmc; from scipy.stats import rankdata\n"
        "assert stats.rankdata is scipy.stats.rankdata is rankdata\n"
        "assert sys.modules['scipy.stats'] is scipy.stats and stats.norm.cdf(0) == 0.5"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
