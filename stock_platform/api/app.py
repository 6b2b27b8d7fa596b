"""The FastAPI application: endpoints, errors, headers. Made from a store and a hub, so that Postgres and DynamoDB serve alike."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from stock_platform.adapters.clock import Clock
from stock_platform.api.passport_shapes import Passport
from stock_platform.api.shapes import BarPage, Basis, GapPage, Health, Interval, MarketStatus, Problem, Stock, StockPage
from stock_platform.api.status import market_status
from stock_platform.api.store import BarQuery, GapQuery, Store
from stock_platform.api.stream import Hub
from stock_platform.passport_errors import BarNotCertified

Symbol = Annotated[str, Path(pattern=r"^[A-Za-z0-9^][A-Za-z0-9.\-=^]{0,19}$", examples=["AAPL"])]
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text, "content": {"application/problem+json": {}}}
    for status, text in ((404, "Nobody watches this symbol, or it has no such bar."), (422, "A parameter is not usable."))
}
_ONE_TIME = "factors are of the corporate actions known now, bars as of an instant of what was known then; ask for one of them."
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


def create_app(store: Store, hub: Hub, clock: Clock, *, allowed_origins: tuple[str, ...] = ()) -> FastAPI:
    """The API over one store; read-only."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        hub.start()
        yield
        hub.stop()

    app = FastAPI(
        title="Stock platform",
        version="1",
        description="Quotes, bars and how far to trust them. Prices are decimal strings, instants RFC 3339 in UTC.",
        lifespan=lifespan,
    )
    app.add_middleware(CORSMiddleware, allow_origins=list(allowed_origins), allow_methods=["GET"])
    _add_errors(app)
    _add_stocks(app, store)
    _add_passport(app, store)
    _add_gaps(app, store)
    _add_market(app, store, hub, clock)
    _add_health(app, store)
    return app


def _add_stocks(app: FastAPI, store: Store) -> None:
    @app.get("/stocks", summary="The watchlist, by symbol")
    def stocks(
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        cursor: Annotated[str, Query(max_length=20, description="`next_cursor` of the page before.")] = "",
    ) -> StockPage:
        rows = store.stocks(after=cursor, limit=limit + 1)
        return StockPage(items=rows[:limit], next_cursor=rows[limit - 1].symbol if len(rows) > limit else None)

    @app.get("/stocks/{symbol}", summary="One instrument with its quote", responses=_PROBLEMS)
    def stock(symbol: Symbol) -> Stock:
        return _known(store, symbol)

    @app.get("/stocks/{symbol}/bars", summary="Bars of one instrument, oldest first", responses=_PROBLEMS)
    def bars(
        symbol: Symbol,
        interval: Interval = Interval.ONE_MINUTE,
        start: Annotated[datetime | None, Query(description="Inclusive; without it the newest bars come.")] = None,
        end: Annotated[datetime | None, Query(description="Exclusive.")] = None,
        limit: Annotated[int, Query(ge=1, le=2000)] = 390,
        adjusted: Annotated[
            Basis, Query(description="Basis of prices and volumes, by the corporate actions known now.")
        ] = Basis.RAW,
        as_of: Annotated[datetime | None, Query(description="Certified bars as they were then; for 1m only.")] = None,
    ) -> BarPage:
        _check_zones(start=start, end=end, as_of=as_of)
        if as_of is not None and adjusted is not Basis.RAW:
            raise HTTPException(422, f"Parameter adjusted={adjusted} does not go with as_of: {_ONE_TIME}")
        if as_of is not None and interval is not Interval.ONE_MINUTE:
            raise HTTPException(422, f"Parameter as_of goes with interval=1m only: bars of {interval} keep no earlier versions.")
        known = _known(store, symbol)
        items = store.bars(BarQuery(known.symbol, interval, start, end, limit, as_of, adjusted))
        return BarPage(symbol=known.symbol, interval=interval, adjusted=adjusted, items=items)


def _add_passport(app: FastAPI, store: Store) -> None:
    @app.get(
        "/stocks/{symbol}/bars/{ts_start}/passport",
        summary="Where a certified 1-minute bar comes from, who accepted it, and what it was before",
        responses=_PROBLEMS,
    )
    def passport(
        symbol: Symbol, ts_start: Annotated[datetime, Path(description="Start of the bar.", examples=["2013-10-07T14:30:00Z"])]
    ) -> Passport:
        _check_zones(ts_start=ts_start)
        known = _known(store, symbol)
        try:
            return store.passport(known.symbol, ts_start)
        except BarNotCertified as error:
            raise HTTPException(404, str(error)) from None


def _add_gaps(app: FastAPI, store: Store) -> None:
    @app.get(
        "/stocks/{symbol}/gaps",
        summary="Session minutes without a certified bar, and why",
        responses=_PROBLEMS,
    )
    def gaps(
        symbol: Symbol,
        start: Annotated[datetime | None, Query(description="Gaps that end after it; without it the newest come.")] = None,
        end: Annotated[datetime | None, Query(description="Gaps that begin before it.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> GapPage:
        _check_zones(start=start, end=end)
        known = _known(store, symbol)
        return GapPage(symbol=known.symbol, items=store.gaps(GapQuery(known.symbol, start, end, limit)))


def _add_market(app: FastAPI, store: Store, hub: Hub, clock: Clock) -> None:
    @app.get("/market/status", summary="Feed, markets, lag")
    def status() -> MarketStatus:
        now = clock.now()
        return market_status(store.freshness(now), now)

    @app.get(
        "/stream",
        summary="Live quotes as server-sent events",
        description="Events: `quote` with a Quote, `heartbeat` with `ts_now`. A slow client gets the newest quote of each symbol.",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}, 503: {"model": Problem}},
    )
    async def stream(symbols: Annotated[str, Query(max_length=4000, description="Comma-separated; else all.")] = "") -> Response:
        if hub.is_full:
            raise HTTPException(503, "Too many clients listen already; try again in a minute, or poll /stocks.")
        wanted = frozenset(symbol.strip().upper() for symbol in symbols.split(",") if symbol.strip())
        headers = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
        return StreamingResponse(hub.events(wanted, clock.now), media_type="text/event-stream", headers=headers)


def _add_health(app: FastAPI, store: Store) -> None:
    @app.get("/health/live", summary="The process runs")
    def live() -> Health:
        return Health(status="ok")

    @app.get("/health/ready", summary="The process can answer", responses={503: {"model": Health}})
    def ready(response: Response) -> Health:
        problem = store.problem()
        response.status_code = 503 if problem else 200
        return Health(status="not ready" if problem else "ok", checks={"store": problem or "ok"})


def _known(store: Store, symbol: str) -> Stock:
    found = store.stock(symbol.upper())
    if found is None:
        raise HTTPException(404, f"Symbol {symbol.upper()} is not on the watchlist; GET /stocks lists those that are.")
    return found


def _check_zones(**instants: datetime | None) -> None:
    for name, instant in instants.items():
        if instant is not None and instant.tzinfo is None:
            raise HTTPException(422, f"Parameter {name} has no zone; write it as in 2026-11-20T14:30:00Z.")


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(StarletteHTTPException)
    async def on_http(_request: Request, error: StarletteHTTPException) -> Response:
        return _problem(error.status_code, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return _problem(422, f"Parameter {where}: {first['msg']}. See /docs for what is expected.")

    @app.exception_handler(Exception)
    async def on_crash(_request: Request, _error: Exception) -> Response:
        return _problem(500, "The server failed; its log says why. Try again, and tell an operator if it stays.")

    @app.middleware("http")
    async def secure(request: Request, call_next: Any) -> Response:
        answer: Response = await call_next(request)
        answer.headers.update(_HEADERS)
        return answer


def _problem(status: int, detail: str) -> JSONResponse:
    titles = {404: "Not found", 422: "Parameter not usable", 503: "Too busy", 500: "Server failed"}
    problem = Problem(title=titles.get(status, "Request failed"), status=status, detail=detail)
    return JSONResponse(problem.model_dump(), status_code=status, media_type="application/problem+json")
