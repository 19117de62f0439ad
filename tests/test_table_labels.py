"""Tables that mean something else than they seem to: refused, or warned of."""

import pytest
from test_table import table

from datasets.errors import InputError
from datasets.table import read_table


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["path", "images/00.png"], "no column 'label' .* nothing says what is right"),
        (["filename,class_id", "images/00.png,0"], "among 'filename', 'class_id', and none"),
        (["path,label", "images/00.png,a|distractor"], "line 2: a distractor is of no class"),
        (["path,label", "images/00.png,distractor|a"], "line 2: a distractor is of no class"),
        (["path,label", "https://x.org/00.png,a"], "line 2: .* is an address; save the pictures"),
        (["path,label", "images/a%20b.png,a"], r"did you mean 'a b.png'\?"),
    ],
)
def test_a_table_that_means_something_else_says_so(album, lines, message):
    (album / "images" / "a b.png").write_bytes((album / "images" / "00.png").read_bytes())
    with pytest.raises(InputError, match=message):
        read_table(table(album, *lines))


@pytest.mark.parametrize(
    ("heading", "cells", "warning"),
    [
        ("path,label", ["scab", "rust", "scab rust"], "label 'scab rust' is one class"),
        ("path,label", ["a", "b", "a+b"], "label 'a+b' is one class"),
        ("path,label", ["a", "b", "a & b"], "label 'a & b' is one class"),
        ("path,label", ["bear", "polar bear", "cat"], ""),
        ("path,label", ["cat", "dog", "unknown"], "label 'unknown': if its pictures have nothing"),
        ("path,label", ["train", "test", "val"], "sound like parts; if they are, call their"),
        ("path,label,xmin,ymin", ["a,1,2", "b,3,4", "a,5,6"], "look like boxes of objects"),
        ("path,label,is_valid", ["a,True", "b,False", "a,False"], "is_valid may be a split"),
    ],
)
def test_what_may_be_lost_of_a_table_is_warned_of(album, heading, cells, warning):
    rows = [f"images/{n:02}.png,{cell}" for n, cell in enumerate(cells)]
    found = read_table(table(album, heading, *rows)).layout.warnings
    assert any(warning in one for one in found) if warning else not found
