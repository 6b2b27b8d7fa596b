"""The commands `restate` and `protect`, told in lines: on the running stack, by a run of Dagster or, only to compare, without one.

Not here: how a session is restated (repair/restating), the asset and its job (defs/restate)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.dagster_api import finished, launch, run_url
from stock_platform.adapters.postgres import connect
from stock_platform.adapters.processes import Supervisor
from stock_platform.config import Settings, lead_to_vendor
from stock_platform.contracts.runs import RESTATE_JOB, RESTATE_STEP
from stock_platform.errors.restatement import FeedUnheard, RunFailed, StackNotRunning
from stock_platform.feed.tape import Tape
from stock_platform.gate.promote import lock_promotions
from stock_platform.market.asked import read_asked, require_begun
from stock_platform.market.promotion import difference_of_run
from stock_platform.market.protection import lift, protect
from stock_platform.market.restatement import Restated, restate
from stock_platform.repair.restating import allowed, named_ticks, place_of
from stock_platform.repair.restating_from_vendor import compare_with_vendor

_SHOWN_COUNT = 20
_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class Order:
    """What is to be restated, and from what.

    Args:
        symbols: Separated by commas; none stands for all.
        tape: Path of a Parquet of trades; from_vendor: the vendor's bars. Neither: the first source that has the session.
    """

    session_date: date
    symbols: str = ""
    tape: str = ""
    from_vendor: bool = False

    @property
    def names(self) -> list[str]:
        """The symbols."""
        return [name.strip() for name in self.symbols.split(",") if name.strip()]


def promoted(settings: Settings, clock: Clock, order: Order) -> Iterator[str]:
    """Ask Dagster for the restatement, wait for it, and tell what it changed.

    Raises:
        StackNotRunning: there is nothing to run it on.
        TapeUnreadable: the tape is none.
        RunNotGranted: Dagster does not take it, or has not finished it in time; says why.
        RunFailed: the run did not succeed; says why.
        FeedUnheard: no bar is known to be closed; and all of repair/restating.allowed.
    """
    _require_stack(settings)
    closed_until = _closed_until(settings, clock, order.session_date)
    allowed(settings, clock, order.session_date, order.names, closed_until=closed_until)
    if order.tape:
        Tape(Path(order.tape))
    address = settings.dagster_address
    asked = {"symbols": order.names, "tape": order.tape, "from_vendor": order.from_vendor}
    config = {"ops": {RESTATE_STEP: {"config": asked}}}
    run_id = launch(address, RESTATE_JOB, config=config, tags={"dagster/partition": order.session_date.isoformat()})
    yield f"run       {run_url(address, run_id)}"
    end = finished(address, run_id, clock=clock, within=_WITHIN)
    if end.status != "SUCCESS":
        raise RunFailed(RESTATE_JOB, run_url(address, run_id), end.problem or f"it ended as {end.status}")
    with connect(settings.dsn("gate_owner")) as connection:
        ticks_from, found = difference_of_run(connection, run_id)
    yield f"source    {ticks_from}"
    yield "certified " + ", ".join(f"{found.count(change)} {change}" for change in ("added", "removed", "changed"))
    yield from _indented(found.lines(_SHOWN_COUNT), len(found.changes), "quality.restatement")


def compared(settings: Settings, clock: Clock, order: Order) -> Iterator[str]:
    """Restate, and tell what differs from staging; nothing is promoted, and no run of Dagster is needed.

    Raises:
        StackNotRunning: there is nothing to run it on.
        SessionUnknown, SymbolsUnknown, SessionNotBegun: there is nothing to compare.
        FeedUnheard: no bar is known to be closed; and all of market/restatement.restate.
    """
    _require_stack(settings)
    closed_until = _closed_until(settings, clock, order.session_date)
    with connect(settings.dsn("gate_owner")) as connection:
        require_begun(read_asked(connection, order.session_date, order.names), max(clock.now(), closed_until))
    if order.from_vendor:
        lead_to_vendor(settings)
        yield from report(compare_with_vendor(settings, clock, order.session_date, order.names, closed_until=closed_until))
        return
    with named_ticks(settings, order.tape, clock) as ticks:
        place = place_of(settings, clock)
        yield from report(restate(place, order.session_date, order.names, ticks=ticks, closed_until=closed_until))


def protected(settings: Settings, clock: Clock, session_date: date, *, reason: str | None) -> str:
    """Protect a session, or give it free where there is no reason; says what is so now."""
    with connect(settings.dsn("gate_owner")) as connection:
        lock_promotions(connection)  # a restatement that is being promoted comes first
        if reason:
            protect(connection, session_date, reason, now=clock.now())
            return f"session {session_date} is protected from restatement: {reason}"
        was_protected = lift(connection, session_date)
    return f"session {session_date} may be restated" + ("" if was_protected else "; it was not protected")


def _closed_until(settings: Settings, clock: Clock, session_date: date) -> datetime:
    """Bars that end later are still the stream's."""
    from stock_platform.defs.progress import bars_closed_until  # Dagster needs a second to import
    from stock_platform.defs.world import World

    closed_until = bars_closed_until(World(settings, clock))
    if closed_until is None:
        raise FeedUnheard(session_date)
    return closed_until


def _require_stack(settings: Settings) -> None:
    if not Supervisor(settings.home).alive():
        raise StackNotRunning(settings.profile, "a restatement")


def report(done: Restated) -> Iterator[str]:
    """What a person wants to know."""
    found = done.comparison
    yield f"session   {done.asked.session_date}, {done.asked.symbols_text or 'all symbols'}, restatement {done.restatement_id}"
    yield f"source    {done.ticks_from}"
    yield f"result    {done.counts.tick_count} ticks, {done.counts.bar_count} bars, {done.took.total_seconds():.1f} s"
    kinds = ", ".join(f"{found.count(kind)} {kind}" for kind in ("added", "removed", "changed"))
    fields = ", ".join(f"{name} {count}" for name, count in found.fields.items())
    yield f"staging   {kinds}" + (f" ({fields})" if fields else "")
    yield from _indented(found.lines(_SHOWN_COUNT), found.bars.height, "staging.bar_1m_restated_sized")
    yield "compared only: staging and certified bars stay as they are"


def _indented(lines: Sequence[str], count: int, table: str) -> Iterator[str]:
    yield from (f"          {line}" for line in lines)
    if count > len(lines):
        yield f"          … and {count - len(lines)} more in {table}"
