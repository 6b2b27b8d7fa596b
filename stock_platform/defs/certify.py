"""The gate as assets: closed bars with their checks, then certified bars and quarantine; and the sensor that asks for its runs."""

# Dagster's decorators are typed in part only, and refuse MaterializeResult with its type argument.
# pyright: reportUnknownMemberType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg

from stock_platform.adapters.clock import wait_until
from stock_platform.adapters.kafka_progress import progress
from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.bar import BAR, QUARANTINE, STAGED_BAR
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.contracts.tick import TICK
from stock_platform.defs.external import STREAM_JOB
from stock_platform.defs.world import UNDER_WAY, World, column_schema, key_of
from stock_platform.gate import judge as judging
from stock_platform.gate.batch import read_batch
from stock_platform.gate.hold import settle_hold
from stock_platform.gate.judge import Judgement, RuleResult
from stock_platform.gate.pending import Pending, pending_sessions
from stock_platform.gate.progress import LineClock, PartitionProgress, closed_until, event_time_progress, feed_clock
from stock_platform.gate.promote import promote, record_results
from stock_platform.gate.rules import QUARANTINE_SHARE, RULES, Severity

CLOSES_AT = "stock_platform/closes_at"
"""Run tag: end of the bar that the run was requested for, ahead of its close."""
GATE = "stock_platform/gate"
"""Run tag of gate runs: one at a time."""

MAX_RUNTIME = {"dagster/max_runtime": "300"}
"""Run monitoring ends what a crash has orphaned; a gate run takes half a minute."""

_WAIT = timedelta(seconds=90)
_RETRY_AFTER = timedelta(seconds=60)
_JUDGEMENT = dg.PythonObjectDagsterType(Judgement, name="Judgement")
_STAGED = key_of(STAGED_BAR.address)
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


def job_progress(world: World, connection: Connection) -> datetime | None:
    """Event time before which every tick is in staging. The feed's clock is read before the offsets: see gate/progress.py."""
    lines = connection.execute("SELECT shard, state, ts_clock FROM ops.feed_line").fetchall()
    partitions = progress(world.settings.kafka_bootstrap, JOB, TICK.address)
    return event_time_progress(
        feed_clock(LineClock(*line) for line in lines), [_held_at(seen.ts_event_ms) for seen in partitions.values()]
    )


def _held_at(ts_event_ms: int | None) -> PartitionProgress:
    return PartitionProgress(None if ts_event_ms is None else datetime.fromtimestamp(ts_event_ms / 1000, UTC))


def bars_closed_until(world: World) -> datetime | None:
    """Bars that end at or before this instant are closed."""
    with world.database("gate_owner") as connection:
        return closed_until(job_progress(world, connection), world.settings.gate_grace)


def judge_session(world: World, session_date: date) -> Judgement:
    """Judge what is closed and unjudged now; before anything is known to be closed that is nothing."""
    until = bars_closed_until(world) or _FIRST
    with world.database("gate_owner") as connection:
        return judging.judge(read_batch(connection, session_date, until))


class JudgementIO(dg.IOManager):
    """Hands the judgement over within a run; a run that starts behind it judges anew."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[str, Judgement] = {}

    def handle_output(self, context: dg.OutputContext, obj: Judgement) -> None:
        """Keep it for the run's next step."""
        self._kept[context.run_id] = obj

    def load_input(self, context: dg.InputContext) -> Judgement:
        """The run's own judgement, else a new one."""
        kept = self._kept.pop(context.step_context.run_id, None)
        return kept or judge_session(self._world, date.fromisoformat(context.partition_key))


@dg.io_manager(required_resource_keys={"world"})
def judgement_io(context: dg.InitResourceContext) -> JudgementIO:
    """The IO manager over the run's world."""
    return JudgementIO(context.resources.world)


def gate_assets(partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetsDefinition]:
    """staging/bar_1m with the rules as checks, then market/bar_1m and quality/quarantine."""
    checks = [(rule.name, rule.meaning, rule.severity) for rule in RULES]
    checks.append((QUARANTINE_SHARE, "At most a fifth of a batch breaks a rule.", Severity.BLOCK))

    @dg.asset(
        key=_STAGED,
        deps=[STREAM_JOB],
        partitions_def=partitions,
        group_name="staging",
        kinds={"flink", "postgres", "great-expectations"},
        owners=["team:data-platform"],
        description=f"{STAGED_BAR.meaning} A run picks up the closed ones that no run has judged, and judges them.",
        metadata={"dagster/column_schema": column_schema(STAGED_BAR)},
        io_manager_key="judgement_io",
        dagster_type=_JUDGEMENT,
        check_specs=[
            dg.AssetCheckSpec(name, asset=_STAGED, description=meaning, blocking=severity is Severity.BLOCK)
            for name, meaning, severity in checks
        ],
    )
    def staging_bar_1m(context: dg.AssetExecutionContext, world: dg.ResourceParam[World]) -> dg.MaterializeResult:
        judging.warm_up()
        _wait_for_close(context, world)
        judgement = judge_session(world, date.fromisoformat(context.partition_key))
        if judgement.is_blocked:
            with world.database("gate_owner") as connection:
                now = world.clock.now()
                record_results(connection, judgement, dagster_run_id=context.run_id, now=now)
                settle_hold(connection, judgement, dagster_run_id=context.run_id, now=now)
        return dg.MaterializeResult(
            value=judgement,
            metadata={
                "dagster/row_count": judgement.bars.height,
                "closed_until": judgement.batch.closed_until.isoformat(),
                "accepted": judgement.accepted.height,
                "refused": judgement.refused.height,
            },
            check_results=[_check_result(result) for result in judgement.results],
        )

    @dg.multi_asset(
        name="promote_bars",
        specs=[
            _promoted(BAR, "Certified bars: each went through every rule; every revision is kept.", partitions),
            _promoted(QUARANTINE, "Bars that a rule keeps out of the market tables.", partitions),
        ],
        ins={"judgement": dg.AssetIn(_STAGED, input_manager_key="judgement_io")},
    )
    def promote_bars(
        context: dg.AssetExecutionContext, judgement: Judgement, world: dg.ResourceParam[World]
    ) -> Iterator[dg.MaterializeResult]:
        now = world.clock.now()
        with world.database("gate_owner") as connection:
            done = promote(connection, judgement, dagster_run_id=context.run_id, code_version=world.code_version, now=now)
            settle_hold(connection, judgement, dagster_run_id=context.run_id, now=now)
        yield dg.MaterializeResult(
            asset_key=key_of(BAR.address),
            metadata={"dagster/row_count": done.inserted + done.revised, "inserted": done.inserted, "revised": done.revised},
        )
        yield dg.MaterializeResult(asset_key=key_of(QUARANTINE.address), metadata={"dagster/row_count": done.quarantined})

    return [staging_bar_1m, promote_bars]


def _promoted(record: Any, meaning: str, partitions: dg.PartitionsDefinition[str]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key_of(record.address),
        deps=[_STAGED],
        group_name=record.address.split(".")[0],
        kinds={"postgres"},
        owners=["team:data-platform"],
        description=f"{meaning} Grain: {record.grain}.",
        metadata={"dagster/column_schema": column_schema(record)},
        partitions_def=partitions,
    )


def _wait_for_close(context: dg.AssetExecutionContext, world: World) -> None:
    """Requested ahead of the close, so that launch and imports are paid before it: now wait for the bar itself."""
    tag = context.run.tags.get(CLOSES_AT)
    if tag is None:
        return
    closes_at = datetime.fromisoformat(tag)

    def is_closed() -> bool:
        until = bars_closed_until(world)
        return until is not None and until >= closes_at

    if not wait_until(is_closed, world.clock, within=_WAIT, every=timedelta(milliseconds=500)):
        context.log.warning("bar not closed in time; judging what is closed", extra={"closes_at": tag})


def _check_result(result: RuleResult) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=result.name,
        passed=result.is_passed,
        severity=dg.AssetCheckSeverity.ERROR if result.severity is Severity.BLOCK else dg.AssetCheckSeverity.WARN,
        metadata={
            "severity": result.severity.value,
            "observed": result.observed_count,
            "failed": len(result.rows),
            "sample": result.sample or "none",
        },
    )


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
        since = datetime.fromisoformat(context.cursor) if context.cursor else _FIRST
        with world.database("gate_owner") as connection:
            pending = pending_sessions(connection, since)
            until = closed_until(job_progress(world, connection), world.settings.gate_grace)
        # A row becomes visible some time after it has landed: look back a minute further.
        oldest = min((entry.ts_landed_first for entry in pending), default=world.clock.now())
        cursor = (oldest - timedelta(minutes=1)).isoformat()
        reasons = [_hold_back(context, world, entry, until, partitions) for entry in pending]
        wanted = next((entry for entry, reason in zip(pending, reasons, strict=True) if reason is None), None)
        if wanted is None:
            return dg.SensorResult(skip_reason=" ".join(filter(None, reasons)) or "Every staged bar is judged.", cursor=cursor)
        tags = {CLOSES_AT: wanted.ts_end_first.isoformat()}
        request = dg.RunRequest(partition_key=wanted.session_date.isoformat(), tags=tags)
        return dg.SensorResult(run_requests=[request], cursor=cursor)

    return closed_bars


def _hold_back(
    context: dg.SensorEvaluationContext,
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
    running = context.instance.get_runs(dg.RunsFilter(tags={GATE: "1"}, statuses=UNDER_WAY), limit=1)
    if running:
        return f"Gate run {running[0].run_id[:8]} is under way."
    return _resting(context.instance, world, session)


def _resting(instance: dg.DagsterInstance, world: World, session: str) -> str | None:
    """A session whose newest run failed rests for a minute; other sessions go on."""
    newest = instance.get_run_records(dg.RunsFilter(tags={GATE: "1", "dagster/partition": session}), limit=1)
    if not newest or newest[0].dagster_run.status is not dg.DagsterRunStatus.FAILURE:
        return None
    ended = datetime.fromtimestamp(newest[0].end_time or 0, UTC)
    if world.clock.now() - ended >= _RETRY_AFTER:
        return None
    return f"Gate run {newest[0].dagster_run.run_id[:8]} of {session} failed; the next try comes a minute after it."
