"""Who comes first. Runs queued behind the live ones yield the processor, too: a backfill would make a small machine late."""

import dagster as dg

from stock_platform.adapters.processes import yield_processor
from stock_platform.contracts.runs import PRIORITY

LAST_STEP = {PRIORITY: "-1"}
"""Tags of a step that whoever waits for the run's tables does not wait for; it depends on none of those that it lets go first."""


def give_way(run: dg.DagsterRun) -> None:
    """Call first in a step that others need not wait for: its run takes what processor time the live ones leave."""
    if is_behind(run):
        yield_processor()


def is_behind(run: dg.DagsterRun) -> bool:
    """Whether the run comes after the live ones, the gate's and feed lines: theirs is above 0. Pure."""
    return int(run.tags.get(PRIORITY, "0")) <= 0
