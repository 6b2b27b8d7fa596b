"""Door to websockets, both ends: a client's connection and a server's, with errors of the platform's own."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.http11 import Request, Response
from websockets.protocol import State

from stock_platform.errors import FeedUnreachable, StreamClosed

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CLOSE_WITHIN_S = 2.0
_UNREAD_LIMIT_BYTES = 4 * 2**20
"""Some five minutes of 95 symbols at an update a second."""


class Socket:
    """One open connection. A frame is bytes, whichever kind the other side sent."""

    def __init__(self, connection: ClientConnection | ServerConnection, address: str) -> None:
        self._connection = connection
        self._address = address

    async def send(self, text: str) -> None:
        """Send one text frame.

        Raises:
            StreamClosed: the other side is gone.
        """
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise StreamClosed(self._address, str(error)) from error

    @property
    def is_open(self) -> bool:
        """Whether neither side has begun to close."""
        return self._connection.state is State.OPEN

    def offer(self, frames: Iterable[bytes]) -> bool:
        """Hand over text frames in one write, without waiting; False when the other side is gone or has not read for long.

        Nothing is sent then: a vendor drops what a slow reader has no room for.
        """
        connection = self._connection
        if not self.is_open or connection.transport.get_write_buffer_size() > _UNREAD_LIMIT_BYTES:
            return False
        for frame in frames:
            connection.protocol.send_text(frame)
        connection.transport.write(b"".join(connection.protocol.data_to_send()))
        return True

    async def receive(self, within: timedelta | None = None) -> bytes:
        """The next frame.

        Raises:
            StreamClosed: the other side is gone.
            TimeoutError: nothing came in time.
        """
        try:
            async with asyncio.timeout(within.total_seconds() if within else None):
                return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise StreamClosed(self._address, str(error)) from error

    async def close(self, code: int = 1000) -> None:
        """Say goodbye with a code."""
        await self._connection.close(code)

    def abort(self) -> None:
        """Cut the line without a word."""
        self._connection.transport.abort()


@asynccontextmanager
async def connected(url: str, *, within: timedelta) -> AsyncGenerator[Socket, None]:
    """An open client connection.

    Raises:
        FeedUnreachable: it cannot be opened.
    """
    seconds = within.total_seconds()
    proxy = None if urlsplit(url).hostname in _LOOPBACK else True
    try:
        connection = await connect(url, open_timeout=seconds, close_timeout=_CLOSE_WITHIN_S, proxy=proxy)
    except (OSError, WebSocketException, ValueError) as error:
        raise FeedUnreachable(url, str(error) or type(error).__name__) from error
    try:
        yield Socket(connection, url)
    finally:
        await connection.close()


@asynccontextmanager
async def serving(
    handler: Callable[[Socket], Awaitable[None]], *, port: int, admits: Callable[[], bool] = lambda: True
) -> AsyncGenerator[int, None]:
    """A server on the loopback; gives its port (0 asks for a free one). Leaving closes every connection.

    Args:
        admits: Asked before each handshake; a connection that is not admitted gets a 503.
    """

    async def handle(connection: ServerConnection) -> None:
        await handler(Socket(connection, f"client {connection.remote_address}"))

    def judge(connection: ServerConnection, request: Request) -> Response | None:
        return None if admits() else connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "Will be right back\n")

    options: dict[str, Any] = {"compression": None, "close_timeout": _CLOSE_WITHIN_S, "process_request": judge}
    async with serve(handle, "127.0.0.1", port, **options) as server:
        yield next(iter(server.sockets)).getsockname()[1]
