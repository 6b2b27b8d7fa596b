"""Serve the API of this machine's stack: Postgres store, Kafka stream, loopback only."""

import socket
from collections.abc import Callable, Collection
from functools import partial
from types import FrameType

import uvicorn
from fastapi import FastAPI

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.kafka_tail import Tail
from stock_platform.adapters.postgres import open_pool
from stock_platform.api.app import create_app
from stock_platform.api.postgres_store import PostgresStore
from stock_platform.api.stream import Hub
from stock_platform.config import Settings
from stock_platform.contracts.tick import QUOTE_UPDATE

_MAX_CONNECTIONS = 2_000
"""Beyond that the server itself refuses, without a reason; the stream's own cap is far below."""
_UNREAD_MS = 30_000
"""A connection whose peer takes nothing for so long is dropped by the kernel, with what it was to be sent."""


class Server(uvicorn.Server):
    """Lets the stream's clients go as soon as it is told to end, instead of waiting for them."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal to end has come."""
        self._hub.close()
        super().handle_exit(sig, frame)


def stack_hub(settings: Settings, store: PostgresStore) -> Hub:
    """The stream of the stack's own broker, which begins with the quotes that the store has."""
    tail = Tail(settings.kafka_bootstrap, QUOTE_UPDATE.address, clock=SystemClock())
    return Hub(tail.follow, seed=store.quotes, lag=tail.lag)


def stack_store(settings: Settings, read_passport: Callable[..., object]) -> PostgresStore:
    """The stack's own database.

    Args:
        read_passport: market/passport.read_passport.
    """
    pool = open_pool(settings.dsn("api_reader"), size=settings.api_connections)
    passports = partial(read_passport, dagster_address=settings.dagster_page)
    return PostgresStore(pool, feed_kind=settings.feed_kind, dagster_page=settings.dagster_page, read_passport=passports)


def app_of(settings: Settings, store: PostgresStore, hub: Hub, rules: Collection[str]) -> FastAPI:
    """The application, for pages of this machine and of the origins that are allowed; `rules` as create_app has them."""
    page = f"http://localhost:{settings.frontend_port},http://127.0.0.1:{settings.frontend_port}"
    origins = f"{page},{settings.api_allowed_origins}" if settings.api_allowed_origins else page
    return create_app(
        store, hub, SystemClock(), allowed_origins=tuple(origins.split(",")), dagster_page=settings.dagster_page, rules=rules
    )


def serve(settings: Settings, read_passport: Callable[..., object], rules: Collection[str]) -> None:
    """Run until stopped; `read_passport` as stack_store has it, `rules` as create_app has them."""
    store = stack_store(settings, read_passport)
    hub = stack_hub(settings, store)
    server_of(app_of(settings, store, hub, rules), hub).run(sockets=[listener(settings.listen_host, settings.api_port)])


def server_of(app: FastAPI, hub: Hub) -> Server:
    """A server of the application; it runs on the sockets that it is given."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
        limit_concurrency=_MAX_CONNECTIONS,
    )
    return Server(config, hub)


def listener(host: str, port: int) -> socket.socket:
    """Its socket."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MS)
    listening.bind((host, port))
    return listening
