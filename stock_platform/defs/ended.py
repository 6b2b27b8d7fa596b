"""Sessions that are over and judged: what sensors ask for once per ended session. Not here: what is then done with one."""

# Dagster's instance is typed in part only.
# pyright: reportUnknownMemberType=false

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import dagster as dg

from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.epoch import EPOCH
from stock_platform.defs.progress import job_progress
from stock_platform.defs.world import World
from stock_platform.gate.pending import pending_sessions

_AGAIN_AFTER = timedelta(minutes=30)
"""A run that failed after its retries is tried again so much later."""

_OVER = """
SELECT day.session_date
FROM aggregates.bar_1d AS day
JOIN reference.session AS session ON session.session_date = day.session_date
JOIN reference.instrument AS instrument ON instrument.calendar = session.calendar
GROUP BY day.session_date
HAVING max(session.ts_post_end) <= %s AND sum(day.tick_count) > 0
ORDER BY day.session_date
"""
"""Sessions with certified bars of our own ticks that are over on every watched calendar; one that is the vendor's alone has no
ticks to archive, nothing to be compared with it, and every aggregate."""


@dataclass(frozen=True)
class Due:
    """Sessions for which something is to be asked now.

    Args:
        until: Event time that the feed has come to; None: not known yet.
        keys: Partitions, in order.
    """

    until: datetime | None
    keys: tuple[str, ...]


def due_sessions(
    instance: dg.DagsterInstance,
    world: World,
    partitions: dg.PartitionsDefinition[str],
    *,
    done: dg.AssetKey,
    job_name: str,
    since: date = date.min,
) -> Due:
    """Sessions that are over on every watched calendar and of which no bar waits, without the asset's partition so far.

    Args:
        done: Asset that has the partition once the session is dealt with.
        job_name: A session whose run of it is under way, or failed a moment ago, is left out.
        since: Earlier sessions are left out.
    """
    known = instance.get_materialized_partitions(done)
    with world.database("gate_owner") as connection:
        until = job_progress(world, connection)
        if until is None:
            return Due(None, ())
        wanted = [day for day in ended_sessions(connection, until) if day >= since and day.isoformat() not in known]
        waiting = {each.session_date for each in pending_sessions(connection, EPOCH)} if wanted else set[date]()
    judged, now = [day.isoformat() for day in wanted if day not in waiting], world.clock.now()
    keys = (key for key in judged if partitions.has_partition_key(key) and not _is_tried(instance, job_name, key, now))
    return Due(until, tuple(keys))


def requested(due: Due, verb: str) -> dg.SensorResult:
    """A run for each, or why there is none.

    Args:
        verb: What is done with a session, e.g. archived."""
    if due.until is None:
        return dg.SensorResult(skip_reason="The feed has not said yet how far it is.")
    if not due.keys:
        until = f"{due.until:%Y-%m-%d %H:%M:%S}Z"
        return dg.SensorResult(skip_reason=f"No session that was over at {until} and is judged is to be {verb}.")
    return dg.SensorResult(run_requests=[dg.RunRequest(partition_key=key) for key in due.keys])


def _is_tried(instance: dg.DagsterInstance, job_name: str, key: str, now: datetime) -> bool:
    """Whether a run of that session is under way, or has failed a moment ago."""
    records = instance.get_run_records(dg.RunsFilter(job_name=job_name, tags={"dagster/partition": key}), limit=1)
    if not records:
        return False
    ended = records[0].end_time
    return ended is None or now.timestamp() - ended < _AGAIN_AFTER.total_seconds()


def ended_sessions(connection: Connection, until: datetime) -> list[date]:
    """Sessions with certified bars whose day had ended, post-market included, by that event time; in order."""
    return [day for (day,) in connection.execute(_OVER, (until,)).fetchall()]
