"""Commands in groups of processes of their own, to be disturbed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[1]


def begin_command(
    command: Sequence[object], errors: object = subprocess.PIPE, **options: object
) -> "subprocess.Popen[str]":
    """Begin Python with the arguments, as a terminal does: at the head of a group, with Ctrl-C."""

    def hear() -> None:
        for number in (signal.SIGINT, signal.SIGHUP):  # which nohup and & would have ignored
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        text=True,
        start_new_session=True,
        preexec_fn=hear,
        **options,
    )


def members(process: "subprocess.Popen[str]") -> list[int]:
    """Processes of a group, but those that have ended."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True
    )
    lines = (line.split() for line in listed.stdout.splitlines())
    return [
        int(pid) for pid, group, state in lines if int(group) == process.pid and state[0] != "Z"
    ]


def end_all(process: "subprocess.Popen[str]") -> None:
    """Kill what is left of a group."""
    for member in members(process):
        os.kill(member, signal.SIGKILL)
    process.wait()


def wait_for(condition: Callable[[], T], seconds: float = 60.0) -> T:
    """Wait until something is true; gives it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "in vain"
        time.sleep(0.05)
    return found
