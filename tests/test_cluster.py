"""A Dask cluster does the same work: equal bytes, nothing lost, and one line if it fails."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
from pictures import fill
from processes import begin_command, end_all, members, wait_for
from test_plugins import own_menus, plugin  # noqa: F401, the first is a fixture
from test_workers import dies_once, rows

from benchmarks import INTERRUPTED
from benchmarks.pipeline import cluster as cluster_module
from benchmarks.pipeline.cache.store import ArrayStore
from benchmarks.pipeline.cluster import Cluster
from benchmarks.pipeline.evaluation import distributed as distributed_search
from benchmarks.pipeline.evaluation.distributed import DistributedSearch
from benchmarks.pipeline.workers import Workforce, cut
from retrieval import knn
from retrieval.protocol import Judgements

distributed = pytest.importorskip("distributed", reason="the extra dask")

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="workers are killed by signals"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:(distributed|tornado|dask).*"),
]

METHODS = ("--extractor", "lbp", "hsv-histogram", "sift-bovw")


class Blind(distributed.WorkerPlugin):
    """Lets no worker open a file below a folder, and can't be taken back."""

    def __init__(self, folder):
        self.folder = str(folder)

    def setup(self, worker):
        def refuse(event, arguments):
            if event == "open" and str(arguments[0]).startswith(self.folder):
                raise FileNotFoundError(2, "No such file or directory", arguments[0])

        sys.addaudithook(refuse)


@pytest.fixture(scope="module")
def hidden(tmp_path_factory):
    """Pictures in a folder that workers do not see."""
    root = tmp_path_factory.mktemp("hidden")
    for number, name in enumerate(("apple", "berry")):
        fill(root / "fruit" / name, 12, 60 + number, number)
    return root / "fruit"


@pytest.fixture(scope="module")
def local(hidden):
    """Two workers on this machine."""
    made = Cluster("local:2", False)
    made._client.register_plugin(Blind(hidden.parent))
    yield made
    made.close()


@pytest.fixture
def address(local):
    return ["--scheduler", local._started.scheduler_address]


def results(folder):
    """Bytes of records and rankings, but not of costs."""
    paths = [one for one in (folder / "fruit" / "records").rglob("*") if one.is_file()]
    assert paths
    return {
        path.relative_to(folder): path.read_bytes()
        for path in paths
        if not path.name.endswith(".costs.json")
    }


def seen(tmp_path, count=20):
    """Pictures in a folder that workers see, and a file that is none."""
    for number, name in enumerate(("apple", "berry")):
        fill(tmp_path / "fruit" / name, count, 60 + number, number)
    (tmp_path / "fruit" / "berry" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return tmp_path / "fruit"


def test_results_are_the_same_to_the_byte(local, address, tmp_path, run):
    data = (*METHODS, "--dataset", seen(tmp_path))
    assert run(*data, out="here", cache="here") == 0
    assert run(*data, *address, out="there", cache="there") == 0
    assert results(tmp_path / "here") == results(tmp_path / "there")
    problems = [tmp_path / name / "fruit" / "problems.csv" for name in ("here", "there")]
    assert problems[0].read_bytes() == problems[1].read_bytes()


def test_pictures_that_workers_do_not_see_end_the_run_or_are_sent(
    hidden, address, tmp_path, run, capsys
):
    data = (*METHODS, "--dataset", hidden)
    assert run(*data, *address, out="there", cache="there") == 2
    line = error_line(capsys)
    assert str(hidden) in line
    assert "--send-pictures" in line
    assert not (tmp_path / "there" / "fruit").exists()
    assert run(*data, *address, "--send-pictures", out="there", cache="there") == 0
    assert run(*data, out="here", cache="here") == 0
    assert results(tmp_path / "here") == results(tmp_path / "there")


def error_line(capsys):
    """The one line that says what went wrong."""
    [line] = [one for one in capsys.readouterr().err.splitlines() if one.startswith("error:")]
    return line


def test_what_kills_a_worker_costs_its_own_result_alone(local, tmp_path):
    items = {str(n): n for n in range(6)}
    store = ArrayStore(tmp_path, "numbers", {})
    work, workforce = partial(rows, {3: signal.SIGKILL}), Workforce(2, True, local)
    problems = store.fill(items, work, workforce, "numbers", chunk=2)
    assert problems == {"3": "reading it killed a worker (out of memory?)"}
    [block] = store.blocks(["0", "1", "2", "4", "5"])
    assert block[:, 0].tolist() == [0, 1, 4, 16, 25]
    chunks = cut(range(200))
    found = list(local.results(partial(dies_once, tmp_path / "died"), chunks))
    assert found == [sum(chunk) for chunk in chunks]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("tcp://127.0.0.1:1", "no answer from a Dask scheduler"),
        ("nonsense", "no answer from a Dask scheduler"),
        ("local:0", "write a number of workers, local:4"),
    ],
)
def test_an_address_without_a_scheduler_is_one_line_at_once(address, words, run, classes, capsys):
    began = time.monotonic()
    assert run(*METHODS, "--dataset", classes, "--scheduler", address) == 2
    assert time.monotonic() - began < 20
    assert f"--scheduler {address}: {words}" in error_line(capsys)


@pytest.mark.parametrize("address", ["nonsense", "odd://host:1"])
def test_an_address_that_is_none_leaves_no_traceback_at_the_end(address, classes):
    words = (sys.executable, "-m", "benchmarks.run", *METHODS, "--dataset", str(classes))
    ended = subprocess.run(
        [*words, "--scheduler", address], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1


def test_pictures_are_sent_to_a_scheduler_alone(run, classes, capsys):
    assert run(*METHODS, "--dataset", classes, "--send-pictures") == 2
    assert "--send-pictures goes with --scheduler" in error_line(capsys)


def test_the_extra_is_named_where_it_is_missing(run, classes, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run(*METHODS, "--dataset", classes, "--scheduler", "local:2") == 2
    assert "pip install distributed" in error_line(capsys)


@pytest.mark.parametrize("name", ["numpy", "this suite"])
def test_workers_with_other_versions_are_refused(name, address, run, classes, capsys, monkeypatch):
    monkeypatch.setattr(cluster_module, "_facts", lambda: ((name, "0.1"),))
    assert run(*METHODS, "--dataset", classes, *address) == 2
    line = error_line(capsys)
    assert f"of {name} and this machine 0.1" in line
    assert "install the same there" in line


class Lacking:
    """Stands for a function that a worker's version of the suite does not have."""

    def __call__(self):
        raise NotImplementedError

    def __reduce__(self):
        return importlib.import_module, ("benchmarks.pipeline.of_another_version",)


def test_workers_without_the_suite_are_refused(address, run, classes, capsys, monkeypatch):
    monkeypatch.setattr(cluster_module, "_work", Lacking())
    assert run(*METHODS, "--dataset", classes, *address) == 2
    line = error_line(capsys)
    assert "it or a worker lacks this version of the suite" in line
    assert "of_another_version" in line


def begin_dask(kind, *arguments):
    return begin_command(["-m", "distributed.cli.dask_" + kind, *arguments], subprocess.DEVNULL)


@pytest.fixture
def remote(tmp_path):
    """A scheduler and a worker in processes of their own."""
    file = tmp_path / "scheduler.json"
    place = ["--scheduler-file", file, "--no-dashboard"]
    begun = [
        begin_dask("scheduler", "--port", 0, "--host", "127.0.0.1", *place),
        begin_dask("worker", "--nthreads", 1, "--local-directory", tmp_path, *place),
    ]
    wait_for(file.exists)
    yield json.loads(wait_for(file.read_text))["address"], begun[0]
    for process in begun:
        end_all(process)


def test_a_scheduler_that_dies_is_one_line_and_costs_nothing(
    remote, tmp_path, run, capsys, monkeypatch
):
    address, scheduler = remote
    data = ("--extractor", "lbp", "hsv-histogram", "--dataset", seen(tmp_path, 40))
    add, ended = ArrayStore.add, []

    def add_and_end(self, keys, *rest):
        add(self, keys, *rest)
        if "lbp" in self.folder.name and not ended:
            ended.append(time.monotonic())
            end_all(scheduler)

    monkeypatch.setattr(ArrayStore, "add", add_and_end)
    assert run(*data, "--scheduler", address, out="there", cache="there") == 2
    assert time.monotonic() - ended[0] < 15
    assert "has ended or cannot be reached; what is finished is kept" in error_line(capsys)
    [store] = (tmp_path / "there" / "vectors").glob("lbp*")
    kept = {path: path.stat().st_mtime_ns for path in store.glob("*.npz")}
    assert kept
    assert run(*data, out="there", cache="there") == 0
    assert kept.items() <= {path: path.stat().st_mtime_ns for path in store.glob("*.npz")}.items()
    assert run(*data, out="here", cache="here") == 0
    assert results(tmp_path / "here") == results(tmp_path / "there")


def test_a_signal_ends_a_run_and_the_workers_that_it_started(tmp_path):
    place = ["--dataset", seen(tmp_path, 60), "--out", tmp_path / "out", "--quiet"]
    place += ["--cache", tmp_path / "cache", "--scheduler", "local:2", "--no-plots"]
    process = begin_command(["-m", "benchmarks.run", "--extractor", "gist", *place])
    try:
        wait_for(lambda: list((tmp_path / "cache" / "vectors").glob("gist*")), 180)
        assert len(members(process)) >= 3  # itself and two workers
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.communicate(timeout=60)[1] == INTERRUPTED + "\n"
        assert process.returncode == 128 + signal.SIGINT
        wait_for(lambda: not members(process), 10)
    finally:
        end_all(process)
        process.stderr.close()


def test_a_gallery_that_workers_hold_in_parts_is_searched_alike(local, monkeypatch):
    monkeypatch.setattr(distributed_search, "_DIMS", 1)
    monkeypatch.setattr(distributed_search, "_WORK", 1)
    monkeypatch.setattr(knn, "_BLOCK_VALUES", 9 * 5000)
    rng = np.random.default_rng(0)
    queries, gallery = (rng.normal(size=(n, 32)).astype(np.float32) for n in (20, 5000))
    gallery[4000:4400] = gallery[:400]
    search = DistributedSearch(local)
    nobody = Judgements((), len(gallery), 0)
    for _ in range(2):
        made = list(search([queries], [gallery], nobody))
        assert len(search._parts) == 2
        for one, other in zip(made, knn.grid_distances(queries, gallery), strict=True):
            assert one.start == other.start
            assert one.distances.tobytes() == other.distances.tobytes()


def test_a_plug_in_goes_to_the_workers_with_the_work(address, tmp_path, run, hidden):
    data = ("--plugin", plugin(tmp_path), "--extractor", "mean-colour", "--dataset", hidden)
    assert run(*data, *address, "--send-pictures", out="there", cache="there") == 0
    assert run(*data, out="here", cache="here") == 0
    assert results(tmp_path / "here") == results(tmp_path / "there")
