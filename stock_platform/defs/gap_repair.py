"""Repairs of the gap ledger: a job that repairs one outage, and the sensor that asks for it.

Not here: how it is repaired (repair/outage), how gaps are found (defs/gaps)."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
from pydantic import Field

from stock_platform.adapters.clock import wait_until
from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.bar_start import bar_start
from stock_platform.contracts.epoch import EPOCH
from stock_platform.contracts.gap import GapClass, GapState
from stock_platform.defs.gaps import GAPS
from stock_platform.defs.progress import bars_closed_until, closed_until_reader
from stock_platform.defs.restate import POOL, followed_up, restatement_metadata
from stock_platform.defs.retries import retried_if_transient, retry_policy
from stock_platform.defs.service_level import refreshed_level
from stock_platform.defs.world import UNDER_WAY, World
from stock_platform.feed.yahoo.bars import GRACE
from stock_platform.market.gaps.ledger import Closing, close_rows, read_open
from stock_platform.market.gaps.outages import Outage, outages
from stock_platform.repair.outage import ATTEMPTS, Repair, Repairer, repair, stretches_of

JOB, _OP = "repair_gap", "repair_outage"
OUTAGE = "stock_platform/outage"
"""Run tag: which outage it repairs."""
_CLOSED_WITHIN = timedelta(seconds=90)
_PAUSE = timedelta(minutes=3)
"""After a run that did not close it, doubled by each further one."""


class RepairedGap(dg.Config):
    """Which rows of quality.gap are repaired: of one session and class."""

    session_date: str = Field(description="Trading day, e.g. 2026-11-20.")
    gaps: list[str] = Field(description="SYMBOL and first missing minute of each row, e.g. AAPL 2026-11-20T14:30:00+00:00.")


@dg.op(
    name=_OP,
    pool=POOL,
    retry_policy=retry_policy(first_after_s=20, tries=2),
    description="Take missing bars from the vendor's history, or make them of Kafka's ticks.",
)
@retried_if_transient
def repair_outage(context: dg.OpExecutionContext, config: RepairedGap, world: dg.ResourceParam[World]) -> None:
    """One outage, then what is made of its bars."""
    session_date = date.fromisoformat(config.session_date)
    keys = [_key(each) for each in config.gaps]
    _wait_for_close(world, session_date, keys)
    by = Repairer(world.settings, world.clock, bars_closed_until(world), context.run_id, world.code_version)
    done = repair(by, session_date, keys)
    if done.promoted is not None:
        for event in followed_up(world, context.run_id, session_date, restatement_metadata(done.promoted)):
            context.log_event(event)
    else:  # what the look found is a reason, not a bar
        context.log_event(refreshed_level(world, context.run_id, session_date))
    context.log_event(dg.AssetMaterialization(GAPS, partition=config.session_date, metadata=_metadata(done)))


@dg.job(
    name=JOB,
    tags={"dagster/max_runtime": "3600"},
    description="Repair the gaps of one outage: from the vendor's history, or from the ticks that Kafka has.",
)
def repair_gap() -> None:
    """One step."""
    repair_outage()


def _wait_for_close(world: World, session_date: date, keys: Sequence[tuple[str, datetime]]) -> None:
    """The stream may lag behind the clock: what is still open is left to it, and the outage's last minute would stay half heard."""
    with world.database("gate_owner") as connection:
        rows = [row for row in read_open(connection) if (row.symbol, row.ts_start) in keys]
        touched = stretches_of(connection, session_date, rows) if rows else []

    if not touched:
        return
    last = max(each.ts_until for each in touched)
    with closed_until_reader(world) as read:
        wait_until(lambda: (read() or EPOCH) >= last, world.clock, within=_CLOSED_WITHIN, every=timedelta(seconds=1))


def _key(text: str) -> tuple[str, datetime]:
    symbol, _, start = text.rpartition(" ")
    return symbol, bar_start(start)


def _metadata(done: Repair) -> dict[str, Any]:
    return {
        "rows": len(done.rows),
        "rows_left": len(done.rows_left),
        "symbols": " ".join(sorted({row.symbol for row in done.rows})),
        "bars": len(done.promoted.outcome.difference.changes) if done.promoted else 0,
        "problem": done.problem or "none",
    }


@dg.sensor(
    name="gap_repair",
    job=repair_gap,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for one run an outage, once the vendor's history can have it; three tries, one at a time.",
)
def gap_repair(context: dg.SensorEvaluationContext, world: dg.ResourceParam[World]) -> dg.SensorResult:
    """Look at the open gaps that can be repaired."""
    with world.database("gate_owner") as connection:
        found = [(outage, _due(world, connection, outage)) for outage in outages(read_open(connection))]
    running = context.instance.get_runs(dg.RunsFilter(job_name=JOB, statuses=UNDER_WAY), limit=1)
    if running:
        return dg.SensorResult(skip_reason=f"Repair run {running[0].run_id[:8]} is under way.")
    reasons: list[str] = []
    events: list[dg.AssetObservation] = []
    for outage, due in found:
        records = context.instance.get_run_records(dg.RunsFilter(tags={OUTAGE: outage.name}), limit=ATTEMPTS)
        if len(records) >= ATTEMPTS:
            events.append(_given_up(world, outage, records[0].dagster_run.run_id))
            reasons.append(str(events[-1].description))
            continue
        reason = _reason_to_wait(outage, records, due=due, now=world.clock.now())
        if reason is None:
            return dg.SensorResult(run_requests=[_request(outage, len(records) + 1)], asset_events=events)
        reasons.append(reason)
    return dg.SensorResult(skip_reason=" ".join(reasons) or "No gap that can be repaired is open.", asset_events=events)


def _request(outage: Outage, attempt: int) -> dg.RunRequest:
    keys = [f"{row.symbol} {row.ts_start.isoformat()}" for row in outage.rows]
    config = {"session_date": outage.session_date.isoformat(), "gaps": keys}
    return dg.RunRequest(
        run_key=f"{outage.name} {attempt}", run_config={"ops": {_OP: {"config": config}}}, tags={OUTAGE: outage.name}
    )


def _due(world: World, connection: Connection, outage: Outage) -> datetime:
    """Some time after all of it is known, and when the vendor's bars of its partly heard last minutes are final, too."""
    after = world.settings.gap_repair_after
    if outage.gap_class is not GapClass.FEED_GAP:
        return outage.ts_known + after
    touched = stretches_of(connection, outage.session_date, outage.rows)
    last = max((each.ts_until for each in touched), default=outage.ts_end)
    return max(outage.ts_known + after, last + max(after, GRACE))


def _given_up(world: World, outage: Outage, last_run_id: str) -> dg.AssetObservation:
    """Close the outage's rows, so that no later look finds them open; what Dagster keeps of it, once."""
    reason = f"{ATTEMPTS} repair runs have ended without closing it, the last one {last_run_id}"
    with world.database("gate_owner") as connection:
        closing = Closing(GapState.UNREPAIRABLE, reason, last_run_id)
        close_rows(connection, outage.rows, closing, now=world.clock.now())
    return dg.AssetObservation(
        GAPS,
        partition=outage.session_date.isoformat(),
        description=f"{outage}: given up, {reason}.",
        metadata={
            "symbols": " ".join(outage.symbols),
            "rows": len(outage.rows),
            "last_run": last_run_id,
            "next_step": f"When the cause is gone: stock-platform restate --session {outage.session_date}",
        },
    )


def _reason_to_wait(outage: Outage, records: Sequence[dg.RunRecord], *, due: datetime, now: datetime) -> str | None:
    """Why no run is wanted now, for a person; None when one is. Pure."""
    if not records:
        return None if now >= due else f"{outage}: repaired from {due:%H:%M:%S}Z on, when the vendor's history can have it."
    last = records[0].dagster_run.run_id
    ended = datetime.fromtimestamp(records[0].end_time or 0.0, UTC)
    again = ended + _PAUSE * 2 ** (len(records) - 1)
    return None if now >= again else f"{outage}: run {last[:8]} did not close it; the next try comes at {again:%H:%M:%S}Z."
