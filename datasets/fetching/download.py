"""Downloads that go on where they stopped, from the first address that keeps its word."""

import http.client
import json
import re
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from ssl import SSLError
from typing import Any

from datasets.errors import DamagedError, InputError
from datasets.fetching.archive import Archive
from datasets.fetching.progress import Reporter, Transfer
from datasets.json_files import read_json_as

PATIENCE = 30.0
"""Seconds to wait for a server that says nothing."""

PAUSE = 1.0
"""Seconds before an address is tried again; twice as long each time."""

_TRIES = 4
"""Attempts at an address that bring nothing."""

_WORTH = 2**20
"""Bytes that make an attempt worth another."""

_PIECE = 2**18
_GONE = {401, 403, 404, 405, 410, 451}
"""Answers of a server that will say the same again."""


class _AddressError(Exception):
    """An address does not give the file, and will not."""


class _LostError(Exception):
    """A transfer broke off, or has to begin anew; another attempt may do."""


@dataclass(frozen=True)
class _Mark:
    """A file that is half there: where it came from, and the server's word for its version."""

    address: str = ""
    version: str = ""

    @classmethod
    def read(cls, part: Path) -> "_Mark":
        try:
            found = read_json_as(_mark_of(part), dict[str, str], "remove it") or {}
            return cls(**found)
        except (DamagedError, TypeError):
            return cls()

    def write(self, part: Path) -> None:
        _mark_of(part).write_text(json.dumps(asdict(self)), encoding="utf-8")


def _mark_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def download(archive: Archive, folder: Path, reporter: Reporter) -> Path:
    """Download a file, or what is missing of it, and check it.

    Parameters
    ----------
    archive : Archive
        The file.
    folder : Path
        Gets it; what a broken transfer left there is gone on with.
    reporter : Reporter
        Shows how far it is.

    Returns
    -------
    Path
        The file, of the size and sums that are known of it.

    Raises
    ------
    InputError
        If no address gives it; names them all with the reasons.
    """
    path, part = folder / archive.file, folder / f"{archive.file}.part"
    if path.exists():
        if not [*archive.differences(path)]:
            return path
        path.unlink()
    reasons = []
    for address in archive.addresses:
        try:
            with reporter.transfer(archive.file, archive.size) as shown:
                _download_from(address, archive, part, shown)
        except _AddressError as error:
            reasons.append(f"{address}: {error}")
            continue
        part.replace(path)
        _mark_of(part).unlink(missing_ok=True)
        return path
    raise InputError(
        f"{archive.file} could not be had ({'; '.join(reasons) or 'no address is known'}); try "
        "later, or give another place that has it with --from"
    )


def _download_from(address: str, archive: Archive, part: Path, shown: Transfer) -> None:
    """Fill `part` from one address; whatever was resumed and turns out wrong begins anew once."""
    tries, furthest, is_second = 0, bytes_there(part), False
    while True:
        try:
            resumed = _transfer(address, archive, part, shown)
        except _LostError as error:
            tries = 1 if bytes_there(part) - furthest >= _WORTH else tries + 1
            furthest = max(furthest, bytes_there(part))
            if tries >= _TRIES:
                raise _AddressError(f"{error}, {tries} times") from error
            time.sleep(PAUSE * 2 ** (tries - 1))
            continue
        wrong = [*archive.differences(part)]
        if not wrong:
            return
        part.unlink()
        if is_second or not resumed:
            raise _AddressError(f"{wrong[0]}: another version of it, or damaged")
        is_second = True


def bytes_there(part: Path) -> int:
    """Bytes of a file that is half there, or not at all."""
    return part.stat().st_size if part.exists() else 0


def _transfer(address: str, archive: Archive, part: Path, shown: Transfer) -> bool:
    """Transfer what is missing; gives whether anything had been there before."""
    mark = _Mark.read(part)
    had = bytes_there(part)
    same = mark.address == address and mark.version
    if had and not (same or archive.has_sum):
        had = 0  # nobody could tell whether the rest fits
    if archive.size is not None and had >= archive.size:
        if had == archive.size:
            return True
        had = 0
    request = urllib.request.Request(address, headers={"User-Agent": "image-retrieval-benchmark"})
    if had:
        request.add_header("Range", f"bytes={had}-")
        if same:
            request.add_header("If-Range", mark.version)
    try:
        with _opened(request, part) as answer:
            version = _version(answer.headers)
            start = _start(answer, had, part)
            if start and same and version not in ("", mark.version):
                part.unlink()
                raise _LostError("it changed meanwhile")
            total = _announced(answer, archive, start)
            _Mark(address, version).write(part)
            _write(answer, part, start, total, shown)
    except (http.client.HTTPException, TimeoutError, ConnectionError, SSLError) as error:
        raise _LostError(_reason(error)) from error
    return start > 0


def _opened(request: urllib.request.Request, part: Path) -> Any:
    try:
        return urllib.request.urlopen(request, timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:
                part.unlink(missing_ok=True)
                raise _LostError("it is shorter than what was there") from error
            if "infinite loop" in str(error.msg):
                raise _AddressError("it redirects in circles") from error
            if error.code in _GONE or 300 <= error.code < 400:
                raise _AddressError(f"the server answers {error.code} {error.reason}") from error
            raise _LostError(f"the server answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, FileNotFoundError):
            raise _AddressError("no such file") from error
        raise _LostError(_reason(error.reason)) from error
    except ValueError as error:  # redirected to what is no address
        raise _AddressError(str(error)) from error


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError):
        return f"nothing came for {PATIENCE:g} seconds"
    return str(error) or type(error).__name__


def _version(headers: http.client.HTTPMessage) -> str:
    """The server's word for the version of a file, if there is one that means every byte."""
    tag = headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("Last-Modified", "")


def _start(answer: Any, had: int, part: Path) -> int:
    """The place of the first byte that comes."""
    if answer.status != 206:
        return 0
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    if not found or int(found[1]) != had:
        part.unlink(missing_ok=True)
        raise _LostError("the server sends another part than was asked for")
    return had


def _announced(answer: Any, archive: Archive, start: int) -> int | None:
    """The bytes that the whole file will have, by what the server says."""
    kind = answer.headers.get_content_type()
    if kind in ("text/html", "application/xhtml+xml") and not archive.file.endswith("html"):
        raise _AddressError(
            "a web page comes instead of the file; it has moved, or has to be asked for there"
        )
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise _AddressError("the server packs it once more, unasked")
    length = answer.headers.get("Content-Length")
    total = start + int(length) if length and length.isdecimal() else None
    if total is not None and archive.size not in (None, total):
        raise _AddressError(f"it has {total:,} bytes, not {archive.size:,}: another version of it")
    return archive.size if total is None else total


def _write(answer: Any, part: Path, start: int, total: int | None, shown: Transfer) -> None:
    """Write what comes behind the first `start` bytes."""
    done = start
    with part.open("r+b" if start else "wb") as file:
        file.seek(start)
        while piece := answer.read1(_PIECE):
            done += len(piece)
            if total is not None and done > total:
                raise _AddressError(f"more comes than the {total:,} bytes that it has")
            file.write(piece)
            shown.at(done, total)
    if total is not None and done < total:
        raise _LostError(f"it broke off after {done:,} of {total:,} bytes")
