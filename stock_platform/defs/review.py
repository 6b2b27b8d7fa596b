"""The quarantine desk as a job: one run carries out one person's decision on one refused bar. Not here: what it does (gate/desk).

It waits in the queue while a gate run is under way, as gate runs wait for each other: aggregates are made from one state of the
bars. The decision is one transaction; a run that fails after it has left the session's aggregates as they were."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import dagster as dg
from pydantic import Field

from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.bar import BAR, QUARANTINE
from stock_platform.contracts.bar_start import bar_start
from stock_platform.defs.aggregate import refreshed
from stock_platform.defs.certify import GATE, MAX_RUNTIME
from stock_platform.defs.row_count import row_count
from stock_platform.defs.service_level import refreshed_level
from stock_platform.defs.world import World, key_of
from stock_platform.gate import desk, judge
from stock_platform.gate.desk import Outcome, Review

JOB, _OP = "review_quarantine", "review_bar"


class BarReview(dg.Config):
    """What a person decided of one refused bar."""

    symbol: str = Field(description="As its vendor names it, e.g. AAPL.")
    ts_start: str = Field(description="Start of the bar with its zone, e.g. 2026-11-20T14:30Z.")
    decision: Literal["release", "discard"] = Field(description="release judges it again and promotes it; discard keeps it out.")
    reason: str = Field(description="For whoever reads the audit row.")
    decided_by: str = Field(description="Whose decision it is.")
    override: bool = Field(False, description="Of a release: promote it as suspect although it still breaks a rule.")


@dg.op(name=_OP, description="Release or discard one refused bar, with an audit row; a release refreshes its session's aggregates.")
def review_bar(context: dg.OpExecutionContext, config: BarReview, world: dg.ResourceParam[World]) -> None:
    """One transaction for the bar, then what is made of it."""
    if config.decision == "release":
        judge.warm_up()  # before the transaction: nobody else promotes during it
    review = Review(
        symbol=config.symbol,
        ts_start=bar_start(config.ts_start),
        reason=config.reason,
        decided_by=config.decided_by,
        dagster_run_id=context.run_id,
        code_version=world.code_version,
        ts_decided=world.clock.now(),
    )
    with world.database("gate_owner") as connection:
        outcome = _verb(config)(connection, review)
        counts = [row_count(connection, record, outcome.session_date) for record in (BAR, QUARANTINE)]
    _tell(context, review, outcome, *counts)
    if outcome.verdict is not None:
        for event in refreshed(world, context.run_id, outcome.session_date):
            context.log_event(event)
        context.log_event(refreshed_level(world, context.run_id, outcome.session_date))


@dg.job(
    name=JOB,
    tags={GATE: "1", **MAX_RUNTIME},
    description="Carry out a reviewer's decision on one bar in quarantine: release it, release it against a rule, or discard it.",
)
def review_quarantine() -> None:
    """One step."""
    review_bar()


def run_config(*, symbol: str, ts_start: datetime, decision: str, reason: str, decided_by: str, override: bool) -> dict[str, Any]:
    """What a run of the job is started with."""
    config = {
        "symbol": symbol,
        "ts_start": ts_start.isoformat(),
        "decision": decision,
        "reason": reason,
        "decided_by": decided_by,
        "override": override,
    }
    return {"ops": {_OP: {"config": config}}}


def _verb(config: BarReview) -> Callable[[Connection, Review], Outcome]:
    if config.decision == "discard":
        return desk.discard
    return desk.override if config.override else desk.release


def _tell(
    context: dg.OpExecutionContext, review: Review, outcome: Outcome, bar_count: dict[str, int], refused_count: dict[str, int]
) -> None:
    """One event per table that the decision changed, in the bar's session."""
    metadata: dict[str, Any] = {
        "symbol": review.symbol,
        "ts_start": review.ts_start.isoformat(),
        "decision": outcome.decision.value,
        "rules": outcome.rules or "none",
        "reason": review.reason,
        "decided_by": review.decided_by,
    }
    partition = outcome.session_date.isoformat()
    if outcome.verdict is not None:
        changed = outcome.promotion.inserted + outcome.promotion.revised
        written = {"rows_written": changed, "revised": outcome.promotion.revised}
        of_bar = {**metadata, "verdict": outcome.verdict, **written, **bar_count}
        context.log_event(dg.AssetMaterialization(key_of(BAR.address), partition=partition, metadata=of_bar))
    of_refused = {**metadata, **refused_count}
    context.log_event(dg.AssetMaterialization(key_of(QUARANTINE.address), partition=partition, metadata=of_refused))
