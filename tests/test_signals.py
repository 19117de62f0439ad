"""A command ends soon, with one line, when it is asked to, and takes its workers with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pictures import fill
from processes import begin_command, end_all, members, wait_for

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

CHECKOUT = Path(__file__).resolve().parents[1]

LINE = "interrupted; what is finished is kept, run again to do the rest\n"


@pytest.fixture
def begin(tmp_path):
    """Begin `benchmarks.run` on some hundred pictures, in a group of processes of its own."""
    for number, name in enumerate(("apple", "berry")):
        fill(tmp_path / "fruit" / name, 60, number, number)
    begun = []

    def run(*arguments):
        place = ["--dataset", tmp_path / "fruit", "--out", tmp_path / "out"]
        place += ["--cache", tmp_path / "cache", "--jobs", "2", "--no-plots", "--quiet"]
        process = begin_command(["-m", "benchmarks.run", *arguments, *place])
        begun.append(process)
        return process

    yield run
    for process in begun:
        end_all(process)
        process.stderr.close()


def at_work(tmp_path, process):
    """Wait until workers describe."""
    wait_for(lambda: list((tmp_path / "cache" / "vectors").glob("gist*")))
    wait_for(lambda: len(members(process)) >= 4)  # itself, two workers, and their helper


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_a_run_and_its_workers_in_one_line(begin, tmp_path, name):
    process = begin("--extractor", "gist", "sift-bovw")
    at_work(tmp_path, process)
    number = getattr(signal, name)
    os.killpg(process.pid, number) if name == "SIGINT" else process.send_signal(number)
    assert process.communicate(timeout=30)[1] == LINE
    assert process.returncode == 128 + number
    wait_for(lambda: not members(process), 5)


def test_an_interrupt_during_the_imports_is_one_line(begin):
    process = begin("--extractor", "gist")
    time.sleep(0.25)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate(timeout=30)[1] == LINE
    assert process.returncode == 128 + signal.SIGINT


ENDS_SLOWLY = """
import os, runpy, sys, time

class Slow:
    def __del__(self, write=os.write, sleep=time.sleep):
        write(1, b"1")
        sleep(2)

sys.argv[:], sys.orig_argv[:] = ["-m", "--list"], ["python", "-m", "benchmarks.run", "--list"]
import benchmarks
benchmarks.slow = Slow()  # deleted when Python has given up its handlers
sys.stdout = open(os.devnull, "w")
sys.argv[:] = ["run", "--list"]
runpy.run_module("benchmarks.run", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_behind_the_end_of_all_work_changes_nothing(name):
    process = subprocess.Popen(
        [sys.executable, "-c", ENDS_SLOWLY], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert os.read(process.stdout.fileno(), 1) == b"1"
    process.send_signal(getattr(signal, name))
    assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 0


LOST = """
import os, signal, sys
from benchmarks.cli.command import command

class Dying:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

@command
def main():
    Dying()
    return 0

sys.exit(main())
"""


def test_a_signal_where_python_gives_up_what_is_raised_ends_the_command():
    made = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True)
    assert (made.returncode, made.stderr) == (128 + signal.SIGTERM, LINE)


BESIDE = """
import os, signal, sys, threading
from benchmarks.cli.command import command

ended = threading.Event()

def hand_out_work():
    ended.wait()
    raise ValueError("the queue is closed")

@command
def main():
    thread = threading.Thread(target=hand_out_work)
    thread.start()
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        ended.set()
        thread.join()

sys.exit(main())
"""


def test_a_package_that_imports_this_one_keeps_its_signals(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("import benchmarks\n")
    says = "import signal\nprint(signal.getsignal(signal.SIGINT) is signal.default_int_handler)\n"
    (tmp_path / "mine" / "main.py").write_text(says)
    path = os.pathsep.join(map(str, [tmp_path, CHECKOUT]))
    made = subprocess.run(
        [sys.executable, "-m", "mine.main"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert (made.stdout, made.stderr) == ("True\n", "")


def test_a_thread_that_fails_because_the_work_has_ended_adds_nothing_to_the_line():
    made = subprocess.run([sys.executable, "-c", BESIDE], capture_output=True, text=True)
    assert (made.returncode, made.stderr) == (128 + signal.SIGTERM, LINE)


def test_workers_end_with_a_parent_that_is_killed(begin, tmp_path):
    process = begin("--extractor", "gist", "sift-bovw")
    at_work(tmp_path, process)
    process.kill()
    assert process.communicate(timeout=30)[1] == ""
    wait_for(lambda: not members(process), 5)


STUCK = """
import os, sys
from benchmarks.pipeline.workers import in_parallel

if __name__ == "__main__":
    for _ in in_parallel(bytes, [2**26] * 8, 2):  # more than a pipe holds
        os.write(1, b"1")
"""


def test_workers_that_wait_to_hand_over_a_result_end_as_well(tmp_path):
    (tmp_path / "stuck.py").write_text(STUCK)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "stuck.py"],
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    os.read(process.stdout.fileno(), 1)
    process.send_signal(signal.SIGSTOP)  # nobody reads on
    time.sleep(1)
    assert len(members(process)) >= 3
    process.kill()
    process.communicate()
    wait_for(lambda: not members(process), 5)


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    listing = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.run", "--list"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    listing.stdout.close()
    assert listing.stderr.read() == ""
    listing.stderr.close()
    assert listing.wait() == 128 + signal.SIGPIPE
