"""Extractors of somebody's own, evaluated from Python as they are."""

import random
import subprocess
import sys
import threading
from pathlib import Path

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


def test_foreign_vectors_are_never_recalled(parted, tmp_path):
    folders = {"out": tmp_path / "out", "cache": tmp_path / "cache", "name": "mine"}
    first = evaluate(lambda picture: mean_colour(picture), parted, **folders)
    second = evaluate(lambda picture: picture.max(axis=(0, 1)), parted, **folders)
    assert not same(first, second)
