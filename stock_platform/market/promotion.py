"""A restatement's way into the truth: staging takes its bars over, and what that changed in market is written down.

All of it in the caller's transaction, under the gate's lock: a restatement is promoted whole or not at all. A repeat over the same
ticks changes nothing and writes nothing. Not here: judging the bars (gate), computing them (restatement)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString, NamedTuple, cast

from stock_platform.adapters.postgres import Connection
from stock_platform.market.asked import Asked
from stock_platform.market.comparison import CONTENT

_TAKE_OVER = "SELECT symbol, ts_start, is_removed FROM staging.take_over_restated(%s, %s)"
_PRICES = ("open", "high", "low", "close", "vwap")
_SHOWN = ", ".join(
    f"bar.{name}::text AS {name}" if name in _PRICES else f"bar.{name} AS {name}" for name in (*CONTENT, "revision", "verdict")
)
"""Prices as text, so that no reader rounds them."""
_CERTIFIED = f"""
SELECT bar.symbol, bar.ts_start, to_jsonb(shown) AS bar
FROM market.bar_1m AS bar
CROSS JOIN LATERAL (SELECT {_SHOWN}) AS shown
WHERE
    bar.session_date = %(session_date)s
    AND (%(symbols)s::text[] IS NULL OR bar.symbol = ANY (%(symbols)s))
"""
MADE = tuple(name for name in CONTENT if name not in ("volume", "vwap"))
"""What a bar has of its own ticks; volume and VWAP depend on the bar before, too."""
_MADE_OF = f"""
SELECT symbol, ts_start, {", ".join(MADE)} FROM market.bar_1m
WHERE session_date = %(session_date)s AND (%(symbols)s::text[] IS NULL OR symbol = ANY (%(symbols)s))
"""
_MEMORY = """
CREATE TEMPORARY TABLE certified_before (symbol text, ts_start timestamptz, bar jsonb, PRIMARY KEY (symbol, ts_start))
ON COMMIT DROP
"""
_REMEMBER = f"INSERT INTO certified_before {_CERTIFIED}"
_WRITE = f"""
INSERT INTO quality.restatement (
    restatement_id, symbol, ts_start, session_date, change, bar_before, bar_after, dagster_run_id, ts_accepted
)
SELECT
    %(restatement_id)s,
    symbol,
    ts_start,
    %(session_date)s,
    CASE WHEN before.bar IS NULL THEN 'added' WHEN after.bar IS NULL THEN 'removed' ELSE 'changed' END,
    before.bar,
    after.bar,
    %(dagster_run_id)s,
    %(now)s
FROM certified_before AS before
FULL JOIN ({_CERTIFIED}) AS after USING (symbol, ts_start)
WHERE
    before.bar IS DISTINCT FROM after.bar
    AND (symbol, ts_start) IN (SELECT * FROM unnest(%(of_symbols)s::text[], %(of_starts)s::timestamptz[]))
"""
_DIFFERENCE = """
SELECT symbol, ts_start, change, bar_before, bar_after FROM quality.restatement
WHERE restatement_id = %s ORDER BY symbol, ts_start
"""
_OF_RUN = """
SELECT restatement_id, ticks_from FROM ops.restatement
WHERE dagster_run_id = %s AND is_promoted ORDER BY restatement_id DESC LIMIT 1
"""
"""A step that was tried again has more than one."""


Key = tuple[str, datetime]
"""Symbol and ts_start of a bar."""


class Taken(NamedTuple):
    """A staged bar that the restatement replaced."""

    symbol: str
    ts_start: datetime
    is_removed: bool


class Change(NamedTuple):
    """A certified bar that the restatement added, removed or changed.

    Args:
        before: Its content as JSON has it; None where there was no bar.
    """

    symbol: str
    ts_start: datetime
    change: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True)
class Difference:
    """What changed in market, by symbol and time."""

    changes: tuple[Change, ...]

    def count(self, change: str) -> int:
        """Bars that were added, removed or changed."""
        return sum(each.change == change for each in self.changes)

    def markdown(self, count: int) -> str:
        """The first bars that differ as a table: what changed, from → to."""
        if not self.changes:
            return "No certified bar differs."
        rows = [f"| {each.symbol} | {_minute(each)} | {each.change} | {_fields(each)} |" for each in self.changes[:count]]
        more = [f"\n… and {len(self.changes) - count} more in quality.restatement"] if len(self.changes) > count else []
        return "\n".join(["| symbol | minute | change | fields |", "|---|---|---|---|", *rows, *more])

    def lines(self, count: int) -> list[str]:
        """The same for a terminal."""
        return [f"{each.symbol} {_minute(each)} {each.change}: {_fields(each)}" for each in self.changes[:count]]


def take_over(connection: Connection, restatement_id: int, closed_until: datetime) -> list[Taken]:
    """Staged bars that end by then are replaced by restated ones where these say something else."""
    return [Taken(*row) for row in connection.execute(_TAKE_OVER, (restatement_id, closed_until)).fetchall()]


def remember(connection: Connection, asked: Asked) -> dict[Key, tuple[Any, ...]]:
    """Keep the certified bars as they are, until the transaction ends; returns what each was made of (MADE)."""
    connection.execute(_MEMORY)
    connection.execute(_REMEMBER, _facts(asked))
    made = connection.execute(cast(LiteralString, _MADE_OF), _facts(asked)).fetchall()
    return {(row[0], row[1]): row[2:] for row in made}


def write_difference(
    connection: Connection, restatement_id: int, asked: Asked, concerned: Collection[Key], *, dagster_run_id: str, now: datetime
) -> Difference:
    """What has changed of these bars since `remember`, one row a bar, in quality.restatement.

    Args:
        concerned: Bars that the restatement took over or removed, and those whose boundary moved with them; others may have
            changed because they waited for the gate.
    """
    facts = {
        **_facts(asked),
        "restatement_id": restatement_id,
        "dagster_run_id": dagster_run_id,
        "now": now,
        "of_symbols": [symbol for symbol, _ in concerned],
        "of_starts": [ts_start for _, ts_start in concerned],
    }
    connection.execute(_WRITE, facts)
    return read_difference(connection, restatement_id)


def read_difference(connection: Connection, restatement_id: int) -> Difference:
    """What that restatement changed."""
    return Difference(tuple(Change(*row) for row in connection.execute(_DIFFERENCE, (restatement_id,)).fetchall()))


def difference_of_run(connection: Connection, dagster_run_id: str) -> tuple[str, Difference]:
    """Where the ticks of that run's restatement came from, and what it changed."""
    row = connection.execute(_OF_RUN, (dagster_run_id,)).fetchone()
    assert row is not None, "a run that succeeded has promoted one"
    return row[1], read_difference(connection, row[0])


def _facts(asked: Asked) -> dict[str, Any]:
    return {"session_date": asked.session_date, "symbols": list(asked.symbols) or None}


def _minute(each: Change) -> str:
    return f"{each.ts_start:%Y-%m-%d %H:%M}Z"


def _fields(each: Change) -> str:
    before, after = each.before or {}, each.after or {}
    return ", ".join(
        f"{name} {_value(before, name)} → {_value(after, name)}" for name in CONTENT if before.get(name) != after.get(name)
    )


def _value(bar: dict[str, Any], name: str) -> str:
    return "–" if bar.get(name) is None else str(bar[name])
