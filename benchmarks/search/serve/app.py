"""The page as an HTTP application: what is asked for, how much of it, and the JSON of answers."""

import asyncio
import hashlib
import json
import logging
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.report.site.build import STATIC as SHARED
from benchmarks.search.serve.decoder import MOST_BYTES, Decoder
from benchmarks.search.serve.engine import Answer, Engine, Found, Query, combinations
from benchmarks.search.serve.gallery import GALLERY, Gallery
from benchmarks.search.serve.security import Guard
from benchmarks.search.serve.thumbnails import thumbnail
from datasets.errors import UnreadableImageError
from datasets.reading import read_image
from datasets.task import Image

VERSION = 1
"""Of the JSON; another number where a field changes its meaning or goes."""

MOST_METHODS, MOST_NEIGHBOURS, MOST_MARKS, MOST_LISTED = 12, 100, 100, 100

WAITING = 16
"""Searches that wait or are worked on at a time; more are sent away."""

_READING = 30.0
"""Seconds in which a picture must have come."""

_OWN = Path(__file__).parent / "static"
_FILES = {
    "page.css": SHARED,
    "elements.js": SHARED,
    "neighbours.js": SHARED,
    "search.html": _OWN,
    "search.css": _OWN,
    "canvas.js": _OWN,
    "search.js": _OWN,
}
"""All files that there are, and where they lie."""

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_HASH = re.compile(r"[0-9a-f]{64}")

T = TypeVar("T")

log = logging.getLogger(__name__)


class Page:
    """The application, and the threads in which it works.

    Parameters
    ----------
    engine : Engine
        Finds the answers.
    shown : sequence of str
        Methods that answer where none is named.
    host, address : str
        What the page listens at, as it was named and in numbers.
    """

    def __init__(self, engine: Engine, shown: Sequence[str], host: str, address: str) -> None:
        self.engine, self.shown = engine, shown
        self.decoder = Decoder()
        self._waiting = 0
        self._coming = 0  # bytes of pictures that have not come whole
        self._search_thread = ThreadPoolExecutor(1, "search")
        self._reading_threads = ThreadPoolExecutor(2, "reading")
        self._static = {
            name: ((folder / name).read_bytes(), _TYPES[Path(name).suffix])
            for name, folder in _FILES.items()
        }
        routes = [
            Route("/", self.static),
            Route("/api/v1/status", self.status),
            Route("/api/v1/pictures", self.pictures),
            Route("/api/v1/search", self.search, methods=["GET", "POST"]),
            Route("/thumbnails/{sha256}.webp", self.thumbnail),
            *(Route(f"/{name}", self.static) for name in _FILES),
        ]
        self.app = Starlette(
            routes=routes,
            middleware=[Middleware(Guard, host=host, address=address)],
            exception_handlers={HTTPException: _refuse, Exception: _fail},
        )

    def close(self) -> None:
        """End the threads and processes."""
        self.decoder.close()
        for threads in (self._search_thread, self._reading_threads):
            threads.shutdown(wait=False, cancel_futures=True)

    async def static(self, request: Request) -> Response:
        """Answer with a file of the page."""
        content, kind = self._static[request.url.path[1:] or "search.html"]
        return Response(content, media_type=kind, headers={"Cache-Control": "no-cache"})

    async def status(self, request: Request) -> Response:
        """Say what can be asked, and how far the indexes are."""
        indexes = self.engine.indexes
        now, progress = indexes.now, indexes.progress
        gallery = now.gallery
        size = len(gallery) if gallery else 0
        return _answered(
            {
                "gallery": gallery
                and {
                    "name": gallery.name,
                    "size": size,
                    "licence": gallery.licence,
                    "sets": {name: len(images) for name, images in gallery.sets.items()},
                },
                "building": progress and vars(progress),
                "methods": [
                    {"name": name, "ready": name in now.indexes, "error": now.failures.get(name)}
                    for name in indexes.names
                ],
                "shown": self.shown,
                **combinations(size),
                "limits": {
                    "bytes": MOST_BYTES,
                    "pixels": self.decoder.pixels,
                    "seconds": self.decoder.seconds,
                    "methods": MOST_METHODS,
                    "k": MOST_NEIGHBOURS,
                },
            }
        )

    async def pictures(self, request: Request) -> Response:
        """List some of the pictures that can be asked with."""
        given = request.query_params
        gallery = self._gallery()
        name = _one(given, "set")
        name = GALLERY if name is None else name
        if name not in gallery.sets:
            raise HTTPException(404, f"no set {name!r}; there are {', '.join(gallery.sets)}")
        images = gallery.sets[name]
        offset = _number(given, "offset", 0, 0, len(images))
        limit = _number(given, "limit", 24, 1, MOST_LISTED)
        listed = [_picture(image) for image in images[offset : offset + limit]]
        return _answered({"set": name, "size": len(images), "pictures": listed})

    async def thumbnail(self, request: Request) -> Response:
        """Answer with a small copy of a picture of the gallery or the queries."""
        image = self._known(request.path_params["sha256"])
        try:
            made = await _in(self._reading_threads, lambda: thumbnail(image))
        except UnreadableImageError as error:
            raise HTTPException(404, str(error)) from error
        kept = {"Cache-Control": "private, max-age=86400"}
        return Response(made, media_type="image/webp", headers=kept)

    async def search(self, request: Request) -> Response:
        """Search with the picture that is sent, or with one that is known."""
        given = request.query_params
        methods = list(dict.fromkeys(given.getlist("method"))) or list(self.shown)
        if len(methods) > MOST_METHODS:
            raise HTTPException(400, f"{len(methods)} methods are too many ({MOST_METHODS})")
        k = _number(given, "k", 10, 1, MOST_NEIGHBOURS)
        right, wrong = (_marks(given, name) for name in ("right", "wrong"))
        if both := {*right} & {*wrong}:
            raise HTTPException(400, f"{min(both)} is marked right and wrong; keep one")
        asked = await self._asked(request)
        if self._waiting >= WAITING:
            raise _busy()
        self._waiting += 1
        try:
            pixels, image = await self._read(asked)
            query = Query(pixels, image, right, wrong)
            if await request.is_disconnected():
                return Response(status_code=499)
            answers = await _in(self._search_thread, lambda: self.engine.answer(query, methods, k))
        finally:
            self._waiting -= 1
        return _answered(
            {
                "query": {
                    "width": pixels.shape[1],
                    "height": pixels.shape[0],
                    "known": image and _picture(image),
                },
                "answers": list(map(_answer, answers)),
            }
        )

    async def _asked(self, request: Request) -> Image | bytes:
        """The picture that is named, or what is sent."""
        named = _one(request.query_params, "picture")
        if named is not None and _has_body(request):
            raise HTTPException(400, "a picture is sent and another named by picture=; give one")
        if request.headers.get("content-type", "").startswith("multipart/"):
            raise HTTPException(415, "send the bytes alone, as by curl --data-binary @FILE")
        if named is not None:
            return self._known(named)
        if request.method != "POST":
            raise HTTPException(400, "send a picture (POST), or name one by picture=")
        return await self._body(request)

    async def _body(self, request: Request) -> bytes:
        """Read what is sent, and no more than is allowed."""
        too_large = HTTPException(
            413, f"the picture: larger than {MOST_BYTES // 2**20} MiB", {"Connection": "close"}
        )
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > MOST_BYTES:
            raise too_large
        data = bytearray()
        try:
            async with asyncio.timeout(_READING):
                async for part in request.stream():
                    data += part
                    self._coming += len(part)
                    if len(data) > MOST_BYTES:
                        raise too_large
                    if self._coming > WAITING * MOST_BYTES:
                        raise _busy()
        except TimeoutError as error:
            raise HTTPException(
                408, "the picture does not come", {"Connection": "close"}
            ) from error
        except ClientDisconnect as error:
            raise HTTPException(400, "the picture is cut off") from error
        finally:
            self._coming -= len(data)
        return bytes(data)

    async def _read(self, asked: Image | bytes) -> tuple[Any, Image | None]:
        """The pixels that are asked with, and the picture that they are if it is known."""
        try:
            if isinstance(asked, Image):
                work = partial(read_image, asked.path, asked.sha256)
                return await _in(self._reading_threads, work), asked
            pixels = await _in(self._reading_threads, partial(self.decoder.decode, asked))
        except UnreadableImageError as error:
            raise HTTPException(400, f"the picture: {error}") from error
        gallery = self.engine.indexes.now.gallery
        sha256 = hashlib.sha256(asked).hexdigest()
        return pixels, gallery.find(sha256) if gallery else None

    def _gallery(self) -> Gallery:
        gallery = self.engine.indexes.now.gallery
        if gallery is None:
            raise HTTPException(503, "the index is being built", {"Retry-After": "2"})
        return gallery

    def _known(self, sha256: str) -> Image:
        found = None
        for gallery in self.engine.indexes.now.galleries.values():
            found = found or gallery.find(sha256)
        if found is None:
            raise HTTPException(404, "no such picture")
        return found


def _busy() -> HTTPException:
    headers = {"Retry-After": "1", "Connection": "close"}
    return HTTPException(503, "busy; try again", headers)


async def _in(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, work)


def _has_body(request: Request) -> bool:
    """Whether something is sent, with its length or in chunks."""
    given = request.headers
    return given.get("content-length", "0") != "0" or "transfer-encoding" in given


def _one(given: QueryParams, name: str) -> str | None:
    """The value of a parameter that has one, or None if it is not given."""
    values = given.getlist(name)
    if len(values) > 1:
        raise HTTPException(400, f"{name}= is given {len(values)} times; give one")
    return values[0] if values else None


def _number(given: QueryParams, name: str, usual: int, least: int, most: int) -> int:
    text = _one(given, name)
    if text is None:
        return usual
    is_number = text.isascii() and text.isdecimal() and len(text) < 10
    if not (is_number and least <= int(text) <= most):
        raise HTTPException(400, f"{name}: a number from {least} to {most} is wanted")
    return int(text)


def _marks(given: QueryParams, name: str) -> list[str]:
    hashes = given.getlist(name)
    if len(hashes) > MOST_MARKS or not all(map(_HASH.fullmatch, hashes)):
        raise HTTPException(400, f"{name}: at most {MOST_MARKS} SHA-256 of pictures are wanted")
    return hashes


def _answered(content: dict[str, Any], status: int = 200) -> Response:
    text = json.dumps({"version": VERSION, **content}, separators=(",", ":"))
    return Response(text, status, media_type="application/json")


def _picture(image: Image) -> dict[str, Any]:
    return {
        "sha256": image.sha256,
        "id": image.id,
        "label": image.label,
        "distractor": image.distractor,
    }


def _answer(answer: Answer) -> dict[str, Any]:
    made = {name: value for name, value in vars(answer).items() if name != "found"}
    return made | {"neighbours": list(map(_neighbour, answer.found))}


def _neighbour(found: Found) -> dict[str, Any]:
    one = found.neighbour
    return {
        "rank": one.rank,
        **_picture(found.image),
        "distance": one.distance,
        "right": one.right,
    }


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    content = {"version": VERSION, "error": error.detail}
    return JSONResponse(content, error.status_code, headers=error.headers)


async def _fail(request: Request, error: Exception) -> Response:
    return _answered({"error": "this went wrong; the terminal says how"}, 500)
