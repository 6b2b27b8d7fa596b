"""A proxy that answers CONNECT for some hosts with servers of this machine, and refuses every other host.

It ends TLS itself and speaks plainly to the server behind, so that a client's https:// and wss:// reach it unchanged."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

_REQUEST_WITHIN_S = 10.0
_CLOSE_WITHIN_S = 2.0
_CHUNK_BYTES = 2**16


@asynccontextmanager
async def proxy_serving(
    route: Callable[[str], int | None], *, tls: ssl.SSLContext, port: int, host: str = "127.0.0.1"
) -> AsyncGenerator[int, None]:
    """A proxy on that address; gives its port (0 asks for a free one). Leaving cuts what goes through it.

    Args:
        route: Port of this machine for a host's name; None refuses it with 403.
    """
    open_pipes: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_pipes.add(task)
        try:
            with suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
                await _serve(reader, writer, route, tls)
        except asyncio.CancelledError:
            pass  # the proxy ends: nobody waits for this task
        finally:
            open_pipes.discard(task)
            writer.transport.abort()

    server = await asyncio.start_server(serve, host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(open_pipes):
            task.cancel()
        await asyncio.gather(*open_pipes, return_exceptions=True)


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, route: Callable[[str], int | None], tls: ssl.SSLContext
) -> None:
    async with asyncio.timeout(_REQUEST_WITHIN_S):
        head = await reader.readuntil(b"\r\n\r\n")
    method, _, rest = head.decode("latin-1").partition(" ")
    host, _, asked_port = rest.split(" ", 1)[0].rpartition(":")
    port = route(host) if method == "CONNECT" and asked_port == "443" else None
    if port is None:
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        return
    behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.start_tls(tls)
        await _pipe_both(reader, writer, behind_reader, behind_writer)
        async with asyncio.timeout(_CLOSE_WITHIN_S):
            writer.close()
            await writer.wait_closed()
    finally:
        behind_writer.close()


async def _pipe_both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    behind_reader: asyncio.StreamReader,
    behind_writer: asyncio.StreamWriter,
) -> None:
    """Until either side ends; what the server said last still reaches the client."""
    there = asyncio.create_task(_pipe(reader, behind_writer))
    back = asyncio.create_task(_pipe(behind_reader, writer))
    try:
        await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (there, back):
            task.cancel()
        await asyncio.gather(there, back, return_exceptions=True)


async def _pipe(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await source.read(_CHUNK_BYTES):
            sink.write(chunk)
            await sink.drain()
