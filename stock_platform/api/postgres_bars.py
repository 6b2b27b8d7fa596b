"""Bars, from Postgres: certified, provisional, coarser, as of an instant, adjusted.

The database writes the page itself, as JSON: a thousand bars have twelve thousand values, which would take this process several
times as long to read and write as everything else about the request, while the live stream waits for it."""

from dataclasses import asdict

from stock_platform.api.adjustment import adjusted
from stock_platform.api.postgres_reads import PostgresReads
from stock_platform.api.shapes import Interval
from stock_platform.api.store import BarQuery

_CERTIFIED = """
SELECT ts_start, ts_end, session_date, open, high, low, close, volume, vwap, tick_count,
    TRUE AS is_certified, verdict, revision
FROM market.bar_1m
WHERE symbol = %(symbol)s
"""

_AS_OF = """
SELECT ts_start, ts_end, session_date, open, high, low, close, volume, vwap, tick_count,
    TRUE AS is_certified, verdict, revision
FROM market.bar_1m_as_of(%(as_of)s)
WHERE symbol = %(symbol)s
"""

_PROVISIONAL = """
SELECT ts_start, ts_end, session_date, open, high, low, close, volume, vwap, tick_count,
    FALSE AS is_certified, NULL AS verdict, NULL AS revision
FROM market.bar_1m_provisional
WHERE symbol = %(symbol)s
    AND session_date >= (
        SELECT coalesce(max(session_date), '-infinity'::date) FROM market.bar_1m WHERE symbol = %(symbol)s
    )
"""

_COARSE = """
SELECT ts_start, ts_end, session_date, open, high, low, close, volume, vwap, tick_count,
    ts_end <= newest.ts_end_certified AS is_certified,
    CASE WHEN ts_end <= newest.ts_end_certified THEN verdict END AS verdict, NULL AS revision
FROM aggregates.{table}
CROSS JOIN (SELECT max(ts_end) AS ts_end_certified FROM market.bar_1m WHERE symbol = %(symbol)s) AS newest
WHERE symbol = %(symbol)s
"""
"""A coarse bar is certified when the gate has come past its end; until then it grows. Its verdict is the worst of its minutes'."""

_VENDOR_DAYS = """
SELECT ts_start, ts_end, session_date, open, high, low, close, volume, NULL AS vwap, 0 AS tick_count, FALSE AS is_certified,
    'vendor' AS verdict, NULL AS revision
FROM market.bar_1d_vendor
WHERE symbol = %(symbol)s
"""
"""Sessions from before the platform's first."""

_TABLES = {
    Interval.FIVE_MINUTES: "bar_5m",
    Interval.FIFTEEN_MINUTES: "bar_15m",
    Interval.ONE_HOUR: "bar_1h",
    Interval.ONE_DAY: "bar_1d",
}

_PAGE = """
SELECT row_to_json(page)::text AS page
FROM (
    SELECT %(symbol)s::text AS symbol, %(interval)s::text AS interval, %(basis)s::text AS adjusted,
        coalesce(json_agg(item ORDER BY item.ts_start), '[]'::json) AS items
    FROM (
        SELECT to_char(ts_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS ts_start,
            to_char(ts_end AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS ts_end,
            session_date,
            trim_scale(open)::text AS open,
            trim_scale(high)::text AS high,
            trim_scale(low)::text AS low,
            trim_scale(close)::text AS close,
            volume,
            trim_scale(vwap)::text AS vwap,
            tick_count, is_certified, verdict, revision
        FROM ({bars}) AS bar
    ) AS item
) AS page
"""
"""The shape BarPage, with the columns of the shape Bar; an empty page has no bar."""


class PostgresBars(PostgresReads):
    """Bars of one symbol."""

    def bar_page(self, query: BarQuery) -> bytes:
        """A page of bars, oldest first, as JSON."""
        return self._rows(statement_of(query), asdict(query))[0]["page"].encode()


def statement_of(query: BarQuery) -> str:
    """The query's page as one JSON text; its parameters are the fields of the query."""
    order = "ASC" if query.start else "DESC"
    bars = f"SELECT * FROM ({_source(query)}) AS source WHERE {_range(query)} ORDER BY ts_start {order} LIMIT %(limit)s"
    return _PAGE.format(bars=adjusted(bars, query.basis))


def _source(query: BarQuery) -> str:
    table = _TABLES.get(query.interval)
    if query.interval is Interval.ONE_DAY:
        return f"{_COARSE.format(table=table)} UNION ALL {_VENDOR_DAYS}"
    if table:
        return _COARSE.format(table=table)
    return _AS_OF if query.as_of else f"{_CERTIFIED} UNION ALL {_PROVISIONAL}"


def _range(query: BarQuery) -> str:
    lower = "ts_start >= %(start)s" if query.start else "TRUE"
    upper = "ts_start < %(end)s" if query.end else "TRUE"
    return f"{lower} AND {upper}"
