"""Runs queued behind the live ones yield the processor, too: on a small machine a backfill would make the gate late."""

import dagster as dg

from stock_platform.adapters.processes import yield_processor

PRIORITY = "dagster/priority"


def give_way(run: dg.DagsterRun) -> None:
    """Call first in a step: a run of negative priority takes what processor time the others leave."""
    if int(run.tags.get(PRIORITY, "0")) < 0:
        yield_processor()
