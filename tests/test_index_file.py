"""The file that names an index's content: what is damaged or hostile in it is refused."""

import json
import shutil

import pytest
from msgspec.structs import fields

from benchmarks.search.__main__ import main
from benchmarks.search.files import INDEX, About


def at(place):
    return f"- at `$.{place}`; damaged or of another version"


AT_KEY = "- at `key` in `$.files`; damaged"

DAMAGED = {
    "generation: above": ({"generation": ".."}, at("generation")),
    "generation: elsewhere": ({"generation": "../x"}, at("generation")),
    "generation: absolute": ({"generation": "/tmp"}, at("generation")),
    "generation: the index itself": ({"generation": "."}, at("generation")),
    "generation: empty": ({"generation": ""}, at("generation")),
    "generation: hidden behind a line": ({"generation": "00000000\n"}, at("generation")),
    "generation: no text": ({"generation": None}, at("generation")),
    "generation: gone": ({"generation": "00000000"}, "images.npy is missing"),
    "matrices: text": ({"matrices": "1"}, at("matrices")),
    "matrices: truth": ({"matrices": True}, at("matrices")),
    "matrices: none": ({"matrices": 0}, at("matrices")),
    "matrices: huge": ({"matrices": 10**9}, at("matrices")),
    "matrices: more than there are": ({"matrices": 2}, "does not list vectors-1.npy"),
    "names: text": ({"names": "abc"}, at("names")),
    "names: numbers": ({"names": ["a", 1]}, at("names[1]")),
    "names: too few": ({"names": []}, "counts in classes that there are not"),
    "method": ({"method": ["lbp"]}, at("method")),
    "epochs": ({"epochs": "3"}, at("epochs")),
    "identity": ({"identity": {}}, at("identity")),
    "training": ({"training": 0}, at("training")),
    "preset: text": ({"preset": "lbp"}, at("preset")),
    "preset: incomplete": ({"preset": {"format": 1}}, at("preset")),
    "files: none": ({"files": {}}, "does not list images.npy"),
    "files: above": (
        {"files": {"../images.npy": {"size": 1, "crc32": 1}}},
        AT_KEY,
    ),
    "files: absolute": (
        {"files": {"/etc/passwd": {"size": 1, "crc32": 1}}},
        AT_KEY,
    ),
    "files: a negative sum": ({"files": {"a": {"size": 1, "crc32": -1}}}, at("files[...].crc32")),
    "unknown field": ({"more": 1}, "unknown field `more`"),
    "no number": ({"matrices": float("nan")}, "no valid JSON"),
    "another word": ({"name": "other", "checksum": "0" * 64}, "its checksum differs"),
}


@pytest.fixture
def index(mixed, ask, tmp_path):
    folder = tmp_path / "elsewhere" / "index"
    ask("--pictures", mixed, "--extractor", "lbp", "--index", folder)
    return folder


@pytest.fixture
def command(tmp_path, capsys):
    """Run the command; returns the exit code, its answer and what it says beside."""

    def run(*arguments):
        cache = ["--cache", tmp_path / "cache", "--jobs", 1, "--json"]
        capsys.readouterr()
        code = main([str(one) for one in (*arguments, *cache)])
        printed = capsys.readouterr()
        return code, json.loads(printed.out or "null"), printed.err

    return run


def rewrite(index, changes):
    """Change fields of an index file as a stranger would, who can do without its checksum."""
    about = json.loads((index / INDEX).read_text())
    del about["checksum"]
    (index / INDEX).write_text(json.dumps(about | changes))


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_or_hostile_index_is_one_line_and_made_anew_alone(case, mixed, command, index):
    changes, complaint = DAMAGED[case]
    generation = json.loads((index / INDEX).read_text())["generation"]
    mine = [index.parent / "images.npy", index / "images.npy", index.parent / "mine.txt"]
    for path in mine:
        shutil.copy(index / generation / "images.npy", path)
    rewrite(index, changes)
    before = sorted(index.parent.rglob("*"))
    code, _, said = command(mixed / "0.jpg", "--index", index)
    assert code == 2
    assert complaint in said
    assert said.startswith("error: ")
    assert said.endswith("--pictures or --dataset makes it anew\n")
    assert said.count("\n") == 1
    assert sorted(index.parent.rglob("*")) == before
    options = ("--pictures", mixed, "--extractor", "lbp", "--index", index)
    code, answer, said = command(mixed / "0.jpg", *options)
    assert code == 0
    assert said.count(complaint) == 1
    assert answer["neighbours"][0]["id"] == "0.jpg"
    assert all(path.is_file() for path in mine)
    assert [path.name for path in index.parent.iterdir() if path.is_dir()] == ["index"]
    assert len([path for path in index.iterdir() if path.is_dir()]) == 1
    assert command(mixed / "0.jpg", "--index", index)[1]["neighbours"] == answer["neighbours"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "[" * 10**6, '{"row": 1, "row": 1}'])
def test_an_index_file_that_is_none_is_made_anew_where_it_was_ours(content, mixed, command, index):
    options = ("--pictures", mixed, "--extractor", "lbp", "--index", index)
    (index / INDEX).write_text(content)
    assert command(mixed / "0.jpg", "--index", index)[0] == 2
    assert command(mixed / "0.jpg", *options)[0] == 0
    assert command(mixed / "0.jpg", "--index", index)[0] == 0


def test_another_programs_file_of_that_name_stays(mixed, command, tmp_path):
    folder = tmp_path / "site"
    (folder / "20240101").mkdir(parents=True)
    (folder / "20240101" / "images.npy").write_bytes(b"mine")
    (folder / INDEX).write_text('{"pages": []}')
    code, _, said = command("--pictures", mixed, "--extractor", "lbp", "--index", folder)
    assert code == 2
    assert said.endswith(
        "index.json: not written by this version of the suite; remove it, or name another folder\n"
    )
    assert (folder / INDEX).read_text() == '{"pages": []}'
    (folder / INDEX).unlink()
    assert command("--pictures", mixed, "--extractor", "lbp", "--index", folder)[0] == 0
    assert (folder / "20240101" / "images.npy").read_bytes() == b"mine"


@pytest.mark.parametrize("key", [field.name for field in fields(About)])
def test_an_index_file_without_one_of_its_fields_is_damaged(key, mixed, ask, index):
    about = json.loads((index / INDEX).read_text())
    del about[key]
    (index / INDEX).write_text(json.dumps(about))
    code, printed = ask(mixed / "0.jpg", "--index", index)
    assert code == 2
    assert f"object missing required field `{key}`" in printed
