"""Parallel work: results in order whoever does it, and nothing lost when a worker dies."""

import json
import os
import signal
import threading
import time
from functools import partial

import numpy as np
import pytest
from joblib import parallel_config
from pictures import fill

import extractors
from benchmarks.pipeline.cache.store import ArrayStore
from benchmarks.pipeline.workers import (
    CHUNK,
    WorkerKilledError,
    Workforce,
    alone,
    cut,
    in_parallel,
)
from datasets.errors import InputError
from extractors.hand_crafted.colour import ColourHistogram

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers are killed by signals")


def squares(killers, chunk):
    for number in chunk:
        if number in killers:
            os.kill(os.getpid(), killers[number])
    return [number * number for number in chunk]


def square(killers, number):
    return squares(killers, [number])[0]


def test_results_are_in_order_for_any_number_of_workers():
    chunks = cut(range(150))
    assert all(
        list(in_parallel(partial(squares, {}), chunks, jobs))
        == [[n * n for n in chunk] for chunk in chunks]
        for jobs in (1, 2, 3)
    )


def test_what_kills_a_worker_costs_its_own_result_alone():
    killers = {2 * CHUNK: signal.SIGKILL, 4 * CHUNK + 1: signal.SIGSEGV}
    found = list(in_parallel(partial(squares, killers), cut(range(200)), 2))
    killed = [number for number, one in enumerate(found) if isinstance(one, WorkerKilledError)]
    assert killed == [2, 4]
    assert found[3] == [n * n for n in range(3 * CHUNK, 4 * CHUNK)]
    assert found[6] == [n * n for n in range(6 * CHUNK, 200)]


def test_a_single_item_is_no_danger_to_the_parent():
    work = partial(square, {7: signal.SIGKILL})
    assert isinstance(alone(work, 7), WorkerKilledError)
    with pytest.raises(WorkerKilledError, match="squaring: 7 killed a worker"):
        list(Workforce(2).each(work, [7], "squaring"))
    assert list(Workforce(2).each(work, [6], "squaring")) == [36]


def dies_once(path, chunk):
    if chunk[0] == CHUNK and not path.exists():
        path.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return sum(chunk)


def test_a_worker_that_is_killed_from_outside_costs_nothing(tmp_path):
    chunks = cut(range(200))
    found = list(in_parallel(partial(dies_once, tmp_path / "died"), chunks, 2))
    assert found == [sum(chunk) for chunk in chunks]


def thread(_):
    return os.getpid(), threading.current_thread() is threading.main_thread()


def test_the_caller_may_choose_another_backend():
    with parallel_config(backend="threading"):
        found = list(in_parallel(thread, range(4), 2))
    assert found == [(os.getpid(), False)] * 4


def rows(killers, names):
    return [np.full(2, value) for value in squares(killers, names)]


def test_a_picture_that_kills_while_it_is_read_is_a_problem_of_its_own(tmp_path):
    items = {str(n): n for n in range(3 * CHUNK)}
    store = ArrayStore(tmp_path, "numbers", {})
    work = partial(rows, {40: signal.SIGKILL, 41: signal.SIGKILL})
    problems = store.fill(items, work, Workforce(2, quiet=True), "numbers")
    reason = "reading it killed a worker (out of memory?)"
    assert problems == {"40": reason, "41": reason}
    assert store.missing(items) == ["40", "41"]
    [block] = store.blocks(["39", "42", "95"])
    assert block[:, 0].tolist() == [39**2, 42**2, 95**2]


class Killer(ColourHistogram):
    """Dies of white pictures."""

    def describe(self, image):
        if image.min() == 255:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().describe(image)


def test_an_extractor_that_kills_fails_with_the_picture_and_others_go_on(
    tmp_path, run, monkeypatch
):
    for number, name in enumerate(("apple", "berry")):
        fill(tmp_path / "fruit" / name, 35, 60 + number, number)
    white = tmp_path / "fruit" / "berry" / "white.png"
    from PIL import Image

    Image.new("RGB", (20, 20), "white").save(white)
    monkeypatch.setitem(extractors.MENU, "killer", Killer("rgb"))
    data = ("--dataset", tmp_path / "fruit", "--jobs", 2)
    assert run("--extractor", "lbp", "hsv-histogram", *data, out="alone", cache="other") == 0
    assert run("--extractor", "lbp", "killer", "hsv-histogram", *data) == 1
    records = tmp_path / "out" / "fruit" / "records" / "query"
    found = json.loads((records / "killer.json").read_text())
    assert found["status"] == "failed"
    assert found["reason"] == f"describing {white} killed a worker (out of memory?)"
    for name in ("lbp", "hsv-histogram"):
        ranking = (records / f"{name}.npz").read_bytes()
        same = tmp_path / "alone" / "fruit" / "records" / "query" / f"{name}.npz"
        assert ranking == same.read_bytes()


def test_work_is_done_aside_while_the_body_does_another():
    met = threading.Barrier(2)
    with Workforce(2, quiet=True).aside(lambda: met.wait(10)):
        met.wait(10)  # would break if one came after the other


def test_one_job_does_one_after_the_other():
    done = []
    with Workforce(1, quiet=True).aside(lambda: done.append("work")):
        done.append("body")
    assert done == ["body", "work"]


def bad():
    raise InputError("a picture has gone")


def test_bad_input_found_aside_ends_the_body_with_its_next_step():
    workforce, steps = Workforce(2, quiet=True), []

    def train(work, count):
        with workforce.aside(work):
            for step in workforce.track(range(count), count, "training"):
                steps.append(step)
                time.sleep(0.01)

    with pytest.raises(InputError, match="a picture has gone"):
        train(bad, 1000)
    assert len(steps) < 1000
    steps.clear()
    with pytest.raises(ZeroDivisionError):
        train(lambda: 1 / 0, 5)
    assert len(steps) == 5


def test_nobody_waits_for_the_workers_when_the_body_ends_early():
    workforce, working = Workforce(2, quiet=True), threading.Event()

    def describe():
        for _ in workforce.chunks(long, [0.0, *[60.0] * 6], "describing"):
            working.set()

    def interrupted():
        with workforce.aside(describe):
            assert working.wait(60)
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - began < 60
    assert list(in_parallel(long, [0.0, 0.0], 2)) == [0.0, 0.0]


def long(seconds):
    time.sleep(seconds)
    return seconds


def test_work_aside_has_the_callers_backend():
    found = []
    with parallel_config(backend="threading"):
        workforce = Workforce(2, quiet=True)
        with workforce.aside(lambda: found.extend(workforce.chunks(thread, range(4), ""))):
            pass
    assert found == [(os.getpid(), False)] * 4
