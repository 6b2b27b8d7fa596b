"""Tables of a running stack, held against a recomputation: bars of their ticks in Kafka, aggregates of certified bars."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.kafka_records import open_records
from stock_platform.adapters.postgres import connect
from stock_platform.commands.passport import passport_of
from stock_platform.contracts.tick import TICK
from stock_platform.defs.aggregate_inputs import SessionInputs
from stock_platform.defs.aggregate_registry import EVERY_ONE, PROVENANCE, Aggregate
from stock_platform.defs.world import World
from stock_platform.market.verification import verify
from stock_platform_tests.running_stack import RunningStack


def unequal_fields(
    stack: RunningStack, bars: Iterable[tuple[str, datetime]], *, late_limit: timedelta | None
) -> list[tuple[str, datetime, str]]:
    """Of these certified bars: (symbol, ts_start, field) that their ticks in Kafka do not give.

    As `stock-platform passport --verify` does it, but with one consumer for all of them."""
    settings = stack.settings
    with open_records(settings.kafka_bootstrap, TICK.address) as reader, connect(settings.dsn("gate_owner")) as connection:
        checked = [
            (
                *(symbol, ts_start),
                verify(passport_of(settings, symbol, ts_start), connection, reader, late_limit=late_limit, archive=Path()),
            )
            for symbol, ts_start in bars
        ]
    return [(symbol, ts_start, field.name) for symbol, ts_start, found in checked for field in found.fields if not field.is_equal]


def wrong_rows(stack: RunningStack, day: date, aggregates: Iterable[Aggregate] = EVERY_ONE) -> int:
    """Rows of the session's aggregates that are missing, too many or different."""
    inputs = SessionInputs(World(stack.settings, SystemClock()), day)
    wrong = 0
    for aggregate in aggregates:
        names = [name for name in aggregate.record.names if name not in PROVENANCE]
        right = set(aggregate.compute(inputs).select(names).iter_rows())
        query = f"SELECT {', '.join(names)} FROM {aggregate.record.address} WHERE session_date = '{day}'"
        wrong += len(right ^ set(stack.frame(query).iter_rows()))
    return wrong
