"""What every request passes, from the outside in: HEAD is taken as GET, it is counted, its answer marked as safe, limited, and sent
only if it is new.

Plain ASGI, so that a stream is not held up. Not here: what is answered (…_endpoints), errors (problems)."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from time import perf_counter

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stock_platform.api.metrics import Metrics
from stock_platform.api.problems import SAFE_HEADERS, problem

_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""Data needs no script, style or frame; a page for a browser has a policy of its own."""
_UNLIMITED = ("/health/", "/metrics")
"""What supervisors ask."""
_TAGGED = ("application/json", "text/html")
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_ADDRESSES = 10_000
"""Addresses whose requests are remembered; beyond that the limit forgets, as after a restart."""


class Counted:
    """Observes time to the first byte, by route."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.observe(_route(scope), message["status"], perf_counter() - begun)
            await send(message)

        await self._app(scope, receive, counted)


class Headed:
    """HEAD is answered as GET is, without the body; the stream, which does not end, has GET alone."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"] == "/stream":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, without_body)


class Safe:
    """Headers that keep browsers from making something else of an answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(SAFE_HEADERS)
                headers.setdefault("Content-Security-Policy", _CONTENT_POLICY)
            await send(message)

        await self._app(scope, receive, safe)


class Limited:
    """So many requests a second from one address, a second's worth of them at once.

    Args:
        per_s: At every address.
    """

    def __init__(self, app: ASGIApp, per_s: float, now: Callable[[], datetime]) -> None:
        self._app, self._per_s, self._now = app, per_s, now
        self._left: dict[str, tuple[float, datetime]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http" or scope["path"].startswith(_UNLIMITED) or self._is_within(_address(scope)):
            await self._app(scope, receive, send)
            return
        text = f"More than {self._per_s:g} requests a second came from this address; wait a second, or listen to /stream."
        await problem(429, text, {"Retry-After": "1"})(scope, receive, send)

    def _is_within(self, address: str) -> bool:
        now = self._now()
        left, seen = self._left.pop(address, (self._per_s, now))
        left = min(self._per_s, left + self._per_s * max(timedelta(), now - seen).total_seconds())
        is_within = left >= 1
        self._left[address] = (left - 1 if is_within else left, now)
        if len(self._left) > _ADDRESSES:
            self._left.clear()
        return is_within


class Tagged:
    """An answer that the client has already is not sent again: 304, by a strong ETag over its bytes.

    JSON and pages of status 200 only. Without another Cache-Control it may be kept, and must be asked for again."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"].startswith("/health/"):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        parts: list[bytes] = []

        async def tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_taggable(message):
                start = message
            elif start is None:
                await send(message)
            else:
                parts.append(message.get("body", b""))
                if not message.get("more_body"):
                    await _send_tagged(start, b"".join(parts), Headers(scope=scope).get("if-none-match", ""), send)

        await self._app(scope, receive, tagged)


def _is_taggable(start: Message) -> bool:
    return start["status"] == 200 and Headers(raw=start["headers"]).get("content-type", "").partition(";")[0] in _TAGGED


async def _send_tagged(start: Message, body: bytes, known: str, send: Send) -> None:
    headers = MutableHeaders(scope=start)
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers["ETag"] = tag
    headers.setdefault("Cache-Control", "no-cache")
    if known.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in known.split(",")):
        del headers["content-length"], headers["content-type"]
        start["status"], body = 304, b""
    await send(start)
    await send({"type": "http.response.body", "body": body})


def _route(scope: Scope) -> tuple[str, str]:
    method = scope["method"] if scope["method"] in _METHODS else "OTHER"
    return method, getattr(scope.get("route"), "path", "none")


def _address(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else ""
