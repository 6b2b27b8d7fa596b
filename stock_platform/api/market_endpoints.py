"""The market and the feed as a whole: status, overview, and the live stream."""

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Query, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import StringConstraints

from stock_platform.adapters.clock import Clock
from stock_platform.api.event_stream import EventStream
from stock_platform.api.overview_shapes import MarketOverview
from stock_platform.api.parameters import ONE_SYMBOL, Watchlist, written
from stock_platform.api.problems import problems
from stock_platform.api.shapes import MarketStatus
from stock_platform.api.status import market_status
from stock_platform.api.store import FreshnessStore, Store
from stock_platform.api.stream import Hub, HubFull

_STREAM = """An event `quote` carries a Quote, `heartbeat` the server's `ts_now`. A client is sent the newest quote of each
symbol when it comes, and then what moves; one that is slow is spared what a newer quote of the symbol has
replaced, one that takes nothing for 15 s is cut off. A client that returns with `Last-Event-ID`, as browsers do by
themselves, is sent the newest quote of each symbol that has moved since that event; an id of before the server's
last start counts as none."""
_EXAMPLE = 'id: 5f2c81d0-1042\nevent: quote\ndata: {"symbol":"AAPL","price":"189.25","currency":"USD"}\n\n'
_SYMBOLS = f"^({ONE_SYMBOL}(,{ONE_SYMBOL})*)?$"
_Symbols = Annotated[
    str,
    StringConstraints(pattern=_SYMBOLS),
    written(_SYMBOLS, "symbols and commas alone, as in AAPL,MSFT"),
    Query(
        max_length=4000,
        description="Of the watchlist, separated by commas; without it all.",
        examples=["AAPL,MSFT"],
    ),
]
_EventId = Annotated[str | None, Header(max_length=100, description="Id of the last event that was received.")]


def status_routes(store: FreshnessStore, clock: Clock, *, dagster_page: str | None = None) -> APIRouter:
    """`/market/status`."""
    routes = APIRouter(tags=["market"], prefix="/market")

    @routes.get("/status", summary="Feed, markets, lag", responses=problems())
    def status() -> MarketStatus:
        now = clock.now()
        return market_status(store.freshness(now), now, dagster_page=dagster_page)

    return routes


def market_routes(store: Store, clock: Clock, *, dagster_page: str | None) -> APIRouter:
    """`/market/status` and `/market/overview`."""
    routes = APIRouter()
    routes.include_router(status_routes(store, clock, dagster_page=dagster_page))

    @routes.get(
        "/market/overview",
        tags=["market"],
        summary="Movers, breadth by sector, and every symbol's change",
        responses=problems(),
    )
    def overview() -> MarketOverview:
        return store.overview()

    return routes


def stream_routes(hub: Hub, watchlist: Watchlist, clock: Clock) -> APIRouter:
    """`/stream`."""
    routes = APIRouter(tags=["market"])

    @routes.get(
        "/stream",
        summary="Live quotes as server-sent events",
        description=_STREAM,
        response_class=StreamingResponse,
        responses=problems(404) | {200: {"content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}}}},
    )
    async def stream(symbols: _Symbols = "", last_event_id: _EventId = None) -> Response:
        asked = [symbol for symbol in symbols.split(",") if symbol]
        wanted = await run_in_threadpool(watchlist.all_known, asked) if asked else frozenset[str]()
        try:
            client = hub.join(wanted, last_event_id)
        except HubFull as full:
            raise HTTPException(503, str(full)) from None
        return EventStream(hub, client, clock.now)

    return routes
