"""The watchlist and the health of whoever serves it: all that a store of quotes can answer, here and on AWS."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import StringConstraints

from stock_platform.adapters.clock import Clock
from stock_platform.api.kept import Kept
from stock_platform.api.metrics import MEDIA_TYPE, Metrics
from stock_platform.api.parameters import ONE_SYMBOL, Symbol, not_watched, written
from stock_platform.api.problems import problems
from stock_platform.api.shapes import Health, Stock, StockPage
from stock_platform.api.store import QuoteStore
from stock_platform.api.stream import Hub

_CURSOR = f"^({ONE_SYMBOL})?$"
_Cursor = Annotated[
    str,
    StringConstraints(pattern=_CURSOR),
    written(_CURSOR, "`next_cursor` of the page before, unchanged"),
    Query(max_length=20, description="`next_cursor` of the page before."),
]
_METRICS = 'stock_platform_api_requests_total{method="GET",route="/stocks",status="200"} 7\n'


def stock_routes(store: QuoteStore, clock: Clock) -> APIRouter:
    """`/stocks`, at most half a second old, and `/stocks/{symbol}`."""
    routes, kept = APIRouter(tags=["stocks"]), Kept(clock)

    @routes.get("/stocks", summary="The watchlist, by symbol", response_model=StockPage, responses=problems())
    async def stocks(
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: _Cursor = "",
    ) -> Response:
        content = await kept.answer((cursor, limit), lambda: _page(store, cursor, limit))
        return Response(content, media_type="application/json")

    @routes.get("/stocks/{symbol}", summary="One instrument with its quote", responses=problems(404))
    def stock(symbol: Symbol) -> Stock:
        found = store.stock(symbol.upper())
        if found is None:
            raise not_watched(symbol.upper())
        return found

    return routes


def _page(store: QuoteStore, cursor: str, limit: int) -> bytes:
    rows = store.stocks(after=cursor, limit=limit + 1)
    page = StockPage(items=rows[:limit], next_cursor=rows[limit - 1].symbol if len(rows) > limit else None)
    return page.model_dump_json().encode()


def health_routes(store: QuoteStore) -> APIRouter:
    """`/health/live` and `/health/ready`."""
    routes = APIRouter(tags=["health"])

    @routes.get("/health/live", summary="The process runs")
    def live() -> Health:
        return Health(status="ok")

    @routes.get("/health/ready", summary="The process can answer", responses={503: {"model": Health}})
    def ready(response: Response) -> Health:
        found = store.problem()
        response.status_code = 503 if found else 200
        return Health(status="not ready" if found else "ok", checks={"store": found or "ok"})

    return routes


def metric_routes(metrics: Metrics, hub: Hub) -> APIRouter:
    """`/metrics`."""
    routes = APIRouter(tags=["health"])

    @routes.get(
        "/metrics",
        summary="What Prometheus reads",
        response_class=PlainTextResponse,
        responses={200: {"content": {"text/plain": {"example": _METRICS}}}} | problems(),
    )
    async def measured() -> Response:
        return PlainTextResponse(metrics.text(hub), media_type=MEDIA_TYPE)

    return routes
