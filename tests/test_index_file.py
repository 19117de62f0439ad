"""The file that names an index's content: what is damaged or hostile in it is refused."""

import json
import shutil

import pytest
from msgspec.structs import fields

from benchmarks.search.index import INDEX, About


def at(place):
    return f"- at `$.{place}`; damaged or of another version"


DAMAGED = {
    "generation: above": ({"generation": ".."}, at("generation")),
    "generation: elsewhere": ({"generation": "../x"}, at("generation")),
    "generation: absolute": ({"generation": "/tmp"}, at("generation")),
    "generation: the index itself": ({"generation": "."}, at("generation")),
    "generation: empty": ({"generation": ""}, at("generation")),
    "generation: hidden behind a line": ({"generation": "00000000\n"}, at("generation")),
    "generation: no text": ({"generation": None}, at("generation")),
    "matrices: text": ({"matrices": "1"}, at("matrices")),
    "matrices: truth": ({"matrices": True}, at("matrices")),
    "matrices: none": ({"matrices": 0}, at("matrices")),
    "matrices: huge": ({"matrices": 10**9}, at("matrices")),
    "names: text": ({"names": "abc"}, at("names")),
    "names: numbers": ({"names": ["a", 1]}, at("names[1]")),
    "root": ({"root": 3}, at("root")),
    "method": ({"method": ["lbp"]}, at("method")),
    "epochs": ({"epochs": "3"}, at("epochs")),
    "identity": ({"identity": {}}, at("identity")),
    "training": ({"training": 0}, at("training")),
    "preset: text": ({"preset": "lbp"}, at("preset")),
    "preset: incomplete": ({"preset": {"format": 1}}, at("preset")),
    "unknown field": ({"more": 1}, "unknown field `more`"),
    "no number": ({"matrices": float("nan")}, "no valid JSON"),
}


@pytest.fixture
def index(mixed, ask, tmp_path):
    folder = tmp_path / "elsewhere" / "index"
    ask("--pictures", mixed, "--extractor", "lbp", "--index", folder)
    return folder


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_or_hostile_index_is_one_line_and_deletes_nothing(case, mixed, ask, index):
    changes, complaint = DAMAGED[case]
    about = json.loads((index / INDEX).read_text())
    shutil.copy(index / about["generation"] / "images.npy", index.parent)
    shutil.copy(index / about["generation"] / "images.npy", index)
    (index / INDEX).write_text(json.dumps(about | {"identity": "x"} | changes))
    before = sorted(index.parent.rglob("*"))
    for options in (["--pictures", mixed, "--extractor", "lbp"], []):
        code, printed = ask(mixed / "0.jpg", *options, "--index", index)
        assert code == 2
        assert f"error: {index / INDEX}: " in printed
        assert complaint in printed
        assert printed.splitlines()[-1].startswith("error: ")
        assert sorted(index.parent.rglob("*")) == before


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "[" * 10**6, '{"row": 1, "row": 1}'])
def test_an_index_file_that_is_none_can_be_removed_and_made_anew(content, mixed, ask, index):
    options = ("--pictures", mixed, "--extractor", "lbp", "--index", index)
    (index / INDEX).write_text(content)
    code, printed = ask(mixed / "0.jpg", *options)
    assert code == 2
    assert printed.endswith("remove this file and make the index anew\n")
    (index / INDEX).unlink()
    assert ask(mixed / "0.jpg", *options)[0] == 0


@pytest.mark.parametrize("key", [field.name for field in fields(About)])
def test_an_index_file_without_one_of_its_fields_is_damaged(key, mixed, ask, index):
    about = json.loads((index / INDEX).read_text())
    del about[key]
    (index / INDEX).write_text(json.dumps(about))
    code, printed = ask(mixed / "0.jpg", "--index", index)
    assert code == 2
    assert f"object missing required field `{key}`" in printed
