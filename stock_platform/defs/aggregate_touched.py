"""Which certified bars have changed since the intraday aggregates of their session were made, and which rows that concerns.

Whoever makes them claims the changes in the transaction that writes the rows: nothing is remembered elsewhere, and a run that dies
gives its claim back. One at a time a session, so that what was read earlier never replaces what was read later. Not here: who notes
a change (the triggers of market.bar_1m)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from stock_platform.adapters.postgres import Connection

_LOCK = 7_426_003
"""First key of the advisory locks under which a session's intraday aggregates are made; the second is the session's day."""
_CLAIM = """
DELETE FROM ops.touched_bar WHERE session_date = %s AND (%s::text[] IS NULL OR symbol = ANY (%s))
RETURNING symbol, ts_start, is_removed
"""
_SCHEMA: dict[str, Any] = {"symbol": pl.String, "ts_start": pl.Datetime("us", "UTC"), "is_removed": pl.Boolean}


@dataclass(frozen=True)
class Touched:
    """Changed minutes of a session: symbol, ts_start, is_removed; sorted by ts_start."""

    minutes: pl.DataFrame

    @property
    def symbols(self) -> list[str]:
        """Whose they are."""
        return self.minutes["symbol"].unique().sort().to_list()

    @property
    def symbols_cut(self) -> list[str]:
        """Those that lost a bar: a row may have nothing left that it is made of."""
        return self.minutes.filter("is_removed")["symbol"].unique().sort().to_list()

    def rows(self, result: pl.DataFrame) -> pl.DataFrame:
        """Of windows [ts_start, ts_end) those that hold a changed minute."""
        windows = result.select("symbol", "ts_end", window="ts_start").sort("window")
        found = self.minutes.join_asof(
            windows, left_on="ts_start", right_on="window", by="symbol", strategy="backward", check_sortedness=False
        )
        held = found.filter(pl.col("ts_start") < pl.col("ts_end")).select("symbol", ts_start="window")
        return result.join(held, on=["symbol", "ts_start"], how="semi", maintain_order="left")


def only_maker(connection: Connection, session_date: date) -> None:
    """Wait until nobody else makes the session's intraday aggregates; until the end of the transaction nobody else does."""
    connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", (_LOCK, session_date.toordinal()))


def claim(connection: Connection, session_date: date, symbols: list[str] | None = None) -> Touched:
    """What has changed so far; bars are to be read after it.

    Args:
        symbols: None stands for all."""
    rows = connection.execute(_CLAIM, (session_date, symbols, symbols)).fetchall()
    return Touched(pl.DataFrame(rows, schema=_SCHEMA, orient="row").sort("ts_start"))
