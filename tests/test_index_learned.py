"""What own extractors learn, in an index: kept so that it is read again, and of one training."""

import datetime
import shutil
from dataclasses import dataclass

import numpy as np
import pytest
from pictures import picture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import extractors
from benchmarks import evaluate
from benchmarks.search import open_index
from benchmarks.search.__main__ import main
from benchmarks.search.api import prepare_index
from benchmarks.search.files import INDEX, steadily
from datasets.errors import InputError
from extractors.base import Descriptor
from extractors.preprocessing import Preprocess, Square


@dataclass(eq=False, repr=False)
class Learner(Descriptor):
    """Mean colour beside that of the training images, and what else it learned."""

    family = "colour"
    summary = "Mean colour"
    reference = "Nobody (2020), Means, https://example.org/means"
    further = None

    prepare: Preprocess = Square(16)

    def fit(self, images, y=None):
        """Learn the mean, and take it by what chance there is."""
        self.learned_ = [np.mean([image.mean(axis=(0, 1)) for image in images], axis=0)]
        if self.further is not None:
            self.learned_.append(self.further)
        return self

    def describe(self, image):
        """Give the mean of each channel."""
        return image.mean(axis=(0, 1)) - self.learned_[0]


class Dated(Learner):
    """One that keeps a date, which nothing of what is read back may hold."""

    further = datetime.date(2020, 1, 1)


class Unseeded(Learner):
    """One that learns something else each time."""

    def fit(self, images, y=None):
        """Learn by chance."""
        self.learned_ = [np.random.default_rng().integers(0, 255, 3)]
        return self


def root(vectors):
    return np.sqrt(np.abs(vectors))


@pytest.fixture(autouse=True)
def menu(monkeypatch):
    for name, one in {
        "dated": Dated(),
        "unseeded": Unseeded(),
        "rooted": make_pipeline(Learner(), FunctionTransformer(root)),
    }.items():
        monkeypatch.setitem(extractors.MENU, name, one)


@pytest.fixture
def given(mixed, parted, tmp_path):
    return {
        "pictures": mixed,
        "learn_from": str(parted),
        "index": tmp_path / "index",
        "cache": tmp_path / "cache",
    }


def options(extractor, given):
    words = [f"--{key.replace('_', '-')}={value}" for key, value in given.items()]
    return ["--extractor", extractor, *words]


def test_what_would_not_be_read_again_is_refused_in_one_line(given, mixed, parted, capsys):
    assert main([str(mixed / "0.jpg"), *options("dated", given)]) == 2
    [line] = [one for one in capsys.readouterr().err.splitlines() if one.startswith("error: ")]
    assert line == (
        "error: --extractor dated: what it learned cannot be kept (it holds datetime.date); "
        "keep plain values and arrays"
    )
    assert not (given["index"] / INDEX).exists()
    assert evaluate("dated", parted).scores  # which reads nothing back


def test_a_function_of_the_own_module_is_read_again(given, mixed):
    index = prepare_index(extractor="rooted", **given)[0]
    assert index.search(mixed / "0.jpg", 1)[0].distance == 0


def test_an_index_is_not_brought_up_to_date_by_another_training(given, mixed, capsys):
    said = f"--index {given['index']}: what the method learned on the same images before is gone"
    for number, is_anew in enumerate((False, False, True)):
        picture(90 + number, 40).save(mixed / f"new-{number}.png")
        if is_anew:
            shutil.rmtree(given["cache"])
        assert main([str(mixed / "0.jpg"), *options("unseeded", given)]) == 0
        assert (said in capsys.readouterr().err) == is_anew
        found = open_index(given["index"]).search(mixed / "0.jpg", 20)
        assert found[0].distance == 0
        assert len(found) == 10 + number


def test_an_index_that_its_own_making_replaces_is_not_made_for_ever(tmp_path):
    made = []

    def work():
        made.append(1)
        (tmp_path / INDEX).write_text(str(len(made)))
        raise InputError("cannot be opened")

    with pytest.raises(InputError, match="cannot be opened"):
        steadily(tmp_path, work)
    assert len(made) < 20
