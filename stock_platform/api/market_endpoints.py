"""The market and the feed as a whole: status, overview, and the live stream."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import StreamingResponse

from stock_platform.adapters.clock import Clock
from stock_platform.api.overview_shapes import MarketOverview
from stock_platform.api.problems import problems
from stock_platform.api.shapes import MarketStatus
from stock_platform.api.status import market_status
from stock_platform.api.store import Store
from stock_platform.api.stream import Hub


def market_routes(store: Store, clock: Clock) -> APIRouter:
    """`/market/status` and `/market/overview`."""
    routes = APIRouter(tags=["market"], prefix="/market")

    @routes.get("/status", summary="Feed, markets, lag", responses=problems())
    def status() -> MarketStatus:
        now = clock.now()
        return market_status(store.freshness(now), now)

    @routes.get("/overview", summary="Movers, breadth by sector, and every symbol's change", responses=problems())
    def overview() -> MarketOverview:
        return store.overview()

    return routes


def stream_routes(hub: Hub, clock: Clock) -> APIRouter:
    """`/stream`."""
    routes = APIRouter(tags=["market"])

    @routes.get(
        "/stream",
        summary="Live quotes as server-sent events",
        description="Events: `quote` with a Quote, `heartbeat` with `ts_now`. A slow client gets the newest quote of each symbol.",
        response_class=StreamingResponse,
        responses=problems() | {200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def stream(symbols: Annotated[str, Query(max_length=4000, description="Comma-separated; else all.")] = "") -> Response:
        if hub.is_full:
            raise HTTPException(503, "Too many clients listen already; try again in a minute, or poll /stocks.")
        wanted = frozenset(symbol.strip().upper() for symbol in symbols.split(",") if symbol.strip())
        headers = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
        return StreamingResponse(hub.events(wanted, clock.now), media_type="text/event-stream", headers=headers)

    return routes
