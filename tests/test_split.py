"""The content-hashed split: the same whatever the file order, copies together."""

import random

from datasets.split import split_by_content

CLASSES = {"a": [f"a{n}" for n in range(100)], "b": [f"b{n}" for n in range(7)]}


def test_shares():
    parts = split_by_content(CLASSES, seed=0)
    counts = [
        [sum(parts[c] == part for c in group) for part in ("query", "training", "gallery")]
        for group in CLASSES.values()
    ]
    assert counts == [[20, 30, 50], [1, 2, 4]]


def test_order_has_no_influence_and_the_seed_has():
    shuffled = {
        name: random.Random(1).sample(group, len(group)) for name, group in CLASSES.items()
    }
    backwards = dict(reversed(shuffled.items()))
    assert split_by_content(backwards, 0) == split_by_content(CLASSES, 0)
    assert split_by_content(CLASSES, 1) != split_by_content(CLASSES, 0)


def test_small_classes():
    assert split_by_content({"a": ["x"]}, 0) == {"x": "gallery"}
    assert sorted(split_by_content({"a": ["x", "y"]}, 0).values()) == ["gallery", "query"]
    three = split_by_content({"a": ["x", "y", "z"]}, 0)
    assert sorted(three.values()) == ["gallery", "query", "training"]


def test_copies_are_one_image():
    assert split_by_content({"a": ["x", "x", "y"]}, 0) == split_by_content({"a": ["x", "y"]}, 0)
    both = split_by_content({"a": ["x", "y"], "b": ["x", "z", "w"]}, 0)
    assert both["x"] == split_by_content({"a": ["x", "y"]}, 0)["x"]
