"""The sensor that asks for gate runs: one at a time, ahead of the close. Not here: what a run does (certify)."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from stock_platform.contracts.epoch import EPOCH
from stock_platform.defs.certify import CLOSES_AT, GATE
from stock_platform.defs.progress import job_progress
from stock_platform.defs.world import UNDER_WAY, World
from stock_platform.gate.pending import Pending, pending_sessions
from stock_platform.gate.progress import closed_until

_RETRY_AFTER = timedelta(seconds=60)


def closed_bars_sensor(job: Any, partitions: dg.PartitionsDefinition[str]) -> dg.SensorDefinition:
    """Ask for a gate run when a bar is closed, or will be by the time that a run has started."""

    @dg.sensor(
        name="closed_bars",
        job=job,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Requests a gate run of the session whose next bar closes; one at a time, and not at once after a failure.",
    )
    def closed_bars(context: dg.SensorEvaluationContext, world: dg.ResourceParam[World]) -> dg.SensorResult:
        since = datetime.fromisoformat(context.cursor) if context.cursor else EPOCH
        with world.database("gate_owner") as connection:
            pending = pending_sessions(connection, since)
            # Kafka is asked only where the answer matters: it takes a third of a second.
            until = closed_until(job_progress(world, connection), world.settings.gate_grace) if pending else None
        # A row becomes visible some time after it has landed: look back a minute further.
        oldest = min((entry.ts_landed_first for entry in pending), default=world.clock.now())
        cursor = (oldest - timedelta(minutes=1)).isoformat()
        reasons = [_hold_back(context.instance, world, entry, until, partitions) for entry in pending]
        wanted = next((entry for entry, reason in zip(pending, reasons, strict=True) if reason is None), None)
        if wanted is None:
            return dg.SensorResult(skip_reason=" ".join(filter(None, reasons)) or "Every staged bar is judged.", cursor=cursor)
        tags = {CLOSES_AT: wanted.ts_end_first.isoformat()}
        request = dg.RunRequest(partition_key=wanted.session_date.isoformat(), tags=tags)
        return dg.SensorResult(run_requests=[request], cursor=cursor)

    return closed_bars


def _hold_back(
    instance: dg.DagsterInstance,
    world: World,
    pending: Pending,
    until: datetime | None,
    partitions: dg.PartitionsDefinition[str],
) -> str | None:
    """Why no run of this session is wanted now, for a person; None when one is."""
    session = pending.session_date.isoformat()
    if not partitions.has_partition_key(session):
        return f"Session {session} has no partition: it lies before the first session, or in the future."
    if until is None:
        return "The feed has not said yet how far it is."
    ahead = pending.ts_end_first - until
    if ahead > timedelta(seconds=world.settings.gate_lead_s):
        return f"The next bar closes at {pending.ts_end_first:%H:%M:%S} UTC, in {ahead.total_seconds():.0f} s of event time."
    running = instance.get_runs(dg.RunsFilter(tags={GATE: "1"}, statuses=UNDER_WAY), limit=1)
    if running:
        return f"Gate run {running[0].run_id[:8]} is under way."
    return _resting(instance, world, session)


def _resting(instance: dg.DagsterInstance, world: World, session: str) -> str | None:
    """A session whose newest run failed is tried once a minute; other sessions go on."""
    newest = instance.get_run_records(dg.RunsFilter(tags={GATE: "1", "dagster/partition": session}), limit=1)
    if not newest or newest[0].dagster_run.status is not dg.DagsterRunStatus.FAILURE:
        return None
    if world.clock.now() - newest[0].create_timestamp >= _RETRY_AFTER:
        return None
    return f"Gate run {newest[0].dagster_run.run_id[:8]} of {session} failed; the next try comes a minute after it was asked for."
