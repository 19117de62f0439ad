"""Plots: what they show is what the numbers say, in two themes, and nothing hides a name."""

import pytest

from benchmarks.menu import make, row_names
from benchmarks.report.kinds import KINDS, kind_of

KIND_BY_NAME = {
    "colour": ("histogram", "colour", "tiny"),
    "texture": ("lbp", "haralick", "gabor", "pftas"),
    "shape": ("hog", "edge-orientation", "gist", "hu-", "zernike", "fourier"),
    "local": ("sift", "rootsift", "surf", "orb", "akaze", "dense-sift"),
    "network": ("cnn", "efficientnet", "densenet", "resnet"),
}


@pytest.mark.parametrize("name", row_names())
def test_every_row_of_the_menu_has_a_kind(name):
    row = make(name)
    found = kind_of({"card": {"extractor": row.identity}})
    assert found in KINDS
    if len(row.rows) > 1:
        assert found == "combined"
    elif not row.is_plain:
        assert found == "re-ranked"
    elif name.startswith("edge-orientation"):
        assert found == "shape"
    else:
        assert any(name.startswith(start) or start in name for start in KIND_BY_NAME[found])


def test_an_extractor_of_somebody_else_is_of_another_kind():
    parts = {"head": {"class": "mine.brightness.BrightnessHistogram"}, "tail": None}
    assert kind_of({"card": {"extractor": parts}}) == "other"
