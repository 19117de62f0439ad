"""A Dask cluster does the same work: equal bytes, nothing lost, and one line if it fails."""

import importlib
import os
import signal
import subprocess
import sys
from functools import partial

import pytest
from pictures import fill
from processes import begin_command, end_all, members, wait_for
from test_workers import Killer, dies_once, squares

import extractors
from benchmarks.pipeline import cluster as cluster_module
from benchmarks.pipeline.cache.store import ArrayStore
from benchmarks.pipeline.cluster import Cluster
from benchmarks.pipeline.workers import CHUNK, WorkerKilledError, cut

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


def seen(tmp_path):
    for number, name in enumerate(("apple", "berry")):
        fill(tmp_path / "fruit" / name, 20, 60 + number, number)
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
    [line] = [one for one in capsys.readouterr().err.splitlines() if one.startswith("error:")]
    assert str(hidden) in line
    assert "--send-pictures" in line
    assert not (tmp_path / "there" / "fruit").exists()
    assert run(*data, *address, "--send-pictures", out="there", cache="there") == 0
    assert run(*data, out="here", cache="here") == 0
    assert results(tmp_path / "here") == results(tmp_path / "there")


def test_what_kills_a_worker_costs_its_own_result_alone(local, tmp_path):
    killers = {2 * CHUNK: signal.SIGKILL, 4 * CHUNK + 1: signal.SIGSEGV}
    found = list(local.results(partial(squares, killers), cut(range(200))))
    killed = [number for number, one in enumerate(found) if isinstance(one, WorkerKilledError)]
    assert killed == [2, 4]
    assert found[3] == [n * n for n in range(3 * CHUNK, 4 * CHUNK)]
    assert found[6] == [n * n for n in range(6 * CHUNK, 200)]
    chunks = cut(range(200))
    found = list(local.results(partial(dies_once, tmp_path / "died"), chunks))
    assert found == [sum(chunk) for chunk in chunks]
