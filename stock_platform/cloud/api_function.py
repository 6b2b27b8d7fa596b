"""Lambda: the API's own application behind an HTTP API (payload 2.0). CORS, throttling and access logs are the gateway's."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from fastapi import FastAPI
from mangum import Mangum

from stock_platform import config
from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.dynamodb import Table
from stock_platform.api.app import quotes_app
from stock_platform.api.market_endpoints import status_routes
from stock_platform.cloud.quote_store import DynamoStore
from stock_platform.config import Settings
from stock_platform.feed.watchlist import always_open, load_watchlist

logger = Logger(service="api")
_TEXTS = ["application/json", "application/problem+json", "text/"]
"""Answered as they are; anything else goes in base64."""


def app_of(settings: Settings, *, allowed_origins: tuple[str, ...] = ()) -> FastAPI:
    """The application over the table: what quotes can answer, and the market's status."""
    clock = SystemClock()
    watchlist = load_watchlist(settings.feed_watchlist)
    is_always = settings.vendor == "simulator" and settings.simulator_hours == "always"
    table = Table(settings.cloud_table, clock, endpoint=settings.cloud_endpoint)
    store = DynamoStore(table, always_open(watchlist) if is_always else watchlist, clock, feed_kind=settings.vendor)
    app = quotes_app(store, clock, allowed_origins=allowed_origins)
    app.include_router(status_routes(store, clock))
    return app


@logger.inject_lambda_context
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request."""
    return _adapter()(event, context)  # pyright: ignore[reportArgumentType] - Mangum has its own name for the context


@cache
def _adapter() -> Mangum:
    return Mangum(app_of(config.load()), lifespan="off", text_mime_types=_TEXTS)
