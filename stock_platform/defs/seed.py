"""History from before the platform's first day: daily bars of years, minutes of weeks, certified sessions with their aggregates.

A sensor looks for what is missing and asks for one run after the other, behind everything that is live. What is done is known by
its partitions, so a run that dies is asked for again and goes on; when nothing is missing the sensor does nothing. Not here: how a
session is certified (repair/seeding), the vendor's assets (vendor)."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from stock_platform.config import FeedKind, Settings
from stock_platform.contracts.bar import BAR
from stock_platform.contracts.runs import PRIORITY
from stock_platform.contracts.vendor import VENDOR_BAR_1D, VENDOR_BAR_1M
from stock_platform.defs.aggregate import refreshed
from stock_platform.defs.aggregate_registry import EVERY_ONE
from stock_platform.defs.priority import give_way
from stock_platform.defs.restate import POOL, restatement_metadata
from stock_platform.defs.row_count import ROW_COUNT, row_count
from stock_platform.defs.sessions import range_tags
from stock_platform.defs.world import UNDER_WAY, World, key_of
from stock_platform.errors.restatement import RestatementBlocked, SessionProtected, SessionUnknown
from stock_platform.feed.yahoo.history import MINUTES_KEPT
from stock_platform.repair.seeding import seed_session

JOB, _OP = "seed_sessions", "certify_history"
SEED = "stock_platform/seed"
"""Run tag: one at a time."""
_DAILY_PER_RUN = 180
"""Dagster writes an event for each asset and session before a run starts, beside live some twenty a second, and gives up on a run
that does not start within two minutes."""
_WEEK = timedelta(days=7)
"""The vendor gives eight days of minutes an answer: one request a symbol and run."""
_SESSIONS_PER_RUN = 5
"""So that a repair or a restatement, which wait for the same pool, need not wait long."""
_AGAIN_AFTER = timedelta(minutes=30)
_ATTEMPTS = 3
_BEHIND = {SEED: "1", PRIORITY: "-10", "dagster/max_runtime": "3600"}
DAILY_BARS, MINUTE_BARS, CERTIFIED = (key_of(record.address) for record in (VENDOR_BAR_1D, VENDOR_BAR_1M, BAR))


class History(dg.Config):
    """Sessions to certify."""

    sessions: list[str] = Field(description="Trading days, e.g. 2026-11-20; in order.")


@dataclass(frozen=True)
class Known:
    """Partitions that there are, by asset."""

    daily: Collection[str]
    minutes: Collection[str]
    certified: Collection[str]


@dataclass(frozen=True)
class Missing:
    """What one run is to bring.

    Args:
        keys: Sessions, in order.
    """

    asset: dg.AssetKey
    keys: tuple[str, ...]


def next_missing(keys: Sequence[str], known: Known, settings: Settings, *, first_day: date, today: date) -> Missing | None:
    """What is to be asked for next; None when all is there. Pure.

    Daily bars first, the newest before the others, as sessions are judged by them and aggregates look back on them; then minutes,
    the oldest before the others, as the vendor forgets those first; then sessions in order, as each looks back on those before it.

    Args:
        keys: Every session that has a partition, in order.
        first_day: The platform's first: history is what lies before.
    """
    daily = _between(keys, first_day - timedelta(days=settings.seed_daily_days), first_day)
    if missing := [key for key in daily if key not in known.daily]:
        return Missing(DAILY_BARS, tuple(missing[-_DAILY_PER_RUN:]))
    kept_since = today - MINUTES_KEPT + timedelta(days=1)
    since = max(kept_since, first_day - timedelta(days=settings.seeded_minute_days))
    weeks = _between(keys, since, first_day)
    if missing := [key for key in weeks if key not in known.minutes and key not in known.certified]:
        return Missing(
            MINUTE_BARS, tuple(_between(missing, date.fromisoformat(missing[0]), date.fromisoformat(missing[0]) + _WEEK))
        )
    if missing := [key for key in weeks if key not in known.certified]:
        return Missing(CERTIFIED, tuple(missing[:_SESSIONS_PER_RUN]))
    return None


def _between(keys: Sequence[str], since: date, until: date) -> list[str]:
    """Those of [since, until)."""
    return [key for key in keys if since.isoformat() <= key < until.isoformat()]


@dg.op(name=_OP, pool=POOL, description="Certify sessions from the vendor's staged minutes, and make their aggregates.")
def certify_history(context: dg.OpExecutionContext, config: History, world: dg.ResourceParam[World]) -> None:
    """One session after the other; its event comes last, and says that all of it is done."""
    give_way(context.run)
    refused: list[str] = []
    for day in map(date.fromisoformat, sorted(config.sessions)):
        try:
            metadata = _seeded(world, day, context.run_id)
        except (RestatementBlocked, SessionProtected) as problem:
            refused.append(str(problem))
            continue
        for event in refreshed(world, context.run_id, day, EVERY_ONE):
            context.log_event(event)
        context.log_event(dg.AssetMaterialization(CERTIFIED, partition=day.isoformat(), metadata=metadata))
    if refused:
        raise dg.Failure(description=" ".join(refused), allow_retries=False)


def _seeded(world: World, day: date, run_id: str) -> dict[str, Any]:
    try:
        done = seed_session(world.settings, world.clock, day, run_id=run_id, code_version=world.code_version)
    except SessionUnknown as unknown:
        return {ROW_COUNT: 0, "problem": str(unknown)}
    with world.database("gate_owner") as connection:
        return restatement_metadata(done) | row_count(connection, BAR, day)


@dg.job(name=JOB, tags=_BEHIND, description="Certify sessions from before the platform's first day.")
def seed_sessions() -> None:
    """One step."""
    certify_history()


def minutes_job(partitions: dg.PartitionsDefinition[str]) -> Any:
    """The vendor's minutes of some sessions."""
    return dg.define_asset_job(
        "vendor_minutes_job",
        selection=dg.AssetSelection.assets(MINUTE_BARS),
        partitions_def=partitions,
        description="1-minute bars of some sessions from the vendor, which keeps thirty days of them.",
    )


def history_sensor(daily: Any, minutes: Any, partitions: dg.PartitionsDefinition[str], feed_kind: FeedKind) -> dg.SensorDefinition:
    """Ask for what is missing, a piece at a time. Its cursor is the platform's first day; without it, it looks once more.

    Args:
        daily: Job of the vendor's daily bars; minutes: of its minutes.
    """

    @dg.sensor(
        name="history_seeded",
        jobs=[daily, minutes, seed_sessions],
        minimum_interval_seconds=15,
        default_status=dg.DefaultSensorStatus.RUNNING if feed_kind != "tape" else dg.DefaultSensorStatus.STOPPED,
        description="Requests the history that a new platform lacks: daily bars, minutes, certified sessions; once.",
    )
    def history_seeded(context: dg.SensorEvaluationContext, world: dg.ResourceParam[World]) -> dg.SensorResult:
        today = world.clock.now().date()
        first_day = date.fromisoformat(context.cursor) if context.cursor else today
        cursor = first_day.isoformat()
        if reason := _reason_to_wait(context.instance, world):
            return dg.SensorResult(skip_reason=reason, cursor=cursor)
        assets = (DAILY_BARS, MINUTE_BARS, CERTIFIED)
        known = Known(*(context.instance.get_materialized_partitions(asset) for asset in assets))
        missing = next_missing(partitions.get_partition_keys(), known, world.settings, first_day=first_day, today=today)
        if missing is None:
            return dg.SensorResult(
                skip_reason=f"The history before {first_day} is there, as far as the vendor has it.", cursor=cursor
            )
        jobs = {DAILY_BARS: daily.name, MINUTE_BARS: minutes.name, CERTIFIED: JOB}
        return dg.SensorResult(run_requests=[_request(missing, jobs[missing.asset])], cursor=cursor)

    return history_seeded


def _request(missing: Missing, job: str) -> dg.RunRequest:
    if missing.asset == CERTIFIED:
        config = {"ops": {_OP: {"config": {"sessions": list(missing.keys)}}}}
        return dg.RunRequest(job_name=job, run_config=config, tags=_BEHIND)
    return dg.RunRequest(job_name=job, tags={**_BEHIND, **range_tags(missing.keys)})


def _reason_to_wait(instance: dg.DagsterInstance, world: World) -> str | None:
    """Why no run is wanted now, for a person; None when one may be."""
    if world.settings.feed_kind == "tape":
        return "This profile plays a tape: no vendor knows its time."
    running = instance.get_runs(dg.RunsFilter(tags={SEED: "1"}, statuses=UNDER_WAY), limit=1)
    if running:
        return f"Run {running[0].run_id[:8]} is under way."
    newest = instance.get_run_records(dg.RunsFilter(tags={SEED: "1"}), limit=_ATTEMPTS)
    failed = [record for record in newest if record.dagster_run.status is not dg.DagsterRunStatus.SUCCESS]
    if not newest or newest[0] not in failed:
        return None
    run = newest[0].dagster_run
    if run.job_name == JOB and len(failed) == _ATTEMPTS:
        return f"Given up: run {run.run_id[:8]} is the third in a row to fail. Mend its cause, then start the job {JOB} by hand."
    again = datetime.fromtimestamp(newest[0].end_time or 0.0, UTC) + _AGAIN_AFTER
    return None if world.clock.now() >= again else f"Run {run.run_id[:8]} failed; the next try comes at {again:%H:%M:%S}Z."
