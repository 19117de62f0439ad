"""The server of the page: it listens, and ends with the command."""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Sequence
from pathlib import Path

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from benchmarks.pipeline.methods.method import Method
from benchmarks.search.files import INDEX, About
from benchmarks.search.index import require_index_by
from benchmarks.search.serve.app import Page
from benchmarks.search.serve.engine import Engine, NoIndexError, indexed
from benchmarks.search.serve.indexes import Indexes, ShownWorkforce
from benchmarks.search.serve.security import is_local
from benchmarks.search.source import Source
from datasets.errors import InputError

LAST_PORT = 2**16 - 1

CONNECTIONS = 256
"""Connections at a time; more are sent away."""

HEADERS_WITHIN = 10.0
"""Seconds in which a request's headers must have come; else 256 idlers would close the page."""

_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""Errors of addresses that this machine does not have, at whatever port."""

_OPEN = (
    "open to everybody who reaches this machine: they see the pictures of the gallery, their "
    "names and classes, and may send pictures to be searched with"
)


class Connection(H11Protocol):
    """A connection that ends where no request comes: its headers must, in `HEADERS_WITHIN`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._deadline: asyncio.TimerHandle | None = None
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take what comes, and wait no more, or still, for the headers of a request."""
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._rest()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._rest()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEADERS_WITHIN, self.transport.close)

    def _rest(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def serve(
    methods: Sequence[Method],
    source: Source | None,
    index: Path | None,
    host: str,
    port: int,
    workforce: ShownWorkforce,
) -> None:
    """Serve the page until the command is ended.

    Parameters
    ----------
    methods : sequence of Method
        They answer first; others can be made of their extractors. All of an index that is used
        as it is, if there are none.
    source : Source or None
        What is searched; None for an index that is used as it is.
    index : Path or None
        Folder of the index; of several methods, a folder with a folder of each.
    host, port : str and int
        Address to listen at.
    workforce : ShownWorkforce
        Builds the indexes.

    Raises
    ------
    InputError
        If nobody can listen there, or there is nothing to search.
    """
    indexes = _indexes(methods, source, index, workforce)
    engine = Engine(indexes)
    shown = [method.name for method in methods] or indexes.names
    if source is None:
        _require_ready(engine, shown, index)
    with _listening(host, port) as listener:
        address, number = listener.getsockname()[:2]
        page = Page(engine, shown, host, address)
        config = uvicorn.Config(
            page.app,
            http=Connection,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        failures: list[BaseException] = []

        def fail(error: BaseException) -> None:
            failures.append(error)
            server.should_exit = True

        if not is_local(address):
            logging.getLogger(__name__).warning("--host %s: the page is %s", host, _OPEN)
        named = f"[{host}]" if ":" in host else host
        workforce.log(f"The page is at http://{named}:{number}/ (Ctrl-C ends it)")
        indexes.start(fail)
        try:
            server.run(sockets=[listener])
        finally:
            indexes.stop()
            page.close()
        if failures:
            raise failures[0]


def _indexes(
    methods: Sequence[Method],
    source: Source | None,
    index: Path | None,
    workforce: ShownWorkforce,
) -> Indexes:
    """The indexes that are needed; those that are used as they are, open."""
    if source is None:
        assert index, "without a source, an index is named"
        made = Indexes(_as_they_are(index, methods), {}, None, workforce)
        made.open()
        return made
    for one in methods:
        if one.runs_only:
            raise InputError(f"--extractor {one.name}: {one.runs_only}")
    needed = {method.name: method for one in methods for method in indexed(one)}
    if index and len(needed) > 1 and (index / INDEX).exists():
        raise InputError(
            f"--index {index}: is an index itself, and shall hold several; name another folder"
        )
    folders = {
        name: source.folder(method, index and (index / name if len(needed) > 1 else index))
        for name, method in needed.items()
    }
    return Indexes(folders, needed, source, workforce)


def _as_they_are(index: Path, methods: Sequence[Method]) -> dict[str, Path]:
    """The indexes in a folder, itself or those in the folders in it, by the methods named."""
    folders = (
        [index] if (index / INDEX).exists() else sorted(p.parent for p in index.glob(f"*/{INDEX}"))
    )
    found = {}
    for folder in folders:
        if about := About.read(folder):
            found[about.method] = folder
            for method in (one for one in methods if one.name == about.method):
                require_index_by(method, about, folder)
    if not found:
        raise InputError(f"--index {index}: no index there; make one with --pictures or --dataset")
    return found


def _listening(host: str, port: int) -> socket.socket:
    where = f"--host {host} --port {port}: cannot listen there"
    if port > LAST_PORT:
        raise InputError(f"{where} (ports end at {LAST_PORT}); choose another --port")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        return socket.create_server((host, port), family=family)
    except (socket.gaierror, UnicodeError) as error:
        reason = getattr(error, "strerror", "no name of a machine")
        raise InputError(f"{where} ({reason}); choose another --host") from error
    except OSError as error:  # its own words name the address once more
        other = "--host" if error.errno in _NOT_HERE else "--port"
        reason = os.strerror(error.errno or 0)
        raise InputError(f"{where} ({reason}); choose another {other}") from error


def _require_ready(engine: Engine, shown: Sequence[str], index: Path | None) -> None:
    """Require that methods can be made of indexes that are used as they are."""
    now = engine.indexes.now
    for name in shown:
        try:
            engine.ready(name, now)
        except NoIndexError as error:
            what = "holds indexes by" if len(now.indexes) > 1 else "is an index by"
            there = ", ".join(now.indexes)
            raise InputError(
                f"--extractor {name}: {index} {what} {there}; make another for it"
            ) from error
