"""The command `backfill`: make every aggregate of past sessions anew, by one backfill of the running Dagster, and tell how it goes.

Aggregates are made of certified bars as they are; to compute bars anew is a restatement (restate)."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from stock_platform import config
from stock_platform.adapters.clock import Clock, SystemClock
from stock_platform.adapters.dagster_backfill import Backfill, backfill_url, launch_backfill, look, problem_of
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.adapters.processes import Supervisor
from stock_platform.commands.asked import require_order, watched_symbols
from stock_platform.config import Settings
from stock_platform.contracts.catalogue import TABLES
from stock_platform.contracts.runs import BACKFILL, INTRADAY_STEP
from stock_platform.errors.restatement import NothingToBackfill, RunFailed, RunNotGranted, StackNotRunning, SymbolsUnwatched
from stock_platform.sentences import sentences

AGGREGATES = tuple(record.address for record in TABLES if record.address.startswith("aggregates."))
_WITHIN, _EVERY = timedelta(hours=6), timedelta(seconds=2)
_SESSIONS = """
SELECT DISTINCT day.session_date FROM reference.session AS day
WHERE
    day.session_date >= %s AND day.session_date <= %s
    AND EXISTS (SELECT FROM market.bar_1m AS bar WHERE bar.session_date = day.session_date)
ORDER BY day.session_date
"""


@dataclass(frozen=True)
class Range:
    """Sessions [first, last]; symbols: none stands for all."""

    first: date
    last: date
    symbols: tuple[str, ...] = ()


def backfill(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First session.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last session, included.")],
    symbols: Annotated[str, typer.Option(help="Bars and liquidity of these alone, e.g. AIG,SPY.")] = "",
    data_dir: Annotated[Path | None, typer.Option(help="Folder of all data; .stack in the clone by default.")] = None,
) -> None:
    """Make the aggregates of past sessions anew, beside the live feed; what was right already stays as it is."""
    require_order(first, last)
    names = tuple(name.strip() for name in symbols.split(",") if name.strip())
    with sentences():
        for line in told(config.load(data_dir=data_dir), SystemClock(), Range(first.date(), last.date(), names)):
            typer.echo(line)


def told(settings: Settings, clock: Clock, asked: Range) -> Iterator[str]:
    """Ask Dagster, wait, and tell how far it is.

    Raises:
        StackNotRunning: there is nothing to run it on.
        NothingToBackfill: no session of the range has certified bars.
        SymbolsUnwatched: some symbols are not watched.
        RunNotGranted: Dagster does not take it, or has not finished it in time; says why.
        RunFailed: a run of it did not succeed; says why.
    """
    if not Supervisor(settings.home).alive():
        raise StackNotRunning(settings.profile, "a backfill")
    with connect(settings.dsn("gate_owner")) as connection:
        sessions = sessions_of(connection, asked)
    address = settings.dagster_address
    of_symbols = {"ops": {INTRADAY_STEP: {"config": {"symbols": list(asked.symbols)}}}} if asked.symbols else {}
    backfill_id = launch_backfill(address, AGGREGATES, sessions, config=of_symbols, tags=BACKFILL)
    yield f"backfill  {backfill_url(address, backfill_id)}"
    yield f"sessions  {len(sessions)}, {sessions[0]} to {sessions[-1]}, of {', '.join(asked.symbols) or 'all symbols'}"
    yield from _followed(address, backfill_id, clock)


def sessions_of(connection: Connection, asked: Range) -> list[str]:
    """Days of the range that have certified bars, in order.

    Raises:
        NothingToBackfill: none has.
        SymbolsUnwatched: some symbols are not watched.
    """
    known = watched_symbols(connection)
    if unknown := sorted(set(asked.symbols).difference(known)):
        raise SymbolsUnwatched(unknown, known)
    days = [day.isoformat() for (day,) in connection.execute(_SESSIONS, (asked.first, asked.last)).fetchall()]
    if not days:
        row = connection.execute("SELECT min(session_date), max(session_date) FROM market.bar_1m").fetchone()
        raise NothingToBackfill(asked.first, asked.last, row or (None, None))
    return days


def _followed(address: str, backfill_id: str, clock: Clock) -> Iterator[str]:
    """A webserver that is away meanwhile is waited for."""
    started, said, seen = clock.now(), "", None
    while clock.now() - started < _WITHIN:
        with suppress(RunNotGranted):
            seen = look(address, backfill_id)
        if seen is not None and (line := _line(seen)) != said:
            said = line
            yield line
        if seen is not None and seen.has_ended:
            break
        clock.sleep(_EVERY)
    if seen is None or not seen.has_ended:
        raise RunNotGranted("the backfill", address, f"it goes on after {_WITHIN}")
    if not seen.is_done:
        raise RunFailed("the backfill", backfill_url(address, backfill_id), problem_of(address, seen, clock))
    yield f"done      in {(clock.now() - started).total_seconds():.0f} s"


def _line(seen: Backfill) -> str:
    return f"tables    {seen.done} of {seen.targeted} partitions made, {_runs(seen.runs)}"


def _runs(runs: Sequence[str]) -> str:
    return "waiting for its run" if not runs else f"{len(runs)} run{'s' if len(runs) > 1 else ''}"
