"""Plug-ins: extractors, datasets and metrics from files and packages, the checkout untouched."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pictures import fill

import datasets
import extractors
from benchmarks.pipeline.methods import own
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from benchmarks.pipeline.methods.own import use_plugins
from benchmarks.report.__main__ import main as report
from datasets.describe import main as describe
from datasets.errors import InputError
from extractors import preprocessing
from extractors.check import main as check
from extractors.hand_crafted.colour import ColourHistogram
from retrieval.metrics import FURTHER

EXTRACTOR = '''
"""Mean colour, times a factor that stands beside."""

from dataclasses import dataclass

from {helper} import FACTOR

from extractors.base import Descriptor
from extractors.preprocessing import Preprocess, Square


@dataclass(eq=False, repr=False)
class MeanColour(Descriptor):
    """Mean colour.

    Parameters
    ----------
    prepare : Preprocess
        Applied first.
    """

    family = "colour"
    summary = "Mean colour"
    reference = "Nobody (2020), Means, https://example.org/means"

    prepare: Preprocess = Square(16)

    def describe(self, image):
        """Give the mean of each channel."""
        return FACTOR * image.mean(axis=(0, 1))


EXTRACTORS = {{"mean-colour": MeanColour()}}
'''

DATASET = """
from datasets.source import Source
class Mine(Source):
    summary = licence = "mine"
    def collect(self, root, each=None):
        {body}
"""
COLOUR = "extractors.hand_crafted.colour"
NOTHING = DATASET.format(body="pass")


@pytest.fixture(autouse=True)
def own_menus(monkeypatch):
    """Menus, modules and the search path are as before, after each test."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(datasets, "SOURCES", list(datasets.SOURCES))
    menus = (extractors.MENU, datasets.MENU, FURTHER)
    before, modules = [dict(menu) for menu in menus], set(sys.modules)
    yield
    for menu, old in zip(menus, before, strict=True):
        menu.clear()
        menu.update(old)
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith("/tmp"):
            del sys.modules[name]
    own._use_file.cache_clear()
    own._use_installed.cache_clear()
    importlib.invalidate_caches()


def plugin(folder, name="colours_of_mine", factor=1):
    (folder / f"{name}_helper.py").write_text(f"FACTOR = {factor}\n")
    path = folder / f"{name}.py"
    path.write_text(EXTRACTOR.format(helper=f"{name}_helper"))
    return path


def refused(path):
    with pytest.raises(InputError) as error:
        use_plugins([path])
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)
    return str(error.value)


def test_an_extractor_of_a_file_is_run_by_several_processes(tmp_path, parted, run):
    path = plugin(tmp_path)
    given = ("--plugin", path, "--extractor", "mean-colour+lbp", "mean-colour")
    assert run(*given, "--dataset", parted, "--jobs", 2) == 0
    assert "mean-colour+lbp" in (tmp_path / "out/parted/table.md").read_text()


def test_what_cannot_be_sent_to_workers_fails_alone(tmp_path, parted, run):
    path = tmp_path / "locked_of_mine.py"
    path.write_text(
        "import threading\nfrom extractors import Extractor\n"
        "class Locked(Extractor):\n"
        "    def __init__(self): self.lock = threading.Lock()\n"
        "    def transform(self, images): return [[1, 2 + image[0, 0, 0]] for image in images]\n"
        "EXTRACTORS = {'locked': Locked()}\n"
    )
    given = ("--plugin", path, "--extractor", "locked", "lbp", "--dataset", parted)
    assert run(*given, "--jobs", 2) == 1
    records = tmp_path / "out/parted/records/query"
    assert "work in one, by --jobs 1" in (records / "locked.json").read_text()
    assert '"status": "ok"' in (records / "lbp.json").read_text()
    assert run(*given, "--jobs", 1) == 0


def code_of(path):
    use_plugins([path])
    row = ExtractorSteps("mean-colour", extractors.MENU["mean-colour"])
    return row.identity["head"]["code"]


def test_it_is_known_by_its_code_and_the_code_beside_it(tmp_path):
    path = plugin(tmp_path, "coded_colours")
    before = code_of(path)
    assert code_of(path) == before
    plugin(tmp_path, "coded_colours", factor=2)  # the file beside it alone
    assert code_of(path) != before


@pytest.mark.parametrize(
    "line",
    [
        "from {0} import helper",
        "import {0}.helper as helper",
        "import importlib\nhelper = importlib.import_module('{0}.helper')",
    ],
)
def test_code_beside_counts_however_it_is_imported(tmp_path, line):
    name = f"parts_{len(line)}"
    (tmp_path / name).mkdir()  # without __init__.py
    helper = tmp_path / name / "helper.py"
    helper.write_text("FACTOR = 1\n")
    path = tmp_path / f"uses_{name}.py"
    code = EXTRACTOR.format(helper="X")
    path.write_text(code.replace("from X import", f"{line.format(name)}\nFACTOR = helper."))
    before = code_of(path)
    helper.write_text("FACTOR = 2\n")
    assert code_of(path) != before


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero (line 1)"),
        ("def f(:", "SyntaxError"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("raise SystemExit(0)", "SystemExit"),
        ("import os\nos.chdir('/')", "changes the folder that paths are told from"),
        ("x = 1", "none of EXTRACTORS, DATASETS and METRICS"),
        ("EXTRACTORS = [1]", "a dictionary by name"),
        ("EXTRACTORS = {'mine': 1}", "is no extractor"),
        ("from extractors import MENU\nEXTRACTORS = {'hog': MENU['lbp']}", "already"),
        ("from extractors import MENU\nEXTRACTORS = {'rrf': MENU['lbp']}", "already"),
        ("from extractors import MENU\nEXTRACTORS = {'Mine': MENU['lbp']}", "lower case"),
        ("from extractors import MENU\nEXTRACTORS = {'a/b': MENU['lbp']}", "no name"),
        ("METRICS = {'mine': len}", "no Metric"),
        ("DATASETS = ['mine']", "no dataset"),
        ("import datasets\nDATASETS = [datasets.MENU['pacs']]", "already"),
        ("DATASETS = 5", "DATASETS has to be a list of datasets"),
        (
            "from datasets.animals import Animals\nDATASETS = Animals",
            "has to be a list of datasets",
        ),
        *((f"METRICS = {value}", "METRICS has to be a dictionary") for value in ("5", "['x']")),
        ("from retrieval.metrics import Metric\nMETRICS = {'mine': Metric('M', 3)}", "no Metric"),
        *(
            (f"{NOTHING}    name = {name!r}\nDATASETS = [Mine()]", "is no name for a dataset")
            for name in ("../evil", "", 5, "README.md", "/abs")
        ),
        (f"{NOTHING}DATASETS = [Mine()]", "is no name for a dataset"),
        (f"{NOTHING}    name, summary = 'mine', 3\nDATASETS = [Mine()]", "has no summary"),
        (
            "from retrieval.metrics import Metric\nMETRICS = {'mine': Metric('mAP', len)}",
            "its label 'mAP' would head a column",
        ),
        ("from retrieval.metrics import METRICS as M\nMETRICS = {'map': M['map']}", "already"),
    ],
)
def test_a_plug_in_that_cannot_be_used_is_one_clear_line(tmp_path, code, message):
    path = tmp_path / "broken_plug_in.py"
    path.write_text(code)
    assert message in refused(path)


@pytest.mark.parametrize(
    ("line", "changed"),
    [
        (
            "ColourHistogram.describe = lambda self, image: [1]",
            f"{COLOUR}.ColourHistogram.describe",
        ),
        ("MENU['rgb-histogram'] = ColourHistogram('hsv')", "rgb-histogram"),
        ("del MENU['lbp']", "lbp"),
        ("preprocessing.grey = len", "extractors.preprocessing.grey"),
    ],
)
def test_a_plug_in_that_changes_the_suite_is_refused(tmp_path, monkeypatch, line, changed):
    monkeypatch.setattr(ColourHistogram, "describe", ColourHistogram.describe)
    monkeypatch.setattr(preprocessing, "grey", preprocessing.grey)
    path = tmp_path / "changing_plug_in.py"
    imports = f"from extractors import MENU, preprocessing\nfrom {COLOUR} import ColourHistogram\n"
    path.write_text(f"{imports}{line}\nEXTRACTORS = {{'mine': ColourHistogram()}}\n")
    message = f"changes {changed} of the suite; derive a class of your own"
    assert refused(path) == f"--plugin {path}: {message}"


def test_a_parameter_without_a_form_is_refused_in_optimised_code_too(tmp_path):
    path = tmp_path / "formless.py"
    path.write_text(
        "from extractors.hand_crafted.colour import TinyImage\n"
        "EXTRACTORS = {'formless': TinyImage(prepare=lambda image: image)}\n"
    )
    command = [sys.executable, "-O", "-m", "benchmarks.run", "--list", "--plugin", str(path)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert re.fullmatch(r"error: .*formless.* has no form that identifies it.*\n", found.stderr)


def test_a_file_that_is_none_or_has_anothers_name_is_refused(tmp_path):
    assert "no file of Python code" in refused(tmp_path / "none.py")
    for name, message in (("json.py", "another module is called 'json'"), ("a-b.py", "rename")):
        (tmp_path / name).write_text("EXTRACTORS = {}")
        assert message in refused(tmp_path / name)


def test_a_dataset_and_a_metric_of_a_file_join_the_tables(tmp_path, run):
    path = tmp_path / "months_of_mine.py"
    contributing = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    months = contributing.partition("# datasets/months.py\n")[2].partition("```")[0]
    rbp = contributing.partition("# retrieval/rank_biased.py\n")[2].partition("```")[0]
    more = (
        "from retrieval.metrics import Metric\n"
        "DATASETS = [Months()]\n"
        'METRICS = {"rbp": Metric("RBP", rank_biased_precision)}\n'
    )
    path.write_text(months + rbp + more)
    for month in ("1998-03", "1998-04"):
        fill(tmp_path / "photos" / month, 8, int(month[-2:]), int(month[-2:]))
    photos = f"months={tmp_path / 'photos'}"
    asked = ("--metrics", "RBP", "mAP", "--plugin", path)
    assert run("--extractor", "lbp", "--dataset", photos, *asked) == 0
    page = tmp_path / "out/months/table.md"
    assert "RBP" in page.read_text()
    page.unlink()
    assert report(["--out", str(tmp_path / "out"), "--no-plots", *map(str, asked)]) == 0
    assert "RBP" in page.read_text()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1 / 0", "dataset mine: cannot list {root} (ZeroDivisionError: division by zero)"),
        ("pass", "its collect() gives no Collection of Items"),
        ("return Collection(root, ['a.png'])", "its collect() gives no Collection of Items"),
        ("return Collection(root, [Item('a', root, 'gallery')] * 2)", "id 'a' stands twice"),
        *(
            (f"return Collection(root, [Item({given})])", f"has {wrong}; give it one")
            for given, wrong in (
                ("'a', root, None", "part=None"),
                ("'a', root, 'train'", "part='train'"),
                ("'a', root, 'gallery', 3", "label=3"),
                ("'a', root, 'gallery', float('nan')", "label=nan"),
                ("'a', root, 'gallery', ''", "label=''"),
                ("'a', str(root), 'gallery'", "path='{root}'"),
                ("3, root, 'gallery'", "id=3"),
                ("'a', root, 'gallery', 'b', further='cd'", "further='cd'"),
                ("'a', root, 'gallery', 'b', asks='test'", "asks='test'"),
            )
        ),
    ],
)
def test_a_dataset_that_fails_is_one_clear_line(tmp_path, classes, run, capsys, body, message):
    path = tmp_path / "failing_dataset.py"
    imports = "from datasets.layout import Collection, Item"
    code = DATASET.format(body=body) + "    name = 'mine'\nDATASETS = [Mine()]\n"
    path.write_text(imports + code)
    assert run("--extractor", "lbp", "--plugin", path, "--dataset", f"mine={classes}") == 2
    [line] = [one for one in capsys.readouterr().err.splitlines() if one.startswith("error: ")]
    assert message.format(root=classes) in line


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("3.0", "gives a single one for 6 queries"),
        ("[1.0]", "gives 1 for 6 queries"),
        ("ranking.relevant * float('nan')", "gives NaN"),
        ("ranking.relevant * 1j", "TypeError: complex numbers have no order"),
        ("__import__('numpy').random.default_rng().random(6)", "gives other values when it is"),
    ],
)
def test_a_metric_that_gives_no_values_is_one_clear_line(
    tmp_path, parted, run, capsys, body, message
):
    path = tmp_path / "failing_metric.py"
    path.write_text(
        "from retrieval.metrics import Metric\n"
        f"METRICS = {{'mine': Metric('Mine', lambda ranking: {body})}}\n"
    )
    given = ("--metrics", "mine", "--plugin", path, "--dataset", parted)
    assert run("--extractor", "lbp", *given) == 2
    [line] = [one for one in capsys.readouterr().err.splitlines() if one.startswith("error: ")]
    assert f"{path}: 'mine': {message}" in line


def install(folder, group, value, monkeypatch):
    """A package with an entry point, as pip would leave it."""
    info = folder / "of_mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: of-mine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[image_retrieval_benchmark.{group}]\n{value}\n")
    monkeypatch.syspath_prepend(str(folder))


def test_an_installed_package_adds_by_its_entry_points(tmp_path, monkeypatch, capsys):
    plugin(tmp_path, "installed_colours")
    with (tmp_path / "installed_colours.py").open("a") as file:
        file.write("MINE = MeanColour()\n")
    install(tmp_path, "extractors", "installed-colour = installed_colours:MINE", monkeypatch)
    assert check(["installed-colour"]) == 0
    assert "pass  installed-colour travels to workers" in capsys.readouterr().out
    del extractors.MENU["installed-colour"]
    use_plugins([])
    assert "installed-colour" in extractors.MENU


def test_a_broken_package_is_named(tmp_path, monkeypatch):
    install(tmp_path, "metrics", "mine = no_such_module:X", monkeypatch)
    with pytest.raises(InputError, match=r"the package of-mine .*ModuleNotFoundError.*remove it"):
        use_plugins([])


def test_conformance_is_checked_by_a_command(tmp_path, capsys):
    path = plugin(tmp_path, "checked_colours")
    assert check(["mean-colour", "--plugin", str(path)]) == 0
    assert capsys.readouterr().out.count("pass  mean-colour") == 9
    bad = tmp_path / "checked_badly.py"
    code = path.read_text().replace("mean-colour", "worse-colour").replace("Nobody (2020)", "")
    code = code.replace("https://example.org/means", "a book").replace("FACTOR *", "0 *")
    bad.write_text(code)
    assert check(["worse-colour", "--plugin", str(bad)]) == 1
    printed = capsys.readouterr().out
    assert "FAIL  worse-colour fits then transforms: gives the same row for every" in printed
    assert "FAIL  worse-colour says what it is" in printed
    assert check(["none-such"]) == 2
    assert "error: no such extractor as 'none-such'" in capsys.readouterr().err


def test_check_and_describe_refuse_unknown_options_in_one_line(capsys):
    for name, main in (("check", check), ("describe", describe)):
        for options in ([], ["x", "--no-such-option"]):
            assert main(options) == 2, name
            told = capsys.readouterr().err
            assert told.startswith("error: ")
            assert told.endswith("(see --help)\n")
            assert told.count("\n") == 1
