"""Results from Python: where they go, what they are called, and what they are compared with."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from describers import Learner
from rankings import same

from benchmarks import evaluate
from datasets.errors import InputError


def test_results_by_other_judgements_are_not_compared(parted, tmp_path):
    found = []
    for number in range(2):
        root = tmp_path / str(number) / "parted"
        shutil.copytree(parted, root)
        gallery, queries = (
            sorted(
                path.relative_to(root).as_posix() for path in root.glob(f"validation/{part}/*/*")
            )
            for part in ("gallery", "query")
        )
        judged = {
            one: {"positive": gallery[n + number : n + number + 2]}
            for n, one in enumerate(queries)
        }
        (root / "relevance.json").write_text(json.dumps(judged))
        found.append(evaluate("lbp", root, name=f"lbp-{number}"))
    again = evaluate("rgb-histogram", root)
    assert found[1].compare(again)
    with pytest.raises(InputError, match="other right answers"):
        found[0].compare(found[1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (lambda data: {"queries": {}}, "parted: has no queries; give a set of them"),
        (lambda data: {"queries": {"query": ()}}, "parted: query has no images; give some"),
        (lambda data: {"gallery": ()}, "parted: gallery has no images"),
        (
            lambda data: {"gallery": (*data.gallery, replace(data.gallery[0], sha256="0"))},
            "parted: gallery: id 'validation/gallery/apple/00.png' stands twice",
        ),
    ],
)
def test_a_dataset_made_by_hand_is_whole(parted, load_dataset, changes, message):
    data = load_dataset(parted)
    with pytest.raises(InputError, match=message):
        evaluate("lbp", replace(data, **changes(data)))


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda one: one.compare("lbp"), "compare takes results one by one, .*; a str is none"),
        (lambda one: one.compare([one, one]), "compare takes results one by one, .*; a list is"),
        (lambda one: one.by(3), "metric 3 is no name"),
        (lambda one: one.compare(one, metric=None), "metric None is no name"),
    ],
)
def test_what_is_no_result_and_no_metric_is_told(parted, ask, message):
    with pytest.raises(InputError, match=message):
        ask(evaluate("lbp", parted))


def test_results_stay_out_of_the_pictures_and_are_kept_by_names(
    parted, load_dataset, tmp_path, monkeypatch
):
    data = load_dataset(parted)
    with pytest.raises(InputError, match=r"out= .* lies in"):
        evaluate("lbp", data, out=parted / "out")
    with pytest.raises(InputError, match=r"cache= .* lies in"):
        evaluate("lbp", parted, cache=parted / "cache")
    assert not (parted / "cache").exists()
    with pytest.raises(InputError, match="this is a lambda; give it by name="):
        evaluate(lambda picture: picture.mean(axis=(0, 1)), data, out=tmp_path / "out")
    monkeypatch.setenv("HOME", str(tmp_path))
    evaluate("lbp", data, out="~/mine")
    assert (tmp_path / "mine" / "parted" / "table.csv").exists()
    with pytest.raises(InputError, match="neither True nor False"):
        evaluate("lbp", parted, leave_one_out="no")


def test_what_fit_returns_may_be_anything(parted):
    class Fitted(Learner):
        def fit(self, images):
            super().fit(images)
            return np.zeros(3)

    assert same(evaluate(Fitted(), parted, name="a"), evaluate(Learner(), parted, name="b"))
