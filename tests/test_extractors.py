"""Conformance: what every row of the menu must do, whatever it describes."""

import inspect
import pickle
import re

import numpy as np
import pytest
import scipy.sparse
from pictures import picture
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from extractors import MENU
from extractors.base import Extractor
from extractors.local import Detector


def head(estimator):
    return estimator.steps[0][1] if isinstance(estimator, Pipeline) else estimator


def is_local(name):
    return isinstance(head(MENU[name]), Detector)


def is_foreign(step):
    return not type(step).__module__.startswith("extractors.")


def describe(name, photos):
    """What the row's first step makes of pictures, as a list of arrays."""
    made = head(MENU[name]).transform(photos)
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

every_row = pytest.mark.parametrize("name", MENU)


@every_row
def test_fit_then_transform_gives_float32_rows(name):
    estimator = clone(MENU[name])
    made = estimator.fit(PHOTOS).transform(PHOTOS)
    vectors = np.asarray(made.toarray() if scipy.sparse.issparse(made) else made, np.float32)
    assert vectors.shape[0] == len(PHOTOS)
    assert np.isfinite(vectors).all()
    assert vectors.std(axis=0).max() > 0
    assert len(describe(name, PHOTOS)) == len(PHOTOS)


@every_row
def test_a_row_depends_on_its_picture_alone(name):
    together = describe(name, PHOTOS)
    assert all(map(np.array_equal, together, describe(name, PHOTOS)))
    alone = [describe(name, [photo])[0] for photo in reversed(PHOTOS)]
    assert all(map(np.array_equal, together, alone[::-1]))


@every_row
def test_pictures_are_left_as_they_were(name):
    before = [photo.copy() for photo in PHOTOS]
    head(MENU[name]).transform(PHOTOS)
    assert all(map(np.array_equal, before, PHOTOS))


@every_row
@pytest.mark.parametrize("odd", ODD)
def test_odd_pictures_have_a_defined_vector(name, odd):
    [made] = describe(name, [ODD[odd]])
    assert made.shape[-1] == describe(name, PHOTOS[-1:])[0].shape[-1]
    assert np.isfinite(made).all()


@every_row
def test_constructor_only_stores_parameters(name):
    extractor = head(MENU[name])
    twin = clone(extractor)
    assert twin.get_params() == extractor.get_params()
    assert not [key for key in vars(extractor) if key.endswith("_")]
    assert "prepare" in twin.get_params()


@every_row
def test_extractor_travels_to_worker_processes(name):
    extractor = head(MENU[name])
    extractor.transform(PHOTOS[:1])  # what it then holds must travel, too
    twin = pickle.loads(pickle.dumps(extractor))
    made = [np.asarray(getattr(one, "points", one)) for one in twin.transform(PHOTOS)]
    same = [np.asarray(getattr(one, "points", one)) for one in extractor.transform(PHOTOS)]
    assert all(map(np.array_equal, made, same))


@every_row
def test_docstring_names_parameters_and_source(name):
    steps = [step for _, step in MENU[name].steps] if isinstance(MENU[name], Pipeline) else []
    for step in [head(MENU[name]), *(step for step in steps if not is_foreign(step))]:
        text = inspect.getdoc(type(step))
        assert re.search(r"doi:10\.\d{4,}/", text), "the paper's DOI"
        for parameter in step.get_params():
            assert re.search(rf"^{parameter} : ", text, re.MULTILINE), parameter


@every_row
def test_name_is_lower_case_with_hyphens(name):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)


def test_no_pictures_give_no_rows():
    assert len(head(MENU["hog"]).transform([])) == 0


def test_an_extractor_is_abstract():
    with pytest.raises(TypeError):
        Extractor()
