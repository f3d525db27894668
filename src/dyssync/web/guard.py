"""What stands in front of the application: headers of every answer, and who may ask."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dyssync.web.refusals import Refused

# No inline script or style, no frame, nothing from elsewhere; nothing is kept by the browser.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-Dyssync-Use": "research use only; not a medical device",
}
NO_STORE = (b"cache-control", b"no-store")
ASK_AGAIN = (b"cache-control", b"no-cache")  # of scripts and styles, which a new version changes
MOST_INSIDE = 16  # uploads; of 20 MB each
STATIC = "/static/"
HEAD_BYTES = 32 * 1024  # of a request's line and headers
TOO_LONG = JSONResponse({"detail": "the head of the request is larger than 32 KB"}, 400)
_RAW = [(name.lower().encode(), text.encode()) for name, text in HEADERS.items()]


class Guard:
    """Puts the headers on every answer of an application, its faults included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        app = self._app if _head_size(scope) <= HEAD_BYTES else TOO_LONG
        cache = ASK_AGAIN if scope["path"].startswith(STATIC) else NO_STORE

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_RAW, cache]
            await send(message)

        await app(scope, receive, sending)


def _head_size(scope: Scope) -> int:
    """Return the bytes of a request's target and headers, which may come all at once."""
    headers = sum(len(name) + len(text) for name, text in scope["headers"])
    return headers + len(scope.get("raw_path") or b"") + len(scope["query_string"])


class Door:
    """Lets in so many uploads at once that their bodies fit into memory."""

    def __init__(self, most: int = MOST_INSIDE) -> None:
        self._left = most

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be inside for the length of the block.

        Raises:
            Refused: 503, too many are.
        """
        if self._left == 0:
            raise Refused(503, "too many uploads at once; try again in a minute")
        self._left -= 1
        try:
            yield
        finally:
            self._left += 1


def check_token(request: Request, needed: str | None, typed: str | None = None) -> None:
    """Refuse who does not know the token.

    Args:
        request: may bring it as `Authorization: Bearer ...`.
        needed: the token; None where everybody may ask.
        typed: into the page, where it has no script.

    Raises:
        Refused: 401.
    """
    if needed is None:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    sent = typed or (given.strip() if scheme.lower() == "bearer" else "")
    if not hmac.compare_digest(sent.encode(), needed.encode()):
        raise Refused(401, "token missing or wrong; send it as Authorization: Bearer TOKEN")
