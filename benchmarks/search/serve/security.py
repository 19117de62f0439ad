"""Rules that every request and answer of the page keeps to, so that no other page reads it."""

import ipaddress
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOCAL = ("127.0.0.1", "localhost", "::1")
"""Names of this machine."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def is_local(address: str) -> bool:
    """Whether an address, in numbers, is reached from this machine alone.

    >>> is_local("127.0.0.1"), is_local("::1"), is_local("0.0.0.0")
    (True, True, False)
    """
    return ipaddress.ip_address(address).is_loopback


class Guard:
    """Refuses requests that were meant for another host or come from another page.

    A name that somebody else lets point to this machine is no name of it (DNS rebinding). Of a
    page that is open to others, its addresses in numbers are, whichever those are.

    Parameters
    ----------
    app : ASGIApp
        Answers what is let through.
    host, address : str
        What the page listens at, as it was named and in numbers.
    """

    def __init__(self, app: ASGIApp, host: str, address: str) -> None:
        self._app = app
        self._is_local = is_local(address)
        self._names: Sequence[str] = (*LOCAL, host.lower(), address)
        if not self._is_local:
            self._names = (*self._names, socket.gethostname().lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        refused = self._refusal(Headers(scope=scope), scope["method"])
        app = JSONResponse({"version": 1, "error": refused}, 403) if refused else self._app
        await app(scope, receive, send_guarded)

    def _refusal(self, headers: Headers, method: str) -> str | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._is_ours(host):
            return "this page is not reached by that name; use the address that it printed"
        is_link = headers.get("sec-fetch-mode") == "navigate" and method == "GET"
        is_other = headers.get("sec-fetch-site") in ("cross-site", "same-site") and not is_link
        if is_other or origin not in (None, f"http://{host}"):
            return "other pages may not ask this one"
        return None

    def _is_ours(self, host: str) -> bool:
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return not self._is_local
