"""Commands of datasets and extractors: one line whatever goes wrong, and any standard output."""

import importlib
import os
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

COMMANDS = {
    "datasets.describe": ("datasets.describe", ["{}"], "datasets.resolve"),
    "datasets.fetch": ("datasets.fetch", ["--list"], "datasets.fetch.list_line"),
    "extractors": ("extractors.__main__", [], "extractors.__main__.tables"),
    "extractors.check": ("extractors.check", ["tiny-image"], "extractors.check.run_checks"),
}
"""Name to module, arguments, and what the work calls."""

STREAMS = {
    "all closed": ("<&- >&- 2>&-", 0, 0),
    "no room": ("> /dev/full", 2, 1),
    "no room at all": ("> /dev/full 2>&1", 2, 0),
    "nobody reads": ("| true", 141, 0),
}
"""Redirections, exit code, and lines on standard error."""


def call(name, folder):
    module, arguments, _ = COMMANDS[name]
    given = [text.format(folder) for text in arguments]
    main = importlib.import_module(module).main
    return main(given) if given else main()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("case", STREAMS)
@pytest.mark.parametrize("name", COMMANDS)
def test_streams_that_cannot_be_written_to_are_told_in_a_line(name, case, classes, tmp_path):
    streams, code, lines = STREAMS[case]
    given = [text.format(classes) for text in COMMANDS[name][1]]
    words = shlex.join([sys.executable, "-m", name, *given])
    script = f"{{ {words}; echo $? > {tmp_path / 'code'}; }} {streams}"
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        ["sh", "-c", script], env=environment, stderr=subprocess.PIPE, text=True, check=False
    )
    assert int((tmp_path / "code").read_text()) == code
    assert done.stderr.count("\n") == lines
    assert done.stderr.startswith("error: " if lines else "")


@pytest.mark.parametrize("name", COMMANDS)
def test_standard_output_may_be_any_file(name, classes):
    with redirect_stdout(StringIO()) as printed:
        assert call(name, classes) == 0
    assert printed.getvalue().endswith("\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_an_interrupt_is_one_line(name, classes, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(COMMANDS[name][2], interrupt)
    assert call(name, classes) == 130
    told = capsys.readouterr().err
    assert told.startswith("interrupted")
    assert told.count("\n") == 1


def test_a_file_that_cannot_be_looked_for_is_named(capsys):
    check = importlib.import_module("extractors.check").main
    assert check(["x", "--plugin", f"{'a' * 300}.py"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert "aaa.py (" in told
