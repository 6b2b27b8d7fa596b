"""A restated session beside staging: which bars are added, removed or changed, and in what.

Bars inside the session are compared, by what they say (CONTENT): the job and the offsets that made them may differ. What
staging.take_over_restated would leave as it is, is no difference."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from stock_platform.adapters.postgres import Connection, read_frame
from stock_platform.market.asked import Asked

CONTENT = tuple("open high low close volume vwap tick_count ts_first_tick ts_last_tick is_continuous".split())
_KEY = ("symbol", "ts_start")

_names = ", ".join((*_KEY, *CONTENT, "ts_end", "ts_landed", "response_path"))
_both = ", ".join(f"before.{name} AS {name}_before, after.{name} AS {name}_after" for name in CONTENT)
_before, _after = (", ".join(f"{side}.{name}" for name in CONTENT) for side in ("before", "after"))
_SYMBOLS = "(%(symbols)s::text[] IS NULL OR symbol = ANY (%(symbols)s))"

_DIFFERENCES = f"""
SELECT
    symbol,
    ts_start,
    CASE WHEN before.open IS NULL THEN 'added' WHEN after.open IS NULL THEN 'removed' ELSE 'changed' END AS kind,
    {_both}
FROM (
    SELECT {_names} FROM staging.bar_1m_sized
    WHERE session_date = %(session_date)s AND is_in_session AND {_SYMBOLS}
) AS before
FULL JOIN (
    SELECT {_names} FROM staging.bar_1m_restated_sized
    WHERE restatement_id = %(restatement_id)s AND session_date = %(session_date)s AND is_in_session AND {_SYMBOLS}
) AS after USING (symbol, ts_start)
LEFT JOIN reference.vendor_instrument AS vendor USING (symbol)
CROSS JOIN (SELECT is_partial, ts_started FROM ops.restatement WHERE restatement_id = %(restatement_id)s) AS restatement
WHERE
    ({_before}) IS DISTINCT FROM ({_after})
    AND coalesce(before.ts_end, after.ts_end) + coalesce(vendor.delay_s, 0) * interval '1 second' <= %(closed_until)s
    AND NOT coalesce(before.response_path IS NULL AND before.ts_landed > restatement.ts_started, FALSE)
    AND (after.open IS NOT NULL OR (NOT restatement.is_partial AND before.response_path IS NULL))
ORDER BY symbol, ts_start
"""
_TYPES: dict[str, Any] = {
    **dict.fromkeys(("open", "high", "low", "close", "vwap"), pl.Decimal(18, 6)),
    **dict.fromkeys(("volume", "tick_count"), pl.Int64),
    **dict.fromkeys(("ts_first_tick", "ts_last_tick"), pl.Datetime("us", "UTC")),
    "is_continuous": pl.Boolean,
}
SCHEMA: dict[str, Any] = {
    "symbol": pl.String,
    "ts_start": pl.Datetime("us", "UTC"),
    "kind": pl.String,
    **{f"{name}_{side}": _TYPES[name] for name in CONTENT for side in ("before", "after")},
}


@dataclass(frozen=True)
class Comparison:
    """What differs.

    Args:
        bars: One row per differing bar, sorted by symbol and ts_start; columns of SCHEMA, kind is added, removed or changed.
    """

    bars: pl.DataFrame

    def count(self, kind: str) -> int:
        """Bars of that kind."""
        return self.bars.filter(pl.col("kind") == kind).height

    @property
    def fields(self) -> dict[str, int]:
        """In how many changed bars each field differs; those that differ in none are left out."""
        changed = self.bars.filter(pl.col("kind") == "changed")
        counts = {name: changed.filter(_differs(name)).height for name in CONTENT}
        return {name: count for name, count in counts.items() if count}

    def lines(self, count: int) -> list[str]:
        """The first bars that differ, one line each: what changed, from → to."""
        return [_line(row) for row in self.bars.head(count).iter_rows(named=True)]


def compare(connection: Connection, restatement_id: int, asked: Asked, *, closed_until: datetime) -> Comparison:
    """Compare the shadow with staging as it is now.

    Args:
        closed_until: Bars that end later are the stream's alone, and no difference.
    """
    facts = {
        "restatement_id": restatement_id,
        "session_date": asked.session_date,
        "symbols": list(asked.symbols) or None,
        "closed_until": closed_until,
    }
    return Comparison(read_frame(connection, _DIFFERENCES, facts, schema=SCHEMA))


def _differs(name: str) -> pl.Expr:
    return pl.col(f"{name}_before").ne_missing(pl.col(f"{name}_after"))


def _line(row: dict[str, Any]) -> str:
    place = f"{row['symbol']} {row['ts_start']:%Y-%m-%d %H:%M}Z {row['kind']}"
    if row["kind"] == "removed":
        return place
    names = [name for name in CONTENT if row["kind"] == "added" or row[f"{name}_before"] != row[f"{name}_after"]]
    return f"{place}: " + ", ".join(_field(row, name) for name in names)


def _field(row: dict[str, Any], name: str) -> str:
    after = row[f"{name}_after"]
    return f"{name} {after}" if row["kind"] == "added" else f"{name} {row[f'{name}_before']} → {after}"
