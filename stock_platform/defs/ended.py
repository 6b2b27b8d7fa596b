"""Sessions that are over and judged, but of which something that is made once is still missing. Not here: what is made."""

# Dagster's instance is typed in part only.
# pyright: reportUnknownMemberType=false

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from stock_platform.adapters.postgres import Connection
from stock_platform.defs.certify import job_progress
from stock_platform.defs.world import World
from stock_platform.gate.pending import pending_sessions

_AGAIN_AFTER = timedelta(minutes=30)
"""A run that failed after its retries is tried again so much later."""
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)

_OVER = """
SELECT day.session_date
FROM aggregates.bar_1d AS day
JOIN reference.session AS session ON session.session_date = day.session_date
JOIN reference.instrument AS instrument ON instrument.calendar = session.calendar
GROUP BY day.session_date
HAVING max(session.ts_post_end) <= %s
ORDER BY day.session_date
"""
"""Sessions with certified bars that are over on every watched calendar."""


def sessions_without(
    context: dg.SensorEvaluationContext,
    world: World,
    partitions: dg.PartitionsDefinition[str],
    *,
    asset: dg.AssetKey,
    job_name: str,
) -> list[str] | dg.SkipReason:
    """Partitions of the asset that are wanted now, the oldest first; why there are none, for a person."""
    now = world.clock.now()
    made = context.instance.get_materialized_partitions(asset)
    with world.database("gate_owner") as connection:
        until = job_progress(world, connection)
        if until is None:
            return dg.SkipReason("The feed has not said yet how far it is.")
        wanted = [day for day in ended_sessions(connection, until) if day.isoformat() not in made]
        waiting = {each.session_date for each in pending_sessions(connection, _FIRST)} if wanted else set[date]()
    judged = [day.isoformat() for day in wanted if day not in waiting]
    keys = [key for key in judged if partitions.has_partition_key(key) and not _is_tried(context.instance, job_name, key, now)]
    return keys or dg.SkipReason(f"No session that was over at {until:%Y-%m-%d %H:%M:%S}Z and is judged waits for {job_name}.")


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
