"""Bars in the staging table of a real Postgres, and a gate run over them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.gate.batch import read_batch
from stock_platform.gate.hold import settle_hold
from stock_platform.gate.judge import judge
from stock_platform.gate.promote import Promotion, promote

OPEN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
CLOSE = OPEN + timedelta(hours=6, minutes=30)
DAY = date(2026, 11, 20)
EVENING = OPEN + timedelta(hours=12)


def empty_market(connection: Connection) -> None:
    """One symbol, one session, no bars. As admin."""
    connection.execute(
        "TRUNCATE staging.bar_1m, market.bar_1m, market.bar_1m_revision, quality.quarantine, quality.quarantine_decision, "
        "quality.check_result, reference.instrument, reference.session, reference.vendor_instrument"
    )
    connection.execute("INSERT INTO reference.instrument VALUES ('A', 'A', 'Technology', 'USD', 'XNYS', 'yahoo')")
    connection.execute(
        "INSERT INTO reference.session VALUES ('XNYS', %s, %s, %s, %s, %s, NULL, NULL, FALSE)", (DAY, OPEN, CLOSE, OPEN, CLOSE)
    )


def stage(connection: Connection, minute: int, *, first: int, last: int, **changes: Any) -> None:
    """A bar of ticks from 10.00 to 11.00 whose cumulative volume goes from `first` to `last`."""
    start = OPEN + timedelta(minutes=minute)
    values = {
        "symbol": "A",
        "ts_start": start,
        "ts_end": start + timedelta(minutes=1),
        "open": Decimal("10"),
        "high": Decimal("11"),
        "low": Decimal("10"),
        "close": Decimal("11"),
        "tick_count": 2,
        "ts_first_tick": start,
        "ts_last_tick": start + timedelta(seconds=30),
        "day_volume_first": first,
        "day_volume_last": last,
        "price_first": Decimal("10"),
        "notional_inside": 11 * Decimal(last - first),
        "source": "tape",
        "kafka_partition": 0,
        "kafka_offset_first": 2 * minute,
        "kafka_offset_last": 2 * minute + 1,
        "flink_job_id": "job",
        "is_continuous": True,
        **changes,
    }
    names = ", ".join(values)
    updates = ", ".join(f"{name} = excluded.{name}" for name in values)
    connection.execute(
        f"INSERT INTO staging.bar_1m ({names}) VALUES ({', '.join(['%s'] * len(values))}) "  # type: ignore[arg-type]
        f"ON CONFLICT (symbol, ts_start) DO UPDATE SET {updates}",
        list(values.values()),
    )


def run_gate(database: Settings, run_id: str, *, until: datetime = EVENING, overruled: str | None = None) -> Promotion:
    with connect(database.dsn("gate_owner")) as connection:
        judgement = replace(judge(read_batch(connection, DAY, until)), overruled=overruled)
        done = promote(connection, judgement, dagster_run_id=run_id, code_version="c0de", now=EVENING)
        if not done.is_outdated:
            settle_hold(connection, judgement, dagster_run_id=run_id, now=EVENING)
        return done
