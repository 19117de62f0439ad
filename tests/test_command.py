"""The command's manners: one line for bad input, a table that fits, silence when asked."""

import errno
import importlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys

import pytest
from processes import wait_for

import extractors
from benchmarks import STOPS
from benchmarks.cli.command import command
from benchmarks.run import _parser

BAD = {
    "missing folder": (["--all", "--dataset", "/no/such"], "/no/such.*no such folder"),
    "unknown dataset": (["--all", "--dataset", "openmojo"], "neither a folder nor one of"),
    "unknown extractor": (["--extractor", "hsv-histgram"], "did you mean 'hsv-histogram'"),
    "a pattern": (["--extractor", "lbp*"], r"--extractor lbp\*: .*did you mean 'lbp'"),
    "far from any extractor": (["--extractor", "zzzz"], "--list shows them"),
    "nothing to run": ([], "give --all, or --extractor"),
    "both": (["--all", "--extractor", "lbp"], "exclude each other"),
    "no workers": (["--all", "--jobs", "0"], "--jobs.*less than 1"),
    "no number": (["--all", "--seed", "x"], "--seed.*invalid"),
    "negative": (["--all", "--seed", "-1"], "--seed.*is negative"),
    "no name": (["--extractor", ""], "--extractor: nothing given"),
    "no metric": (["--all", "--metrics", " "], "--metrics: nothing given"),
    "two seeds": (["--all", "--seed", "1", "--seed", "2"], "--seed is given twice"),
    "unknown option": (["--al", "--fast"], "--fast.*see --help"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_exit_code_2(case, run, capsys):
    arguments, message = BAD[case]
    assert run(*arguments) == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith("error: ")
    assert written.err.count("\n") == 1
    assert re.search(message, written.err)


def test_lists_go_on_when_their_option_comes_again():
    words = [
        "--extractor",
        "lbp",
        "hog",
        "--dataset",
        "a",
        "--extractor",
        "sift",
        "--dataset",
        "b",
    ]
    for _ in range(2):
        options = _parser().parse_args(words)
        assert options.extractor == ["lbp", "hog", "sift"]
        assert options.dataset == ["a", "b"]
    assert _parser().parse_args([]).dataset == ["openmoji"]


def test_unwritable_output_and_cache(classes, run, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run("--extractor", "lbp", "--dataset", classes, out="file") == 2
    assert "--out" in capsys.readouterr().err
    assert run("--extractor", "lbp", "--dataset", classes, cache="file/below") == 2
    assert "--cache" in capsys.readouterr().err


INTO = {
    "the dataset's own folder": ("run", "set={}/set", ""),
    "the folder of its table": ("run", "set={}/set/list.csv", ""),
    "a folder around it": ("run", "apple={}/apple/deep", ""),
    "pictures that a table lists": ("run", "pictures={}/list.csv", ""),
    "exported neighbours": ("export neighbours", "set={}/set", ""),
    "the folder of copies": ("augment", "{}/training", ""),
    "other seeds": ("seeds", "one={}/seeds/one", ""),
    "another dataset's name": ("run", "a={}/set", "set={}/other"),
}


@pytest.mark.parametrize("case", INTO)
def test_results_are_never_written_among_pictures(case, parted, tmp_path, capsys):
    name, one, other = INTO[case]
    home = tmp_path / "home"
    for place in ("set", "apple/deep", "training", "seeds/one", "other"):
        shutil.copytree(parted, home / place)
    shutil.copytree(parted / "training", home / "pictures")
    for place in (home, home / "set"):
        listed = sorted((home / "pictures").rglob("*.png"))
        lines = [f"{path},{path.parent.name}" for path in listed]
        (place / "list.csv").write_text("\n".join(["path,label", *lines, ""]))
    files = {path: path.read_bytes() for path in home.rglob("*.*")}
    given = [text.format(home) for text in (one, other) if text]
    if name != "augment":
        methods = ["cnn-compact" if name == "seeds" else "lbp"]
        given = ["--dataset", *given, "--extractor", *methods]
    command_name, *what = name.split()
    main = importlib.import_module(f"benchmarks.{command_name}{'.__main__' * bool(what)}").main
    places = ["--out", str(home), "--cache", str(tmp_path / "cache"), "--jobs", "1", "--quiet"]
    assert main([*what, *given, *places]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("error: --out ")
    assert {path: path.read_bytes() for path in home.rglob("*.*")} == files


def test_results_lie_beside_pictures_and_their_table(classes, run, tmp_path):
    lines = [f"{path.relative_to(tmp_path)},{path.parent.name}" for path in classes.rglob("*.png")]
    (tmp_path / "labels.csv").write_text("\n".join(["path,label", *lines, ""]))
    for text in (f"mine={classes}", tmp_path / "labels.csv"):
        assert run("--extractor", "lbp", "--dataset", text, "--quiet", out=".") == 0
    assert (tmp_path / "labels" / "table.md").exists()


def test_an_error_about_a_name_with_a_line_break_stays_one_line(tmp_path, run, capsys):
    assert run("--all", "--dataset", tmp_path / "new\nline") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_two_datasets_of_one_name(classes, tmp_path, run, capsys):
    shutil.copytree(classes, tmp_path / "other" / "classes")
    assert run("--extractor", "lbp", "--dataset", classes, tmp_path / "other" / "classes") == 2
    assert f"write NAME={tmp_path / 'other' / 'classes'}\n" in capsys.readouterr().err
    given = (f"v={classes}", f"v={tmp_path / 'other' / 'classes'}")
    assert run("--extractor", "lbp", "--dataset", *given) == 2
    assert f"write NAME={tmp_path / 'other' / 'classes'}\n" in capsys.readouterr().err


def test_list_shows_every_name(run, capsys):
    assert run("--list") == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in (*extractors.MENU, "openmoji", "animals=PATH"))


def test_quiet_prints_nothing(classes, run, capsys):
    assert run("--extractor", "lbp", "--dataset", classes, "--quiet") == 0
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "")


def test_printed_table_fits_80_columns(parted, run, capsys, monkeypatch, short_training):
    monkeypatch.setenv("COLUMNS", "80")
    run("--all", "--dataset", parted)
    printed = capsys.readouterr().out
    assert "chance" in printed
    assert all(name in printed for name in extractors.MENU)
    assert "hsv-histogram-grid+lbp+gist\n+rootsift-bovw" in re.sub(r" {2,}.*\n", "\n", printed)
    assert max(map(len, printed.splitlines())) <= 80
    assert "…" not in printed


@pytest.mark.parametrize(
    "name", ["..", ".", "README.md", "n" * 300, "a\x1b[2Jb", "a\\b", "CON", "a/b", "", " "]
)
def test_a_dataset_is_called_what_can_be_a_folder(name, classes, run, tmp_path, capsys):
    assert run("--extractor", "lbp", "--dataset", f"{name}={classes}", out="deep/out") == 2
    told = capsys.readouterr().err
    assert "is no name for a dataset" in told
    assert told.endswith("; write NAME=PATH with another\n")
    assert told.count("\n") == 1
    assert told.strip().isprintable()
    assert not (tmp_path / "deep" / "records").exists()
    assert not list(tmp_path.glob("deep/out/*"))


def test_a_query_set_is_called_what_can_be_a_folder(parted, run, capsys):
    (parted / "validation" / "query-sketch").rename(parted / "validation" / "query-a\x1bb")
    assert run("--extractor", "lbp", "--dataset", parted) == 2
    assert "'query-a\\x1bb' is no name for a query set" in capsys.readouterr().err


def test_a_method_whose_name_no_file_can_have_is_one_line(classes, run, capsys):
    name = "+".join(extractors.MENU)
    assert run("--extractor", name, "--dataset", classes) == 2
    assert "bytes, at most 200 are; fuse fewer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "x.npz"), "x.npz: No space.*make room"),
        (PermissionError(errno.EACCES, "Permission denied", "out"), "out: Permission.*allow it"),
        (FileNotFoundError(errno.ENOENT, "No such file", "a\nb"), r"a\\nb: No such.*run again"),
        (OSError("odd"), "odd; .*run again"),
        (MemoryError(), "out of memory; use fewer --jobs"),
    ],
)
def test_an_error_of_the_system_is_one_line_with_the_remedy(error, told, capsys):
    def work():
        raise error

    assert command(work)() == 2
    printed = capsys.readouterr().err
    assert re.fullmatch(f"error: {told}.*\n", printed)


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX")
def test_a_full_disk_is_one_line_and_the_next_run_goes_on(classes, tmp_path):
    """As far as a process can tell: no file may become longer than so many bytes."""
    places = ["--out", tmp_path / "out", "--cache", tmp_path / "cache", "--no-plots", "--quiet"]
    chosen = ["--extractor", "hog", "--dataset", classes]
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            limit + f"import sys; from benchmarks.run import main; "
            f"sys.exit(main({[str(one) for one in [*chosen, *places]]}))",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 2
    assert re.fullmatch(rf"error: {tmp_path}/.*npz: File too large.*\n", found.stderr)
    whole = subprocess.run([sys.executable, "-m", "benchmarks.run", *chosen, *places], check=False)
    assert whole.returncode == 0


STREAMS = {
    "all closed": ("<&- >&- 2>&-", 0, True),
    "nobody reads the tables": ("2> /dev/null | true", 141, True),
    "nobody reads the messages": ("2>&1 > /dev/null | true", 141, False),
    "no room for messages": ("2> /dev/full", 2, False),
}


@pytest.mark.skipif(os.name != "posix", reason="streams of POSIX")
@pytest.mark.parametrize("case", STREAMS)
def test_streams_that_cannot_be_written_to_fail_no_method(case, classes, tmp_path):
    streams, code, has_results = STREAMS[case]
    places = ["--out", tmp_path / "out", "--cache", tmp_path / "cache", "--no-plots"]
    command_line = [sys.executable, "-m", "benchmarks.run", "--extractor", "lbp", "--jobs", "2"]
    words = shlex.join(map(str, [*command_line, "--dataset", classes, *places]))
    # The pipe's reader ends at once; Python fills and flushes it long after.
    script = f"{{ {words}; echo $? > {tmp_path / 'code'}; }} {streams}"
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    subprocess.run(["sh", "-c", script], env=environment, check=False)
    wait_for(lambda: (tmp_path / "code").exists() and (tmp_path / "code").read_text())
    assert int((tmp_path / "code").read_text()) == code
    assert (tmp_path / "out/classes/records/query/lbp.npz").exists() == has_results


def test_a_command_leaves_signals_as_it_found_them(run):
    before = [signal.getsignal(one) for one in STOPS]
    assert run("--list") == 0
    assert [signal.getsignal(one) for one in STOPS] == before
