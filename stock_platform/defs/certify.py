"""The gate as one step: closed bars with their checks, certified bars, quarantine. Not here: who asks for its runs (closed_bars).

Judged and promoted in one go: the checks' events, which Dagster writes one by one in some seconds, come after the promotion."""

# Dagster's decorators are typed in part only, and refuse MaterializeResult with its type argument.
# pyright: reportUnknownMemberType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import dagster as dg
from pydantic import Field

from stock_platform.adapters.clock import wait_until
from stock_platform.contracts.bar import BAR, QUARANTINE, STAGED_BAR
from stock_platform.contracts.epoch import EPOCH
from stock_platform.contracts.reference import SESSION
from stock_platform.contracts.vendor import VENDOR_BAR_1M
from stock_platform.defs.data_docs import data_docs
from stock_platform.defs.external import STREAM_JOB
from stock_platform.defs.progress import closed_until_reader
from stock_platform.defs.retries import retried_if_transient, retry_policy
from stock_platform.defs.row_count import row_count
from stock_platform.defs.world import World, key_of, table_spec
from stock_platform.gate import judge as judging
from stock_platform.gate.batch import read_batch
from stock_platform.gate.data_docs import keep_page
from stock_platform.gate.hold import settle_hold
from stock_platform.gate.judge import Judgement, RuleResult
from stock_platform.gate.promote import Promotion, promote
from stock_platform.gate.rules import QUARANTINE_SHARE, QUARANTINE_SHARE_MEANING, RULES, Severity

CLOSES_AT = "stock_platform/closes_at"
"""Run tag: end of the bar that the run was requested for, ahead of its close."""
GATE = "stock_platform/gate"
"""Run tag of gate runs: one at a time."""

MAX_RUNTIME = {"dagster/max_runtime": "300"}
"""Run monitoring ends a gate run that hangs; one takes half a minute."""

JOB = "certify_bars"
_STEP = "certify"
_WAIT = timedelta(seconds=90)
_STAGED = key_of(STAGED_BAR.address)
_SESSIONS = key_of(SESSION.address)


class Certify(dg.Config):
    """What a person may say of a gate run; nothing, as a rule."""

    overruled: str = Field("", description="Why the batch is let through although a rule blocks it; refused bars are quarantined.")


def overruling(reason: str) -> dict[str, object]:
    """Run configuration of a gate run that no rule blocks."""
    return {"ops": {_STEP: {"config": Certify(overruled=reason).model_dump()}}}


def gate_assets(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """staging/bar_1m with the rules as checks, market/bar_1m and quality/quarantine."""
    checks = [(rule.name, rule.meaning, rule.severity) for rule in RULES]
    checks.append((QUARANTINE_SHARE, QUARANTINE_SHARE_MEANING, Severity.BLOCK))
    staged = "A run picks up the closed ones that no run has judged, and judges them."
    refused = "Bars that a rule keeps out of the market tables."
    certified = "Certified bars: each went through every rule; every revision is kept."

    @dg.multi_asset(
        name=_STEP,
        retry_policy=retry_policy(tries=2),
        specs=[
            table_spec(
                STAGED_BAR,
                meaning=f"{STAGED_BAR.meaning} {staged}",
                upstream=[STREAM_JOB],
                kinds={"flink", "great-expectations"},
                partitions=partitions,
            ),
            # A blocked batch touches neither: the run leaves them out.
            table_spec(
                BAR,
                meaning=certified,
                upstream=[_STAGED, _SESSIONS, key_of(VENDOR_BAR_1M.address)],  # the vendor's: what seeding and repair take over
                kinds=set(),
                partitions=partitions,
                is_skippable=True,
            ),
            table_spec(
                QUARANTINE,
                meaning=refused,
                upstream=[_STAGED, _SESSIONS],
                kinds=set(),
                partitions=partitions,
                is_skippable=True,
            ),
        ],
        check_specs=[
            dg.AssetCheckSpec(name, asset=_STAGED, description=meaning, blocking=severity is Severity.BLOCK)
            for name, meaning, severity in checks
        ],
    )
    @retried_if_transient
    def certify(
        context: dg.AssetExecutionContext, config: Certify, world: dg.ResourceParam[World]
    ) -> Iterator[dg.MaterializeResult]:
        judging.warm_up()
        until = _closed_until(context, world)
        session_date = date.fromisoformat(context.partition_key)
        judgement, done = _judge_and_promote(
            world, session_date, until, run_id=context.run.run_id, overruled=config.overruled.strip() or None
        )
        yield _seen(judgement, docs=data_docs(world, context.run.run_id, judgement))
        if not judgement.is_blocked:
            yield from _promoted(world, session_date, done)
        # Last: nobody waits for it, and what Dagster has been told stays told.
        with world.database("gate_owner") as connection:
            facts = {"dagster_run_id": context.run.run_id, "code_version": world.code_version}
            keep_page(connection, judgement, **facts, now=world.clock.now())

    return certify


def _closed_until(context: dg.AssetExecutionContext, world: World) -> datetime:
    """Requested ahead of the close, so that launch and imports are paid before it: now wait for the bar itself.

    Before anything is known to be closed nothing is."""
    tag = context.run.tags.get(CLOSES_AT)
    closes_at, until = datetime.fromisoformat(tag) if tag else EPOCH, EPOCH
    with closed_until_reader(world) as read:

        def is_closed() -> bool:
            nonlocal until
            until = read() or EPOCH
            return until >= closes_at

        if not wait_until(is_closed, world.clock, within=_WAIT):
            context.log.warning("bar not closed in time; judging what is closed", extra={"closes_at": tag})
    return until


def _judge_and_promote(
    world: World, session_date: date, until: datetime, *, run_id: str, overruled: str | None
) -> tuple[Judgement, Promotion]:
    """A blocked batch leaves its results, an alert, and everything else as it was.

    A restatement that is promoted in between makes the judgement outdated: then once more."""
    while True:
        with world.database("gate_owner") as connection:
            judgement = replace(judging.judge(read_batch(connection, session_date, until)), overruled=overruled)
            now = world.clock.now()
            done = promote(connection, judgement, dagster_run_id=run_id, code_version=world.code_version, now=now)
            if not done.is_outdated:
                settle_hold(connection, judgement, dagster_run_id=run_id, now=now)
                return judgement, done


def _promoted(world: World, session_date: date, done: Promotion) -> Iterator[dg.MaterializeResult]:
    """The tables are counted when the bars are out: at the end of a day of 126 symbols that takes 15 ms."""
    with world.database("gate_owner") as connection:
        bars, refused = (row_count(connection, record, session_date) for record in (BAR, QUARANTINE))
    changed = {"rows_written": done.inserted + done.revised, "inserted": done.inserted, "revised": done.revised}
    yield dg.MaterializeResult(asset_key=key_of(BAR.address), metadata={**bars, **changed})
    yield dg.MaterializeResult(asset_key=key_of(QUARANTINE.address), metadata={**refused, "rows_written": done.quarantined})


def _seen(judgement: Judgement, *, docs: Mapping[str, dg.UrlMetadataValue]) -> dg.MaterializeResult:
    return dg.MaterializeResult(
        asset_key=_STAGED,
        metadata={
            "judged": judgement.bars.height,
            "closed_until": judgement.batch.closed_until.isoformat(),
            "accepted": judgement.accepted.height,
            "refused": judgement.refused.height,
            **docs,
        },
        check_results=[_check_result(result, overruled=judgement.overruled, docs=docs) for result in judgement.results],
    )


def _check_result(result: RuleResult, *, overruled: str | None, docs: Mapping[str, dg.UrlMetadataValue]) -> dg.AssetCheckResult:
    is_blocking = result.severity is Severity.BLOCK and overruled is None
    return dg.AssetCheckResult(
        check_name=result.name,
        passed=result.is_passed,
        severity=dg.AssetCheckSeverity.ERROR if is_blocking else dg.AssetCheckSeverity.WARN,
        metadata={
            "severity": result.severity.value,
            "observed": result.observed_count,
            "failed": len(result.rows),
            "sample": result.sample or "none",
            **({"overruled": overruled} if overruled else {}),
            **docs,
        },
    )
