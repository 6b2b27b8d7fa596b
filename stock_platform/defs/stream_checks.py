"""Checks of the stream job: whether its checkpoints come, and whether every late tick found its bar.

Evaluated by the supervisor's looks whenever an answer changes, and by hand in Dagster."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import dagster as dg

from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.defs.external import STREAM_JOB
from stock_platform.defs.world import World

FRESH, WHOLE = "checkpoint_fresh", "no_torn_bar"
_STALE_AFTER = timedelta(minutes=1)
"""Checkpoints come every few seconds; a restart of any server is over by then."""

_JOB = "SELECT state, greatest(ts_checkpoint, ts_started), last_error FROM ops.flink_job WHERE job_name = %s"
_TORN = "SELECT count(*), min(ts_start), max(ts_start) FROM staging.torn_bar"


def check_results(connection: Connection, now: datetime) -> list[dg.AssetCheckResult]:
    """Both answers, from what was last reported."""
    return [_freshness(connection, now), _wholeness(connection)]


def _freshness(connection: Connection, now: datetime) -> dg.AssetCheckResult:
    row = connection.execute(_JOB, (JOB,)).fetchone()
    state, since, last_error = row or ("unknown", None, None)
    is_fresh = last_error is None and since is not None and now - since <= _STALE_AFTER
    age = f"its newest checkpoint, or its start, is {(now - since).total_seconds():.0f} s ago" if since else "it has not been seen"
    return dg.AssetCheckResult(
        asset_key=STREAM_JOB,
        check_name=FRESH,
        passed=is_fresh,
        severity=dg.AssetCheckSeverity.ERROR,
        description=last_error or f"Job {JOB} is {state}; {age}.",
    )


def _wholeness(connection: Connection) -> dg.AssetCheckResult:
    count, first, last = connection.execute(_TORN).fetchone() or (0, None, None)
    torn = (
        f"{count} bars from {first} to {last} could not take late ticks. Restate their sessions (job restate_session) while Kafka "
        "or the archive has the ticks; else take note, and remove their rows from staging.torn_bar. docs/runbook.md has both."
    )
    return dg.AssetCheckResult(
        asset_key=STREAM_JOB,
        check_name=WHOLE,
        passed=count == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"torn_bars": count},
        description=torn if count else "Every late tick found its bar.",
    )


@dg.multi_asset_check(
    name="stream_job_checks",
    specs=[
        dg.AssetCheckSpec(
            FRESH, asset=STREAM_JOB, description="The job started, or completed a checkpoint, within the last minute."
        ),
        dg.AssetCheckSpec(WHOLE, asset=STREAM_JOB, description="No bar refused a version with late ticks and without early ones."),
    ],
)
def stream_job_checks(world: dg.ResourceParam[World]) -> Iterator[dg.AssetCheckResult]:
    """Look now."""
    with world.database("gate_owner") as connection:
        yield from check_results(connection, world.clock.now())


def changed_evaluations(results: list[dg.AssetCheckResult], cursor: str | None) -> tuple[list[dg.AssetCheckEvaluation], str]:
    """Answers that differ from those of the look before, and the new cursor: a look every few seconds must not fill the log."""
    before: dict[str, bool] = json.loads(cursor) if cursor else {}
    changed = [_evaluation(result) for result in results if before.get(result.check_name or "") != result.passed]
    return changed, json.dumps({result.check_name: result.passed for result in results})


def _evaluation(result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=STREAM_JOB,
        check_name=result.check_name or "",
        passed=result.passed,
        metadata=result.metadata or {},
        severity=result.severity,
        description=result.description,
    )
