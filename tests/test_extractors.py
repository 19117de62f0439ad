"""Conformance: what every row of the menu must do, whatever it describes."""

import inspect
import pickle
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from conftest import SHARED
from pictures import picture
from sklearn.base import clone
from sklearn.pipeline import Pipeline

import extractors
from benchmarks.pipeline.methods.extractor import ExtractorSteps
from extractors import FAMILIES, MENU, Description, describe
from extractors.__main__ import row
from extractors.base import Extractor
from extractors.local_features.detector import Detector
from extractors.networks import engine, training, weights
from extractors.networks.finetuning import FineTuned
from extractors.networks.pretrained import Network
from extractors.networks.scratch import ScratchNetwork
from extractors.networks.training import Recipe


def head(estimator):
    return estimator.steps[0][1] if isinstance(estimator, Pipeline) else estimator


def is_local(name):
    return isinstance(head(MENU[name]), Detector)


def is_network(name):
    return isinstance(head(MENU[name]), Network)


def is_trained(step):
    return isinstance(step, FineTuned | ScratchNetwork)


@cache
def ready(name):
    """The row's first step, trained a little if pictures cannot be described without."""
    step = clone(head(MENU[name]))
    if is_trained(step):
        step.set_params(recipe=Recipe(epochs=1), augmentation=None)
        step.fit(PHOTOS, LABELS)
    return step


def extract(name, photos):
    """What the row's first step makes of pictures, as a list of arrays."""
    made = ready(name).transform(photos)
    if is_local(name):
        return [np.column_stack([found.points, found.descriptors]) for found in made]
    assert made.dtype == np.float32
    return list(made)


PHOTOS = [np.array(picture(seed, size)) for seed, size in enumerate((40, 64, 97, 128, 300))]
for number, photo in enumerate(PHOTOS):  # something with edges, elsewhere in each
    photo[5 + number : 20, 10 : 22 + 2 * number] = 0
    fine = np.random.default_rng(number).integers(0, 2, (9, 9, 1)).astype(np.uint8)
    side = len(photo) // 2 // 9 * 9
    blocks = fine.repeat(side // 9, 0).repeat(side // 9, 1)
    photo[-side - 2 : -2, -side - 2 : -2] //= 1 + 2 * blocks
ODD = {
    "one pixel": np.zeros((1, 1, 3), np.uint8),
    "two by two": np.array([[[0, 0, 0], [255, 255, 255]]] * 2, np.uint8),
    "a line": np.full((1, 90, 3), 200, np.uint8),
    "very long": np.random.default_rng(0).integers(0, 256, (3, 900, 3)).astype(np.uint8),
    "black": np.zeros((50, 70, 3), np.uint8),
    "white": np.full((50, 70, 3), 255, np.uint8),
    "noise": np.random.default_rng(1).integers(0, 256, (80, 60, 3)).astype(np.uint8),
    "stripes": np.tile(np.array([[0], [255]], np.uint8), (20, 30))[..., None].repeat(3, 2),
}

README = (Path(extractors.__file__).parent / "README.md").read_text(encoding="utf-8")
LABELS = ["a", "b", "a", "b", "a"]

every_row = pytest.mark.parametrize("name", MENU)


@pytest.fixture(autouse=True)
def small_batches(request, monkeypatch):
    """Networks see two pictures at a time; rows without weights are skipped, saying so."""
    monkeypatch.setattr(engine, "BATCH", 2)
    # One step is not worth a minute of compiling it.
    monkeypatch.setattr(training, "compiled_how", lambda: {"run_eagerly": True})
    name = request.node.callspec.params.get("name") if hasattr(request.node, "callspec") else None
    if name and is_network(name):
        if (SHARED.parent / "weights").is_dir():
            request.getfixturevalue("real_weights")
        if obstacle := ExtractorSteps(name, MENU[name]).obstacle:
            pytest.skip(obstacle)


@pytest.fixture(scope="module", autouse=True)
def no_downloads():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(weights, "_PATIENCE", 0.001)
        yield


@every_row
def test_fit_then_transform_gives_float32_rows(name):
    estimator = clone(MENU[name])
    for step in (step for _, step in getattr(estimator, "steps", [("", estimator)])):
        if is_trained(step):
            step.set_params(recipe=Recipe(epochs=1), augmentation=None)
    made = estimator.fit(PHOTOS, LABELS).transform(PHOTOS)
    vectors = np.asarray(made.toarray() if scipy.sparse.issparse(made) else made, np.float32)
    assert vectors.shape[0] == len(PHOTOS)
    assert np.isfinite(vectors).all()
    assert vectors.std(axis=0).max() > 0
    assert len(extract(name, PHOTOS)) == len(PHOTOS)


@every_row
def test_a_row_depends_on_its_picture_alone(name):
    together = extract(name, PHOTOS)
    assert all(map(np.array_equal, together, extract(name, PHOTOS)))
    alone = [extract(name, [photo])[0] for photo in reversed(PHOTOS)]
    for one, other in zip(together, alone[::-1], strict=True):
        # A network's kernels may round by a picture's place in the batch.
        spread = 1e-4 * np.abs(one).max() if is_network(name) else 0
        np.testing.assert_allclose(one, other, rtol=0, atol=spread)


@every_row
def test_pictures_are_left_as_they_were(name):
    before = [photo.copy() for photo in PHOTOS]
    ready(name).transform(PHOTOS)
    assert all(map(np.array_equal, before, PHOTOS))


@every_row
@pytest.mark.parametrize("odd", ODD)
def test_odd_pictures_have_a_defined_vector(name, odd):
    [made] = extract(name, [ODD[odd]])
    assert made.shape[-1] == extract(name, PHOTOS[-1:])[0].shape[-1]
    assert np.isfinite(made).all()


@every_row
def test_constructor_only_stores_parameters(name):
    extractor = head(MENU[name])
    twin = clone(extractor)
    assert twin.get_params() == extractor.get_params()
    assert not [key for key in vars(extractor) if key.endswith("_")]
    assert "prepare" in twin.get_params() or hasattr(twin, "prepare")


@every_row
def test_extractor_travels_to_worker_processes(name):
    extractor = ready(name)
    extractor.transform(PHOTOS[:1])  # what it then holds must travel, too
    twin = pickle.loads(pickle.dumps(extractor))
    made = [np.asarray(getattr(one, "points", one)) for one in twin.transform(PHOTOS)]
    same = [np.asarray(getattr(one, "points", one)) for one in extractor.transform(PHOTOS)]
    assert all(map(np.array_equal, made, same))


def own_steps(name):
    """The row's steps that are no library's."""
    steps = [step for _, step in getattr(MENU[name], "steps", [("", MENU[name])])]
    return [step for step in steps if type(step).__module__.startswith("extractors.")]


@every_row
def test_docstring_names_parameters(name):
    for step in own_steps(name):
        text = inspect.getdoc(type(step))
        for parameter in step.get_params():
            assert re.search(rf"^{parameter} : ", text, re.MULTILINE), parameter


@every_row
def test_class_names_family_summary_and_sources(name):
    described = describe(MENU[name])
    assert described.family in FAMILIES
    for step in own_steps(name):
        assert 0 < len(step.summary) < 80
        assert "\n" not in step.summary
        assert step.summary in described.summary
        sources = step.reference.split("; ")
        assert all(re.search(r"doi:10\.\d{4,}/\S+$|https://\S+$", source) for source in sources)
        assert set(sources) <= set(described.references)


@every_row
def test_name_is_lower_case_with_hyphens(name):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)


def test_no_pictures_give_no_rows():
    assert len(head(MENU["hog"]).transform([])) == 0


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
        if all("version" in vars(type(step)) for step in own_steps(name))
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
