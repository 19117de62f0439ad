"""Extractors of somebody's own, evaluated from Python as they are."""

import importlib
import random
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from describers import Learner, mean_colour, mean_colours
from rankings import same
from sklearn.pipeline import make_pipeline

from benchmarks import evaluate
from datasets.errors import InputError
from extractors import BagOfWords, ColourHistogram, Extractor, Sift

ROOT = Path(__file__).resolve().parents[1]

AT_A_PROMPT = """
import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from benchmarks import evaluate
from extractors import MENU
from extractors.base import Extractor
class Mine(Extractor):
    def transform(self, images):
        return np.stack([image.mean(axis=(0, 1)) for image in images]).astype(np.float32)
if __name__ == "__main__":
    for mine in (Mine(), make_pipeline(MENU["lbp"], FunctionTransformer(np.sqrt))):
        print(evaluate(mine, {folder!r}, cache={cache!r}).name)
"""


@pytest.mark.parametrize("is_read", [True, False])
def test_a_class_typed_at_a_prompt_is_evaluated_and_not_recalled(parted, tmp_path, is_read):
    code = AT_A_PROMPT.format(folder=str(parted), cache=str(tmp_path / "cache"))
    how = {"input": code} if is_read else {"stdin": subprocess.DEVNULL}
    command = [sys.executable, *(["-"] if is_read else ["-c", code])]
    found = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, **how)
    assert found.stdout == "Mine\nPipeline\n"
    assert not list((tmp_path / "cache").glob("vectors/*"))


class Moded(Extractor):
    """Has a mode that is set from outside, and a lock."""

    def __init__(self, **given):
        self.mode = given.get("mode", 1)

    def transform(self, images):
        return mean_colours(images)[:, : self.mode]


class Hidden(Moded):
    """Stores its parameter under another name."""

    def __init__(self, mode=1):
        self._mode = mode


class Standardised(Learner):
    """Its vectors depend on the pictures beside, once it is fitted."""

    def transform(self, images):
        made = mean_colours(images)
        return made - made.mean(axis=0) + 1


class Growing(Learner):
    """Holds what it was shown, and what cannot be copied."""

    def __init__(self):
        self.shown = []
        self.lock = threading.Lock()

    def fit(self, images):
        self.shown += images
        return super().fit(images)


def test_the_object_of_the_caller_is_not_fitted(parted):
    mine = Growing()
    evaluate(mine, parted)
    assert mine.shown == []


def test_the_random_numbers_of_the_caller_go_on(parted, load_dataset):
    def seeding(picture):
        random.seed(1)
        return mean_colour(picture)

    expected = random.getstate()
    evaluate(seeding, load_dataset(parted))
    assert random.getstate() == expected


def test_what_is_set_from_outside_is_not_lost(parted, load_dataset):
    mine = Moded()
    mine.mode = 3
    assert same(evaluate(mine, load_dataset(parted)), evaluate(mean_colours, load_dataset(parted)))


def test_what_learns_is_taken_as_it_is_with_fit_false(parted, load_dataset):
    data = load_dataset(parted)
    words = make_pipeline(Sift(), BagOfWords(4))
    with pytest.raises(InputError, match="not fitted yet"):
        evaluate(words, data, fit=False)


@pytest.mark.parametrize(
    ("extractor", "options", "message"),
    [
        ("lbp", {"fit": False}, "fit=False go with objects; lbp is a name"),
        ("lbp", {"preprocess": abs}, "preprocess= and fit=False go with objects"),
        (ColourHistogram(), {"preprocess": abs}, "preprocess= goes with a Keras model"),
        ("lbp", {"leave_one_out": True}, "a Dataset has been read; give its folder"),
        ("lbp", {"layout": "root=split"}, "a Dataset has been read; give its folder"),
        ("lbp", {"seed": 1}, "a Dataset has been read; give its folder"),
        (Hidden(), {}, "Hidden: cannot be cloned .* stores its arguments under their names"),
        (Standardised(), {}, "Standardised: a vector depends on the pictures beside it"),
    ],
)
def test_what_cannot_be_honoured_is_refused(parted, load_dataset, extractor, options, message):
    with pytest.raises(InputError, match=message):
        evaluate(extractor, load_dataset(parted), **options)


@pytest.mark.parametrize(
    ("dataset", "message"),
    [
        (np.zeros((4, 8, 8, 3)), "dataset= takes no ndarray; give the folder of its pictures"),
        ((np.zeros((4, 8, 8, 3)), "abab"), "dataset= takes no tuple; .* go to evaluate_vectors"),
        (None, "no name and no path"),
    ],
)
def test_what_is_no_dataset_is_one_line(dataset, message):
    with pytest.raises(InputError, match=message):
        evaluate(mean_colour, dataset)


def test_foreign_vectors_are_never_recalled(parted, tmp_path):
    folders = {"out": tmp_path / "out", "cache": tmp_path / "cache", "name": "mine"}
    first = evaluate(lambda picture: mean_colour(picture), parted, **folders)
    second = evaluate(lambda picture: picture.max(axis=(0, 1)), parted, **folders)
    assert not same(first, second)


IN_A_MODULE = """
import numpy as np
from extractors import Extractor

POWER = 1

class Powered(Extractor):
    def fit(self, images, y=None):
        self.power_ = POWER
        return self

    def transform(self, images):
        return [image.astype(float).mean(axis=(0, 1)) ** self.power_ for image in images]

def described(image):
    return Powered().fit([]).transform([image])[0]
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module of somebody's, as a session imports it."""
    place = tmp_path / "code" / "powered.py"
    place.parent.mkdir()
    place.write_text(IN_A_MODULE)
    monkeypatch.syspath_prepend(place.parent)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield importlib.import_module("powered")
    del sys.modules["powered"]


def test_an_edited_module_is_what_it_was_imported_as_last(module, parted, load_dataset):
    data = load_dataset(parted)
    first = evaluate(module.described, data, jobs=2)
    place = Path(module.__file__)
    place.write_text(IN_A_MODULE.replace("POWER = 1", "POWER = 3"))
    assert same(evaluate(module.described, data), first)
    importlib.reload(module)
    here = evaluate(module.described, data)
    assert not same(here, first)
    assert same(evaluate(module.described, data, jobs=2), here)


def test_what_is_set_in_a_module_does_not_reach_workers(module, parted, load_dataset):
    data = load_dataset(parted)
    module.POWER = 3
    expected = evaluate(lambda image: image.mean(axis=(0, 1)) ** 3, data)
    assert same(evaluate(module.described, data), expected)
    with pytest.raises(InputError, match="give one job where something is set"):
        evaluate(module.described, data, jobs=2)


def test_what_a_module_says_is_not_recalled_in_a_session(module, parted, tmp_path):
    first = evaluate(module.Powered(), parted, cache=tmp_path / "cache")
    module.POWER = 3
    second = evaluate(module.Powered(), parted, cache=tmp_path / "cache")
    assert same(second, evaluate(module.described, parted))
    assert not same(second, first)


def test_what_drifts_from_call_to_call_is_refused(parted):
    weights = np.ones(3)

    def drifting(image):
        weights[0] *= 1.001
        return weights * mean_colour(image)

    with pytest.raises(InputError, match="drifting: its vectors are not those"):
        evaluate(drifting, parted)


def test_what_cannot_be_sent_to_workers_has_a_remedy(parted, load_dataset):
    lock = threading.Lock()

    def locked(image):
        with lock:
            return mean_colour(image)

    data = load_dataset(parted)
    assert same(evaluate(locked, data, jobs=1), evaluate(mean_colour, data))
    with pytest.raises(InputError, match="work in one, by --jobs 1"):
        evaluate(locked, data, jobs=2)
