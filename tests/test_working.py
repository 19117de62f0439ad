"""Folders and files of living processes are left alone; those of processes that ended are not."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from test_training import compact

from benchmarks.formats.files import remove_parts, write_whole
from benchmarks.pipeline.cache import working
from benchmarks.pipeline.cache.working import clear, remove_folder, working_folder
from extractors.networks import training
from extractors.networks.history import HISTORY, read_history
from extractors.networks.saving import NETWORK

TESTS = Path(__file__).parent
COLOURS = np.random.default_rng(0).integers(0, 255, (12, 40, 40, 3)).astype(np.uint8)
LABELS = ["blue", "red"] * 6

TRAINS = """
    import os, signal, sys, time
    from pathlib import Path
    import numpy as np
    import test_working
    from extractors.networks import training

    place, name, killed_at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    original = training._epoch

    def in_step(model, samples, labels, recipe, epoch, *rest):
        if epoch == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        (place / f"{name}-{epoch}").touch()
        while killed_at < 0 and len(list(place.glob(f"*-{epoch}"))) < 2:
            time.sleep(0.01)
        return original(model, samples, labels, recipe, epoch, *rest)

    training._epoch = in_step
    np.save(place / name, test_working.train(place / "kept" / "network"))
"""


def train(final):
    """Train in a working folder; gives the vectors."""
    with working_folder(final) as folder:
        extractor = compact(3).fit(list(COLOURS), LABELS, folder=folder)
    return extractor.transform(COLOURS)


def start(script, *arguments):
    """Run Python beside the tests."""
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    path = os.pathsep.join(map(str, (TESTS, TESTS.parent)))
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path})


def test_two_processes_that_train_one_network_in_step_both_end_with_it(tmp_path):
    alone = train(tmp_path / "alone" / "network")
    both = [start(TRAINS, tmp_path, name, -1) for name in ("one", "other")]
    assert [process.wait(300) for process in both] == [0, 0]
    for name in ("one", "other"):
        assert np.array_equal(np.load(tmp_path / f"{name}.npy"), alone)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["network"]
    loaded = compact(3).load(tmp_path / "kept" / "network")
    assert np.array_equal(loaded.transform(COLOURS), alone)
    assert len(read_history(tmp_path / "kept" / "network")) == 3


def test_a_training_that_was_killed_is_gone_on_with(tmp_path, monkeypatch):
    alone = train(tmp_path / "alone" / "network")
    assert start(TRAINS, tmp_path, "dead", 2).wait(300) == -signal.SIGKILL
    assert not (tmp_path / "kept" / "network").exists()
    original, ran = training._epoch, []

    def noted(model, samples, labels, recipe, epoch, *rest):
        ran.append(epoch)
        return original(model, samples, labels, recipe, epoch, *rest)

    monkeypatch.setattr(training, "_epoch", noted)
    clear(tmp_path / "kept")
    assert np.array_equal(train(tmp_path / "kept" / "network"), alone)
    assert ran == [2]
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["network"]
    assert {path.name for path in (tmp_path / "kept/network").iterdir()} == {HISTORY, NETWORK}


def test_who_comes_second_works_beside_and_the_first_to_end_counts(tmp_path):
    final = tmp_path / "final"
    with working_folder(final) as first:
        (first / "a").write_text("first")
        with working_folder(final) as second:
            assert second != first
            assert list(second.iterdir()) == []
            (second / "a").write_text("second")
        assert (final / "a").read_text() == "second"
    assert (final / "a").read_text() == "second"
    assert list(tmp_path.iterdir()) == [final]


def test_what_was_begun_is_there_unless_all_is_to_be_anew(tmp_path):
    final = tmp_path / "final"
    for anew, there in ((False, []), (False, ["a"]), (True, [])):
        with suppress(KeyError), working_folder(final, anew) as folder:
            assert [path.name for path in folder.iterdir()] == there
            (folder / "a").touch()
            raise KeyError
    assert not final.exists()


def test_a_disk_without_locks_gives_folders_of_ones_own(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(working, "lock", refuse)
    final = tmp_path / "final"
    with working_folder(final) as first, working_folder(final) as second:
        assert first != second
    assert (tmp_path / "final").is_dir()


def test_a_folder_is_removed_at_once_and_may_be_gone(tmp_path):
    (tmp_path / "networks" / "a").mkdir(parents=True)
    (tmp_path / "networks" / "a" / "file").touch()
    (tmp_path / "networks" / ".b-0").mkdir()
    (tmp_path / "networks" / ".c-1234.gone" / "deep").mkdir(parents=True)
    (tmp_path / ".search-old").mkdir()
    (tmp_path / ".search-new").mkdir()
    os.utime(tmp_path / ".search-old", (1, 1))
    remove_folder(tmp_path / "networks" / "a")
    remove_folder(tmp_path / "networks" / "a")
    clear(tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert left == {"networks", "networks/.b-0", ".search-new"}


WRITES = """
    import sys, time
    from pathlib import Path
    from benchmarks.formats.files import write_whole

    def write(part):
        part.write_text("half")
        print(flush=True)
        time.sleep(600)

    write_whole(Path(sys.argv[1]) / "a.json", write)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="known by age there")
def test_half_written_files_are_removed_when_their_process_has_ended(tmp_path):
    (tmp_path / ".half-written-somebodys").touch()
    writer = start(WRITES, tmp_path)
    deadline = time.monotonic() + 60
    while not (parts := list(tmp_path.glob("*.part"))) or not parts[0].read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    remove_parts(tmp_path)
    assert list(tmp_path.glob("*.part")) == parts
    writer.kill()
    writer.wait()
    write_whole(tmp_path / "b.json", lambda part: remove_parts(tmp_path) or part.write_text("b"))
    assert {path.name for path in tmp_path.iterdir()} == {".half-written-somebodys", "b.json"}


def test_half_written_files_of_yesterday_are_removed(tmp_path):
    (tmp_path / ".half-written-a.part").touch()
    os.utime(tmp_path / ".half-written-a.part", (1, 1))
    remove_parts(tmp_path)
    assert list(tmp_path.iterdir()) == []
