"""The store over Postgres, as the read-only role `api_reader`: promoted tables and views only."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from stock_platform.adapters.postgres import Connection, Pool
from stock_platform.api.passport_shapes import Passport
from stock_platform.api.postgres_bars import PostgresBars
from stock_platform.api.postgres_level import PostgresLevel
from stock_platform.api.postgres_overview import PostgresOverview
from stock_platform.api.postgres_quality import PostgresQuality
from stock_platform.api.postgres_truth import PostgresTruth
from stock_platform.api.shapes import FeedState, FeedStatus, Gap, Quote, Stock
from stock_platform.api.store import Freshness, GapQuery, StoreUnavailable

_STALE_AFTER = timedelta(seconds=20)
"""A line beats every 2 s, and a quiet night has a tick every few seconds."""

_STOCKS = """
SELECT instrument.symbol, instrument.name, instrument.sector, instrument.currency, instrument.calendar,
    to_jsonb(quote) AS quote,
    ARRAY(
        SELECT bar.close FROM market.bar_1m AS bar
        WHERE bar.symbol = instrument.symbol AND bar.ts_start > (
            SELECT max(newest.ts_start) - interval '1 hour' FROM market.bar_1m AS newest WHERE newest.symbol = instrument.symbol
        )
        ORDER BY bar.ts_start
    ) AS sparkline
FROM reference.instrument AS instrument
LEFT JOIN market.quote AS quote ON quote.symbol = instrument.symbol
"""

_QUOTES = """
SELECT quote.symbol, quote.price, quote.previous_close, quote.change_pct, quote.day_volume, quote.currency, quote.session_phase,
    quote.ts_event, quote.ts_recv, quote.source
FROM market.quote AS quote
JOIN reference.instrument AS instrument ON instrument.symbol = quote.symbol
ORDER BY quote.ts_event
"""

_GAPS = """
SELECT ts_start, ts_end, session_date, minute_count, gap_class, evidence, state, closed_by_run,
    %(runs)s || closed_by_run AS closed_by_run_url, closed_reason, attempt_count, ts_found, ts_closed
FROM quality.gap
WHERE symbol = %(symbol)s
    AND (%(start)s::timestamptz IS NULL OR ts_end > %(start)s)
    AND (%(end)s::timestamptz IS NULL OR ts_start < %(end)s)
"""

_FRESHNESS = """
WITH shard AS (
    SELECT max(source) AS source, string_agg(line, ', ' ORDER BY line) AS lines, max(ts_event_last) AS ts_event_last,
        max(ts_heartbeat) AS ts_heartbeat, max(ts_clock) AS ts_clock,
        (array_agg(state ORDER BY ts_heartbeat DESC))[1] AS state
    FROM ops.feed_line
    WHERE state <> 'retired'
    GROUP BY shard
)
SELECT max(source) AS source, string_agg(lines, ', ' ORDER BY lines) AS line, max(ts_event_last) AS ts_event_last,
    coalesce(min(ts_heartbeat) FILTER (WHERE state <> 'drained'), max(ts_heartbeat)) AS ts_heartbeat, min(ts_clock) AS ts_clock,
    (array_agg(state ORDER BY array_position(
        ARRAY['failed', 'stopped', 'starting', 'running', 'ended', 'drained'], state
    )))[1] AS state,
    (SELECT max(ts_event) FROM market.quote) AS ts_quote_last,
    (SELECT max(ts_start) FROM market.bar_1m) AS ts_bar_certified_last,
    (SELECT array_agg(DISTINCT calendar ORDER BY calendar) FROM reference.instrument) AS calendars
FROM shard
"""
"""The foremost line speaks for its shard, the worst shard for the feed."""


_STATES = {
    "starting": FeedState.RUNNING,
    "running": FeedState.RUNNING,
    "ended": FeedState.ENDED,
    "drained": FeedState.CLOSED,
}


ReadPassport = Callable[[Connection, str, datetime], object]
"""Reads a bar's passport, with the attributes of the shape; raises BarNotCertified. Handed in, because it is the market's."""


class PostgresStore(PostgresBars, PostgresTruth, PostgresQuality, PostgresLevel, PostgresOverview):
    """Answers from the read replica of the truth that the gate has promoted.

    Args:
        feed_kind: What the feed is, until its line has spoken.
    """

    def __init__(self, pool: Pool, *, feed_kind: str, dagster_page: str, read_passport: ReadPassport) -> None:
        super().__init__(pool, dagster_page)
        self._feed_kind = feed_kind
        self._read_passport = read_passport

    def stocks(self, *, after: str, limit: int) -> list[Stock]:
        """Watchlist by symbol, from the first symbol after `after`."""
        where = " WHERE instrument.symbol > %(after)s ORDER BY instrument.symbol LIMIT %(limit)s"
        return [_stock(row) for row in self._rows(_STOCKS + where, {"after": after, "limit": limit})]

    def stock(self, symbol: str) -> Stock | None:
        """One row of the watchlist; None when nobody watches the symbol."""
        rows = self._rows(_STOCKS + " WHERE instrument.symbol = %(symbol)s", {"symbol": symbol})
        return _stock(rows[0]) if rows else None

    def quotes(self) -> list[Quote]:
        """The quote of every instrument that has one."""
        return [Quote(**row) for row in self._rows(_QUOTES, {})]

    def symbols(self) -> frozenset[str]:
        """All that are watched."""
        return frozenset(row["symbol"] for row in self._rows("SELECT symbol FROM reference.instrument", {}))

    def passport(self, symbol: str, ts_start: datetime) -> Passport:
        """Where a certified 1-minute bar comes from.

        Raises:
            BarNotCertified: there is none; the sentence says where the bar is instead.
        """
        with self._connection() as connection:
            return Passport.model_validate(self._read_passport(connection, symbol, ts_start), from_attributes=True)

    def gaps(self, query: GapQuery) -> list[Gap]:
        """Session minutes without a certified bar, and what became of them; oldest first."""
        order = "ASC" if query.start else "DESC"
        values = {"symbol": query.symbol, "start": query.start, "end": query.end, "limit": query.limit}
        rows = self._rows(f"{_GAPS} ORDER BY ts_start {order} LIMIT %(limit)s", values)
        gaps = [Gap(**row) for row in rows]
        return gaps if query.start else gaps[::-1]

    def freshness(self, now: datetime) -> Freshness:
        """State of the feed and of the newest bars."""
        row = self._rows(_FRESHNESS, {})[0]
        last = row["ts_quote_last"]
        return Freshness(
            feed=_feed_status(row, self._feed_kind, now),
            ts_clock=row["ts_clock"],
            ts_bar_last=last.replace(second=0, microsecond=0) if last else None,
            ts_bar_certified_last=row["ts_bar_certified_last"],
            calendars=tuple(row["calendars"] or ()),
        )

    def problem(self) -> str | None:
        """None when the database answers, else the reason."""
        try:
            self._rows("SELECT 1", {})
        except StoreUnavailable as error:
            return error.problem
        return None


def _stock(row: dict[str, Any]) -> Stock:
    return Stock.model_validate(row)


def _feed_status(row: dict[str, Any], feed_kind: str, now: datetime) -> FeedStatus:
    heard: datetime | None = row["ts_heartbeat"]
    state = _STATES.get(row["state"] or "", FeedState.STOPPED)
    is_stale = state is FeedState.RUNNING and (heard is None or now - heard > _STALE_AFTER)
    return FeedStatus(
        kind=row["source"] or feed_kind,
        state=FeedState.STALE if is_stale else state,
        line=row["line"],
        ts_event_last=row["ts_event_last"],
        ts_heartbeat=heard,
        stale_since=heard if is_stale else None,
    )
