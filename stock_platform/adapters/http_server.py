"""Door to uvicorn as one of several servers of a process: started and ended with a block, signals left to others."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn

_START_WITHIN_S = 20.0


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to the process."""
        yield


@asynccontextmanager
async def http_serving(app: Any, *, port: int) -> AsyncGenerator[int, None]:
    """An ASGI application on the loopback; gives its port (0 asks for a free one). Leaving ends it within a second."""
    listener = socket.create_server(("127.0.0.1", port))
    config = uvicorn.Config(app, log_level="warning", lifespan="off", server_header=False, timeout_graceful_shutdown=1)
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        async with asyncio.timeout(_START_WITHIN_S):
            while not server.started and not running.done():
                await asyncio.sleep(0.01)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await running
        listener.close()
