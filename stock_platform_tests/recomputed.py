"""Aggregates of a running stack, held against what their functions give of the certified bars that are there."""

from collections.abc import Iterable
from datetime import date

from stock_platform.adapters.clock import SystemClock
from stock_platform.defs.aggregate_inputs import SessionInputs
from stock_platform.defs.aggregate_registry import EVERY_ONE, PROVENANCE, Aggregate
from stock_platform.defs.world import World
from stock_platform_tests.running_stack import RunningStack


def wrong_rows(stack: RunningStack, day: date, aggregates: Iterable[Aggregate] = EVERY_ONE) -> int:
    """Rows of the session that are missing, too many or different."""
    inputs = SessionInputs(World(stack.settings, SystemClock()), day)
    wrong = 0
    for aggregate in aggregates:
        names = [name for name in aggregate.record.names if name not in PROVENANCE]
        right = set(aggregate.compute(inputs).select(names).iter_rows())
        query = f"SELECT {', '.join(names)} FROM {aggregate.record.address} WHERE session_date = '{day}'"
        wrong += len(right ^ set(stack.frame(query).iter_rows()))
    return wrong
