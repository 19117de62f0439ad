"""A server on this machine that serves files honestly, or in one of the ways of bad ones."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What is served, and what was asked for.

    Attributes
    ----------
    files : dict of str to bytes
        Content by path.
    tricks : dict of str to callable
        By path: gets the handler and the content, and answers in the server's place.
    asked : list of tuple of str
        Path and range of every request.
    """

    files: dict = field(default_factory=dict)
    tricks: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)
    address: str = ""

    def at(self, path):
        return f"{self.address}/{path}"


def version(content):
    return f'"{hash(content)}"'


def send(handler, content, status=200, declared=None, cut=None, **headers):
    """Answer with content, of which the first `cut` bytes really come."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(content) if declared is None else declared))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content[:cut])
    handler.wfile.flush()


def honest(handler, content):
    """Answer as the standard says, ranges included."""
    wanted = handler.headers.get("Range", "")
    fits = handler.headers.get("If-Range") in (None, version(content))
    if not wanted or not fits:
        send(handler, content, ETag=version(content))
        return
    start = int(wanted.removeprefix("bytes=").rstrip("-"))
    if start >= len(content):
        send(handler, b"", 416)
        return
    place = f"bytes {start}-{len(content) - 1}/{len(content)}"
    send(handler, content[start:], 206, ETag=version(content), Content_Range=place)


@contextmanager
def serving():
    """Serve a site until the end of the block."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0"

        def do_GET(self):
            name = self.path.lstrip("/")
            site.asked.append((name, self.headers.get("Range", "")))
            if name in site.tricks:
                site.tricks[name](self, site.files.get(name, b""))
            elif name in site.files:
                honest(self, site.files[name])
            else:
                self.send_error(404)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        site.address = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield site
        server.shutdown()
