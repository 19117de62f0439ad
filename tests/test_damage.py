"""Damage to what is kept between runs: found when it is read, told in a line, made again."""

import errno
import io
import json
import shutil
from contextlib import suppress
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from damages import DAMAGES, flipped

from benchmarks.audit.__main__ import main as audit
from benchmarks.pipeline.cache import estimators
from benchmarks.pipeline.cache.feature_store import FeatureStore
from benchmarks.pipeline.cache.store import ArrayStore
from benchmarks.pipeline.evaluation.evaluate import Evaluation
from benchmarks.pipeline.extraction import networks
from benchmarks.pipeline.extraction.outcome import Extracted
from benchmarks.pipeline.workers import Workforce
from benchmarks.search.__main__ import main as search
from datasets.errors import DamagedError, InputError
from extractors import matrices
from extractors.local_features.encoders import BagOfWords
from extractors.networks.history import HISTORY
from extractors.networks.saving import NETWORK

METHODS = ("sift-bovw", "sift-vlad", "lbp", "sift-bovw+geometry")


def rankings(out):
    return {path.name: path.read_bytes() for path in out.rglob("*.npz")}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A dataset, a cache and results that runs have made."""
    from pictures import fill

    from benchmarks.run import main

    root = tmp_path_factory.mktemp("kept")
    for number, name in enumerate(("apple", "berry")):
        fill(root / "data/training" / name, 4, 10 + number, number)
        fill(root / "data/validation/gallery" / name, 3, 20 + number, number)
        fill(root / "data/validation/query" / name, 2, 30 + number, number)

    def run(folder, *methods, **folders):
        places = {"out": folder / "out", "cache": folder / "cache"} | folders
        given = [str(x) for name, place in places.items() for x in (f"--{name}", place)]
        dataset = ["--dataset", str(root / "data"), "--jobs", "1", "--quiet", "--no-plots"]
        return main(["--extractor", *methods, *given, *dataset, "--epochs", "1"])

    assert run(root, *METHODS) == 0
    assert run(root, "cnn-compact", cache=root / "networks", out=root / "trained") == 0
    return root, run


@pytest.mark.parametrize("place", ["files", "readable", "hashes"])
def test_what_is_known_of_files_is_made_again_in_the_same_run(kept, tmp_path, caplog, place):
    root, run = kept
    cache, data = tmp_path / "cache", root / "data"
    shutil.copytree(root / "cache", cache)
    words = [data, "--embedding", "lbp", "--cache", cache, "--out", tmp_path / "audit", "--quiet"]
    words = [str(word) for word in (*words, "--extractor", "lbp", "--jobs", "1")]
    assert audit(words) == 0
    page = (tmp_path / "audit" / "data" / "leaks.md").read_text()
    assert "no query has a relevant image left" in page  # all pictures are alike here
    # Of files that have only just changed, the first segment holds what no later run asks for.
    segment = max((cache / place).rglob("*.npz"), key=lambda path: path.stat().st_mtime_ns)
    before = segment.read_bytes()
    with ZipFile(segment) as archive:
        at = archive.getinfo("rows.npy").header_offset
    segment.write_bytes(before[: at + 200] + bytes([before[at + 200] ^ 1]) + before[at + 201 :])
    if place == "hashes":
        assert audit(words) == 0
    else:
        assert run(tmp_path, *METHODS) == 0
        assert rankings(tmp_path / "out") == rankings(root / "out")
    assert "it is removed and made again" in caplog.text
    with np.load(segment) as again, np.load(io.BytesIO(before)) as whole:
        np.testing.assert_array_equal(again["rows"], whole["rows"])


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    ("broken", "gone"),
    [
        ("features/*/*.npz", "vectors/*/*.npz"),
        ("vectors/*/*.npz", "none"),
        ("vectors/*/head.skops", "vectors/sift-*/*.npz"),
        ("vectors/*/fit.json", "none"),
        ("vectors/*/identity.json", "none"),
        ("*/*/*.npz", "none"),
    ],
)
def test_what_is_damaged_in_the_cache_is_made_again_in_the_same_run(
    broken, gone, damage, kept, tmp_path, caplog
):
    root, run = kept
    shutil.copytree(root / "cache", tmp_path / "cache")
    for path in (tmp_path / "cache").glob(gone):
        path.unlink()
    for path in (tmp_path / "cache").glob(broken):
        path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert run(tmp_path, *METHODS) == 0
    assert rankings(tmp_path / "out") == rankings(root / "out")
    assert ("identity" in broken) or caplog.messages
    caplog.clear()
    shutil.rmtree(tmp_path / "out")
    assert run(tmp_path, *METHODS) == 0
    assert rankings(tmp_path / "out") == rankings(root / "out")
    assert not caplog.messages


@pytest.mark.parametrize("name", [NETWORK, HISTORY, "copies.json"])
def test_a_damaged_network_is_trained_again_and_a_lost_history_costs_no_row(
    name, kept, tmp_path, caplog
):
    root, run = kept
    shutil.copytree(root / "networks", tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache" / "vectors")
    (path,) = (tmp_path / "cache" / "networks").glob(f"*/{name}")
    path.write_bytes(flipped(path.read_bytes(), 0.4))
    assert run(tmp_path, "cnn-compact") == 0
    assert rankings(tmp_path / "out") == rankings(root / "trained")
    assert str(path) in caplog.text
    (costs,) = (tmp_path / "out").rglob("*.costs.json")
    assert (json.loads(costs.read_text())["fit_seconds"] is None) == (name != NETWORK)
    if name == NETWORK:
        assert ZipFile(path).testzip() is None


@pytest.mark.parametrize("is_there", [True, False])
def test_an_index_whose_network_is_lost_is_made_by_the_next_command(
    is_there, kept, tmp_path, capsys
):
    root, _ = kept
    shutil.copytree(root / "networks", tmp_path / "cache")
    (network,) = (tmp_path / "cache" / "networks").glob(f"*/{NETWORK}")
    network.write_bytes(b"damaged") if is_there else network.unlink()
    method = ["--extractor", "cnn-compact", "--epochs", "1", "--jobs", "1", "--quiet"]
    places = [f"--dataset={root / 'data'}", f"--cache={tmp_path / 'cache'}"]
    index = f"--index={tmp_path / 'index'}"
    assert search([*method, *places, index]) == 2
    printed = capsys.readouterr().err
    assert "run again and it is trained anew" in printed
    assert search([*method, *places, index]) == 0


def test_vectors_of_one_training_are_never_mixed_with_those_of_another(kept, tmp_path):
    root, run = kept
    shutil.copytree(root / "networks", tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache" / "networks")
    (segment, *_) = (tmp_path / "cache" / "vectors").rglob("*.npz")
    with np.load(segment) as content:
        forged = dict(content) | {"rows": content["rows"] + 1}
    np.savez(segment, **forged)
    for other in set((tmp_path / "cache" / "vectors").rglob("*.npz")) - {segment}:
        other.unlink()
    (more,) = [root / "data/validation/query/apple/00.png"]
    new = more.with_name("new.png")
    shutil.copy(root / "data/validation/gallery/berry/00.png", new)
    with new.open("ab") as file:
        file.write(b"other bytes")
    try:
        assert run(tmp_path, "cnn-compact") == 0
        fresh = tmp_path / "fresh"
        assert run(fresh, "cnn-compact") == 0
        assert rankings(tmp_path / "out") == rankings(fresh / "out")
    finally:
        new.unlink()


def test_a_cache_that_goes_while_vectors_are_searched_is_made_again(kept, tmp_path, monkeypatch):
    root, run = kept
    shutil.copytree(root / "cache", tmp_path / "cache")
    original = Evaluation.run

    def gone(self, method, extracted):
        monkeypatch.setattr(Evaluation, "run", original)
        shutil.rmtree(tmp_path / "cache")
        return original(self, method, extracted)

    monkeypatch.setattr(Evaluation, "run", gone)
    assert run(tmp_path, *METHODS) == 0
    assert rankings(tmp_path / "out") == rankings(root / "out")


@pytest.mark.parametrize("kind", [ArrayStore, FeatureStore])
def test_a_segment_that_is_there_and_cannot_be_read_is_not_damaged(kind, tmp_path):
    place = kind(tmp_path, "a", {}).folder / "segment.npz"
    place.mkdir()
    with pytest.raises(InputError, match="cannot be read") as raised:
        kind(tmp_path, "a", {})
    assert not isinstance(raised.value, DamagedError)
    assert place.exists()


def test_every_bit_of_a_segment_is_checked(tmp_path, caplog):
    rows = [np.arange(3, dtype=np.float32) + number for number in range(2)]
    store = ArrayStore(tmp_path, "a", {})
    store.add(["k1", "k2"], rows, 1.0)
    (path,) = tmp_path.rglob("*.npz")
    whole = path.read_bytes()
    for bit in np.random.default_rng(0).permutation(8 * len(whole))[:1500].tolist():
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        again = ArrayStore(tmp_path, "a", {})
        if not again.missing(["k1", "k2"]):
            try:
                [block] = again.blocks(["k1", "k2"])
            except DamagedError:
                assert not path.exists()
                continue
            assert np.array_equal(block, np.stack(rows))
            assert block.dtype == np.float32


def test_values_that_are_gone_when_they_are_read_are_made_again(tmp_path, monkeypatch):
    store, fill, made = ArrayStore(tmp_path, "a", {}), ArrayStore.fill, []

    def double(numbers):
        made.extend(numbers)
        return [np.array([2 * number]) for number in numbers]

    def fill_and_lose(self, *given):
        problems = fill(self, *given)
        min(tmp_path.rglob("*.npz")).unlink()
        monkeypatch.undo()
        return problems

    monkeypatch.setattr(ArrayStore, "fill", fill_and_lose)
    items = {f"key {number}": number for number in range(8)}
    how = (double, lambda _, row: int(row[0]), Workforce(quiet=True), "doubling", 4)
    assert store.made(items, *how) == ({key: 2 * number for key, number in items.items()}, {})
    assert len(made) == 8 + 4  # those of the lost segment twice


def test_rows_that_are_text_are_damaged(tmp_path):
    store = ArrayStore(tmp_path, "a", {})
    store.add(["k"], [np.arange(3, dtype=np.float32)], 1.0)
    (path,) = tmp_path.rglob("*.npz")
    np.savez(path, keys=np.array(["k"]), seconds=1.0, rows=np.array([["1", "2", "3"]]))
    with pytest.raises(DamagedError, match="no numbers"):
        list(ArrayStore(tmp_path, "a", {}).blocks(["k"]))
    assert ArrayStore(tmp_path, "a", {}).missing(["k"]) == ["k"]


def test_two_that_find_the_same_damage_both_go_on(tmp_path, monkeypatch):
    ArrayStore(tmp_path, "a", {}).add(["k"], [np.zeros(3)], 1.0)
    (path,) = tmp_path.rglob("*.npz")
    path.write_bytes(b"")
    original = Path.unlink

    def second(self, missing_ok=False):
        original(self)
        original(self, missing_ok)

    monkeypatch.setattr(Path, "unlink", second)
    assert ArrayStore(tmp_path, "a", {}).missing(["k"]) == ["k"]


def test_what_was_learned_is_damaged_or_cannot_be_read(tmp_path):
    head = BagOfWords(2)
    path = tmp_path / "head.skops"
    estimators.save(head, path)
    whole = path.read_bytes()
    for place in np.linspace(0, 0.99, 40):
        path.write_bytes(flipped(whole, place))
        with suppress(DamagedError):
            assert estimators.load(path, BagOfWords).get_params() == head.get_params()
    path.write_bytes(flipped(whole, 0.1))
    with pytest.raises(DamagedError, match=f"^{path}: damaged"):
        estimators.load(path, BagOfWords)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="cannot be read") as raised:
        estimators.load(path, BagOfWords)
    assert not isinstance(raised.value, DamagedError)


def test_a_failure_replaces_no_numbers_of_the_same_work(kept, tmp_path, monkeypatch, capsys):
    root, run = kept
    shutil.copytree(root / "out", tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("lbp.*")}

    def fail(*_):
        raise ValueError("no such luck")

    monkeypatch.setattr(Evaluation, "run", fail)
    assert run(tmp_path, "lbp", "hog") == 1
    assert {path: path.read_bytes() for path in before} == before
    assert json.loads((tmp_path / "out/data/records/query/hog.json").read_text()) | {
        "status": "failed",
        "reason": "ValueError: no such luck",
    }
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "out/data/records/query/lbp.json").write_text("{")
    assert run(tmp_path, "lbp") == 1
    assert json.loads(next((tmp_path / "out").rglob("lbp.json")).read_text())["status"] == "failed"


def test_a_full_disk_ends_the_run_in_one_line_and_the_next_goes_on(
    kept, tmp_path, monkeypatch, capsys
):
    root, run = kept

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    for place in (matrices, networks):
        monkeypatch.setattr(place, "_reserve" if place is matrices else "_train", full)
        method = "lbp" if place is matrices else "cnn-compact"
        capsys.readouterr()
        assert run(tmp_path, method) == 2
        printed = capsys.readouterr().err
        assert printed.count("\n") == 1
        assert "No space left on device" in printed
        assert not list((tmp_path / "out").rglob("*.json"))
    monkeypatch.undo()
    assert run(tmp_path, "lbp") == 0
    lbp = "data/records/query/lbp.npz"
    assert (tmp_path / "out" / lbp).read_bytes() == (root / "out" / lbp).read_bytes()


def test_only_a_full_disk_ends_more_than_one_row(tmp_path):
    store = ArrayStore(tmp_path, "a", {})
    mine = Extracted(store)
    with mine.outcome():
        raise FileNotFoundError(errno.ENOENT, "No such file")
    assert mine.failed
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        with pytest.raises(OSError, match="full"), Extracted(store).outcome():
            raise OSError(number, "full")
