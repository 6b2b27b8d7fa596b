"""Sessions that are over and judged: what sensors ask for once per ended session. Not here: what is then done with one."""

# Dagster's instance is typed in part only.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.epoch import EPOCH
from stock_platform.defs.progress import job_progress
from stock_platform.defs.world import UNDER_WAY, World
from stock_platform.gate.pending import pending_sessions

ATTEMPTS = 3
"""So many runs of a session that failed in a row are enough: the next one would fail as well, and nobody would look."""
_AGAIN_AFTER = timedelta(minutes=30)
"""A run that failed after its retries is tried again so much later."""
_SHOWN_COUNT = 3

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
class Asked:
    """A session for which a run is wanted now.

    Args:
        key: Its partition.
        last_run_id: Newest run of it so far; None: there is none.
    """

    key: str
    last_run_id: str | None = None

    @property
    def run_key(self) -> str:
        """Names the attempt by the run before it (docs/decisions/0030-run-keys.md)."""
        return f"{self.key} after {self.last_run_id}" if self.last_run_id else f"{self.key} first"


@dataclass(frozen=True)
class Due:
    """Sessions with which something is still to be done.

    Args:
        until: Event time that the feed has come to; None: not known yet.
        asked: Now, in order.
        reasons: Why the others have to wait, one sentence each.
    """

    until: datetime | None
    asked: tuple[Asked, ...] = ()
    reasons: tuple[str, ...] = ()


def due_sessions(
    instance: dg.DagsterInstance,
    world: World,
    partitions: dg.PartitionsDefinition[str],
    *,
    done: dg.AssetKey,
    job_name: str,
    since: date = date.min,
) -> Due:
    """Sessions that are over on every watched calendar, without the asset's partition so far; those that have none are left out.

    Args:
        done: Asset that has the partition once the session is dealt with.
        job_name: What deals with one.
        since: Earlier sessions are left out.
    """
    known = instance.get_materialized_partitions(done)
    with world.database("gate_owner") as connection:
        until = job_progress(world, connection)
        if until is None:
            return Due(None)
        ended = [day for day in ended_sessions(connection, until) if day >= since and day.isoformat() not in known]
        unjudged = {each.session_date for each in pending_sessions(connection, EPOCH)} if ended else set[date]()
    asked: list[Asked] = []
    reasons: list[str] = []
    for day in ended:
        key = day.isoformat()
        if not partitions.has_partition_key(key):
            continue
        if day in unjudged:
            reasons.append(f"Session {key}: bars of it wait for the gate.")
            continue
        runs = instance.get_run_records(dg.RunsFilter(job_name=job_name, tags={"dagster/partition": key}), limit=ATTEMPTS)
        reason = reason_to_wait(runs, world.clock.now())
        if reason is None:
            asked.append(Asked(key, runs[0].dagster_run.run_id if runs else None))
        else:
            reasons.append(f"Session {key}: {reason}")
    return Due(until, tuple(asked), tuple(reasons))


def reason_to_wait(runs: Sequence[dg.RunRecord], now: datetime) -> str | None:
    """Why no run of a session is wanted now, for a person; None when one is. Pure.

    Args:
        runs: Of this session, the newest first, ATTEMPTS at most; none of them has made its partition.
    """
    if not runs:
        return None
    newest = runs[0].dagster_run
    name = f"run {newest.run_id[:8]}"
    if newest.status in UNDER_WAY:
        return f"{name} is under way."
    failed = [each for each in runs if each.dagster_run.status is not dg.DagsterRunStatus.SUCCESS]
    if len(failed) == ATTEMPTS:
        return f"given up, {name} is the third in a row to fail. Mend its cause, then start the job {newest.job_name} by hand."
    again = datetime.fromtimestamp(runs[0].end_time or 0.0, UTC) + _AGAIN_AFTER
    if now >= again:
        return None
    what = "failed" if runs[0] in failed else "left nothing behind"
    return f"{name} {what}; the next try comes at {again:%H:%M:%S}Z."


def requested(due: Due, verb: str) -> dg.SensorResult:
    """A run for each, or why there is none.

    Args:
        verb: What is done with a session, e.g. archived."""
    if due.until is None:
        return dg.SensorResult(skip_reason="The feed has not said yet how far it is.")
    if due.asked:
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=each.run_key, partition_key=each.key) for each in due.asked])
    if not due.reasons:
        return dg.SensorResult(skip_reason=f"No session that was over at {due.until:%Y-%m-%d %H:%M:%S}Z is still to be {verb}.")
    more = len(due.reasons) - _SHOWN_COUNT
    rest = [f"{more} further sessions to be {verb} wait, too."] if more > 0 else []
    return dg.SensorResult(skip_reason=" ".join([*due.reasons[:_SHOWN_COUNT], *rest]))


def ended_sessions(connection: Connection, until: datetime) -> list[date]:
    """Sessions with certified bars whose day had ended, post-market included, by that event time; in order."""
    return [day for (day,) in connection.execute(_OVER, (until,)).fetchall()]
