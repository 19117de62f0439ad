"""Conformance: what every row of the menu must do, whatever it describes."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED
from pictures import picture

import extractors
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from extractors import MENU, Description, conformance, describe
from extractors.__main__ import row
from extractors.base import Descriptor, Extractor
from extractors.conformance import CHECKS, Candidate, NonconformityError, run_checks
from extractors.networks import engine, training, weights
from extractors.preprocessing import Square


@cache
def candidate(name):
    """The entry under test, which is trained once."""
    return Candidate(name, MENU[name])


README = (Path(extractors.__file__).parent / "README.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def small_batches(request, monkeypatch):
    """Networks see two pictures at a time; rows without weights are skipped, saying so."""
    monkeypatch.setattr(engine, "BATCH", 2)
    # One step is not worth a minute of compiling it.
    monkeypatch.setattr(training, "compiled_how", lambda: {"run_eagerly": True})
    name = request.node.callspec.params.get("name") if hasattr(request.node, "callspec") else None
    if name and candidate(name).is_network:
        if (SHARED.parent / "weights").is_dir():
            request.getfixturevalue("real_weights")
        if obstacle := ExtractorSteps(name, MENU[name]).obstacle:
            pytest.skip(obstacle)


@pytest.fixture(scope="module", autouse=True)
def no_downloads():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "PATIENCE", 0.001)
        yield


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", MENU)
def test_every_entry_conforms(name, check):
    CHECKS[check](candidate(name))


@pytest.mark.parametrize(
    "name", [name for name in MENU if not Candidate(name, MENU[name]).is_network]
)
def test_rows_are_the_same_wherever_arrays_lie_in_memory(name):
    rows, held = set(), []
    for number in range(20):
        sizes = np.random.default_rng(number).integers(1, 20_000, 20)
        held = [*held, *(np.empty(size, np.uint8) for size in sizes)][::2]
        extracted = candidate(name).extract(conformance.photos())
        rows.add(b"".join(row.tobytes() for row in extracted))
    assert len(rows) == 1


class Wrong(Descriptor):
    """Breaks one rule at a time."""

    family = "other"
    summary = "Nothing of use"
    reference = "Nobody (2020), Nothing, https://example.org/nothing"
    prepare = staticmethod(Square(8))

    def __init__(self, fault=""):
        self.fault = fault

    def describe(self, image):
        """Give the mean colour, but for the fault."""
        made = image.mean(axis=(0, 1))
        if self.fault == "constant":
            return np.ones(3)
        if self.fault in ("changes", "changes what it is passed"):
            image[...] = 0
        if self.fault == "random":
            return made + np.random.default_rng().normal(size=3)
        if self.fault == "odd" and not made.any():
            return np.full(3, np.nan)
        return made

    def transform(self, images):
        """Describe each, but for the fault."""
        if self.fault == "changes":
            return np.stack([self.describe(image) for image in images]).astype(np.float32)
        made = super().transform(images)
        if self.fault == "neighbours":
            return made - made.mean(axis=0)
        return made.astype(np.float64) if self.fault == "double" else made


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("constant", "fits_then_transforms"),
        ("double", "fits_then_transforms"),
        ("random", "describes_each_picture_alone"),
        ("neighbours", "describes_each_picture_alone"),
        ("changes", "leaves_pictures_alone"),
        ("changes what it is passed", "leaves_pictures_alone"),
        ("odd", "describes_odd_pictures"),
        ("", "documents_its_parameters"),
    ],
)
def test_a_broken_rule_is_found(fault, check):
    with pytest.raises(NonconformityError):
        CHECKS[check](Candidate("wrong", Wrong(fault)))
    others = dict(run_checks(Candidate("wrong", Wrong())))
    assert [name for name, failure in others.items() if failure] == ["documents_its_parameters"]


@pytest.mark.parametrize("name", ["hsv-histogram", "sift-bovw"])
def test_what_is_no_list_of_pictures_is_refused(name):
    [picture, *_] = conformance.photos()
    first = candidate(name).steps[0]
    wrong = [picture, [picture / 255], [picture.astype(np.float32)], [picture[..., 0]], ["a.jpg"]]
    for given in wrong:
        with pytest.raises(ValueError, match="transform takes a list of pictures, each an RGB"):
            first.transform(given)


def test_no_pictures_give_no_rows():
    assert len(MENU["hog"].transform([])) == 0


def test_an_extractor_is_abstract():
    with pytest.raises(TypeError):
        Extractor()


def test_readme_lists_the_menu_as_it_is():
    listed, family = set(), ""
    table = README.partition("<!-- menu -->")[2].partition("<!-- end -->")[0]
    for line in table.splitlines():
        if line.startswith("**"):
            family = line.strip("*").lower()
        if line.startswith("| `"):
            names = re.findall(r"`(.*?)`", line.split("|")[1])
            for name in names:
                assert describe(MENU[name]).family == family
                assert line == row(names, describe(MENU[name])), "see python -m extractors"
            listed |= set(names)
    built_in = {
        name
        for name in MENU
        if all("version" in vars(type(step)) for step in candidate(name).own_steps)
        and describe(MENU[name]).family != "network"  # a backbone is added by one line
    }
    assert built_in <= listed


def test_readme_example_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    picture(0).save("picture.jpg")
    exec(re.search(r"```python\n(.*?)```", README, re.DOTALL)[1], {})
    assert "gradients" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("reference", "link"),
    [
        ("Hu (1962), Moments, doi:10.1/a", "[Hu 1962](https://doi.org/10.1/a)"),
        (
            "Zahn and Roskies (1972), Fourier, doi:10.1/b",
            "[Zahn and Roskies 1972](https://doi.org/10.1/b)",
        ),
        ("Bay, Ess and Gool (2008), SURF, https://x.org/y", "[Bay et al. 2008](https://x.org/y)"),
        ("Notes of mine, https://x.org/y", "[Notes of mine](https://x.org/y)"),
        ("https://x.org/y", "[https://x.org/y](https://x.org/y)"),
    ],
)
def test_sources_are_links(reference, link):
    assert (
        row(["a"], Description("other", "A thing", (reference,))) == f"| `a` | A thing | {link} |"
    )
