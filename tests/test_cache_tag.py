"""A cache is marked, so that its pictures are no dataset's; files of others beside it are not."""

import re

import pytest
from import_graph import ROOT, modules
from pictures import fill

from benchmarks.pipeline.loading.dataset import CACHED, mark_as_cache
from datasets.walk import CACHE_TAG, walk


def found(folder):
    return {file.id for file in walk(folder).files}


@pytest.mark.parametrize(
    "there", [None, ".DS_Store", "vectors/lbp-0/identity.json", "indexes/0/index.json"]
)
def test_a_folder_of_its_own_is_marked(tmp_path, there):
    if there:
        (tmp_path / "cache" / there).parent.mkdir(parents=True)
        (tmp_path / "cache" / there).touch()
    for _ in range(2):
        mark_as_cache(tmp_path / "cache")
    assert [*tmp_path.rglob(CACHE_TAG)] == [tmp_path / "cache" / CACHE_TAG]


@pytest.mark.parametrize("theirs", ["pics", "datasets"])
def test_files_of_others_stay_pictures(tmp_path, theirs, run):
    fill(tmp_path / "mine" / theirs / "cat", 6, 1)
    fill(tmp_path / "mine" / theirs / "dog", 6, 2, 1)
    if theirs == "datasets":
        (tmp_path / "mine" / "notes.txt").touch()
    before = found(tmp_path)
    for _ in range(2):
        data = ("--dataset", tmp_path / "mine" / theirs, "--extractor", "lbp")
        assert run(*data, cache="mine") == 0
    assert (tmp_path / "mine" / "vectors" / CACHE_TAG).exists()
    assert before == {name for name in found(tmp_path) if not name.startswith("out/")}


def test_every_folder_of_a_cache_is_known():
    texts = [path.read_text(encoding="utf-8") for path in modules(ROOT / "benchmarks")]
    named = {name for text in texts for name in re.findall(r'\bcache / "(\w+)"', text)}
    assert named == {*CACHED}
