"""Queries: scored rightly, told why not, or refused before anything is extracted."""

import json

import pytest
from pictures import fill, picture

from datasets.errors import InputError


def table(root, *lines):
    """Pictures of which each line of a table names one."""
    for number, line in enumerate(lines[1:]):
        picture(number).save(root / line.partition(",")[0])
    (root / "table.csv").write_text("\n".join([*lines, ""]))
    return root / "table.csv"


def parted(root, **folders):
    for seed, (name, count) in enumerate(folders.items()):
        fill(root / name.replace("__", "/"), count, 10 + seed, seed)
    return root


EVERYTHING_RIGHT = "every picture of the gallery is a right answer to every query"


def test_a_class_that_all_have_beside_their_own_is_refused(tmp_path, load_dataset):
    names = ["cat", "dog", "cow"]
    lines = [f"q{n}.png,{n}|animal,query" for n in names]
    lines += [f"g{n}.png,{n}|animal,gallery" for n in names]
    with pytest.raises(InputError, match=EVERYTHING_RIGHT):
        load_dataset(table(tmp_path, "path,label,part", *lines))


@pytest.mark.parametrize("junk", [[], ["gallery/00.png", "gallery/02.png"]])
def test_judgements_that_nothing_can_fail_are_refused(tmp_path, load_dataset, junk):
    root = parted(tmp_path / "f", gallery=3, query=1)
    positive = [f"gallery/0{n}.png" for n in range(3) if f"gallery/0{n}.png" not in junk]
    judged = {"query/00.png": {"positive": positive, "junk": junk}}
    (root / "relevance.json").write_text(json.dumps(judged))
    with pytest.raises(InputError, match=EVERYTHING_RIGHT):
        load_dataset(root)


def test_a_query_that_could_be_answered_wrongly_is_enough(tmp_path, load_dataset):
    lines = [f"q{n}.png,cat|animal,query" for n in range(2)]
    lines += ["g0.png,cat|animal,gallery", "g1.png,dog|animal,gallery", "q9.png,cat,query"]
    data = load_dataset(table(tmp_path, "path,label,part", *lines))
    assert len(data.queries["query"]) == 3


def test_few_queries_are_warned_of(tmp_path, load_dataset):
    root = parted(tmp_path / "f", gallery__a=2, gallery__b=2, query__a=1)
    (warning,) = (w for w in load_dataset(root).warnings if "interval" in w)
    assert warning == "query: a single query has no interval; it is printed without width"
    fill(root / "query" / "b", 8, 99)
    (warning,) = load_dataset(root).warnings
    assert warning == "query: 9 queries are too few for intervals and tests to say much"
    fill(root / "query" / "a", 2, 98)
    assert load_dataset(root).warnings == ()


def test_queries_without_class_that_no_judgement_names_are_told(tmp_path, load_dataset):
    root = parted(tmp_path / "f", gallery=3, query=4)
    (root / "relevance.json").write_text('{"query/00.png": {"positive": ["gallery/00.png"]}}')
    [row] = load_dataset(root).problems
    assert (row.id, row.outcome) == ("query", "3 queries not scored")


def test_distractors_that_are_copies_of_the_right_answers_are_refused(tmp_path, load_dataset):
    root = parted(tmp_path / "f", gallery__a=3, gallery__b=3, query__a=2, query__b=2)
    fill(root / "gallery" / "distractor", 3, 10, 0)  # those of a
    with pytest.raises(InputError, match=r"of the class 'a' stand byte for byte .* distractors"):
        load_dataset(root)


@pytest.mark.parametrize(("other", "counts"), [("a", "a find"), ("b", "wrong")])
def test_copies_are_told_by_what_they_count_as(tmp_path, load_dataset, other, counts):
    root = parted(tmp_path / "f", gallery__a=3, gallery__b=3, query__a=10, query__b=2)
    for name in ("query/a/x.png", "gallery/a/x.png", f"gallery/{other}/y.png"):
        picture(77).save(root / name)
    (warning,) = load_dataset(root).warnings
    assert (
        warning == f"query: 1 queries have a second copy in the gallery, which counts as {counts}"
    )


def test_views_of_one_thing_are_dealt_to_one_part(tmp_path, load_dataset):
    lines = [f"{n:02}.png,{'ab'[n % 2]},burst{n // 4}" for n in range(48)]
    data = load_dataset(table(tmp_path, "path,label,group", *lines))
    parts = {"training": data.training, "gallery": data.gallery} | data.queries
    place = {}
    for part, images in parts.items():
        assert images
        for image in images:
            assert place.setdefault((image.label, image.group), part) == part


def test_a_class_of_one_group_has_no_query_and_is_told(tmp_path, load_dataset):
    lines = [f"{n}.png,a,{n}" for n in range(9)] + [f"{n}.png,b,one" for n in range(9, 13)]
    data = load_dataset(table(tmp_path, "path,label,group", *lines))
    [row] = data.problems
    assert (row.id, row.outcome) == ("b", "in the gallery; no query for it")


def test_training_images_of_a_querys_group_are_told(tmp_path, load_dataset):
    lines = [f"{n}.png,{'ab'[n % 2]},{n // 2 % 9},training" for n in range(4)]
    lines += [f"q{n}.png,{'ab'[n % 2]},{n // 2},query" for n in range(10)]
    lines += [f"g{n}.png,{'ab'[n % 2]},{n + 90},gallery" for n in range(4)]
    data = load_dataset(table(tmp_path, "path,label,group,part", *lines))
    assert data.warnings == (
        "4 training images are of the group of a query, so that it is learned from",
    )


def test_labels_beside_the_first_count_as_classes(tmp_path, load_dataset):
    lines = [f"q{n}.png,x|{n},query" for n in range(10)]
    lines += [f"g{n}.png,{n},gallery" for n in range(10)]
    data = load_dataset(table(tmp_path, "path,label,part", *lines))
    assert data.layout[1].startswith("content: 11 classes (0, 1, 2, ")
    assert data.warnings == ()


@pytest.mark.parametrize(
    "name",
    [
        "query/qrels.txt",
        "query/relevance.json",
        "Relevance.json",
        "relevance.json.txt",
        "relevance (1).json",
        "qrels_test.txt",
        "qrels/test.tsv",
        "QRELS.TXT",
    ],
)
def test_judgements_that_nothing_would_read_are_refused(tmp_path, load_dataset, name):
    root = parted(tmp_path / "f", gallery__a=3, gallery__b=3, query__a=2, query__b=2)
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("{}")
    with pytest.raises(InputError, match=r"judgements are read from .*relevance\.json or qrels"):
        load_dataset(root)
