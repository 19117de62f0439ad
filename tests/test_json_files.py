"""Reading JSON that a stranger may have written: nothing but one clear error, and soon."""

import json
import os
import re
import time

import msgspec
import pytest

from benchmarks.formats.files import write_json
from datasets.errors import DamagedError, InputError
from datasets.file_names import LONGEST, FileName, require_file_name
from datasets.json_files import MAX_BYTES, MAX_DEPTH, check_json, read_json_as

REMEDY = "mend it"


@pytest.fixture
def read(tmp_path):
    """Write bytes into a file and read it as an object."""

    def read_bytes(content, kind=dict[str, object]):
        path = tmp_path / "file.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_json_as(path, kind, REMEDY)

    return read_bytes


def nested(depth):
    return '{"a": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


NOT_JSON = {
    "nothing": ("", "Expecting value"),
    "cut": ('{"a": [1, ', "Expecting value: line 1 column 11"),
    "a million brackets": ("[" * 10**6, "nested deeper than 64"),
    "a million objects": ('{"a":' * 10**6, "nested deeper than 64"),
    "nested too deep for Python's stack": (nested(900), f"nested deeper than {MAX_DEPTH}"),
    "nested too deep": (nested(MAX_DEPTH + 1), f"nested deeper than {MAX_DEPTH}"),
    "a key twice": ('{"b": {"a": 1, "c": 2, "a": 1}}', "'a' stands twice"),
    "NaN": ('{"a": NaN}', "not JSON compliant"),
    "infinity": ('{"a": [-Infinity]}', "not JSON compliant"),
    "overflow": ('{"a": 1e999}', "not JSON compliant"),
    "a huge number": ('{"a": ' + "9" * 10_000 + "}", "limit"),
    "half a surrogate pair": (r'{"a": "\ud800"}', "surrogates not allowed"),
    "no UTF-8": (b'{"a": "\xff"}', "invalid start byte"),
    "half of UTF-16": ('{"a": 1}'.encode("utf-16")[:-1], "truncated data"),
    "two values": ("{} {}", "Extra data"),
}


@pytest.mark.parametrize("case", NOT_JSON)
def test_what_is_no_strict_json_is_one_clear_error(case, read):
    content, message = NOT_JSON[case]
    with pytest.raises(DamagedError) as raised:
        read(content)
    assert re.search(r"file\.json: no valid JSON \(.{,200}\); mend it$", str(raised.value))
    assert message in str(raised.value)


def test_what_is_unusual_and_right_is_read(read):
    assert read(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        assert read('{"ä": 1}'.encode(encoding)) == {"ä": 1}, encoding
    assert read(r'{"a": "\ud83c\udf4e", "b": 12345678901234567890, "c": 0.1}') == {
        "a": "🍎",
        "b": 12345678901234567890,
        "c": 0.1,
    }
    assert read(nested(MAX_DEPTH)).keys() == {"a"}


def test_a_huge_file_is_refused_early(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(200 * 10**6)
    began = time.perf_counter()
    with pytest.raises(DamagedError, match=r"huge\.json: no valid JSON \(larger than 64 MiB\)"):
        read_json_as(path, dict, REMEDY)
    assert time.perf_counter() - began < 5
    assert MAX_BYTES < 200 * 10**6


def test_many_keys_of_which_one_stands_twice_take_no_time(read):
    keys = [*range(200_000), 199_999]
    began = time.perf_counter()
    with pytest.raises(DamagedError, match="'199999' stands twice"):
        read("{" + ",".join(f'"{key}": 0' for key in keys) + "}")
    assert time.perf_counter() - began < 5


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    names: list[str] = []
    share: float = 0.0


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    count: int
    name: FileName = "x"
    inner: Inner | None = None
    by_name: dict[str, Inner] = {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "expected `object`, got `array`"),
        ("text", "expected `object`, got `str`"),
        (None, "expected `object`, got `null`"),
        ({}, "object missing required field `count`"),
        ({"count": 1, "more": 2}, "object contains unknown field `more`"),
        ({"count": "1"}, "expected `int`, got `str` - at `$.count`"),
        ({"count": True}, "expected `int`, got `bool` - at `$.count`"),
        ({"count": 1.0}, "expected `int`, got `float` - at `$.count`"),
        ({"count": None}, "expected `int`, got `null` - at `$.count`"),
        ({"count": 1, "inner": []}, "expected `object | null`, got `array` - at `$.inner`"),
        ({"count": 1, "inner": {"x": 1}}, "object contains unknown field `x` - at `$.inner`"),
        (
            {"count": 1, "inner": {"share": "1"}},
            "expected `float`, got `str` - at `$.inner.share`",
        ),
        ({"count": 1, "inner": {"share": 10**400}}, "number out of range - at `$.inner.share`"),
        ({"count": 1, "inner": {"names": ["a", 2]}}, "got `int` - at `$.inner.names[1]`"),
        (
            {"count": 1, "by_name": {"q": {"names": {}}}},
            "got `object` - at `$.by_name[...].names`",
        ),
    ],
)
def test_wrong_types_are_told_with_their_place(content, message, read):
    with pytest.raises(DamagedError) as raised:
        read(json.dumps(content), Outer)
    assert message in str(raised.value)
    assert str(raised.value).endswith(f"; {REMEDY}")


LEADING_ELSEWHERE = ["", ".", "..", "a/b", "../x", "/x", "a\0b", "a/", "a\\b", "..\\x"]
NOT_EVERYWHERE = [
    "a\x1bb",
    "a\nb",
    "a\u202eb",
    "...",
    "a.",
    "a ",
    " ",
    "CON",
    "nul.txt",
    "a:b",
    "a?",
]


@pytest.mark.parametrize("name", [*LEADING_ELSEWHERE, *NOT_EVERYWHERE])
def test_names_that_lead_elsewhere_or_are_none_on_some_system_are_refused(name):
    with pytest.raises(DamagedError, match=r"^file: expected `str` matching regex"):
        check_json(name, FileName, "file", REMEDY)
    with pytest.raises(InputError, match=r"is no name for a method .*; fuse fewer"):
        require_file_name(name, "a method", "fuse fewer")


@pytest.mark.parametrize("name", ["a", ".a", "my photos (2024)", "馬", "a..b", "hog@x", "cone"])
def test_odd_names_that_stay_in_their_folder_are_not(name):
    assert check_json(name, FileName, "file", REMEDY) == name
    require_file_name(name, "a method", "fuse fewer")


def test_a_name_is_measured_in_bytes():
    require_file_name("n" * LONGEST, "a method", "fuse fewer")
    with pytest.raises(InputError, match=r"^'馬.*201 bytes, at most 200 are; fuse fewer"):
        require_file_name("馬" * 67, "a method", "fuse fewer")


def test_what_cannot_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    assert read_json_as(tmp_path / "none.json", dict, REMEDY) is None
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    file = tmp_path / "file.json"
    write_json(file, {})
    for path, reason in (
        (tmp_path, "not a regular file"),
        (pipe, "not a regular file"),
        (file / "below.json", "Not a directory"),
    ):
        with pytest.raises(InputError, match=rf"cannot be read \({reason}\)") as raised:
            read_json_as(path, dict, REMEDY)
        assert not isinstance(raised.value, DamagedError)

    def refuse(*_):
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)") as raised:
        read_json_as(file, dict, REMEDY)
    assert not isinstance(raised.value, DamagedError)
    assert REMEDY not in str(raised.value)
