"""The answer of `/stream`: server-sent events as a client takes them. A client that takes nothing for too long is cut off.

Not here: what it is owed (board), who is connected (stream)."""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from stock_platform.api.stream import Client, Hub

HEARTBEAT_S = 5.0
SLOW_S = 15.0
"""A page counts its line as broken after three missed heartbeats."""
_BROWSER_RETRY_MS = 2_000


class EventStream(Response):
    """Sends until the client goes, is cut, or the server closes."""

    media_type = "text/event-stream"

    def __init__(
        self,
        hub: Hub,
        client: Client,
        now: Callable[[], datetime],
        *,
        heartbeat_s: float = HEARTBEAT_S,
        slow_s: float = SLOW_S,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._hub, self._client, self._now = hub, client, now
        self._heartbeat_s, self._slow_s = heartbeat_s, slow_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one client."""
        writing = asyncio.ensure_future(self._write(send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.leave(self._client)
            for task in (writing, leaving):
                task.cancel()
            ended = await asyncio.gather(writing, leaving, return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome

    async def _write(self, send: Send) -> None:
        try:
            await self._send(send, {"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await self._send_body(send, b"retry: %d\n\n" % _BROWSER_RETRY_MS + self._heartbeat())
            while not self._hub.is_closing:
                await self._send_body(send, self._hub.take(self._client).chunk or await self._waited())
            await self._send_body(send, b"", more=False)
        except TimeoutError:
            self._hub.counts.cut += 1

    async def _waited(self) -> bytes:
        """Nothing when something has come, a heartbeat when nothing came in time."""
        try:
            async with asyncio.timeout(self._heartbeat_s):
                await self._hub.news()
        except TimeoutError:
            return self._heartbeat()
        return b""

    async def _send_body(self, send: Send, chunk: bytes, *, more: bool = True) -> None:
        if chunk or not more:
            await self._send(send, {"type": "http.response.body", "body": chunk, "more_body": more})

    async def _send(self, send: Send, message: Message) -> None:
        """The server takes a message when its buffer for this client is low.

        Raises:
            TimeoutError: it was not for too long."""
        async with asyncio.timeout(self._slow_s):
            await send(message)

    def _heartbeat(self) -> bytes:
        data: dict[str, Any] = {"ts_now": self._now().isoformat()}
        return b"event: heartbeat\ndata: %s\n\n" % json.dumps(data, separators=(",", ":")).encode()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
