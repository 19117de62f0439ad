"""Folders as people have them: understood, or refused in one line; never guessed."""

import pytest
from pictures import fill, picture
from PIL import Image

import datasets
from datasets.errors import InputError
from datasets.recognition import read_layout
from datasets.walk import walk


def tree(root, **folders):
    """Make folders with a number of pictures each; ``__`` in a name stands for ``/``."""
    for seed, (name, count) in enumerate(folders.items()):
        fill(root / name.replace("__", "/"), count, 100 + seed, seed)
    return root


def understand(root, *words):
    return read_layout(walk(root), words)


def parts(found):
    """Number of files by part and class."""
    counts = {}
    for item in found.items:
        counts[item.part, item.label] = counts.get((item.part, item.label), 0) + 1
    return counts


@pytest.mark.parametrize("train", ["train", "training", "Train"])
@pytest.mark.parametrize("val", ["val", "valid", "validation", "test", "VAL"])
def test_training_beside_held_out_folders_with_classes(tmp_path, load_dataset, train, val):
    for number, name in enumerate(("cat", "dog", "cow")):
        fill(tmp_path / "f" / train / name, 6, number, number)
        fill(tmp_path / "f" / val / name, 3, 10 + number, number)
    data = load_dataset(tmp_path / "f")
    assert {image.id.split("/")[0] for image in data.training} == {train}
    assert len(data.training) == 18
    assert (len(data.gallery), len(data.queries["query"])) == (6, 3)
    assert {image.label for image in data.queries["query"]} == {"cat", "dog", "cow"}
    assert "training as the folders say; the rest by content hash" in data.split
    learned = f"{train}/{' as training' * (train != 'training')}"
    assert data.layout[0] == f"layout: train-test ({learned}, {val}/ as held out)"


def test_of_three_parts_the_test_is_held_out(tmp_path):
    root = tree(tmp_path, train__a=2, train__b=2, val__a=2, val__b=2, test__a=2, test__b=2)
    assert parts(understand(root)) == {
        ("training", "a"): 4,
        ("training", "b"): 4,
        ("held out", "a"): 2,
        ("held out", "b"): 2,
    }


@pytest.mark.parametrize("gallery", ["gallery", "database", "index", "reference"])
@pytest.mark.parametrize("query", ["query", "queries", "probe"])
def test_gallery_and_queries_keep_their_classes(tmp_path, load_dataset, gallery, query):
    for number, name in enumerate(("cat", "dog")):
        fill(tmp_path / "f" / gallery / name, 5, number, number)
        fill(tmp_path / "f" / query / name, 2, 10 + number, number)
    data = load_dataset(tmp_path / "f")
    assert [image.label for image in data.queries["query"]] == ["cat", "cat", "dog", "dog"]
    assert {image.label for image in data.gallery} == {"cat", "dog"}
    assert data.labelled


def test_further_query_sets_and_training_beside_gallery_and_queries(tmp_path):
    root = tree(tmp_path, train__a=1, gallery__a=2, gallery__b=1, query__a=1, query_night__b=1)
    assert parts(understand(root)) == {
        ("training", "a"): 1,
        ("gallery", "a"): 2,
        ("gallery", "b"): 1,
        ("query", "a"): 1,
        ("query-night", "b"): 1,
    }


def test_wrapper_folders_are_looked_through_and_named(tmp_path, load_dataset):
    tree(tmp_path / "f", all__mine__cat=6, all__mine__dog=6)
    (tmp_path / "f" / "all" / "notes.pdf").write_bytes(b"%PDF-1.4")
    data = load_dataset(tmp_path / "f")
    assert {image.label for image in data.gallery} == {"cat", "dog"}
    assert data.gallery[0].id.startswith("cat/")
    assert data.layout[0] == "layout: class folders only, inside all/mine/"
    assert [problem.id for problem in data.problems] == ["../notes.pdf"]


def test_caches_and_results_in_a_dataset_are_no_pictures_of_it(tmp_path, run):
    root = tree(tmp_path / "f", cat=6, dog=6)
    assert run("--dataset", root, "--extractor", "hsv-histogram", out="elsewhere") == 0
    (tmp_path / "cache").rename(root / "cache")
    fill(root / "cache" / "datasets" / "edges", 3, 5)
    (tmp_path / "elsewhere" / "f").rename(root / "old-results")
    fill(root / "old-results" / "plots", 3, 5)
    assert {item.label for item in understand(root).items} == {"cat", "dog"}
    assert {problem.what.split(" (")[0] for problem in understand(root).problems} == {
        "a cache",
        "results of this suite",
    }


def test_results_are_not_written_into_the_dataset(tmp_path, run, capsys):
    root = tree(tmp_path / "f", cat=6, dog=6)
    assert run("--dataset", root, "--extractor", "hsv-histogram", out="f/results") == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: --out ")
    assert "choose a place elsewhere" in line
    assert not (root / "results").exists()


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ({"train__a": 2, "train__b": 2}, "'train' stands without 'validation'"),
        ({"val__a": 2, "val__b": 2}, "'val' stands without 'training'"),
        ({"train__a": 2, "train__b": 2, "test": 2}, "no class folders in 'test'.*give .*train"),
        ({"train": 2, "test": 2}, "no class folders in 'test' and 'train'"),
        ({"train__a": 2, "training__a": 2, "val__a": 2}, "'train' and 'training' play the same"),
        ({"gallery__a": 2, "database__a": 2, "query__a": 2}, "play the same part"),
        ({"gallery__a": 2, "gallery__b": 2}, "'gallery' stands without 'query'"),
        ({"query__a": 2, "cat": 2}, "could be part of a dataset beside 'cat', or all could be"),
        ({"train__a": 2, "val__a": 2, "cat": 2}, "beside 'cat'"),
        ({"gallery__a": 2, "query__b": 2}, "no folder in the gallery .*'a'.* is called like"),
        (
            {"photo__a": 2, "drawing__a": 2},
            "hold folders, not pictures, so classes could be either",
        ),
        ({"images": 6}, "'images': not the name of a class"),
        ({"JPEGImages": 3, "SegmentationClass": 3}, "not the name of a class"),
        (
            {"2019__cat": 2, "2019__dog": 2, "2020__cat": 2},
            "'2019' and '2020' hold folders, not pictures",
        ),
        ({"validation__gallery__a": 2, "validation__cat": 1}, "validation/cat: unknown part"),
        ({"train2017": 3, "val2017": 2}, "'train2017' and 'val2017' sound like parts"),
        ({"train_images": 3, "test_images": 2}, "sound like parts, not like classes"),
        ({"trainA": 2, "trainB": 2, "testA": 2, "testB": 2}, "sound like parts"),
        ({"image_train": 2, "image_query": 2, "image_test": 2}, "sound like parts"),
        ({"bounding_box_train": 2, "bounding_box_test": 2, "query": 2}, "and 'query' sound like"),
        ({"fold1": 2, "fold2": 2, "fold3": 2}, "'fold1', 'fold2' and 'fold3' sound like parts"),
        (
            {"train__images": 3, "train__masks": 3, "val__images": 1},
            "no class folders in 'train' and 'val'",
        ),
        ({"train__images__a": 3, "train__images__b": 3, "val__images__a": 1}, "train: .*either"),
        ({"gallery__images": 3, "query__images": 1}, "gallery: 'images': not the name of a class"),
        (
            {"train__a__x": 2, "train__b__y": 2, "train__b__x": 2, "val__a__x": 1},
            "folders, not pictures",
        ),
        ({"photo": 3, "sketch": 3, "edges": 3}, "'photo' and 'sketch' sound like views of the"),
        ({"train__rgb": 3, "train__depth": 3, "test__rgb": 3}, "train: 'depth' and 'rgb' sound"),
        (
            {"a": 3, "b": 3, "c__a": 3, "c__b": 3},
            r"'c' holds folders called like classes beside it .*'a' and 'b'",
        ),
        ({"训练__猫": 2, "测试__猫": 2}, "folders, not pictures, .*by --layout ROLE=FOLDER"),
    ],
)
def test_folders_that_could_be_read_in_two_ways_are_refused(tmp_path, folders, message):
    with pytest.raises(InputError, match=message):
        understand(tree(tmp_path, **folders))


@pytest.mark.parametrize(
    "names", [("freight_train", "passenger_train"), ("bullet_train", "test_tube", "c", "d", "e")]
)
def test_classes_may_have_the_words_of_parts_in_their_names(tmp_path, names):
    found = understand(tree(tmp_path, **dict.fromkeys(names, 2)))
    assert found.layout.form == "classes"
    assert not found.layout.warnings


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([f"{n * n}" for n in range(12)], "so they could be views of the same things; say"),
        ([f"IMG_{n}" for n in range(12)], "views of the same things rather than classes?"),
        ([f"{n}" for n in range(0, 60, 5)], "views of the same things rather than classes?"),
        ([f"{n}_{m}" for n in range(3) for m in range(4)], "rather than classes?"),
        ([f"{n}" for n in range(10)], ""),
        (["cover", "0"], ""),
    ],
)
def test_folders_with_pictures_of_the_same_names_may_be_views(tmp_path, names, told):
    for number, name in enumerate(names):
        for folder in ("A", "B"):
            (tmp_path / folder).mkdir(exist_ok=True)
            picture(number).save(tmp_path / folder / f"{name}.png")
    try:
        text, *_ = understand(tmp_path).layout.warnings or [""]
    except InputError as error:
        text = str(error)
    assert text.endswith(told) or f"{told} --layout classes" in text
    assert bool(understand(tmp_path, "classes").layout.warnings) == bool(told)


def test_by_products_in_class_folders_are_left_out_and_twins_told(tmp_path):
    root = tree(tmp_path, a=2, a__thumbs=2, a__more=1, b__crops=3, b__crops__masks_2=3)
    for name in ("00.webp", "01_mask.png", "gas_mask.png"):
        picture(9).save(root / "a" / name)
    found = understand(root)
    assert parts(found) == {("", "a"): 6, ("", "b"): 6}
    assert [(row.id, row.outcome) for row in found.problems] == [
        ("a/", "kept"),
        ("a/thumbs/", "2 files left out"),
    ]
    twins = "4 pictures are called alike but for their ending or a word such as _mask"
    assert found.layout.warnings == (
        "class 'b' holds folders, not pictures",
        "folders called 'thumbs' in class folders are left out",
        f"a/: {twins}, as '00.png' and '00.webp'; a table with a column group keeps versions of "
        "one together",
    )


def test_a_class_that_stands_in_others_is_refused(tmp_path, load_dataset):
    root = tree(tmp_path / "f", a=4, b=4)
    (root / "c").mkdir()
    for number, path in enumerate(sorted(root.rglob("*.png"))):
        (root / "c" / f"{number}.png").write_bytes(path.read_bytes())
    with pytest.raises(InputError, match=r"of the class 'c' stand byte for byte"):
        load_dataset(root)


def test_classes_that_are_held_out_and_not_learned_from_are_warned_of(tmp_path):
    [warning] = understand(tree(tmp_path, train__a=2, train__b=2, test__c=2)).layout.warnings
    assert warning.startswith("no class that is held out ('c') is called like one")


def test_a_class_may_be_called_like_queries(tmp_path):
    root = tree(tmp_path, train__cat=2, train__probe=2, val__cat=2, val__probe=2)
    assert understand(root).layout.form == "train-test"


def test_parts_with_folders_of_all_classes_are_read_as_said(tmp_path):
    root = tree(tmp_path, train__images__a=2, train__images__b=2, val__images__a=1)
    found = understand(root, "training=train/images", "held-out=val/images")
    assert parts(found) == {("training", "a"): 2, ("training", "b"): 2, ("held out", "a"): 1}


def test_judgements_beside_a_wrapper_folder_are_refused(tmp_path):
    root = tree(tmp_path, data__gallery__a=2, data__query__a=1)
    (root / "qrels.txt").write_text("x 0 y 1")
    with pytest.raises(InputError, match=r"qrels.txt: lies beside 'data'.*move it into data/"):
        understand(root)


def test_a_part_whose_pictures_are_not_read_is_named(tmp_path):
    root = tree(tmp_path, train__a=2, val__a=1)
    for path in (root / "val" / "a").iterdir():
        path.rename(path.with_suffix(".txt"))
    with pytest.raises(InputError, match="no picture in 'val'"):
        understand(root)


@pytest.mark.parametrize("folders", [{"holiday": 6}, {"gallery__a": 4, "query__a": 2}])
def test_a_single_class_is_refused(tmp_path, load_dataset, folders):
    with pytest.raises(InputError, match=r"of one class .*so every score would be 1"):
        load_dataset(tree(tmp_path / "f", **folders))


def test_a_single_class_among_distractors_is_scored_with_a_warning(tmp_path, run):
    tree(tmp_path / "f", cat=6, distractor=6)
    assert run("--dataset", tmp_path / "f", "--extractor", "hsv-histogram", "--quiet") == 0
    page = (tmp_path / "out" / "f" / "table.md").read_text(encoding="utf-8")
    assert "**Warning:** query: all queries are of one class, 'cat'." in page
    assert "Understood: layout: class folders only; content: 1 classes (cat)" in page


def test_queries_of_other_classes_only_are_refused(tmp_path, load_dataset):
    with pytest.raises(InputError, match="no query is of a class in the gallery"):
        load_dataset(tree(tmp_path / "f", gallery__Dog=2, gallery__Cat=2, query__dog=2))


def test_distractors_in_another_spelling(tmp_path):
    found = understand(tree(tmp_path, cat=2, dog=2, Distractors__other=2))
    assert parts(found) == {("", "cat"): 2, ("", "dog"): 2, ("gallery", None): 2}


@pytest.mark.parametrize("name", ["labels.csv", "LABELS.CSV"])
def test_a_table_of_labels_that_is_not_read_is_named(tmp_path, name):
    picture(1).save(tmp_path / "1.png")
    (tmp_path / name).write_text("1.png,cat\n")
    told = rf"no class folders in it \('{name}' not read.*, or give a table .*{name}\)"
    with pytest.raises(InputError, match=told):
        understand(tmp_path)


def test_without_a_readable_picture_the_reasons_are_told_and_kept(tmp_path, run, capsys):
    for number in range(3):
        for label in ("cat", "dog"):
            (tmp_path / "f" / label).mkdir(parents=True, exist_ok=True)
            (tmp_path / "f" / label / f"{number}.jxl").write_bytes(b"\xff\x0a\xfa")
    assert run("--dataset", tmp_path / "f", "--extractor", "hsv-histogram", "--quiet") == 2
    error = capsys.readouterr().err
    assert "no readable picture in the gallery (6 problems, first cat/0.jxl: JPEG XL" in error
    rows = (tmp_path / "out" / "f" / "problems.csv").read_text().splitlines()
    assert len(rows) == 7


def test_second_copies_of_queries_are_warned_of(tmp_path, load_dataset):
    root = tree(tmp_path / "f", gallery__a=3, gallery__b=3, query__a=1, query__b=1)
    query = (root / "query" / "a" / "00.png").read_bytes()
    for name in ("copy.png", "again.png"):
        (root / "gallery" / "a" / name).write_bytes(query)
    assert load_dataset(root).warnings[0] == (
        "query: 1 queries have a second copy in the gallery, which counts as a find"
    )


def test_copies_of_queries_in_other_bytes_are_warned_of(tmp_path, load_dataset):
    """What is told by nothing but its pixels: saved in another format, or with other metadata."""
    root = tree(tmp_path / "f", gallery__a=4, gallery__b=4, query__a=2, query__b=2, training__b=2)
    for part, asked in (("gallery", "a"), ("training", "b")):
        copied = Image.open(root / part / "b" / "00.png")
        copied.save(root / "query" / asked / f"{part}.bmp")
    warnings = load_dataset(root).warnings
    assert [one for one in warnings if "to the pixel" in one] == [
        "query: 1 queries are in gallery once more, equal to the pixel if not in bytes, as "
        "'query/a/gallery.bmp' and 'gallery/b/00.png'; remove one",
        "query: 1 queries are in training once more, equal to the pixel if not in bytes, as "
        "'query/b/training.bmp' and 'training/b/00.png'; remove one",
    ]


def test_a_class_with_the_name_of_a_part(tmp_path):
    found = understand(tree(tmp_path, car=2, bus=2, train=2))
    assert {item.label for item in found.items} == {"car", "bus", "train"}
    assert found.layout.warnings == ("'train' is taken for a class, not for a part",)


def test_parts_and_classes_without_a_picture_are_named(tmp_path, load_dataset):
    root = tree(tmp_path / "f", gallery__a=2, gallery__b=2, query__a=1)
    (root / "query-night").mkdir()
    (root / "gallery" / "c").mkdir()
    (root / "extra").mkdir()
    fill(root / "extra", 2, 9)
    assert [(problem.id, problem.what) for problem in load_dataset(root).problems] == [
        ("extra/", "plays no part in this layout"),
        ("gallery/c", "class folder without a file"),
        ("query-night", "holds no file"),
    ]


def test_near_misses_are_named(tmp_path, load_dataset):
    root = tree(tmp_path / "f", gallery__Dog=4, query__dog=2, gallery__b=4, query__b=1)
    data = load_dataset(root)
    rows = {problem.id: problem.what for problem in data.problems}
    assert rows["dog"] == "differs from the class 'Dog' in case or form only"
    doubt = "1 classes differ from others in case or form only, as 'dog' and 'Dog', and are kept"
    assert any(one.startswith(doubt) for one in understand(root).layout.warnings)
    assert rows["query/dog"] == "class is absent from the gallery"


@pytest.mark.parametrize("text", ["", " ", "mine=", "mine= "])
def test_an_empty_variable_is_not_the_current_folder(text):
    with pytest.raises(InputError, match="is a variable empty"):
        datasets.resolve(text)


@pytest.mark.parametrize("option", ["--out", "--cache", "--preset"])
def test_an_empty_path_is_refused(run, option, capsys):
    assert run("--extractor", "hsv-histogram", option, "") == 2
    assert "is a variable empty" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["pacs", "corel1000"])
def test_a_known_set_by_its_bare_path_is_named(shared, load_dataset, name):
    with pytest.raises(InputError, match=f"looks like {name}.*write {name}="):
        load_dataset(shared / name)
