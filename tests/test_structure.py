"""The shape of the project: what lies in each folder, and which way imports run."""

import ast
import re
import subprocess

import pytest
from import_graph import PACKAGES, ROOT, graph, imports, levels, modules, ties

ALLOWED = {
    "datasets": set(),
    "extractors": set(),
    "retrieval": set(),
    "benchmarks": {"datasets", "extractors", "retrieval"},
}
COMMANDS = (
    "run",
    "approximate",
    "costs",
    "score",
    "diff",
    "augment",
    "keypoints",
    "draw",
    "publish",
    "vocabulary_size",
    "seeds",
)
PACKAGES_OF_COMMANDS = ("audit", "export", "report", "search", "tune", "verify")
PIPELINE = (
    *("workers", "cache", "cluster", "loading", "methods", "extraction", "records", "evaluation"),
)
"""Parts of the main path; each may import those before it."""


def names(folder):
    """Modules and folders in a folder, faces of packages and caches aside."""
    return {
        path.stem
        for path in (ROOT / folder).iterdir()
        if (path.suffix == ".py" or path.is_dir()) and not path.name.startswith(("__", "."))
    }


def every_module():
    return [path for package in PACKAGES for path in modules(ROOT / package)]


@pytest.mark.parametrize("package", ALLOWED)
def test_packages_import_downwards_only(package):
    for path in (ROOT / package).rglob("*.py"):
        for name in imports(path):
            other = name.partition(".")[0]
            assert other not in ALLOWED or other in ALLOWED[package] | {package}, f"{path}: {name}"


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


def test_benchmarks_shows_its_commands_and_one_main_path():
    folders = {"pipeline", "formats", "evaluation", "speed", *PACKAGES_OF_COMMANDS}
    assert names("benchmarks") == {*COMMANDS, *folders, "cli"}
    assert names("benchmarks/pipeline") == set(PIPELINE)
    for command in PACKAGES_OF_COMMANDS:
        assert (ROOT / "benchmarks" / command / "__main__.py").exists()
    for command in COMMANDS:
        text = (ROOT / "benchmarks" / f"{command}.py").read_text(encoding="utf-8")
        assert text.endswith('if __name__ == "__main__":\n    sys.exit(main())\n'), command


@pytest.mark.parametrize("place", ["", "benchmarks", "benchmarks/report", "benchmarks/pipeline"])
def test_no_import_runs_in_a_circle(place):
    # The measurements of growth stand above all commands.
    assert levels(graph(ROOT, place)) <= (6 if place else 7)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_has_a_circle(package):
    levels(graph(ROOT, package))


def test_the_main_path_imports_downwards_only():
    for part, imported in graph(ROOT, "benchmarks/pipeline").items():
        assert imported <= set(PIPELINE[: PIPELINE.index(part)]), part


def test_the_house_stays_as_small_as_it_is():
    whole, inside = graph(ROOT), graph(ROOT, "benchmarks")
    assert len(whole) <= 25
    assert ties(whole) <= 112
    assert len(inside) <= 22
    assert ties(inside) <= 66


def test_no_module_imports_a_command():
    commands = {f"benchmarks.{name}" for name in COMMANDS}
    for path in every_module():
        for name in imports(path):
            assert not any(name == c or name.startswith(f"{c}.") for c in commands), path
            assert "__main__" not in name, path


def test_no_page_imports_another():
    for page, imported in graph(ROOT, "benchmarks/report/pages").items():
        assert imported <= {"table"}, f"{page} imports {imported}"


def documented(path):
    """Every docstring of a file, with the node that it belongs to."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, kinds) and (text := ast.get_docstring(node)):
            yield node, text


@pytest.mark.parametrize("package", PACKAGES)
def test_docstrings_are_plain(package):
    """They begin with what the thing is or does, and say more than where else to look."""
    for path in (ROOT / package).rglob("*.py"):
        for node, text in documented(path):
            where = f"{path.relative_to(ROOT)}, {getattr(node, 'name', 'the module')}"
            assert not re.match(r"(What|Where|How|Which)\b", text), where
            assert not re.fullmatch(r"(See|As of) `[^`]+`\.?", text), where


@pytest.mark.parametrize("package", PACKAGES)
def test_every_parameter_has_a_word_behind_its_type(package):
    for path in (ROOT / package).rglob("*.py"):
        for node, text in documented(path):
            for section in re.findall(
                r"(?:Parameters|Attributes)\n-{10}\n((?:.+\n|\n(?=\S+.* : |    ))*)", f"{text}\n"
            ):
                entries = re.split(r"\n(?=\S)", section.strip("\n"))
                for entry in entries:
                    first, _, rest = entry.partition("\n")
                    name = getattr(node, "name", "the module")
                    assert " : " not in first or rest.strip(), f"{path}, {name}: {first}"


def test_files_and_functions_stay_short():
    for path in every_module():
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 420, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno <= 75, f"{path}: {node.name}"


def test_each_folder_has_a_readme_and_the_first_is_short():
    for folder in (*PACKAGES, "."):
        assert (ROOT / folder / "README.md").exists(), folder
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
