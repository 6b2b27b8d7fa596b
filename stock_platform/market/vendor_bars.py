"""The vendor's 1-minute bars as a restatement's: into its shadow table, for the stretches that were asked for.

Reads staging.vendor_bar_1m_raw (split undone, held rows and edges left out) and, for the cumulative volumes that a replaced bar
keeps, staging.bar_1m. Nothing of staging or market changes. Not here: asking the vendor (feed), promotion."""

from collections.abc import Callable, Sequence
from datetime import datetime

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.market import shadow
from stock_platform.market.asked import Asked, Stretch
from stock_platform.market.comparison import compare
from stock_platform.market.restatement import Restated

_FILL = """
INSERT INTO staging.bar_1m_restated (
    restatement_id, symbol, ts_start, ts_end, open, high, low, close, tick_count, day_volume_first, day_volume_last, source,
    is_continuous, volume_stated, response_path
)
SELECT
    %(restatement_id)s, vendor.symbol, vendor.ts_start, vendor.ts_end, vendor.open, vendor.high, vendor.low, vendor.close,
    0, ours.day_volume_first, ours.day_volume_last, vendor.source, TRUE, vendor.volume, vendor.response_path
FROM staging.vendor_bar_1m_raw AS vendor
LEFT JOIN staging.bar_1m AS ours ON ours.symbol = vendor.symbol AND ours.ts_start = vendor.ts_start
WHERE
    vendor.session_date = %(session_date)s
    AND EXISTS (
        SELECT FROM unnest(%(symbols)s::text[], %(froms)s::timestamptz[], %(untils)s::timestamptz[])
            AS stretch (symbol, ts_from, ts_until)
        WHERE stretch.symbol = vendor.symbol AND vendor.ts_start >= stretch.ts_from AND vendor.ts_start < stretch.ts_until
    )
"""


def restated_from_vendor(
    dsn: str,
    clock: Clock,
    restatement_id: int,
    asked: Asked,
    stretches: Sequence[Stretch],
    *,
    fetch: Callable[[], str],
    closed_until: datetime,
) -> Restated:
    """Restate these minutes into the shadow table, and compare them with staging; within shadow.only_restatement.

    Args:
        dsn: Of gate_owner.
        fetch: Brings staging.vendor_bar_1m up to date; says where the bars come from.
        closed_until: Bars that end later are not compared.
    Raises:
        Whatever `fetch` raises.
    """
    started = clock.now()
    ticks_from = fetch()
    with connect(dsn) as connection:
        shadow.note_source(connection, restatement_id, asked, ticks_from, is_partial=True)
        fill(connection, restatement_id, asked, stretches)
        counts = shadow.keep_session(connection, restatement_id, asked)
        found = compare(connection, restatement_id, asked, closed_until=closed_until)
    return Restated(restatement_id, asked, ticks_from, counts, clock.now() - started, found)


def fill(connection: Connection, restatement_id: int, asked: Asked, stretches: Sequence[Stretch]) -> int:
    """The vendor's usable bars of these minutes; how many there are."""
    facts = {
        "restatement_id": restatement_id,
        "session_date": asked.session_date,
        "symbols": [each.symbol for each in stretches],
        "froms": [each.ts_from for each in stretches],
        "untils": [each.ts_until for each in stretches],
    }
    return connection.execute(_FILL, facts).rowcount
