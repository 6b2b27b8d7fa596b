"""What the API asks of whatever keeps quotes and bars: Postgres here, DynamoDB in the cloud."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from stock_platform.api.passport_shapes import Passport
from stock_platform.api.shapes import Bar, Basis, FeedStatus, Gap, Interval, Stock


@dataclass(frozen=True)
class BarQuery:
    """Which bars: [start, end) where given, else the newest `limit`.

    Args:
        as_of: Certified 1-minute bars as they were at that instant; None: as they are, provisional ones too.
        basis: Of prices and volumes; another than raw without as_of only.
    """

    symbol: str
    interval: Interval
    start: datetime | None
    end: datetime | None
    limit: int
    as_of: datetime | None = None
    basis: Basis = Basis.RAW


@dataclass(frozen=True)
class GapQuery:
    """Which gaps: those that share time with [start, end), the first `limit` from a start on, else the newest."""

    symbol: str
    start: datetime | None
    end: datetime | None
    limit: int


@dataclass(frozen=True)
class Freshness:
    """How new the data is.

    Args:
        ts_clock: Event time that the feed has reached."""

    feed: FeedStatus
    ts_clock: datetime | None
    ts_bar_last: datetime | None
    ts_bar_certified_last: datetime | None
    calendars: tuple[str, ...]


class Store(Protocol):
    """Read-only; every call is one question."""

    def stocks(self, *, after: str, limit: int) -> list[Stock]:
        """Watchlist by symbol, from the first symbol after `after`."""
        ...

    def stock(self, symbol: str) -> Stock | None:
        """One row of the watchlist; None when nobody watches the symbol."""
        ...

    def bars(self, query: BarQuery) -> list[Bar]:
        """Bars, oldest first; 1-minute ones include provisional bars that the gate has not judged."""
        ...

    def passport(self, symbol: str, ts_start: datetime) -> Passport:
        """Where a certified 1-minute bar comes from.

        Raises:
            BarNotCertified: there is none; the sentence says where the bar is instead.
        """
        ...

    def gaps(self, query: GapQuery) -> list[Gap]:
        """Session minutes without a certified bar, and what became of them; oldest first."""
        ...

    def freshness(self, now: datetime) -> Freshness:
        """State of the feed and of the newest bars."""
        ...

    def problem(self) -> str | None:
        """None when the store answers, else the reason."""
        ...
