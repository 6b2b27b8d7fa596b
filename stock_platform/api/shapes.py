"""Shapes of the HTTP API's answers: the one source of the OpenAPI file and of the page's types.

Prices are decimal strings, instants RFC 3339 in UTC, days ISO dates. Not here: how answers are found (store), served (app)."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

Price = Annotated[Decimal, PlainSerializer(lambda price: f"{price.normalize():f}", return_type=str, when_used="json")]


Cursor = Annotated[str | None, Field(description="Pass as `cursor` for the next page; None on the last.")]


class Interval(StrEnum):
    """Length of a bar."""

    ONE_MINUTE = "1m"
    FIVE_MINUTES = "5m"
    FIFTEEN_MINUTES = "15m"
    ONE_HOUR = "1h"
    ONE_DAY = "1d"


class Basis(StrEnum):
    """What prices and volumes of the past are made comparable with."""

    RAW = "raw"
    """As they were traded."""
    SPLIT = "split"
    """Of the shares of today: every split applied."""
    TOTAL_RETURN = "total_return"
    """Splits and payments applied; volumes by splits alone."""


class FeedState(StrEnum):
    """What the feed is doing now."""

    RUNNING = "running"
    STALE = "stale"
    ENDED = "ended"
    CLOSED = "closed"
    """Its markets are closed; it starts again before they open."""
    STOPPED = "stopped"


class MarketState(StrEnum):
    """What the instruments' exchange is doing now."""

    OPEN = "open"
    PRE = "pre"
    POST = "post"
    CLOSED = "closed"


class Shape(BaseModel):
    """A frozen answer."""

    model_config = ConfigDict(frozen=True)


class Quote(Shape):
    """The provisional last sale of one symbol; also the data of a `quote` event of `/stream`."""

    symbol: str = Field(examples=["AAPL"])
    price: Price = Field(description="Last price, in `currency`.", examples=["189.25"])
    previous_close: Price | None = Field(description="Close of the session before.", examples=["188.1"])
    change_pct: Price | None = Field(description="Change since the previous close, percent.", examples=["0.61"])
    day_volume: int | None = Field(description="Cumulative volume of the session, in units of the instrument.")
    currency: str = Field(examples=["USD"])
    session_phase: str = Field(description="pre, regular, post or closed.", examples=["regular"])
    ts_event: datetime = Field(description="When the trade happened.")
    ts_recv: datetime = Field(description="When our feed received it.")
    source: str = Field(description="yahoo, simulator or tape.", examples=["simulator"])


class Stock(Shape):
    """One row of the watchlist: the instrument, its quote, and the closes of its last bars."""

    symbol: str = Field(examples=["AAPL"])
    name: str = Field(examples=["Apple Inc."])
    sector: str = Field(examples=["Technology"])
    currency: str = Field(examples=["USD"])
    calendar: str = Field(description="Exchange calendar of the instrument.", examples=["XNYS", "24/7"])
    quote: Quote | None = Field(description="None until the first tick.")
    sparkline: list[Price] = Field(description="Closes of certified 1-minute bars of the hour up to the newest, oldest first.")


class StockPage(Shape):
    """One page of the watchlist, by symbol."""

    items: list[Stock]
    next_cursor: Cursor


class Bar(Shape):
    """One bar: [ts_start, ts_end)."""

    ts_start: datetime
    ts_end: datetime
    session_date: date
    open: Price
    high: Price
    low: Price
    close: Price
    volume: int | None = Field(description="None where the instrument has no volume.")
    vwap: Price | None = Field(description="None where nothing was traded.")
    tick_count: int
    is_certified: bool = Field(description="False: provisional, not yet judged by the gate.")
    verdict: str | None = Field(
        description="passed, suspect, restated or vendor; of a coarser bar the worst of its minutes': suspect, vendor, restated, "
        "passed. None while provisional. "
        "A day from before the platform's first session has the vendor's bar, which is not certified."
    )
    revision: int | None = Field(description="1 for the first accepted version; None while provisional, and for coarser bars.")


class BarPage(Shape):
    """Bars of one symbol, oldest first."""

    symbol: str
    interval: Interval
    adjusted: Basis = Field(
        description="Basis of all prices and volumes of the page. Bars before a payment without a factor have no total return."
    )
    items: list[Bar]


class Gap(Shape):
    """Consecutive session minutes without a certified bar, [ts_start, ts_end), of one class."""

    ts_start: datetime
    ts_end: datetime
    session_date: date
    minute_count: int
    gap_class: str = Field(description="closed, halt, no_trade, feed_gap, pipeline_gap or held.", examples=["feed_gap"])
    evidence: str = Field(
        description="What shows it, with figures.", examples=["No feed line heard it from 14:31:30 to 14:34:30 UTC (180 s)."]
    )
    state: str = Field(description="open, repaired (the minutes have bars now), explained or unrepairable.", examples=["repaired"])
    closed_by_run: str | None = Field(description="Dagster run that accepted the missing bars, or found that there are none.")
    closed_by_run_url: str | None = Field(description="That run's page in Dagster.")
    closed_reason: str | None = Field(description="Why nothing is left to do; None while something is.")
    attempt_count: int = Field(description="Repair runs that have begun on it.")
    ts_found: datetime = Field(description="When it was first found.")
    ts_closed: datetime | None = Field(description="When nothing was left to do about it.")


class GapPage(Shape):
    """Gaps of one symbol, oldest first."""

    symbol: str
    items: list[Gap]


class FeedStatus(Shape):
    """The feed in one line."""

    kind: str = Field(description="yahoo, simulator or tape.", examples=["simulator"])
    state: FeedState
    line: str | None = Field(description="Names of the feed lines.")
    ts_event_last: datetime | None = Field(description="Event time of the newest tick.")
    ts_heartbeat: datetime | None = Field(description="When the line was last heard.")
    stale_since: datetime | None = Field(description="Since when nothing new came, where the state is stale.")


class CalendarStatus(Shape):
    """One exchange calendar now."""

    calendar: str
    state: MarketState
    session_date: date | None = Field(description="The session that is open now.")
    ts_next_open: datetime | None
    ts_next_close: datetime | None


class MarketStatus(Shape):
    """Everything the page's status bar shows."""

    ts_now: datetime = Field(description="The platform's clock; a tape's own time while a tape plays.")
    feed: FeedStatus
    calendars: list[CalendarStatus]
    lag_s: float | None = Field(description="Platform clock minus event time of the newest tick, seconds.")
    ts_bar_last: datetime | None = Field(description="Start of the newest bar, provisional ones included.")
    ts_bar_certified_last: datetime | None = Field(description="Start of the newest certified bar.")
    dagster_url: str | None = Field(description="Dagster's page; None where there is none, as on AWS.")


class Health(Shape):
    """Answer of the health endpoints."""

    status: str = Field(examples=["ok"])
    checks: dict[str, str] = Field(default_factory=dict, description="What was checked: ok, or why not.")


class Problem(Shape):
    """An error, as application/problem+json (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="What is wrong, where, what was expected, and what to do.")
