"""Timings to ratios; the timings themselves are nobody's test."""

import json
import subprocess
import sys

import msgspec
import pytest

from benchmarks.speed.report import Timing, main, report


def timing(group, peer, median, **more):
    return {
        "group": group,
        "name": f"test[{peer}]",
        "extra_info": {"peer": peer, **more},
        "stats": {"median": median, "rounds": 5},
    }


def test_ratios_are_to_the_first_of_a_group(tmp_path):
    content = {
        "machine_info": {"node": "a-host-name"},
        "benchmarks": [
            timing("search", "ours", 0.1),
            timing("search", "theirs", 0.25),
            timing("other", "ours", 2.0),
        ],
    }
    (tmp_path / "timings.json").write_text(json.dumps(content))
    assert main([str(tmp_path / "timings.json"), "--out", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "speed.md").read_text()
    assert "| ours | 100 | 1.00 | 5 |" in page
    assert "| theirs | 250 | 2.50 | 5 |" in page
    assert "| ours | 2e+03 | 1.00 | 5 |" in page
    assert "a-host-name" not in page


def test_who_was_asked_less_is_compared_by_the_query():
    entries = [timing("s", "ours", 0.5, queries=600), timing("s", "old", 0.3, queries=2)]
    page = report(msgspec.convert(entries, list[Timing]))
    assert "| ours | 500 | 1.00 | 5 |" in page
    assert "| old (from 2 queries) | 9e+04 | 180.00 | 5 |" in page


BAD = [
    *(None, "{}", "[]", "text", '{"benchmarks": []}', '{"benchmarks": ["x"]}'),
    *('{"benchmarks": [{"group": "a", "stats": {"median": 1, "rounds": 5}}]}',),
    json.dumps({"benchmarks": [timing("a", "ours", 0)]}),
]


@pytest.mark.parametrize("text", BAD)
def test_bad_timings_are_one_line(tmp_path, capsys, text):
    path = tmp_path / "timings.json"
    if text is not None:
        path.write_text(text)
    assert main([str(path), "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"error: {path}: ")
    assert told.endswith(f"--benchmark-json={path}\n")
    assert told.count("\n") == 1


def test_code_without_its_docstrings_works_as_well(tmp_path):
    path = tmp_path / "timings.json"
    command = [sys.executable, "-OO", "-m", "benchmarks.speed.report", path, "--out", tmp_path]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 2
    assert found.stderr.startswith(f"error: {path}: no such file")
