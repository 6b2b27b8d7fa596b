"""What the API asks of whatever keeps quotes and bars: Postgres here, DynamoDB in the cloud, which has quotes alone."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from stock_platform.api.cursors import Key
from stock_platform.api.level_shapes import HopLatency, SessionLevel
from stock_platform.api.overview_shapes import MarketOverview
from stock_platform.api.passport_shapes import Passport
from stock_platform.api.quality_shapes import RefusedBar, SymbolGap
from stock_platform.api.shapes import Basis, FeedStatus, Gap, Interval, Stock
from stock_platform.api.truth_shapes import BarChange, CorporateAction, Indicator, Restatement
from stock_platform.errors import PlatformError


class StoreUnavailable(PlatformError):
    """The store does not answer, or not in time."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__("The store does not answer at the moment; try again in some seconds. GET /health/ready says why.")


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
class SessionQuery:
    """Which rows by session, [start, end); None is open. Without a start the newest `limit`.

    Args:
        symbol: None where the rows are of no symbol.
    """

    symbol: str | None
    start: date | None
    end: date | None
    limit: int


@dataclass(frozen=True)
class ListQuery:
    """Which rows of a long list, newest first; None is any.

    Args:
        start: First session.
        end: Session after the last.
        after: Key of the row before the first, as the list is ordered.
        rule, gap_class, calendar: Of refused bars, of gaps, of service levels.
    """

    limit: int
    after: Key | None = None
    symbol: str | None = None
    start: date | None = None
    end: date | None = None
    state: str | None = None
    rule: str | None = None
    gap_class: str | None = None
    calendar: str | None = None


@dataclass(frozen=True)
class LatencyQuery:
    """Which minutes, [start, end); None is open. Without a start the newest `limit` rows, of one hop or all."""

    hop: str | None
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


class QuoteStore(Protocol):
    """All that the watchlist needs. Read-only; every call is one question."""

    def stocks(self, *, after: str, limit: int) -> list[Stock]:
        """Watchlist by symbol, from the first symbol after `after`."""
        ...

    def stock(self, symbol: str) -> Stock | None:
        """One row of the watchlist; None when nobody watches the symbol."""
        ...

    def problem(self) -> str | None:
        """None when the store answers, else the reason."""
        ...


class FreshnessStore(Protocol):
    """All that the status needs."""

    def freshness(self, now: datetime) -> Freshness:
        """State of the feed and of the newest bars."""
        ...


class Store(QuoteStore, FreshnessStore, Protocol):
    """All that the whole API needs."""

    def symbols(self) -> frozenset[str]:
        """All that are watched."""
        ...

    def bar_page(self, query: BarQuery) -> bytes:
        """A BarPage as JSON: bars, oldest first; 1-minute ones include provisional bars that the gate has not judged."""
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

    def corporate_actions(self, query: ListQuery) -> list[CorporateAction]:
        """Of one symbol; key: ex_date, kind."""
        ...

    def bar_changes(self, query: ListQuery) -> list[BarChange]:
        """What restatements changed of one symbol's bars; key: restatement_id, ts_start."""
        ...

    def restatements(self, query: ListQuery) -> list[Restatement]:
        """Restatements; key: restatement_id."""
        ...

    def indicators(self, query: SessionQuery) -> list[Indicator]:
        """Of one symbol, oldest session first."""
        ...

    def refused_bars(self, query: ListQuery) -> list[RefusedBar]:
        """Bars that wait, and decisions; key: ts_start, symbol, dagster_run_id."""
        ...

    def refused_bar_count(self) -> int:
        """Bars that wait."""
        ...

    def data_docs(self, dagster_run_id: str) -> str | None:
        """What the rules of that run saw, as HTML; None where there is no page."""
        ...

    def all_gaps(self, query: ListQuery) -> list[SymbolGap]:
        """Of every symbol; key: ts_start, symbol."""
        ...

    def session_levels(self, query: ListQuery) -> list[SessionLevel]:
        """Error budgets; key: session_date, calendar."""
        ...

    def latency(self, query: LatencyQuery) -> list[HopLatency]:
        """By minute and hop, oldest first."""
        ...

    def overview(self) -> MarketOverview:
        """The market at a glance."""
        ...
