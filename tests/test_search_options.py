"""Options of a search that say nothing, and indexes that would be replaced, are refused."""

import pytest
from pictures import fill

from benchmarks.search import open_index, search
from benchmarks.search.__main__ import main
from benchmarks.search.api import prepare_index
from datasets.errors import InputError


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
        ("--pictures", mixed, "--index", index),
    ):
        code, printed = ask(
            *more, *(() if more[-1] == "hsv-histogram" else ("--extractor", "lbp"))
        )
        assert code == 2
        assert "is an index of mixed by hsv-histogram, and would become one" in printed
    assert len(open_index(index)) == 9
    several = tmp_path / "several"
    ask("--pictures", mixed, "--index", several / "lbp", "--extractor", "lbp")
    code, printed = ask("--pictures", mixed, "--index", several, "--extractor", "lbp")
    assert (code, "holds indexes (lbp); name another" in printed) == (2, True)


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
