"""The one folder layout: every form, every rule, nothing silently dropped."""

import json
import os
import shutil
from pathlib import Path

import pytest
from pictures import fill, picture
from PIL import Image

import datasets
from datasets.errors import InputError
from datasets.layout import Collection, Item
from datasets.recognition import read_layout
from datasets.walk import walk


def ids(images):
    return [image.id for image in images]


def test_groups_are_told_of_whatever_lists_them(tmp_path):
    items = [Item(name, tmp_path / name, "gallery", name, group="x") for name in "ab"]
    told = Collection(tmp_path, items).understood()
    assert told[2:] == ["group: 1 group (x); pictures of one are junk for each other"]


def test_parted_layout(parted, load_dataset):
    data = load_dataset(parted)
    assert data.name == "parted"
    assert [task.query_set for task in data.tasks] == ["query", "query-sketch"]
    assert (len(data.training), len(data.gallery)) == (8, 13)
    assert {name: len(images) for name, images in data.queries.items()} == {
        "query": 6,
        "query-sketch": 4,
    }
    assert data.problems == ()
    assert data.split == "as the folders say"


def test_order_is_by_id_and_ids_are_posix_paths(parted, load_dataset):
    data = load_dataset(parted)
    assert ids(data.gallery) == sorted(ids(data.gallery))
    assert data.gallery[0].id == "validation/gallery/apple/00.png"


def test_distractors_have_no_label_but_keep_their_name(parted, load_dataset):
    fill(parted / "validation" / "gallery" / "distractor", 1, 99)
    distractors = [i for i in load_dataset(parted).gallery if i.distractor is not None]
    assert [image.distractor for image in distractors] == ["", "cherry", "cherry", "cherry"]
    assert {image.label for image in distractors} == {None}


def test_training_is_optional(parted, load_dataset):
    shutil.rmtree(parted / "training")
    assert load_dataset(parted).training == ()


def test_classes_only_are_split_within_each_class(classes, load_dataset):
    data = load_dataset(classes)
    for label in ("apple", "berry", "cherry"):
        counts = [
            sum(image.label == label for image in part)
            for part in (data.queries["query"], data.training, data.gallery)
        ]
        assert counts == [2, 3, 5]
    assert "seed 0" in data.split


def test_classes_only_distractors_go_to_the_gallery(classes, load_dataset):
    fill(classes / "distractor" / "other", 4, 77)
    data = load_dataset(classes)
    assert sum(image.distractor == "other" for image in data.gallery) == 4


def test_flat_folders_are_unlabelled(tmp_path, load_dataset):
    fill(tmp_path / "flat" / "gallery", 5, 1)
    fill(tmp_path / "flat" / "query", 2, 2)
    data = load_dataset(tmp_path / "flat")
    assert not data.labelled
    assert ids(data.queries["query"]) == ["query/00.png", "query/01.png"]


def test_every_file_counts_or_is_a_problem(parted, load_dataset):
    gallery = parted / "validation" / "gallery"
    (gallery / "apple" / "notes.jpg").write_text("text, not a picture")
    (gallery / "apple" / "zero.png").write_bytes(b"")
    (gallery / "stray.png").write_bytes(b"")
    deep = gallery / "apple" / "more"
    fill(deep, 1, 88)
    data = load_dataset(parted)
    assert "validation/gallery/apple/more/00.png" in ids(data.gallery)
    assert [(p.id, p.what, p.outcome) for p in data.problems] == [
        ("validation/gallery/apple/notes.jpg", "not a picture (text)", "left out"),
        ("validation/gallery/apple/zero.png", "empty file", "left out"),
        ("validation/gallery/stray.png", "lies in no class folder", "left out"),
    ]


def test_odd_names_survive(classes, load_dataset):
    names = ["é ü 漢.png", "two  spaces.png", "new\nline.png", "<script>.png", "back\\slash.png"]
    for seed, name in enumerate(names):
        picture(500 + seed).save(classes / "apple" / name)
    data = load_dataset(classes)
    assert {f"apple/{name}" for name in names} <= {image.id for _, image in data.images}


def test_file_name_that_is_no_utf8(classes, load_dataset):
    name = b"caf\xe9.png"
    target = bytes(classes / "apple") + b"/" + name
    with open(target, "wb") as file:  # noqa: PTH123 - the name is bytes
        picture(600).save(file, format="PNG")
    data = load_dataset(classes)
    assert "apple/caf\\xe9.png" in {image.id for _, image in data.images}
    assert data.fingerprint


def test_linked_folders_are_followed_and_loops_are_not(classes, tmp_path, load_dataset):
    fill(tmp_path / "elsewhere", 4, 70)
    (classes / "linked").symlink_to(tmp_path / "elsewhere")
    (classes / "linked" / "loop").symlink_to(classes / "linked")
    found = [image.id for _, image in load_dataset(classes).images if "linked" in image.id]
    assert len(found) == 4


def test_a_folder_that_cannot_be_listed_is_an_error(classes, load_dataset, monkeypatch):
    original = os.scandir

    def scandir(path):
        if Path(path).name == "berry":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(InputError, match="berry: cannot be listed"):
        load_dataset(classes)


def test_files_that_are_no_pictures_are_counted_behind_broken_ones(classes, load_dataset):
    for number in range(12):
        (classes / "apple" / f"{number}.json").write_text('{"title": "x"}')
    (classes / "apple" / "film.mov").write_bytes(b"\0\0\0\x14ftypqt  " + b"\0" * 999)
    (classes / "berry" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (classes / "berry" / "plain.png").write_bytes(b"")
    Image.new("RGB", (9, 9)).save(classes / "berry" / "black.png")
    rows = [(row.id, row.what, row.outcome) for row in load_dataset(classes).problems]
    assert rows == [
        (
            "berry/broken.png",
            "cannot be decoded (rare or damaged from the start; save it as PNG)",
            "left out",
        ),
        ("berry/plain.png", "empty file", "left out"),
        ("berry/black.png", "it is a single colour", "kept"),
        (
            "apple/film.mov",
            "QuickTime film, which is not read; save its frames as pictures",
            "left out",
        ),
        ("*.json", "no picture (JSON text): 12 files, such as apple/0.json", "passed over"),
    ]


def test_refused_files_are_remembered(classes, load_dataset, monkeypatch):
    (classes / "apple" / "film.mov").write_bytes(b"\0\0\0\x14ftypqt  " + b"\0" * 999)
    (classes / "berry" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for path in (classes / "apple" / "film.mov", classes / "berry" / "broken.png"):
        os.utime(path, (1e9, 1e9))
    monkeypatch.setattr("benchmarks.pipeline.loading.dataset._GRAIN", -1)
    first = load_dataset(classes).problems
    opened = []
    original = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, *a, **k: opened.append(self.name) or original(self, *a, **k)
    )
    assert load_dataset(classes).problems == first
    assert not {"film.mov", "broken.png"} & set(opened)


def test_links_to_nothing_and_pipes_are_problems(classes, load_dataset):
    (classes / "apple" / "broken.png").symlink_to(classes / "nothing.png")
    os.mkfifo(classes / "apple" / "pipe.png")
    assert [problem.what for problem in load_dataset(classes).problems] == [
        "a link to a file that is not there",
        "not a regular file",
    ]


def test_equal_bytes_are_reported_and_kept(parted, load_dataset):
    gallery = parted / "validation" / "gallery"
    shutil.copy(gallery / "apple" / "00.png", gallery / "apple" / "copy.png")
    shutil.copy(gallery / "apple" / "01.png", gallery / "berry" / "other.png")
    data = load_dataset(parted)
    assert len(data.gallery) == 15
    assert [(p.id, p.what) for p in data.problems] == [
        ("validation/gallery/apple/copy.png", "same bytes as validation/gallery/apple/00.png"),
        (
            "validation/gallery/berry/other.png",
            "same bytes as validation/gallery/apple/01.png in another class (a table can say that "
            "both are right)",
        ),
    ]


def test_training_copies_of_searched_images_are_left_out(parted, load_dataset):
    shutil.copy(
        parted / "validation" / "query" / "apple" / "00.png",
        parted / "training" / "apple" / "copy.png",
    )
    data = load_dataset(parted)
    assert "training/apple/copy.png" not in ids(data.training)
    assert data.problems[0].outcome == "left out of training"


def test_class_with_one_image(classes, load_dataset):
    fill(classes / "lonely", 1, 71)
    data = load_dataset(classes)
    assert "lonely/00.png" in ids(data.gallery)
    assert [(p.id, p.what) for p in data.problems] == [("lonely", "class has a single picture")]


def test_query_class_absent_from_gallery(parted, load_dataset):
    fill(parted / "validation" / "query" / "durian", 2, 72)
    data = load_dataset(parted)
    [problem] = data.problems
    assert problem.id == "query/durian"
    assert problem.outcome == "2 queries not scored"
    doubt = "query: 2 of 8 queries are of classes that the gallery lacks ('durian') and are not"
    assert sum(one.startswith(doubt) for one in data.warnings) == 1


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda root: None, "no such folder"),
        (lambda root: root.mkdir(), "the folder is empty"),
        (lambda root: root.write_text(""), "not a folder"),
        (lambda root: fill(root, 2, 1), "no class folders"),
        (lambda root: fill(root / "training" / "a", 1, 1), "stands without 'validation'"),
        (lambda root: fill(root / "validation" / "gallery" / "a", 1, 1), "query is missing"),
        (
            lambda root: fill(root / "validation" / "gallry" / "a", 1, 1),
            "'validation' stands without",
        ),
        (lambda root: (root / "a").mkdir(parents=True), "no class folders"),
    ],
)
def test_folders_in_no_form_say_what_to_do(tmp_path, prepare, message):
    prepare(tmp_path / "root")
    with pytest.raises(InputError, match=message):
        read_layout(walk(tmp_path / "root"))


def test_nothing_readable_is_an_error(tmp_path, load_dataset):
    for part in ("gallery", "query"):
        (tmp_path / "root" / "validation" / part / "a").mkdir(parents=True)
    (tmp_path / "root/validation/gallery/a/x.png").write_text("text")
    with pytest.raises(InputError, match="no readable picture in the gallery"):
        load_dataset(tmp_path / "root")
    fill(tmp_path / "root/validation/gallery/a", 2, 1)
    with pytest.raises(InputError, match="no readable query picture"):
        load_dataset(tmp_path / "root")


def test_relevance_file_replaces_labels(parted, load_dataset):
    query = "validation/query/apple/00.png"
    gallery = "validation/gallery/berry/0{}.png"
    content = {query: {"positive": [gallery.format(0)], "junk": [gallery.format(1)]}}
    (parted / "relevance.json").write_text(json.dumps(content))
    data = load_dataset(parted)
    assert data.relevance[query].positive == {gallery.format(0)}
    assert data.relevance[query].junk == {gallery.format(1)}


def test_relevance_file_labels_flat_folders(tmp_path, load_dataset):
    fill(tmp_path / "flat" / "gallery", 3, 1)
    fill(tmp_path / "flat" / "query", 1, 2)
    content = {"query/00.png": {"positive": ["gallery/01.png"]}}
    (tmp_path / "flat" / "relevance.json").write_text(json.dumps(content))
    data = load_dataset(tmp_path / "flat")
    assert data.labelled
    assert data.layout[1].startswith("content: no classes, judgements in relevance.json; ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no valid JSON .*remove the file"),
        ("[]", "expected `object`, got `array`"),
        ("null", "expected `object`, got `null`"),
        ("[" * 10**6, "no valid JSON .*nested deeper than"),
        ('{"%(query)s": {}, "%(query)s": {}}', "'%(query)s' stands twice"),
        ('{"nobody.png": {}}', "nobody.png.*not in the dataset"),
        ('{"%(query)s": []}', "'%(query)s': expected `object`, got `array`"),
        ('{"%(query)s": {"positive": ["nothing.png"]}}', "nothing.png.*not in the dataset"),
        (
            '{"%(query)s": {"positive": "%(gallery)s"}}',
            r"expected `object \| array`.* - at `\$.pos",
        ),
        ('{"%(query)s": {"junk": ["%(gallery)s", 1]}}', r"expected `str`.* - at `\$.junk\[1\]`"),
        ('{"%(query)s": {"good": []}}', "'%(query)s': .*unknown field `good`"),
        ('{"%(query)s": {"positive": ["%(gallery)s"], "junk": ["%(gallery)s"]}}', "both"),
    ],
)
def test_bad_relevance_file(parted, load_dataset, text, message):
    names = {
        "query": "validation/query/apple/00.png",
        "gallery": "validation/gallery/apple/00.png",
    }
    (parted / "relevance.json").write_text(text % names)
    with pytest.raises(InputError, match=rf"relevance\.json: .*{message % names}"):
        load_dataset(parted)


def test_broken_image_in_relevance_file_is_a_problem_not_an_error(parted, load_dataset):
    (parted / "validation/gallery/apple/00.png").write_text("text")
    content = {"validation/query/apple/00.png": {"positive": ["validation/gallery/apple/00.png"]}}
    (parted / "relevance.json").write_text(json.dumps(content))
    assert load_dataset(parted).problems[0].what == "not a picture (text)"


def test_names_and_paths_of_datasets(tmp_path, classes):
    assert datasets.resolve("openmoji") == (datasets.MENU["openmoji"], None)
    assert datasets.resolve(f"corel1000={tmp_path}")[0] is datasets.MENU["corel1000"]
    source, root = datasets.resolve(f"mine={classes}")
    assert (source.name, root) == ("mine", classes)
    assert datasets.resolve(str(classes))[0].name == "classes"
    with pytest.raises(InputError, match="animals=PATH"):
        datasets.resolve("animals")
    with pytest.raises(InputError, match="neither a folder nor one of: openmoji"):
        datasets.resolve("openmojo")
    (tmp_path / "openmoji").mkdir()
    with pytest.raises(InputError, match="may be shown; give it another: OTHER="):
        datasets.resolve(str(tmp_path / "openmoji"))


def test_path_with_an_equals_sign(tmp_path):
    fill(tmp_path / "a=b" / "c", 3, 1)
    source, root = datasets.resolve(str(tmp_path / "a=b"))
    assert (source.name, root) == ("a=b", tmp_path / "a=b")
    (tmp_path / "a=b" / "t.csv").write_text("path\n")
    source, root = datasets.resolve(str(tmp_path / "a=b" / "t.csv"))
    assert (source.name, root) == ("t", tmp_path / "a=b" / "t.csv")
    (tmp_path / "openmoji.csv").write_text("path\n")
    with pytest.raises(InputError, match="may be shown; give it another"):
        datasets.resolve(str(tmp_path / "openmoji.csv"))


def test_corel1000_reads_the_class_from_the_file_name(tmp_path, load_dataset):
    root = tmp_path / "corel"
    fill(root, 1, 1)
    (root / "00.png").rename(root / "readme.png")
    for number, name in enumerate(["Africa1", "Africa2", "Africa3", "950", "951"]):
        picture(number).save(root / f"{name}.jpg")
    data = load_dataset(f"corel1000={root}")
    assert {image.label for _, image in data.images} == {"Africa", "Food"}
    assert data.problems[0].what == "file name tells no class"
    assert data.warnings[0] == "995 of 1,000 pictures of Corel-1000 are not there"
    with pytest.raises(InputError, match="not Corel-1000"):
        load_dataset(f"corel1000={tmp_path / 'cache'}")


@pytest.mark.parametrize(("count", "known"), [(250, False), (990, True)])
def test_numbers_are_corel1000_only_if_nearly_all_are_there(tmp_path, count, known):
    for number in range(count):
        (tmp_path / f"{number}.jpg").touch()
    assert datasets.MENU["corel1000"].resembles(walk(tmp_path)) is known


def test_pacs_asks_photographs_with_other_domains(tmp_path, load_dataset):
    root = tmp_path / "pacs"
    for domain in ("photo", "sketch", "art_painting"):
        fill(root / domain / "dog", 5, len(domain), 1)
        fill(root / domain / "cat", 2, 20 + len(domain), 2)
    data = load_dataset(f"pacs={root}")
    assert sorted(data.queries) == ["query", "query-art-painting", "query-sketch"]
    assert len(data.queries["query-sketch"]) == 7
    assert all(image.id.startswith("photo/") for image in (*data.gallery, *data.training))
    with pytest.raises(InputError, match="not PACS"):
        load_dataset(f"pacs={tmp_path / 'cache'}")
