"""Options of a search that say nothing, and indexes that would be replaced, are refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from pictures import fill

from benchmarks import evaluate
from benchmarks.pipeline.methods.names import parse_method
from benchmarks.search import open_index, search
from benchmarks.search.__main__ import main
from benchmarks.search.api import prepare_index
from benchmarks.search.source import find_source
from datasets.errors import InputError
from extractors import MENU


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


def test_an_index_of_other_pictures_is_not_replaced(mixed, tmp_path, ask):
    index = tmp_path / "index"
    kept = ("--index", index, "--extractor", "hsv-histogram")
    ask("--pictures", mixed, *kept)
    fill(tmp_path / "others", 4, 2)
    for more in (
        ("--pictures", tmp_path / "others", *kept),
        ("--pictures", tmp_path / "others", "--index", index),
        ("--pictures", mixed, "--index", index, "--extractor", "lbp"),
    ):
        code, printed = ask(*more)
        assert code == 2
        assert "is an index of mixed by hsv-histogram, and would become one" in printed
    assert len(open_index(index)) == 9
    several = tmp_path / "several"
    ask("--pictures", mixed, "--index", several / "lbp", "--extractor", "lbp")
    code, printed = ask("--pictures", mixed, "--index", several, "--extractor", "lbp")
    assert (code, "holds indexes (lbp); name another" in printed) == (2, True)


def test_an_index_that_is_made_anew_keeps_its_method(mixed, tmp_path, ask):
    index = ("--index", tmp_path / "index")
    ask("--pictures", mixed, *index, "--extractor", "hsv-histogram")
    fill(mixed / "more", 2, 3)
    code, printed = ask("--pictures", mixed, *index)
    assert (code, "11 pictures are in" in printed) == (0, True), printed
    assert open_index(tmp_path / "index").about.method == "hsv-histogram"


def test_an_index_is_known_by_its_pictures_not_by_the_name_of_their_folder(tmp_path, ask):
    kept = ("--index", tmp_path / "index", "--extractor", "hsv-histogram")
    fill(tmp_path / "a" / "pics", 3, 1)
    fill(tmp_path / "b" / "pics", 4, 2)
    ask("--pictures", tmp_path / "a" / "pics", *kept)
    code, said = ask("--pictures", tmp_path / "b" / "pics", *kept)
    first, second = (tmp_path / name / "pics" / "00.png" for name in "ab")
    assert code == 2
    assert f"is an index of pics ({first} …) by hsv-histogram, and would become one of" in said
    assert f"of pics ({second} …) by hsv-histogram; remove it, or name another folder" in said
    assert len(open_index(tmp_path / "index")) == 3
    (tmp_path / "a" / "pics").rename(tmp_path / "moved")
    assert ask("--pictures", tmp_path / "moved", *kept)[0] == 0
    assert open_index(tmp_path / "index").image(0).path.is_file()
    shutil.rmtree(tmp_path / "moved")
    fill(tmp_path / "moved", 5, 7)  # other pictures in the same place
    assert ask("--pictures", tmp_path / "moved", *kept)[0] == 0
    assert len(open_index(tmp_path / "index")) == 5


def test_folders_of_one_relative_name_have_indexes_of_their_own(tmp_path, monkeypatch):
    options = {"extractor": "hsv-histogram", "cache": tmp_path / "cache"}
    for dataset in ("pics", "x=pics"):
        for place, many in (("a", 3), ("b", 4)):
            for part in ("query", "gallery"):
                fill(tmp_path / place / "pics" / "validation" / part / "one", many, many)
                fill(tmp_path / place / "pics" / "validation" / part / "two", many, 3 * many)
            monkeypatch.chdir(tmp_path / place)
            index, _ = prepare_index(dataset=dataset, **options)
            assert len(index) == 2 * many
    assert len(list((tmp_path / "cache" / "indexes").iterdir())) == 4
    source = find_source(pictures="a", learn_from="pics", cache="cache")
    monkeypatch.chdir(tmp_path / "a")
    method = parse_method("hog")
    there = source.folder(method).name
    monkeypatch.chdir(tmp_path / "b")
    assert source.folder(method).name != there


def test_a_picture_may_lie_at_home(mixed, tmp_path, monkeypatch, ask):
    monkeypatch.setenv("HOME", str(tmp_path))
    shutil.copy(mixed / "1.png", tmp_path / "mine.png")
    code, answer = ask("~/mine.png", "--pictures", mixed, "--extractor", "hsv-histogram")
    assert (code, answer["neighbours"][0]["id"]) == (0, "1.png")
    code, said = ask("http://x.y/1.png", "--pictures", mixed, "--extractor", "hsv-histogram")
    assert (code, "a web address; save the picture" in said) == (2, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-k", "3"), "-k goes with a PICTURE"),
        (("--show", "a.png"), "--show goes with a PICTURE"),
        (("--leave-out-query",), "--leave-out-query goes with a PICTURE"),
        (("0.jpg", "--port", "7"), "--host and --port go with --serve"),
    ],
)
def test_options_without_a_meaning_are_refused(
    mixed, tmp_path, capsys, monkeypatch, options, message
):
    monkeypatch.chdir(mixed)
    folders = ["--pictures", str(mixed), "--index", str(tmp_path / "index"), "--extractor", "lbp"]
    assert main([*options, *folders]) == 2
    assert message in capsys.readouterr().err


def test_paths_and_names_from_python_are_those_of_the_command(mixed, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    index, _ = prepare_index(pictures=mixed, extractor="lbp", index="~/index")
    assert (tmp_path / "index").is_dir()
    assert len(open_index("~/index")) == len(index)
    with pytest.raises(InputError, match="no name given"):
        search(mixed / "0.jpg", pictures=mixed, extractor="")


@pytest.mark.filterwarnings("error")
def test_numbers_of_numpy_are_numbers(mixed):
    given = {"pictures": mixed, "extractor": "lbp"}
    found = search(mixed / "0.jpg", k=np.int8(5), seed=np.int32(3), epochs=np.int64(1), **given)
    assert len(found.neighbours) == 5
    index, _ = prepare_index(**given)
    assert len(index.search(mixed / "0.jpg", np.int8(5))) == 5


@pytest.mark.parametrize("name", ["seed", "epochs"])
def test_an_index_is_made_by_whole_numbers(name, mixed):
    with pytest.raises(InputError, match=f"{name}=1.5 is no whole number of at least"):
        prepare_index(pictures=mixed, extractor="lbp", **{name: 1.5})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"extractor": MENU["lbp"]}, "extractor= takes no LocalBinaryPattern; search by a name"),
        ({"extractor": len}, "extractor= takes no builtin_function_or_method"),
        ({"extractor": ["lbp"]}, "extractor= takes no list"),
        ({"preset": 3}, "preset= takes no int; give a name or a path"),
        ({"pictures": None, "dataset": 5}, "dataset= takes no int; give a name or a path"),
        ({"learn_from": b"pics"}, "learn_from= takes no bytes"),
        ({"layout": 5}, "layout=5 is neither a text nor several"),
        ({"layout": [None]}, r"layout=\[None\] is neither a text nor several"),
        ({"approximate": ["hnsw"]}, "approximate= takes no list; it is one of hnsw"),
        ({"leave_out_query": "no"}, "leave_out_query='no' is neither True nor False"),
        ({"reread": "no"}, "reread='no' is neither True nor False"),
    ],
)
def test_arguments_of_other_kinds_are_one_line(mixed, given, message):
    with pytest.raises(InputError, match=message):
        search(mixed / "0.jpg", **{"pictures": mixed, "extractor": "lbp", **given})


@pytest.mark.parametrize("folder", [None, 5, ""])
def test_an_index_is_opened_by_its_folder(folder):
    with pytest.raises(InputError, match=r"is no folder|no path given"):
        open_index(folder)


def test_leaving_the_query_out_is_said_by_true_or_false(mixed):
    index, _ = prepare_index(pictures=mixed, extractor="lbp")
    with pytest.raises(InputError, match="leave_out_query='no' is neither True nor False"):
        index.search(mixed / "0.jpg", 3, "no")


def test_paths_are_words_and_none_is_none(classes, parted):
    given = {"extractor": "lbp", "layout": None}
    assert prepare_index(dataset=classes, **given)[1].gallery
    assert prepare_index(pictures=classes, learn_from=parted, **given)[1].training
    for layout in ([Path("classes")], Path("classes")):
        assert evaluate("lbp", classes, layout=layout).scores == evaluate("lbp", classes).scores
