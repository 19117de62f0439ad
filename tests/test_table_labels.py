"""Tables that mean something else than they seem to: refused, or warned of."""

import re

import pytest
from test_table import table

from datasets.errors import InputError
from datasets.table import read_table


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["path", "images/00.png"], "no column 'label' .* nothing says what is right"),
        (
            ["filename, cat, dog,note", "images/00.png, 1, 0,x", "images/01.png, 0, 1,y"],
            r"write one with the names of those that are 1, such as cat\|dog",
        ),
        (["filename,class_id", "images/00.png,0"], "among 'filename', 'class_id', and none"),
        (
            ["path,label,split,is_query,is_gallery", "images/00.png,a,validation,True,False"],
            "column 'is_query' is not read; write query and gallery into the column part",
        ),
        (["path,label", "images/00.png,a|distractor"], "line 2: a distractor is of no class"),
        (["path,label", "images/00.png,distractor|a"], "line 2: a distractor is of no class"),
        (["path,label", "https://x.org/00.png,a"], "line 2: .* is an address; save the pictures"),
        (["path,label", "gs://b/images/00.png,a"], "'gs://b/images/00.png' is an address"),
        (["path,label", "file:///images/00.png,a"], "'file:///images/00.png' is an address"),
        (["path,label", "00.png,a"], r"did you mean 'images/00.png'\?"),
        (["path,label", "/images/00.png,a"], r"did you mean 'images/00.png'\?"),
        (["path,label", "nowhere/00.png,a"], r"paths are relative to .*album$"),
        (["path,label", "images/a%20b.png,a"], r"did you mean 'images/a b.png'\?"),
        (["path,label", r"C:\Users\me\images\00.png,a"], r"did you mean 'images/00.png'\?"),
        (["path,label", "/drive/data/00.png,a"], r"did you mean 'images/00.png'\?"),
        (["path,label", "data/images/00.png,a"], r"did you mean 'images/00.png'\?"),
        (["path,label", "album/00,a"], r"did you mean 'images/00.png'\?"),
        (
            ["path,label", "images/00.png,a", "Labels,12"],
            r"'Labels' in line 3.; paths are .*album$",
        ),
        (["path,label", "00,a"], r"did you mean 'images/00.png'\?"),
        (["images/00.png,a", "images/01.png,b"], "the first line names a picture, not columns"),
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
        *(
            ("path,label", ["rust", "scab", f"rust{sign}scab"], f"'rust{sign}scab' is one class")
            for sign in "_-.:#/"
        ),
        ("path,label", ["cat dog", "dog cat", "cat bird"], "label 'cat dog' is one class"),
        ("path,label", ["bear", "polar bear", "cat"], ""),
        ("path,label", ["1", "2", "1.2"], ""),
        ("path,label", ["1_11", "11_1", "2_1"], ""),
        ("path,label", ["C", "C#", "C++"], ""),
        ("path,label", ["cat", "dog", "unknown"], "label 'unknown': if its pictures have nothing"),
        ("path,label", ["train", "test", "val"], "sound like parts; if they are, call their"),
        ("path,label,xmin,ymin", ["a,1,2", "b,3,4", "a,5,6"], "look like boxes of objects"),
        ("path,label,x_1,y_1", ["a,1,2", "b,3,4", "a,5,6"], "look like boxes of objects"),
        ("path,label,data_type", ["a,Training", "b,PublicTest", "a,Training"], "may be a split"),
        ("path,label,is_training_image", ["a,1", "b,0", "a,0"], "may be a split"),
        ("path,label,is_valid", ["a,True", "b,False", "a,False"], "is_valid may be a split"),
    ],
)
def test_what_may_be_lost_of_a_table_is_warned_of(album, heading, cells, warning):
    rows = [f"images/{n:02}.png,{cell}" for n, cell in enumerate(cells)]
    found = read_table(table(album, heading, *rows)).layout.warnings
    assert any(warning in one for one in found) if warning else not found


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["1.11086E+11", "2.11086E+11"], "line 2: '1.11086E.11' as label is a number that a sp"),
        (["a", "1,5E+12"], "line 3: .* has rounded; save the column as text, with all digits"),
        (["a", "#NAME?"], "line 3: '#NAME.' as label is an error of a spreadsheet; mend the cell"),
        (["#REF!", "b"], "line 2: '#REF!' as label is an error"),
        (["a", "b", "-"], "line 4: '-' as label may be a missing value; leave the cell empty"),
        (["a", "?", "b"], "line 3: '.' as label may be a missing value"),
        (["a", "b", "--"], "line 4: '--' as label may be a missing value"),
        (["a", "b", "–"], "line 4: '–' as label may be a missing value"),
        (["/", "b", "a"], "line 2: '/' as label may be a missing value"),
        (["a", "b", "..."], "line 4: '...' as label may be a missing value"),
        (["a", "N.A.", "b"], "line 3: 'N.A.' as label may be a missing value"),
        (["a", "TODO", "b"], "line 3: 'TODO' as label may be a missing value"),
        (["a", r"\N", "b"], "line 3: .* as label may be a missing value"),
        (["1", "2", "-999"], "line 4: '-999' as label may be a missing value"),
        (["1.0", "2.0", "-1.0"], "line 4: '-1.0' as label may be a missing value"),
        (["0", "-1", "7"], "line 3: '-1' as label may be a missing value"),
    ],
)
def test_what_stands_for_no_label_is_refused(album, cells, message):
    rows = [f'images/{n:02}.png;"{cell}"' for n, cell in enumerate(cells)]
    with pytest.raises(InputError, match=message):
        read_table(table(album, "path;label", *rows))


@pytest.mark.parametrize(
    ("cells", "warnings"),
    [
        (["+", "-", "?"], []),
        (["-2", "-1", "0"], []),
        (["-99", "-1", "0"], []),
        (["-9", "0", "9"], []),
        (["a", ";", "."], []),
        (["★", "★★", "★★★"], []),
        (["a", "b", "★"], []),
        (["missing", "empty", "blank"], []),
        (["-1", "cat", "5"], []),
        (["5E+3", "#1", "x-"], []),
        (["-1", "0", "1"], ["label '-1': if it hides the class, leave its cells empty"]),
    ],
)
def test_labels_that_look_like_none_and_may_be_classes_are(album, cells, warnings):
    rows = [f"images/{n:02}.png,{cell}" for n, cell in enumerate(cells)]
    found = read_table(table(album, "path,label", *rows))
    assert [item.label for item in found.items] == cells
    assert [*found.layout.warnings] == warnings


@pytest.mark.parametrize(
    "lines",
    [
        ["path,label", "images/00.png,a", "images/01.png,b", ",", " , ", ",,,"],
        ["sep=;", "path;label", "images/00.png;a", "images/01.png;b"],
        ['"sep=|"', "path|label", "images/00.png|a", "images/01.png|b"],
        ['"path", "label"', '"images/00.png", "a"', '"images/01.png", "b"'],
    ],
)
def test_tables_as_spreadsheets_write_them_are_read(album, lines):
    found = read_table(table(album, *lines))
    assert [(item.id, item.label) for item in found.items] == [
        ("images/00.png", "a"),
        ("images/01.png", "b"),
    ]


def test_a_line_that_names_the_separator_is_counted(album):
    with pytest.raises(InputError, match="line 3: no path"):
        read_table(table(album, "sep=;", "path;label", ";a"))


def test_rows_of_objects_are_told_from_rows_of_pictures(album):
    rows = ["images/00.png,a,1,2", "images/00.png,a,3,4"]
    with pytest.raises(InputError, match="line 2 already; rows are objects; write one row for"):
        read_table(table(album, "filename,class,xmin,ymin", *rows))


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["cat", "dog", "Cat", "dog"], ""),
        (["cat", "dog", "cat", "cat"], "1 pictures lie .* such as 'dog/01.png' with label 'cat'"),
        (["cat|pet", "pet|dog", "cat|dog", "dog"], ""),
        (["dog", "cat", "dog", "cat"], "4 pictures lie in a folder called like another class"),
        (["red", "blue", "red", "blue"], ""),
        (["", "dog", "cat", "dog"], ""),
    ],
)
def test_labels_that_their_folders_deny_are_warned_of(album, labels, told):
    places = [f"{folder}/0{n}.png" for n in (0, 1) for folder in ("cat", "dog")]
    for place, source in zip(places, sorted((album / "images").iterdir()), strict=False):
        (album / place).parent.mkdir(exist_ok=True)
        (album / place).write_bytes(source.read_bytes())
    rows = map(",".join, zip(places, labels, strict=True))
    warnings = read_table(table(album, "path,label", *rows)).layout.warnings
    found = [one for one in warnings if "pictures lie in a folder" in one]
    assert [bool(re.match(told, one)) for one in found] == [True] * bool(told)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["cat_1", "dog2", "Cat 3", "cat-4"], [True]),
        (["cat_1", "dog2", "cat3", "dog4"], []),
        (["cat_1", "dog2", "cat3", "cup"], []),
        (["a", "dog2", "cat3", "cat4"], []),
    ],
)
def test_labels_that_their_names_deny_are_warned_of(album, names, told):
    for name, source in zip(names, sorted((album / "images").iterdir()), strict=False):
        (album / f"{name}.png").write_bytes(source.read_bytes())
    rows = [f"{name}.png,{label}" for name, label in zip(names, ["cat", "dog"] * 2, strict=True)]
    warnings = read_table(table(album, "path,label", *rows)).layout.warnings
    said = "1 pictures are called like another class than theirs, such as 'cat-4.png' with label"
    assert [one.startswith(said) for one in warnings] == told


@pytest.mark.parametrize(
    ("groups", "told", "doubt"),
    [
        (["x", "x", "y", "y"], "2 groups (x, y)", "2 groups for 3 classes: pictures of one"),
        (["x", "x", "x", ""], "1 group (x)", "1 group for 3 classes: pictures of one"),
        (["x", "y", "z", "k"], "4 groups (k, x, y, …)", ""),
        (["1", "2", "3", "1.0"], "4 groups (1, 1.0, 2, …)", "group: '1' and '1.0' differ in case"),
        (["", "", "", ""], "", ""),
    ],
)
def test_groups_are_told(album, load_dataset, groups, told, doubt):
    labels = ["a", "b", "c", "a"]
    rows = [f"images/{n:02}.png,{labels[n]},{group}" for n, group in enumerate(groups)]
    found = read_table(table(album, "path,label,scene", *rows))
    expected = [f"group: {told}; pictures of one are junk for each other"] if told else []
    assert found.understood()[2:] == expected
    assert len(found.layout.warnings) == bool(doubt)
    assert all(one.startswith(doubt) for one in found.layout.warnings)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (".git/annex/objects/x/MD5E-s1--a.png", "get its content by: git annex get"),
        ("nowhere.png", "a link to a file that is not there"),
    ],
)
def test_a_link_to_nothing_is_told_from_no_file(album, target, message):
    (album / "link.png").symlink_to(target)
    with pytest.raises(InputError, match=rf"1 of 1 files are not there .*{message}"):
        read_table(table(album, "path,label", "link.png,a"))
