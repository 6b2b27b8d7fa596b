"""The FastAPI application, put together from what its store can answer: Postgres all of it, DynamoDB the watchlist alone."""

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.docs_page import serve_docs
from stock_platform.api.bar_endpoints import bar_routes
from stock_platform.api.data_docs import data_docs_routes
from stock_platform.api.examples import EXAMPLES
from stock_platform.api.front import Counted, Headed, Limited, Safe, Tagged
from stock_platform.api.market_endpoints import market_routes, stream_routes
from stock_platform.api.metrics import Metrics
from stock_platform.api.parameters import Watchlist, only_known_parameters
from stock_platform.api.problems import add_problems
from stock_platform.api.quality_endpoints import quality_routes
from stock_platform.api.shapes import Problem
from stock_platform.api.stock_endpoints import health_routes, metric_routes, stock_routes
from stock_platform.api.store import QuoteStore, Store
from stock_platform.api.stream import Hub
from stock_platform.api.truth_endpoints import truth_routes

_DESCRIPTION = """Quotes, bars and how far to trust them. Read-only.

Prices are decimal strings, instants RFC 3339 in UTC, sessions ISO dates. Lists come in pages: pass `next_cursor` as `cursor`.
Errors are `application/problem+json`. Answers have an `ETag`: ask again with `If-None-Match`, what is unchanged comes as 304."""
REQUESTS_PER_S = 500.0
"""More than twice what the heaviest use needs (benchmarks/api: 200), less than what starves the stream."""


def quotes_app(
    store: QuoteStore,
    clock: Clock,
    *,
    allowed_origins: tuple[str, ...] = (),
    requests_per_s: float = REQUESTS_PER_S,
    hub: Hub | None = None,
) -> FastAPI:
    """The API over a store of quotes alone: `/stocks`, `/stocks/{symbol}`, `/health/…`.

    Args:
        requests_per_s: Of one address.
        hub: Starts and stops with the application.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        if hub:
            hub.start()
        yield
        if hub:
            hub.stop()

    app = FastAPI(
        title="Stock platform",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        dependencies=[Depends(only_known_parameters)],
        docs_url=None,
        redoc_url=None,
    )
    metrics = Metrics()
    app.add_middleware(Tagged)  # the last one added is the outermost
    app.add_middleware(Limited, per_s=requests_per_s, now=clock.now)
    app.add_middleware(CORSMiddleware, allow_origins=list(allowed_origins), allow_methods=["GET"])
    app.add_middleware(Safe)
    app.add_middleware(Counted, metrics=metrics)
    app.add_middleware(Headed)
    app.state.metrics = metrics
    add_problems(app)
    app.include_router(stock_routes(store, clock))
    app.include_router(health_routes(store))
    serve_docs(app)
    _describe(app)
    return app


def create_app(
    store: Store,
    hub: Hub,
    clock: Clock,
    *,
    allowed_origins: tuple[str, ...] = (),
    requests_per_s: float = REQUESTS_PER_S,
    dagster_page: str | None = None,
    rules: Collection[str] = (),
) -> FastAPI:
    """The whole API over one store and one live stream.

    Args:
        dagster_page: Address of Dagster for a browser; None: there is none.
        rules: Names of the gate's, which refused bars may be asked for by.
    """
    app = quotes_app(store, clock, allowed_origins=allowed_origins, requests_per_s=requests_per_s, hub=hub)
    watchlist = Watchlist(store, clock)
    app.include_router(metric_routes(app.state.metrics, hub))
    app.include_router(bar_routes(store, watchlist, clock))
    app.include_router(truth_routes(store, watchlist))
    app.include_router(market_routes(store, clock, dagster_page=dagster_page))
    app.include_router(quality_routes(store, watchlist, rules))
    app.include_router(data_docs_routes(store))
    app.include_router(stream_routes(hub, watchlist, clock))
    return app


def _describe(app: FastAPI) -> None:
    """The description has the shape of an error, FastAPI's own nowhere, and an example of every answer."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        found = describe()
        for operation in found["paths"].values():
            _add_example(operation["get"]["responses"]["200"])
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        return found

    app.openapi = openapi


def _add_example(answer: dict[str, Any]) -> None:
    content = answer["content"].get("application/json")
    if content:
        content["example"] = EXAMPLES[content["schema"]["$ref"].rpartition("/")[2]]
