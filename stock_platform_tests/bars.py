"""Made-up bars for tests of gate and aggregates: right unless told otherwise."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from stock_platform.gate.background import EARLIER, Background
from stock_platform.gate.batch import SCHEMA, Batch

OPEN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
CLOSE = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
SESSION = date(2026, 11, 20)
MINUTE = timedelta(minutes=1)

_COLUMNS = (
    "symbol ts_start ts_end open high low close volume vwap tick_count ts_first_tick ts_last_tick source kafka_partition "
    "kafka_offset_first kafka_offset_last flink_job_id is_continuous session_date is_in_session "
    "calendar ts_open ts_close is_on_tick response_path"
).split()


def bar(minute: int = 0, symbol: str = "AAPL", **changes: Any) -> dict[str, Any]:
    """One right bar of the session's minute, with changes."""
    start = OPEN + minute * MINUTE
    right = {
        "symbol": symbol,
        "ts_start": start,
        "ts_end": start + MINUTE,
        "open": Decimal("100.00"),
        "high": Decimal("101.00"),
        "low": Decimal("99.50"),
        "close": Decimal("100.50"),
        "volume": 1000,
        "vwap": Decimal("100.25"),
        "tick_count": 12,
        "ts_first_tick": start,
        "ts_last_tick": start + timedelta(seconds=59),
        "source": "tape",
        "kafka_partition": 1,
        "kafka_offset_first": 10 * minute,
        "kafka_offset_last": 10 * minute + 9,
        "flink_job_id": "job",
        "is_continuous": True,
        "session_date": SESSION,
        "is_in_session": True,
        "calendar": "XNYS",
        "ts_open": OPEN,
        "ts_close": CLOSE,
        "is_on_tick": True,
        "response_path": None,
    }
    return {**right, **changes}


def batch(*bars: dict[str, Any], earlier: Sequence[dict[str, Any]] = (), **background: Any) -> Batch:
    """A batch of these bars, all closed.

    Args:
        earlier: Accepted bars of their symbols.
        background: Splits, and facts of the whole batch."""
    frame = pl.DataFrame(list(bars), schema={name: SCHEMA[name] for name in _COLUMNS}, orient="row")
    accepted = pl.DataFrame(list(earlier), schema=EARLIER, orient="row")
    return Batch(SESSION, CLOSE, frame.sort("symbol", "ts_start", maintain_order=True), Background(accepted, **background))
