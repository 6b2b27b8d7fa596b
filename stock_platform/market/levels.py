"""The level of each symbol's price, by our own certified bars: what tells a vendor's price in another unit from a right one.

Reads market.bar_1m, reference.corporate_action."""

from datetime import datetime
from decimal import Decimal

from stock_platform.adapters.postgres import Connection

_LEVELS = """
SELECT instrument.symbol, last.close / reference.ratio_since(instrument.symbol, last.session_date, %(now)s)
FROM reference.instrument AS instrument
CROSS JOIN LATERAL (
    SELECT bar.close, bar.session_date
    FROM market.bar_1m AS bar
    WHERE bar.symbol = instrument.symbol AND bar.ts_start < %(until)s AND bar.response_path IS NULL
    ORDER BY bar.ts_start DESC
    LIMIT 1
) AS last
"""


def certified_levels(connection: Connection, *, until: datetime, now: datetime) -> dict[str, Decimal]:
    """Close of each symbol's last certified bar of our own that starts before `until`, in the shares of `now`.

    A bar that was taken from the vendor is no second opinion."""
    rows = connection.execute(_LEVELS, {"until": until, "now": now}).fetchall()
    return {symbol: Decimal(level) for symbol, level in rows}
