"""A session's certified bars held against the vendor's: pairs, what differs between them, and the table that keeps it.

Reads market.bar_1m, staging.vendor_bar_1m_raw (split undone; held rows and edges left out); writes quality.vendor_difference, the
session's rows as a whole. A bar that was taken from the vendor is no second opinion, and is left out. Not here: asking the vendor
(feed), correcting by it (repair)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import polars as pl

from stock_platform.adapters.postgres import Connection, read_frame, replace_part
from stock_platform.contracts.vendor import FIELDS, VENDOR_DIFFERENCE
from stock_platform.market.asked import Stretch

EQUAL_BPS = 1.0
"""Prices this close are equal. The vendor's charts hold float32, and both sides are rounded to its ticks: half a cent on 50 USD.
It is what a correction begins at, too. Volumes are told and never corrected by: the vendor's minutes leave out what is printed
late, and its first and last minute have none."""
_MINUTE = timedelta(minutes=1)
_PRICE = pl.Decimal(18, 6)
_SCHEMA: dict[str, Any] = {
    "symbol": pl.String,
    "ts_start": pl.Datetime("us", "UTC"),
    **{f"{side}_{name}": pl.Int64 if name == "volume" else _PRICE for name in FIELDS for side in ("ours", "vendor")},
}
_both = ", ".join(f"ours.{name} AS ours_{name}, theirs.{name} AS vendor_{name}" for name in FIELDS)
_PAIRS = f"""
WITH ours AS (
    SELECT symbol, ts_start, ts_end, open, high, low, close, volume, response_path
    FROM market.bar_1m WHERE session_date = %(session_date)s
),

theirs AS (
    SELECT symbol, ts_start, ts_end, open, high, low, close, volume
    FROM staging.vendor_bar_1m_raw WHERE session_date = %(session_date)s
)

SELECT symbol, ts_start, {_both}
FROM ours
FULL JOIN theirs USING (symbol, ts_start)
LEFT JOIN reference.vendor_instrument AS known USING (symbol)
WHERE
    ours.response_path IS NULL
    AND coalesce(ours.ts_end, theirs.ts_end) + coalesce(known.delay_s, 0) * interval '1 second' <= %(closed_until)s
    AND symbol IN (
        SELECT DISTINCT vendor.symbol
        FROM staging.vendor_bar_1m AS vendor
        JOIN reference.instrument AS instrument ON instrument.symbol = vendor.symbol
        JOIN reference.session AS session ON session.calendar = instrument.calendar AND session.session_date = %(session_date)s
        WHERE vendor.ts_start >= session.ts_open AND vendor.ts_start < session.ts_close
    )
    AND (
        theirs.symbol IS NOT NULL
        OR NOT EXISTS (
            SELECT FROM staging.vendor_bar_1m AS unusable
            WHERE unusable.symbol = ours.symbol AND unusable.ts_start = ours.ts_start
        )
    )
ORDER BY symbol, ts_start
"""


class FieldSummary(NamedTuple):
    """How one field fared over the bars that both sides have.

    Args:
        max_bps: Largest difference, either way; None where none is known."""

    name: str
    compared: int
    differing: int
    max_bps: float | None


@dataclass(frozen=True)
class Reconciliation:
    """A session's pairs.

    Args:
        pairs: symbol, ts_start, and of each of open, high, low, close, volume `ours_` and `vendor_`, null on the side that has no
            bar; sorted by symbol and ts_start.
    """

    pairs: pl.DataFrame

    @property
    def both(self) -> pl.DataFrame:
        """Bars that both sides have."""
        return self.pairs.filter(_has("ours") & _has("vendor"))

    @property
    def fields(self) -> list[FieldSummary]:
        """One summary per field, in the contract's order."""
        return [_field_summary(self.both, name) for name in FIELDS]

    @property
    def only_ours(self) -> pl.DataFrame:
        """Minutes of which the vendor has no row at all."""
        return self.pairs.filter(~_has("vendor"))

    @property
    def only_vendor(self) -> pl.DataFrame:
        """Minutes of which we have no certified bar."""
        return self.pairs.filter(~_has("ours"))

    @property
    def equal_count(self) -> int:
        """Bars in which no field differs."""
        return self.both.filter(~pl.any_horizontal(_differs(name) for name in FIELDS)).height

    def far_share(self, bps: float) -> float:
        """Part of the bars that both have whose closes differ by more than that; 0 without any."""
        far = self.both.filter(_bps("close").abs() > bps).height
        return far / self.both.height if self.both.height else 0.0

    def differences(self) -> pl.DataFrame:
        """One row per symbol, minute and field that differs, or minute of one side alone, sorted by these.

        Returns:
            symbol, ts_start, field, ours, vendor, difference_bps.
        """
        fields = [_told(self.both.filter(_differs(name)), name, name) for name in FIELDS]
        sides = [_told(self.only_ours, "only_ours", "close"), _told(self.only_vendor, "only_vendor", "close")]
        return pl.concat([*fields, *sides]).sort("symbol", "ts_start", "field")

    def to_correct(self, symbols: Collection[str]) -> list[Stretch]:
        """Minutes of these symbols in which a price differs."""
        wrong = self.both.filter(
            pl.col("symbol").is_in(list(symbols)) & pl.any_horizontal(_differs(name) for name in FIELDS if name != "volume")
        )
        return [Stretch(symbol, ts_start, ts_start + _MINUTE) for symbol, ts_start in wrong.select("symbol", "ts_start").rows()]

    def markdown(self) -> str:
        """The fields as a table, and how many bars were held against each other."""
        rows = [
            f"| {each.name} | {each.compared} | {each.compared - each.differing} | {each.differing} | {_shown(each.max_bps)} |"
            for each in self.fields
        ]
        counts = f"{self.both.height} bars compared, {self.equal_count} equal in every field"
        alone = f"{self.only_ours.height} only ours, {self.only_vendor.height} only the vendor's"
        head = ["| field | compared | equal | differing | max bps |", "|---|---|---|---|---|"]
        return "\n".join([f"{counts}; {alone}. Prices within {EQUAL_BPS:g} bp are equal.", "", *head, *rows])


def reconcile(connection: Connection, session_date: date, closed_until: datetime) -> Reconciliation:
    """The session's minutes that are closed, as both sides have them now."""
    facts = {"session_date": session_date, "closed_until": closed_until}
    return Reconciliation(read_frame(connection, _PAIRS, facts, schema=_SCHEMA))


def keep(connection: Connection, session_date: date, found: Reconciliation, *, dagster_run_id: str, now: datetime) -> int:
    """Make the session's rows what was found; how many there are."""
    rows = found.differences().with_columns(
        session_date=pl.lit(session_date), ts_checked=pl.lit(now), dagster_run_id=pl.lit(dagster_run_id)
    )
    address, key = VENDOR_DIFFERENCE.address, VENDOR_DIFFERENCE.key
    replace_part(connection, address, rows.select(VENDOR_DIFFERENCE.names), key=key, within={"session_date": session_date})
    return rows.height


def _has(side: str) -> pl.Expr:
    return pl.col(f"{side}_close").is_not_null()


def _bps(name: str) -> pl.Expr:
    """Signed; null where ours is 0 or one of the two is not known."""
    ours, vendor = pl.col(f"ours_{name}").cast(pl.Float64), pl.col(f"vendor_{name}").cast(pl.Float64)
    return pl.when(ours != 0).then((vendor - ours) / ours * 10_000)


def _differs(name: str) -> pl.Expr:
    ours, vendor = pl.col(f"ours_{name}"), pl.col(f"vendor_{name}")
    return (ours != vendor).fill_null(False) if name == "volume" else _bps(name).abs().fill_null(0) > EQUAL_BPS


def _field_summary(both: pl.DataFrame, name: str) -> FieldSummary:
    known = both.filter(pl.col(f"ours_{name}").is_not_null() & pl.col(f"vendor_{name}").is_not_null())
    largest = known.select(_bps(name).abs().max()).item()
    return FieldSummary(name, known.height, known.filter(_differs(name)).height, largest)


def _told(rows: pl.DataFrame, field: str, name: str) -> pl.DataFrame:
    sides = (pl.col(f"{side}_{name}").cast(_PRICE).alias(side) for side in ("ours", "vendor"))
    return rows.select("symbol", "ts_start", *sides, field=pl.lit(field), difference_bps=_bps(name)).select(
        "symbol", "ts_start", "field", "ours", "vendor", "difference_bps"
    )


def _shown(bps: float | None) -> str:
    return "–" if bps is None else f"{bps:.1f}"
