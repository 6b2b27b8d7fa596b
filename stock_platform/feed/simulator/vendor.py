"""Yahoo's HTTP interface: cookie, crumb, chart, quote, and the proper no of what it does not have here.

Not here: what the answers hold (chart, quote), how faults spoil them (weather)."""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Annotated, Any

from fastapi import Cookie, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from pydantic import BaseModel

from stock_platform.feed.simulator.chart import Charts
from stock_platform.feed.simulator.chart_query import ChartRefused
from stock_platform.feed.simulator.fault import AnyAnswer, Delay, Empty, Html, Status
from stock_platform.feed.simulator.pace import Pace
from stock_platform.feed.simulator.quote import Quotes
from stock_platform.feed.simulator.weather import HTML, Weather

_CONTROL = "/control"
_COOKIE = "A3=d={session}&S=simulated; Max-Age=31536000; Domain=.yahoo.com; Path=/; SameSite=None; Secure; HttpOnly"
_Cookie = Annotated[str | None, Cookie(alias="A3")]


class _ChartQuery(BaseModel):
    """Yahoo's own names."""

    range: str | None = None
    period1: int | None = None
    period2: int | None = None
    interval: str = "1d"
    includePrePost: str = "false"
    events: str = ""
    crumb: str | None = None


class _Vendor:
    """Its endpoints; those that compute are plain functions, which FastAPI runs in threads."""

    def __init__(self, charts: Charts, quotes: Quotes, weather: Weather, pace: Pace, *, seed: int) -> None:
        self._charts = charts
        self._quotes = quotes
        self._weather = weather
        self._pace = pace
        self._seed = seed
        self.requests: dict[str, int] = {}

    async def spoil(self, request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
        """Middleware: count the request, and let faults have it."""
        path = request.url.path
        if path.startswith(_CONTROL):
            return await proceed(request)
        area = "/".join(path.split("/")[:4])
        self.requests[area] = self.requests.get(area, 0) + 1
        faults = request.state.faults = self._weather.over(path, _symbols(request), self._pace.second())
        await asyncio.sleep(sum(fault.seconds for fault in faults if isinstance(fault, Delay)))
        return _spoiled(faults) or await proceed(request)

    async def front(self, request: Request) -> Response:
        """fc.yahoo.com answers 404 and sets the cookie."""
        session = blake2b(f"{self._seed}|{request.client}".encode(), digest_size=12).hexdigest()
        return PlainTextResponse("", 404, headers={"Set-Cookie": _COOKIE.format(session=session)})

    async def crumb(self, cookie: _Cookie = None) -> Response:
        """The word that goes with the cookie."""
        return _unauthorised("Invalid Cookie") if cookie is None else PlainTextResponse(crumb_of(cookie, self._seed))

    def chart(
        self,
        request: Request,
        symbol: str,
        asked: Annotated[_ChartQuery, Query()],
        cookie: _Cookie = None,
    ) -> Response:
        """Bars; a crumb is not needed, a wrong one is refused."""
        if asked.crumb is not None and not _is_right(asked.crumb, cookie, self._seed):
            return _unauthorised("Invalid Crumb")
        answer = self._charts.answer(
            symbol.upper(),
            now=self._pace.second(),
            range_name=asked.range,
            period1=asked.period1,
            period2=asked.period2,
            interval=asked.interval,
            has_extended=asked.includePrePost.lower() == "true",
            events=asked.events,
        )
        return JSONResponse(self._weather.spoil_chart(answer, request.state.faults))

    def quote(self, request: Request, symbols: str, cookie: _Cookie = None, crumb: str | None = None) -> Response:
        """Newest prices of many symbols; needs the crumb."""
        if crumb is None or not _is_right(crumb, cookie, self._seed):
            return _unauthorised("Invalid Crumb")
        is_empty = any(isinstance(fault, Empty) for fault in request.state.faults)
        return JSONResponse(self._quotes.answer([] if is_empty else symbols.split(","), now=self._pace.second()))


async def _summary(symbol: str, modules: str = "") -> Response:
    return _no("quoteSummary", 404, "Not Found", f"No fundamentals data found for any of the summaryTypes={modules}")


async def _timeseries(symbol: str) -> Response:
    return JSONResponse({"timeseries": {"result": [], "error": None}})


async def _refuse(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, ChartRefused)
    return _no("chart", refused.status, refused.code, str(refused))


async def _misread(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _no("finance", 400, "Bad Request", f"Invalid input - {error.errors()[0]['loc'][-1]}")


def create_vendor(charts: Charts, quotes: Quotes, weather: Weather, pace: Pace, *, seed: int) -> tuple[FastAPI, dict[str, int]]:
    """The application, and its count of requests by area; documents of its own are left out, as Yahoo has none."""
    vendor = _Vendor(charts, quotes, weather, pace, seed=seed)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(vendor.spoil)
    app.get("/")(vendor.front)
    app.get("/v1/test/getcrumb")(vendor.crumb)
    app.get("/v8/finance/chart/{symbol}")(vendor.chart)
    app.get("/v7/finance/quote")(vendor.quote)
    app.get("/v10/finance/quoteSummary/{symbol}")(_summary)
    app.get("/ws/fundamentals-timeseries/v1/finance/timeseries/{symbol}")(_timeseries)
    app.add_exception_handler(ChartRefused, _refuse)
    app.add_exception_handler(RequestValidationError, _misread)
    return app, vendor.requests


def crumb_of(cookie: str, seed: int) -> str:
    """The word that goes with a cookie."""
    return blake2b(f"{seed}|{cookie}".encode(), digest_size=6).hexdigest()


def _is_right(crumb: str, cookie: str | None, seed: int) -> bool:
    return cookie is not None and crumb == crumb_of(cookie, seed)


def _symbols(request: Request) -> tuple[str, ...]:
    """Symbols that a request is about."""
    return tuple(f"{request.query_params.get('symbols', '')},{request.url.path.rpartition('/')[2]}".upper().split(","))


def _spoiled(faults: list[AnyAnswer]) -> Response | None:
    for fault in faults:
        if isinstance(fault, Html):
            return HTMLResponse(HTML)
        if isinstance(fault, Status):
            text = "Too Many Requests\r\n" if fault.status == 429 else f"{fault.status} from the simulator\r\n"
            return PlainTextResponse(text, fault.status)
    return None


def _unauthorised(description: str) -> Response:
    return _no("finance", 401, "Unauthorized", description)


def _no(envelope: str, status: int, code: str, description: str) -> Response:
    error: dict[str, Any] = {"code": code, "description": description}
    return JSONResponse({envelope: {"result": None, "error": error}}, status)
