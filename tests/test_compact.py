"""Compact rankings: every place and metric of the whole, or one clear error."""

import io
from dataclasses import fields, replace
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from test_distractors import gallery, search

from retrieval.metrics import find_metrics, score
from retrieval.ranking import Ranking

FURTHER = find_metrics(["recall@20", "nDCG@10", "mAP@R", "top50"])


def assert_equal(one, other):
    for field in fields(Ranking):
        left, right = getattr(one, field.name), getattr(other, field.name)
        assert left.dtype == right.dtype, field.name
        np.testing.assert_array_equal(left, right, err_msg=field.name)


@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("graded", [False, True])
@pytest.mark.parametrize("distractors", [0, 37])
def test_a_compact_ranking_has_every_place(coarse, graded, distractors):
    whole = search(gallery(distractors), coarse)
    if graded:
        grades = np.random.default_rng(0).integers(1, 4, whole.group_relevant.sum())
        whole = replace(whole, grades=grades.astype(float))
    content = whole.to_compact()
    assert content == whole.to_compact()
    small = Ranking.from_compact(content, "small")
    every = FURTHER | find_metrics(["mAP", "top1", "R-prec"])
    for one, other in [(whole, small)] + [
        (whole.with_distractors(level), small.with_distractors(part))
        for part, level in enumerate((0, 5, 10))
        if distractors
    ]:
        left, right = score(one, every), score(other, every)
        for name in every:
            np.testing.assert_array_equal(left[name], right[name], err_msg=name)
    assert_equal(Ranking.from_compact(small.to_compact(), "again"), small)


def as_file(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def damaged_arrays(change):
    arrays = dict(np.load(io.BytesIO(search(gallery(), True).to_compact())))
    return change(arrays) or arrays


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: {name: one for name, one in arrays.items() if name != "groups"},
        lambda arrays: arrays.update(groups=arrays["groups"][:-1]),
        lambda arrays: arrays.update(groups=arrays["groups"] + 1),
        lambda arrays: arrays.update(groups=arrays["groups"].astype(float)),
        lambda arrays: arrays.update(group_before=arrays["group_before"] + np.uint64(2**40)),
        lambda arrays: arrays.update(group_before=arrays["group_before"] + 250),
        lambda arrays: arrays.update(group_size=-arrays["group_size"].astype(int)),
        lambda arrays: arrays.update(neighbours=arrays["neighbours"].ravel()),
        lambda arrays: arrays.update(confusion=arrays["confusion"][:, :1]),
        lambda arrays: arrays.update(candidates=np.array([{}], object)),
        lambda arrays: arrays.update(grades=np.ones(3)),
    ],
)
def test_a_strange_ranking_is_one_clear_error(change):
    with pytest.raises(ValueError, match=r"^here holds no ranking \("):
        Ranking.from_compact(as_file(**damaged_arrays(change)), "here")


def test_a_ranking_that_swells_is_refused():
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as packed:
        packed.writestr("groups.npy", bytes(2**24))
    with pytest.raises(ValueError, match="larger than the file"):
        Ranking.from_compact(file.getvalue(), "here")
