"""One symbol's certified minutes in a real Postgres, and a vendor that answers for the same minutes what the test says."""

import json
from datetime import timedelta
from pathlib import Path

from stock_platform.adapters.postgres import Connection
from stock_platform.config import Settings
from stock_platform.market.asked import Stretch
from stock_platform_tests.staged import OPEN, empty_market, run_gate, stage
from stock_platform_tests.vendor_server import Asked, Reply

MINUTE = timedelta(minutes=1)
_WATCHLIST = """
instruments:
  - {{symbol: A, name: A, sector: Technology, currency: USD, calendar: XNYS, provider: yahoo, reconcile: {policy}}}
"""

Row = tuple[float, float, float, float, int | None]
"""open, high, low, close, volume."""
SESSION: dict[int, Row] = dict.fromkeys(range(6), (10.5, 12.0, 10.5, 11.5, 90))


class History:
    """What the server answers of A's minutes, until the test says otherwise."""

    def __init__(self) -> None:
        self.minutes: dict[int, Row] = dict(SESSION)

    def answer(self, asked: Asked) -> Reply:
        if "chart" not in asked.path:
            return Reply()
        rows = sorted(self.minutes.items())
        times = [int((OPEN + minute * MINUTE).timestamp()) for minute, _ in rows]
        columns = zip(*(row for _, row in rows), strict=True)
        quote = dict(zip(("open", "high", "low", "close", "volume"), map(list, columns), strict=True))
        zone = {"exchangeTimezoneName": "America/New_York"}
        meta = {"symbol": "A", "currency": "USD", "dataGranularity": "1m", **zone}
        result = {"meta": meta, "timestamp": times, "indicators": {"quote": [quote]}}
        return Reply(200, json.dumps({"chart": {"result": [result], "error": None}}).encode())


def certify(connection: Connection, database: Settings) -> None:
    """Six certified minutes of 10 to 11 and 100 shares each, but for minute 3, which nobody heard. As admin."""
    empty_market(connection)
    connection.execute(
        "TRUNCATE staging.bar_1m_restated, staging.torn_bar, staging.vendor_bar_1m, quality.restatement, ops.restatement, "
        "ops.protected_session, reference.corporate_action, quality.vendor_difference"
    )
    for minute in (0, 1, 2, 4, 5):
        stage(connection, minute, first=100 * minute + 50, last=100 * minute + 100, ts_landed=OPEN)
    run_gate(database, "stream")


def settings_over(database: Settings, folder: Path, *, policy: str = "report") -> Settings:
    """A live profile in that folder that watches A."""
    watchlist = folder / "watchlist.yaml"
    watchlist.write_text(_WATCHLIST.format(policy=policy))
    return database.model_copy(update={"data_dir": folder, "profile": "live", "feed_kind": "yahoo", "feed_watchlist": watchlist})


def stretch(first: int, last: int, symbol: str = "A") -> Stretch:
    """Minutes [first, last]."""
    return Stretch(symbol, OPEN + first * MINUTE, OPEN + (last + 1) * MINUTE)
