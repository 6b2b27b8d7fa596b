"""Serve the API of this machine's stack: Postgres store, Kafka stream, loopback only."""

from collections.abc import Callable
from functools import partial

import uvicorn
from fastapi import FastAPI

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.kafka_tail import follow
from stock_platform.adapters.postgres import open_pool
from stock_platform.api.app import create_app
from stock_platform.api.postgres_store import PostgresStore
from stock_platform.api.stream import Hub
from stock_platform.config import Settings
from stock_platform.contracts.tick import QUOTE_UPDATE


def app_of(settings: Settings, read_passport: Callable[..., object]) -> FastAPI:
    """The application over the stack's own database and broker.

    Args:
        read_passport: market/passport.read_passport.
    """
    pool = open_pool(settings.dsn("api_reader"), size=settings.api_connections)
    passports = partial(read_passport, dagster_address=settings.dagster_page)
    store = PostgresStore(pool, feed_kind=settings.feed_kind, read_passport=passports)
    hub = Hub(lambda should_stop: follow(settings.kafka_bootstrap, QUOTE_UPDATE.address, should_stop=should_stop))
    page = f"http://localhost:{settings.frontend_port},http://127.0.0.1:{settings.frontend_port}"
    origins = f"{page},{settings.api_allowed_origins}" if settings.api_allowed_origins else page
    return create_app(store, hub, SystemClock(), allowed_origins=tuple(origins.split(",")))


def serve(settings: Settings, read_passport: Callable[..., object]) -> None:
    """Run until stopped; `read_passport` as app_of has it."""
    uvicorn.run(
        app_of(settings, read_passport),
        host=settings.listen_host,
        port=settings.api_port,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=2,
        limit_concurrency=500,
    )
