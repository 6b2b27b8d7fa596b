"""Certified bars of many sessions, written by Postgres itself: 390 minutes a session and symbol, as the vendor's are."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from stock_platform.adapters.postgres import Connection

MINUTES = 390
_OPEN = time(14, 30, tzinfo=UTC)
_BARS = """
INSERT INTO market.bar_1m (
    symbol, ts_start, ts_end, open, high, low, close, volume, vwap, tick_count, ts_first_tick, ts_last_tick, source,
    kafka_partition, kafka_offset_first, kafka_offset_last, flink_job_id, is_continuous, session_date, revision, verdict,
    dagster_run_id, ts_accepted
)
SELECT
    instrument.symbol, start, start + interval '1 minute', price, price + 0.05, price - 0.05, price + 0.01, 1000 + minute, NULL, 0,
    start, start, 'tape', -1, 0, 0, '', TRUE, %(day)s, 1, 'vendor', 'bench', start
FROM reference.instrument AS instrument
CROSS JOIN generate_series(0, 389) AS minute
CROSS JOIN LATERAL (
    SELECT
        %(open)s + minute * interval '1 minute' AS start,
        100 + (abs(hashtext(instrument.symbol || %(day)s::text)) + minute * 13) %% 200 / 100.0 AS price
) AS made
"""


def opens(day: date) -> datetime:
    """14:30 UTC."""
    return datetime.combine(day, _OPEN)


def add_session(admin: Connection, day: date) -> None:
    """Bars of every watched symbol; nobody is told that they have changed."""
    admin.execute("ALTER TABLE market.bar_1m DISABLE TRIGGER USER")
    admin.execute(_BARS, {"day": day, "open": opens(day)})
    admin.execute("ALTER TABLE market.bar_1m ENABLE TRIGGER USER")


def weekdays(last: date, count: int) -> list[date]:
    """So many weekdays up to the last one, in order."""
    days = (last - timedelta(days=number) for number in range(2 * count + 7))
    return sorted([day for day in days if day.isoweekday() < 6][:count])


def all_days(days: list[date]) -> list[date]:
    """From the first to the last: the simulated market never closes, its weekends, without bars here, are partitions too."""
    return [days[0] + timedelta(days=number) for number in range((days[-1] - days[0]).days + 1)]


def write_watchlist(path: Path, symbols: Sequence[str], *, shards: int = 1) -> None:
    """Symbols that the simulator trades at the price of these bars: others would be kept out for their scale."""
    facts = "sector: Technology, currency: USD, calendar: XNYS, provider: yahoo, simulator: {base_price: 100}"
    rows = "".join(f"  - {{symbol: {name}, name: {name}, {facts}}}\n" for name in symbols)
    path.write_text(f"lines: {{shards: {shards}, redundancy: 1}}\ninstruments:\n{rows}")
