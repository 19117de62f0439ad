"""Output on consoles that are no UTF-8, and names that would control them."""

import io
import json
import logging
import os
import subprocess
import sys

import pytest
from pictures import fill

from benchmarks.cli.command import Line, command
from benchmarks.formats.terminal import visible
from benchmarks.pipeline.workers import Workforce
from benchmarks.report.console import print_table
from benchmarks.search.__main__ import main as search
from datasets.errors import InputError

ENCODINGS = ["ascii", "cp1252", "cp850", "latin-1"]


@pytest.fixture
def console(monkeypatch):
    """Standard output and error in an encoding, as files have on Windows; what is written."""

    def use(encoding):
        streams = []
        for name in ("stdout", "stderr"):
            streams.append(io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n"))
            monkeypatch.setattr(sys, name, streams[-1])

        def written():
            for stream in streams:
                stream.flush()
            return [stream.buffer.getvalue().decode(encoding) for stream in streams]

        return written

    return use


@pytest.fixture
def foreign(tmp_path):
    """Classes in another script than that of any code page here."""
    for number, name in enumerate(("馬", "バス 😀")):
        fill(tmp_path / "写真" / name, 8, 60 + number, number)
    return tmp_path / "写真"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_run_and_a_search_work_on_any_console(encoding, console, foreign, run, tmp_path):
    written = console(encoding)
    assert run("--extractor", "lbp", "--dataset", foreign) == 0
    out, err = written()
    assert r"\u5199\u771f/query" in out
    assert "Traceback" not in err
    where = ["--extractor", "lbp", "--cache", str(tmp_path / "cache"), "--jobs", "1"]
    query = next((tmp_path / "out" / "写真").glob("images.csv")).read_text(encoding="utf-8")
    name = next(line.split(",")[1] for line in query.splitlines() if line.startswith("query,"))
    written = console(encoding)
    assert search([*where, "--dataset", str(foreign), "--query-id", name]) == 0
    out, _ = written()
    assert out.splitlines()[1][4] in "ox"
    assert r"\u99ac" in out or r"\u30d0\u30b9 \U0001f600" in out
    written = console(encoding)
    assert (
        search([*where, "--pictures", str(foreign), str(foreign / "馬" / "00.png"), "--json"]) == 0
    )
    assert json.loads(written()[0])["searched"] == "写真"


def test_json_is_ascii_whatever_the_console(foreign, ask):
    code, found = ask("--pictures", foreign, foreign / "馬" / "00.png", "--extractor", "lbp")
    assert code == 0
    assert {one["label"] for one in found["neighbours"]} == {"馬", "バス 😀"}


def test_a_utf_8_console_keeps_its_marks(console):
    written = console("utf-8")
    assert command(lambda: bool(sys.stdout.write("○ ✕ – 馬 \udce9")))() is True
    assert written()[0] == "○ ✕ – 馬 \\udce9"


def test_marks_have_stand_ins_in_ascii(console):
    written = console("ascii")
    command(lambda: sys.stdout.write("1 ○ 2 ✕ 0.6–0.8 30° … é 😀"))()
    assert written()[0] == "1 o 2 x 0.6-0.8 30 deg ... \\xe9 \\U0001f600"


def test_listings_go_into_a_file_of_any_encoding():
    for module in (["benchmarks.run", "--list"], ["extractors"]):
        found = subprocess.run(
            [sys.executable, "-m", *module],
            capture_output=True,
            env=os.environ | {"PYTHONIOENCODING": "ascii"},
            check=True,
        )
        assert b"hsv-histogram" in found.stdout
        assert found.stdout.isascii()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain é 馬 😀", "plain é 馬 😀"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("a\nerror: b\r", r"a\nerror: b\r"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2028\x85\udce9", r"\u2028\x85\udce9"),
        ("wide\u3000space", "wide\u3000space"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_no_name_controls_a_terminal(name, shown, capsys):
    def fails():
        raise InputError(f"{name}: bad")

    assert visible(name) == shown
    assert command(fails)() == 2
    Workforce().log(name)
    told = capsys.readouterr().err
    assert f"error: {shown}: bad\n" in told
    assert told.endswith(f"{shown}\n")


def test_a_log_is_one_line():
    record = logging.LogRecord("own", logging.WARNING, "", 0, "odd: %s", ("\x1b\n",), None)
    assert Line("%(levelname)s: %(message)s").format(record) == r"WARNING: odd: \x1b\n"


def test_no_class_or_reason_controls_a_terminal(load_dataset, classes, capsys):
    row = {"status": "failed", "method": "lbp", "reason": "on \x1b[2J\n.png"}
    print_table(load_dataset(classes), {"query\x1b": [row]})
    assert "\x1b" not in capsys.readouterr().out
