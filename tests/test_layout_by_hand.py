"""The layout of a folder named by hand, and what is understood of it, printed."""

import pytest
from test_recognition import parts, tree, understand

from datasets.describe import main as describe
from datasets.errors import InputError


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["classes"], {("", "photo"): 4, ("", "sketch"): 4}),
        (
            ["gallery=photo", "query=sketch"],
            {("gallery", "a"): 2, ("gallery", "b"): 2, ("query", "a"): 2, ("query", "b"): 2},
        ),
        (
            ["training=photo", "held-out=sketch"],
            {
                ("training", "a"): 2,
                ("training", "b"): 2,
                ("held out", "a"): 2,
                ("held out", "b"): 2,
            },
        ),
    ],
)
def test_the_layout_by_hand(tmp_path, words, expected):
    root = tree(tmp_path, photo__a=2, photo__b=2, sketch__a=2, sketch__b=2)
    assert parts(understand(root, *words)) == expected


@pytest.mark.parametrize("word", ["./é", "{root}/é", "é/", "e\u0301", "../f/é"])
def test_a_folder_may_be_given_by_any_path(tmp_path, word, monkeypatch):
    root = tree(tmp_path / "f", é__a=2, é__b=2)
    monkeypatch.chdir(tmp_path)
    for folder in (word.format(root=root), "f/é"):
        found = understand(root, f"gallery={folder}", "query=é")
        assert found.layout.parts[0].folder == ("é",)


def test_doubts_about_a_layout_by_hand_are_warnings(tmp_path):
    root = tree(tmp_path, x__photo=2, x__sketch=2)
    found = understand(root, "gallery=x", "query=x")
    assert (
        found.layout.warnings[0] == "x: 'photo' and 'sketch' sound like views of the same things"
    )
    root = tree(tmp_path, y__photo=2, y__sketch=2)
    doubt = "'x' and 'y' hold folders, not pictures"
    assert doubt in understand(root, "classes").layout.warnings[0]


def test_flat_by_hand(tmp_path):
    root = tree(tmp_path, gallery__monday=2, query__tuesday=2)
    assert parts(understand(root, "flat")) == {("gallery", None): 2, ("query", None): 2}


def test_flat_folders_in_roles_by_hand(tmp_path):
    root = tree(tmp_path, index__monday=2, test__tuesday=2)
    with pytest.raises(InputError, match="name classes alike, or write flat behind --layout if"):
        understand(root, "gallery=index", "query=test")
    found = understand(root, "flat", "gallery=index", "query=test")
    assert parts(found) == {("gallery", None): 2, ("query", None): 2}


def test_the_layout_by_hand_is_looked_for_inside_wrappers(tmp_path):
    """As the message that asks for it names folders from the innermost wrapper on."""
    root = tree(tmp_path, w__v__x__a=2, w__v__x__b=2, w__v__y__a=2, w__v__y__b=2)
    with pytest.raises(InputError, match=r"w/v: 'x' and 'y' hold folders.* say --layout classes"):
        understand(root)
    assert parts(understand(root, "classes")) == {("", "x"): 4, ("", "y"): 4}
    for above in ("", "w/v/"):
        found = understand(root, f"training={above}x", f"held-out={above}y")
        assert parts(found) == {(p, c): 2 for p in ("training", "held out") for c in "ab"}
    assert parts(understand(tree(tmp_path / "z", w__gallery__p=2, w__query__q=2), "flat"))
    (tmp_path / "w" / "relevance.json").write_text("{}")
    found = understand(root / "w", "gallery=v/x", "query=v/y")
    assert {item.id[:4] for item in found.items} == {"v/x/", "v/y/"}


def test_roles_by_hand_are_of_folders_in_folders_of_their_name(tmp_path):
    names = ("set_a/set_a", "set_b/set_b")
    root = tree(tmp_path, **{f"{name}/{label}": 2 for name in names for label in "cd"})
    for above in names:
        found = understand(root, f"training={above}", "held-out=set_b")
        assert {item.label for item in found.items} == {"c", "d"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["flat", "classes"], "write classes, flat, or ROLE=FOLDER"),
        (["flat"], "gallery is missing; add it, or name the folders by --layout gallery=FOLDER q"),
        (["galery=photo"], "--layout galery=photo: write classes"),
        (["gallery=photo"], "name a folder for gallery and query"),
        (["gallery=photo", "query=nothing"], "--layout query: no file in"),
        (["gallery=photo", "gallery=sketch", "query=photo"], "gallery is given twice"),
        (["gallery=", "query=photo"], "write classes"),
        (["gallery=.", "query=photo"], "query: .*photo lies in the folder of gallery, so its"),
        (
            ["training=sketch", "held-out=sketch/a"],
            "held-out: .*/a lies in the folder of training",
        ),
        (["gallery=/nothing", "query=photo"], "--layout gallery=/nothing: lies outside of"),
        (["gallery=photo", "query=../other"], "query=../other: lies outside of .*holds both"),
    ],
)
def test_a_wrong_layout_by_hand_says_what_to_write(tmp_path, words, message):
    with pytest.raises(InputError, match=message):
        understand(tree(tmp_path, photo__a=2, sketch__a=2), *words)


def test_describe_tells_what_is_understood_and_reads_nothing(tmp_path, capsys):
    root = tree(tmp_path / "f", train__a=4, train__b=4, val__a=2, val__b=1, **{".cache": 1})
    (root / "train" / "a" / "broken.png").write_bytes(b"")
    assert describe([str(root)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"f ({root})",
        "  layout: train-test (train/ as training, val/ as held out)",
        "  content: 2 classes (a, b); files: 3 held out, 9 training",
        "    class  held out  training",
        "    a             2         5",
        "    b             1         4",
        "  files and folders with no place, or passed over:",
        "    .cache: hidden or the system's own (.cache); passed over",
    ]


def test_describe_refuses_in_one_line(tmp_path, capsys):
    assert describe([str(tree(tmp_path / "f", images=2)), "--layout", "flat"]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert describe(["openmoji"]) == 2
    assert "name a folder" in capsys.readouterr().err


def test_describe_shows_what_would_control_a_terminal(tmp_path, capsys):
    root = tree(tmp_path / "f", a=2, **{"b\nc": 2, "d\x1b[31m": 2})
    assert describe([str(root)]) == 0
    printed = capsys.readouterr().out
    assert "classes (a, b\\nc, d\\x1b[31m)" in printed
    assert "    b\\nc              2\n    d\\x1b[31m         2\n" in printed
    assert describe([str(tmp_path / "\x1b[31m")]) == 2
    assert "\x1b" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["0.dcm", "IM0000"])
def test_the_format_of_what_lies_in_place_of_pictures_is_named(tmp_path, name, capsys):
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        (tmp_path / label / name).write_bytes(bytes(128) + b"DICM" + bytes(99))
    assert describe([str(tmp_path)]) == 2
    assert f"such as 'cat/{name}': DICOM, which is not read; exp" in capsys.readouterr().err


def test_a_cache_of_the_hugging_face_hub_is_told(tmp_path, capsys):
    cache = tree(tmp_path / "h", **{f"d__snapshots__0abc__{name}": 4 for name in "ab"})
    tree(cache, d__blobs=4)
    (cache / "d" / "refs").mkdir()
    (cache / "d" / "refs" / "main").write_text("0abc")
    for place in (cache, cache / "d"):
        assert describe([f"x={place}"]) == 2
        assert capsys.readouterr().err.endswith(f"give {cache / 'd/snapshots/0abc'}\n")
    assert describe([str(cache / "d" / "snapshots" / "0abc")]) == 0
