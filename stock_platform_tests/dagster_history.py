"""Days of Dagster's records, written by its own API and copied by SQL, for what forgets them and what measures that.

A day passes by moving every stored time back by one."""

import logging
import time
from typing import LiteralString

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.events import EngineEventData, StepMaterializationData
from dagster._core.scheduler.instigation import TickData, TickStatus

from stock_platform.adapters.postgres import Connection

BAR, CHECK = dg.AssetKey(["market", "bar_1m"]), "sane"
TICKS = dg.AssetKey(["kafka", "market", "ticks", "v1"])
MESSAGES = 4
_A_DAY_LATER: tuple[LiteralString, ...] = (
    "UPDATE runs SET start_time = start_time - 86400, end_time = end_time - 86400, "
    "create_timestamp = create_timestamp - interval '1 day', update_timestamp = update_timestamp - interval '1 day'",
    "UPDATE event_logs SET timestamp = timestamp - interval '1 day'",
    "UPDATE asset_check_executions SET create_timestamp = create_timestamp - interval '1 day'",
    "UPDATE job_ticks SET timestamp = timestamp - interval '1 day'",
)


@dg.job(name="certify_bars")
def certify_bars() -> None:
    """Stands for the gate's job."""


@dg.job(name="feed_line")
def feed_line() -> None:
    """Stands for a feed line's job."""


def event(kind: str, data: object = None, *, job: str) -> dg.DagsterEvent:
    return dg.DagsterEvent(event_type_value=kind, job_name=job, event_specific_data=data, message="x")  # type: ignore[arg-type]


def run(
    instance: dg.DagsterInstance, job: dg.JobDefinition, session: str, *, is_ended: bool = True, messages: int = MESSAGES
) -> str:
    """A run that says a lot, makes a session's partition and checks it."""
    made = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    for _ in range(messages):
        instance.report_engine_event("a long message " * 150, made)
    data = StepMaterializationData(dg.AssetMaterialization(BAR, partition=session))
    instance.report_dagster_event(event("ASSET_MATERIALIZATION", data, job=job.name), made.run_id)
    check = dg.AssetCheckEvaluation(asset_key=BAR, check_name=CHECK, passed=True, metadata={"said": "much " * 100})
    instance.report_dagster_event(event("ASSET_CHECK_EVALUATION", check, job=job.name), made.run_id)
    if is_ended:
        instance.report_dagster_event(event("PIPELINE_SUCCESS", job=job.name), made.run_id)
    return made.run_id


def line_run(instance: dg.DagsterInstance) -> str:
    """A feed line's run that has started, in process 4711."""
    made = instance.create_run_for_job(feed_line, status=dg.DagsterRunStatus.STARTED)
    instance.report_dagster_event(event("PIPELINE_START", job=feed_line.name), made.run_id)
    instance.report_engine_event("Started process for run.", made, EngineEventData({"pid": dg.MetadataValue.text("4711")}))
    instance.report_dagster_event(event("STEP_START", job=feed_line.name), made.run_id)
    return made.run_id


def beat(instance: dg.DagsterInstance, run_id: str, *, said: str) -> None:
    """What a feed line's run says: a message, and that there are ticks."""
    message = dg.EventLogEntry(
        error_info=None, level=logging.WARNING, user_message=said, run_id=run_id, timestamp=time.time(), job_name=feed_line.name
    )
    instance.handle_new_event(message)
    data = StepMaterializationData(dg.AssetMaterialization(TICKS, tags={"dagster/data_version": "1"}))
    instance.report_dagster_event(event("ASSET_MATERIALIZATION", data, job=feed_line.name), run_id)


def tick(instance: dg.DagsterInstance) -> None:
    data = TickData(
        instigator_origin_id="sensor",
        instigator_name="sensor",
        instigator_type=InstigatorType.SENSOR,
        status=TickStatus.SKIPPED,
        timestamp=time.time(),
        selector_id="sensor",
        skip_reason="nothing to do",
    )
    instance.create_tick(data)


def a_day_passes(storage: Connection) -> None:
    for statement in _A_DAY_LATER:
        storage.execute(statement)


# Copies of what Dagster has written of one run and one tick: a day's worth of them in a moment.
_COPIES: tuple[LiteralString, ...] = (
    "CREATE TEMPORARY TABLE copy AS SELECT gen_random_uuid()::text AS id FROM generate_series(2, %(runs)s)",
    "INSERT INTO runs (run_id, snapshot_id, pipeline_name, status, run_body, partition, create_timestamp, update_timestamp, "
    "start_time, end_time) SELECT copy.id, snapshot_id, pipeline_name, status, replace(run_body, run_id, copy.id), partition, "
    "create_timestamp, update_timestamp, start_time, end_time FROM runs CROSS JOIN copy WHERE run_id = %(run)s",
    "INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition) "
    "SELECT copy.id, replace(event, run_id, copy.id), dagster_event_type, timestamp, step_key, asset_key, partition "
    "FROM event_logs CROSS JOIN copy WHERE run_id = %(run)s",
    "INSERT INTO asset_check_executions (asset_key, check_name, run_id, execution_status, evaluation_event, "
    "evaluation_event_timestamp, evaluation_event_storage_id, create_timestamp) SELECT asset_key, check_name, copy.id, "
    "execution_status, evaluation_event, evaluation_event_timestamp, evaluation_event_storage_id, create_timestamp "
    "FROM asset_check_executions CROSS JOIN copy WHERE run_id = %(run)s",
    "INSERT INTO job_ticks (job_origin_id, selector_id, status, type, timestamp, tick_body) "
    "SELECT job_origin_id, selector_id, status, type, timestamp, tick_body FROM "
    "(SELECT * FROM job_ticks ORDER BY id DESC LIMIT 1) AS newest CROSS JOIN copy",
    "DROP TABLE copy",
)


def a_days_runs(instance: dg.DagsterInstance, storage: Connection, session: str, *, runs: int, messages: int = MESSAGES) -> None:
    """A day of gate runs and looks, its partition checked."""
    made = run(instance, certify_bars, session, messages=messages)
    tick(instance)
    for statement in _COPIES:
        storage.execute(statement, {"run": made, "runs": runs} if "%(" in statement else None)
