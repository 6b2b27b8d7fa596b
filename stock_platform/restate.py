"""The command `restate`: a session restated on the running stack, told in lines. Here stages are joined: none imports another.

Not here: the restatement itself (market/restatement), its promotion."""

from collections.abc import Iterator
from datetime import date

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.processes import Supervisor
from stock_platform.config import ROOT, Settings
from stock_platform.feed.archive_file import archive_path
from stock_platform.market.restatement import Place, Restated, restate
from stock_platform.restatement_errors import StackNotRunning
from stock_platform.stack import layout
from stock_platform.stack.prepare import script_values

_SHOWN_COUNT = 20


def restated(settings: Settings, clock: Clock, session_date: date, symbols: str) -> Iterator[str]:
    """Restate, then tell what came out.

    Args:
        symbols: Separated by commas; none stands for all.
    Raises:
        StackNotRunning: there is nothing to run it on; and all of market/restatement.restate.
    """
    if not Supervisor(settings.home).alive():
        raise StackNotRunning(settings.profile, "a restatement")
    names = [name.strip() for name in symbols.split(",") if name.strip()]
    yield from report(restate(place_of(settings, clock), session_date, names))


def place_of(settings: Settings, clock: Clock) -> Place:
    """Where restatements of this stack are made."""
    return Place(
        dsn=settings.dsn("gate_owner"),
        flink_address=settings.flink_address,
        kafka_bootstrap=settings.kafka_bootstrap,
        values=script_values(settings),
        sql=ROOT / "flink" / "sql",
        jar=layout.FUNCTIONS_JAR,
        folder=layout.flink(settings.home) / "restatement",
        archive=lambda day: archive_path(settings.home, day),
        clock=clock,
    )


def report(done: Restated) -> Iterator[str]:
    """What a person wants to know."""
    found = done.comparison
    yield f"session   {done.asked.session_date}, {done.asked.symbols_text or 'all symbols'}, restatement {done.restatement_id}"
    yield f"source    {done.ticks_from}"
    yield f"result    {done.counts.tick_count} ticks, {done.counts.bar_count} bars, {done.took.total_seconds():.1f} s"
    kinds = ", ".join(f"{found.count(kind)} {kind}" for kind in ("added", "removed", "changed"))
    fields = ", ".join(f"{name} {count}" for name, count in found.fields.items())
    yield f"staging   {kinds}" + (f" ({fields})" if fields else "")
    for line in found.lines(_SHOWN_COUNT):
        yield f"          {line}"
    if found.bars.height > _SHOWN_COUNT:
        yield f"          … and {found.bars.height - _SHOWN_COUNT} more in staging.bar_1m_restated_sized"
    yield "compared only: staging and certified bars stay as they are; promotion is no part of this yet"
