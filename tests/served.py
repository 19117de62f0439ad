"""The search page as its own process, and a client of it."""

import http.client
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from processes import begin_command

SAID = "The page is at "


class Client:
    """Asks a page, whose address and process it has, and all that it says."""

    def __init__(self, address: str, process: subprocess.Popen, said: list[str]) -> None:
        self.address, self.process, self.said = address, process, said
        self.host, self.port = urlsplit(address).hostname, urlsplit(address).port

    def fetch(self, path, body=None, method=None, headers=None):
        """Returns the status, the headers and the content."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        try:
            connection.request(
                method or ("GET" if body is None else "POST"), path, body, headers or {}
            )
            found = connection.getresponse()
            return found.status, dict(found.getheaders()), found.read()
        finally:
            connection.close()

    def json(self, path, body=None, **more):
        """Returns the status and the content."""
        status, _, content = self.fetch(path, body, **more)
        return status, json.loads(content)

    def status(self):
        return self.json("/api/v1/status")[1]

    def until(self, condition, seconds=60):
        """Wait until the page's state is as wanted; returns it."""
        end = time.monotonic() + seconds
        while not condition(state := self.status()):
            assert time.monotonic() < end, state
            time.sleep(0.1)
        return state


@contextmanager
def serving(*arguments: object) -> Iterator[Client]:
    """Serve a page at a free port; afterwards Ctrl-C ends it."""
    named = ["-m", "benchmarks.search", "--serve", "--port", "0"]
    named += [] if "--jobs" in arguments else ["--jobs", "1"]
    with begin_command([*named, *arguments]) as process:
        said = []
        for line in process.stderr:
            said.append(line)
            if line.startswith(SAID):
                break
        else:
            raise AssertionError("".join(said))
        address = said[-1].removeprefix(SAID).split()[0]
        listening = threading.Thread(target=lambda: said.extend(process.stderr), daemon=True)
        listening.start()
        client = Client(address, process, said)
        try:
            yield client
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 128 + signal.SIGINT
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)
            listening.join(20)
