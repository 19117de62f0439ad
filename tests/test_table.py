"""Datasets as tables: files, labels, parts, groups and crop boxes, or one clear line."""

import numpy as np
import pytest
from PIL import Image

from datasets.errors import InputError
from datasets.table import read_table
from retrieval.protocol import judge


def write(path, *lines, encoding="utf-8"):
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


def table(album, *lines):
    return write(album / "labels.csv", *lines)


def judged(data, part="query"):
    """Query to its relevant and excluded gallery images."""
    judgements = judge(data.queries[part], data.gallery, data.relevance)
    names = [image.id.split("/")[-1] for image in data.gallery]
    return {
        query.id.split("/")[-1]: (
            [names[n] for n in one.positive],
            [names[n] for n in one.excluded],
        )
        for query, one in zip(data.queries[part], judgements.of, strict=True)
    }


def test_labels_alone_are_split_by_content(album, load_dataset):
    rows = [f"images/{n:02}.png,{'cat' if n < 6 else 'dog'}" for n in range(12)]
    data = load_dataset(f"mine={table(album, 'file,label', *rows)}")
    assert data.name == "mine"
    assert (len(data.training), len(data.gallery), len(data.queries["query"])) == (4, 6, 2)
    assert {image.label for image in data.gallery} == {"cat", "dog"}
    assert "by content hash" in data.split


def test_parts_groups_several_labels_and_distractors(album, load_dataset):
    path = table(
        album,
        "path,labels,part,group",
        "images/00.png,cat|pet,query,a",
        "images/01.png,cat,gallery,a",
        "images/02.png,pet,gallery,b",
        "images/03.png,cow,gallery,",
        "images/04.png,distractor/wolf,gallery,",
        "images/05.png,cow,query-night,",
        "images/06.png,dog|pet,gallery,",
        "images/07.png,cat,train,",
    )
    data = load_dataset(path)
    assert data.name == "labels"
    assert judged(data) == {"00.png": (["02.png", "06.png"], ["01.png"])}
    assert judged(data, "query-night") == {"05.png": (["03.png"], [])}
    assert [image.distractor for image in data.gallery if image.distractor] == ["wolf"]
    assert [image.id for image in data.training] == ["images/07.png"]


def test_held_out_parts_are_split(album, load_dataset):
    rows = [f"images/{n:02}.png,{'ab'[n % 2]},{'train' if n < 4 else 'val'}" for n in range(12)]
    data = load_dataset(table(album, "image,class,split", *rows))
    assert (len(data.training), len(data.gallery), len(data.queries["query"])) == (4, 6, 2)


def test_parts_that_are_held_out_and_those_that_are_empty_are_split_apart(album, load_dataset):
    rows = [f"images/{n:02}.png,{'ab'[n % 2]},{'test' if n < 4 else ''}" for n in range(12)]
    data = load_dataset(table(album, "image,class,split", *rows))
    assert (len(data.training), len(data.gallery), len(data.queries["query"])) == (2, 6, 4)
    assert not {f"images/{n:02}.png" for n in range(4)} & {image.id for image in data.training}
    assert "30% training, the rest gallery; of what is held out none is training" in data.split


def test_a_picture_of_the_gallery_may_ask(album, load_dataset):
    rows = [f"images/{n:02}.png,{'ab'[n % 2]},gallery" for n in range(4)]
    path = table(album, "path,label,part", "images/00.png,a,query", *rows)
    assert judged(load_dataset(path)) == {"00.png": (["02.png"], ["00.png"])}


def test_classes_that_differ_in_case_only_are_named(album):
    found = read_table(table(album, "path,label", "images/00.png,Cat", "images/01.png,dog|cat"))
    assert [(row.id, row.what) for row in found.problems] == [
        ("cat", "differs from the class 'Cat' in case or form only"),
        ("labels.csv", "10 pictures beside its own, such as '02.png', are not in it"),
    ]


def test_labels_may_stand_in_rows_of_their_own(album):
    found = read_table(
        table(album, "path,label", "images/00.png,cat", "images/00.png,pet", "images/01.png,dog")
    )
    assert [(item.label, item.further) for item in found.items] == [("cat", ("pet",)), ("dog", ())]


def test_a_query_may_be_a_part_of_a_picture(album, load_dataset, run):
    path = table(
        album,
        "path,label,part,left,top,right,bottom",
        "images/00.png,a,query,2,4,12,20",
        "images/00.png,b,query,0,0,24,24",
        "images/01.png,a,gallery,,,,",
        "images/02.png,b,gallery,,,,",
    )
    data = load_dataset(path)
    assert [image.id for image in data.queries["query"]] == [
        "images/00.png#0,0,24,24",
        "images/00.png#2,4,12,20",
    ]
    whole = np.asarray(Image.open(album / "images" / "00.png"))
    part = np.asarray(Image.open(data.queries["query"][1].path))
    np.testing.assert_array_equal(part, whole[4:20, 2:12])
    assert run("--dataset", path, "--extractor", "hsv-histogram", "--edges", "--quiet") == 0


def test_the_whole_picture_is_junk_for_a_part_of_it(album, load_dataset):
    (album / "images" / "copy.png").write_bytes((album / "images" / "00.png").read_bytes())
    path = table(
        album,
        "path,label,part,left,top,right,bottom",
        "images/00.png,a,query,2,4,12,20",
        "images/copy.png,a,gallery,,,,",
        "images/01.png,a,gallery,,,,",
        "images/02.png,b,gallery,,,,",
    )
    assert [*judged(load_dataset(path)).values()] == [(["01.png"], ["copy.png"])]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters(album, encoding, delimiter):
    lines = [f"Path{delimiter}LABEL", f'"images/00.png"{delimiter}"Käse{delimiter} jung"']
    path = write(album / "t.csv", *lines, encoding=encoding)
    assert [item.label for item in read_table(path).items] == [f"Käse{delimiter} jung"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-32-be"])
def test_an_encoding_that_nothing_tells_is_refused(album, encoding):
    path = write(album / "t.csv", "path,label", "images/00.png,a", encoding=encoding)
    with pytest.raises(InputError, match="holds NUL bytes, so it is no UTF-8 text; save it as"):
        read_table(path)


def test_parquet(album):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet
    from pyarrow import table as arrow

    columns = {"file": ["images/00.png", "images/01.png"], "labels": [["a", "b"], ["c"]]}
    parquet.write_table(arrow(columns), album / "t.parquet")
    found = read_table(album / "t.parquet").items
    assert [(item.label, item.further) for item in found] == [("a", ("b",)), ("c", ())]
    for name, data in (("image", {"bytes": b"x" * 999, "path": "x"}), ("label", b"a")):
        given = {"file": ["images/00.png"]} if name == "label" else {}
        parquet.write_table(arrow({**given, name: [data]}), album / "t.parquet")
        with pytest.raises(InputError, match=f"line 1: the column '{name}' holds data") as refused:
            read_table(album / "t.parquet")
        assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["name,label", "images/00.png,a"],
            "no column 'path' or 'file' or 'filename' among 'name'",
        ),
        (["path,file", "a,b"], "'path' and 'file' are both the path"),
        (
            ["path,label", "images/99.png,a"],
            r"1 of 1 files are not there \('images/99.png' in line 2",
        ),
        (
            ["path,label", "images/00.png,a", "images/00.png,a"],
            "line 3: .* stands in line 2 already",
        ),
        (
            ["path,label,part", "images/00.png,a,query", "images/00.png,b,gallery"],
            "line 3: .* stands in line 2 already; .* two, alike but for the part",
        ),
        (["path,part", f"images/00.png,{'x' * 999}"], r"line 2: unknown part 'x+\.\.\.x+'; "),
        (["path,label", "images/00.png,a,b"], "line 2: more cells than columns"),
        (["path,label", "images/00.png"], "line 2: fewer cells than columns"),
        (["path,label", ",a"], "line 2: no path"),
        (["path,part", "images/00.png,somewhere"], "line 2: unknown part 'somewhere'"),
        (["path,left,top", "images/00.png,1,2"], "a crop box needs all of"),
        (
            ["path,part,left,top,right,bottom", "images/00.png,query,9,9,3,3"],
            r"line 2: no box \(9, 9, 3, 3\)",
        ),
        (
            ["path,part,left,top,right,bottom", "images/00.png,gallery,0,0,3,3"],
            "line 2: only queries have a crop box",
        ),
        ([""], "is empty; write names of columns"),
        (["path,label"], "has no rows; write one for each picture"),
        (
            ["path,part,left,top,right,bottom", "images/00.png,query,.1,.1,.9,.9"],
            r"line 2: a box \(.1, .1, .9, .9\) is in pixels, not shares",
        ),
        (
            ["path,part,left,top,right,bottom", "images/00.png,query,0,0,1,1.0"],
            "line 2: .* is in pixels, not shares",
        ),
        (
            ["path,part,left,top,right,bottom", "images/00.png,query,0,0,nan,9"],
            r"line 2: no box \(0, 0, nan, 9\)",
        ),
        *(
            (
                ["path,label,group", f"images/00.png,{cells}"],
                f"line 2: .* as {column} may be a mis",
            )
            for cells, column in (
                *(("nan,", "label"), ("a,nan", "group"), ("NaN,", "label"), ("a|NULL,", "label")),
                *(("None,", "label"), ("a,<NA>", "group"), ("NA,", "label")),
            )
        ),
        *(
            (["path;label", f"images/00.png;{cell}"], "line 2: .* looks like a list; write labels")
            for cell in ("['a', 'z']", "('a',)", "[]", "[1 2]", "{'a'}", '["a"]', "[a, z]")
        ),
    ],
)
def test_a_wrong_table_says_where(album, lines, message):
    with pytest.raises(InputError, match=message):
        read_table(table(album, *lines))


@pytest.mark.parametrize("label", ["none", "(1)", "[sic] cat", "nan bread", "a, b", "C[3]", "Nat"])
def test_names_that_look_like_none_of_these_are_names(album, label):
    rows = [f'images/00.png,"{label}"', "images/01.png,"]
    found = read_table(table(album, "path,label", *rows))
    assert [item.label for item in found.items] == [label, None]


def test_nan_is_no_name_in_columns_of_numbers(album):
    pa, pq = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    numbers = [1.0, float("nan"), None]
    files = [f"images/{n:02}.png" for n in range(3)]
    parts = ["gallery"] * 3
    given = {
        "path": files,
        "label": numbers,
        "group": numbers,
        "part": parts,
        "left": numbers[1:2] * 3,
    }
    given |= dict.fromkeys(("top", "right", "bottom"), given["left"])
    pq.write_table(pa.table(given), album / "t.parquet")
    found = read_table(album / "t.parquet").items
    assert [(item.label, item.group) for item in found] == [("1.0", "1.0"), *[(None, None)] * 2]
    pq.write_table(pa.table({"path": pa.array([], pa.string())}), album / "t.parquet")
    with pytest.raises(InputError, match="has no rows"):
        read_table(album / "t.parquet")


@pytest.mark.parametrize("other", ["a", "a;b"])
def test_labels_with_another_sign_between_them_are_warned_of(album, other):
    rows = ["images/00.png,a;z", f"images/01.png,{other}", "images/02.png,k;l"]
    [warning] = read_table(table(album, "path,label", *rows)).layout.warnings
    assert warning == "line 2: label 'a;z' is one class; several have | between them"


def test_two_files_whose_names_differ_in_form_alone_are_two(album):
    names = ["caf\u00e9.png", "cafe\u0301.png"]
    for number, name in enumerate(names):
        (album / name).write_bytes((album / "images" / f"{number:02}.png").read_bytes())
    if (album / names[0]).samefile(album / names[1]):
        pytest.skip("one name on this system")
    found = read_table(table(album, "path,label", f"{names[0]},a", f"{names[1]},b"))
    assert sorted(item.id for item in found.items) == sorted(names)
    (album / names[0]).unlink()
    for written in names:
        [alone] = read_table(table(album, "path,label", f"{written},b")).items
        assert (alone.id, alone.path) == (names[0], album / names[1])


@pytest.mark.parametrize("other", ["{album}/images/00.png", "../album/images/00.png", "l/00.png"])
def test_one_file_in_other_words_is_refused(album, other):
    (album / "l").symlink_to(album / "images")
    lines = ["path,label,part", "images/00.png,a,query", f"{other.format(album=album)},a,gallery"]
    with pytest.raises(
        InputError, match=r"line 3: .* is the file 'images/00.png' of line 2; write"
    ):
        read_table(table(album, *lines))
    (album / "copy.png").symlink_to(album / "images" / "00.png")
    assert len(read_table(table(album, *lines[:2], "copy.png,a,gallery")).items) == 2


@pytest.mark.parametrize(
    "lines",
    [
        ["path,label", "images/00.png,a", "images/01.png,a", "images/02.png,"],
        ["path,label,part", "images/00.png,a,gallery", "images/01.png,,val"],
    ],
)
def test_a_picture_needs_a_class_or_a_part(album, load_dataset, lines):
    with pytest.raises(InputError, match=r"have neither a class nor a part .* first 'images/0"):
        load_dataset(table(album, *lines))


@pytest.mark.parametrize("name", ["relevance.json", "qrels.txt"])
def test_a_table_of_paths_alone_is_read_beside_judgements(album, name):
    (album / name).write_text("{}")
    assert len(read_table(table(album, "path", "images/00.png", "images/01.png")).items) == 2


@pytest.mark.parametrize("name", ["00", "00.PNG"])
def test_a_file_with_nearly_the_name_is_named(album, name):
    with pytest.raises(InputError, match=r"relative to .*album; did you mean 'images/00.png'\?"):
        read_table(table(album, "path,label", f"images/{name},a"))


def test_all_files_of_a_name_are_named(album):
    (album / "others").mkdir()
    (album / "others" / "00.png").write_bytes((album / "images" / "01.png").read_bytes())
    with pytest.raises(InputError, match=r"mean 'images/00.png' or 'others/00.png'\?"):
        read_table(table(album, "path,label", "00.png,a"))


def test_a_table_that_says_training_everywhere_is_told(album, load_dataset):
    rows = [f"images/{n:02}.png,{'ab'[n % 2]},train" for n in range(8)]
    with pytest.raises(InputError, match=r"all pictures are training, .* leave the part out"):
        load_dataset(table(album, "path,label,part", *rows))


def test_parts_in_a_column_that_is_not_read_are_refused(album):
    rows = ["images/00.png,a,train,x", "images/01.png,a,query,", "images/02.png,a,,train"]
    path = table(album, ",path,label,evaluation status,note", *(f"0,{row}" for row in rows))
    with pytest.raises(InputError, match=r"column 'evaluation status' holds parts.*call it part"):
        read_table(path)
    path.write_text(path.read_text().replace("query", "other"))
    [warning] = read_table(path).layout.warnings
    assert warning == "columns not read: evaluation status, note"
    path.write_text(path.read_text().replace("other", "val").replace("note", "to predict"))
    path.write_text(path.read_text().replace("a,,train", "a,predict,train"))
    with pytest.raises(InputError, match=r"column 'evaluation status' holds parts.*call it part"):
        read_table(path)


def test_a_table_in_another_encoding_says_so(album):
    path = write(album / "t.csv", "path,label", "images/00.png,Käse", encoding="latin-1")
    with pytest.raises(InputError, match="line 2: no UTF-8"):
        read_table(path)


def test_a_box_outside_of_its_picture_is_told(album, load_dataset):
    path = table(
        album,
        "path,label,part,left,top,right,bottom",
        "images/00.png,a,query,0,0,99,9",
        "images/01.png,a,gallery,,,,",
        "images/02.png,b,gallery,,,,",
    )
    with pytest.raises(InputError, match=r"outside of the picture \(24 x 24 pixels\)"):
        load_dataset(path)


def test_a_box_in_a_picture_that_is_reduced_is_refused(album, load_dataset, monkeypatch):
    monkeypatch.setattr("datasets.decoding.render.LARGE", 500)
    path = table(
        album,
        "path,label,part,left,top,right,bottom",
        "images/00.png,a,query,0,0,9,9",
        "images/01.png,a,gallery,,,,",
        "images/02.png,b,gallery,,,,",
    )
    with pytest.raises(InputError, match="more than 500 pixels is reduced"):
        load_dataset(path)


def test_a_box_in_a_jpeg_2000_that_is_reduced_is_refused(album, load_dataset, monkeypatch):
    monkeypatch.setattr("datasets.decoding.render._LARGE_JPEG2000", 500)
    Image.new("RGB", (24, 24), "red").save(album / "images" / "00.jp2")
    path = table(
        album,
        "path,label,part,left,top,right,bottom",
        "images/00.jp2,a,query,0,0,9,9",
        "images/01.png,a,gallery,,,,",
        "images/02.png,b,gallery,,,,",
    )
    with pytest.raises(InputError, match="is reduced"):
        load_dataset(path)


def test_one_file_under_two_spellings_is_one_picture(album):
    with pytest.raises(InputError, match=r"line 3: .* stands in line 2 already"):
        read_table(table(album, "path,label", "images/00.png,a", "./images//00.png,a"))
