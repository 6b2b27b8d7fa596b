"""The gap ledger as an asset: behind each gate run one look at the session's missing minutes.

Not here: how they are classified (repair/look, market/gaps), who repairs them (defs/gap_repair)."""

# Dagster's decorators are typed in part only, and refuse MaterializeResult with its type argument.
# pyright: reportUnknownMemberType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import dagster as dg

from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.bar import BAR, QUARANTINE
from stock_platform.contracts.gap import GAP, GapClass, GapState
from stock_platform.contracts.reference import FEED_GAP, SESSION
from stock_platform.defs.external import TICKS
from stock_platform.defs.retries import retried_if_transient, retry_policy
from stock_platform.defs.row_count import ROW_COUNT, tell_each
from stock_platform.defs.world import World, column_schema, key_of
from stock_platform.market.gaps.facts import read_until
from stock_platform.market.gaps.rows import Row
from stock_platform.repair.look import Found, look_at

GAPS = key_of(GAP.address)
NO_PIPELINE_GAP = "no_open_pipeline_gap"
_SHOWN_COUNT = 20
_FIRST_RUNS = 5
"""So many first runs of a session look at the one before, too: its last minutes may have closed while none of its bars came."""
_BEFORE = """
SELECT max(earlier.session_date)
FROM quality.gate_run AS earlier
WHERE
    earlier.session_date < %(session_date)s
    AND (SELECT count(*) FROM quality.gate_run AS run WHERE run.session_date = %(session_date)s) <= %(first_runs)s
"""


def gap_asset(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """quality/gap."""

    @dg.asset(
        key=GAPS,
        # Not staging/bar_1m, which it reads too: its blocking checks would each be waited for a second time.
        deps=[TICKS, *(key_of(record.address) for record in (BAR, QUARANTINE, SESSION, FEED_GAP))],
        partitions_def=partitions,
        group_name="quality",
        kinds={"kafka", "postgres"},
        description=f"{GAP.meaning} Grain: {GAP.grain}.",
        metadata={"dagster/column_schema": column_schema(GAP)},
        retry_policy=retry_policy(),
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=[
            dg.AssetCheckSpec(
                NO_PIPELINE_GAP, asset=GAPS, description="No minute whose ticks are in Kafka is without a bar and unrepaired."
            )
        ],
    )
    @retried_if_transient
    def quality_gap(context: dg.AssetExecutionContext, world: dg.ResourceParam[World]) -> dg.MaterializeResult:
        days = sorted(map(date.fromisoformat, context.partition_keys))
        found = {day: _looked(world, day, context.run_id) for day in days}
        tell_each(context, GAPS, {day: gap_metadata(each) for day, each in found.items()})
        return dg.MaterializeResult(check_results=[gap_check(list(found.values()))])

    return quality_gap


def _looked(world: World, session_date: date, run_id: str) -> Found:
    """What the session's look found: a transaction of its own, as gate runs wait for the ledger."""
    with world.database("gate_owner") as connection:
        *_, found = [_look(connection, world, day, run_id) for day in sessions_to_look_at(connection, session_date)]
    return found


def sessions_to_look_at(connection: Connection, session_date: date) -> list[date]:
    """The run's session, and before it the one whose end its first runs see."""
    before = connection.execute(_BEFORE, {"session_date": session_date, "first_runs": _FIRST_RUNS}).fetchone()
    return [before[0], session_date] if before and before[0] else [session_date]


def _look(connection: Connection, world: World, session_date: date, run_id: str) -> Found:
    until = read_until(connection, session_date)
    if until is None:
        return Found((), 0, 0)
    return look_at(connection, world.settings.kafka_bootstrap, session_date, until, run_id=run_id, now=world.clock.now())


def gap_metadata(found: Found) -> dict[str, Any]:
    """What a person wants to know of a look."""
    missing = [row for row in found.rows if row.state is not GapState.REPAIRED]
    minutes = Counter[GapClass]()
    for row in missing:
        minutes[row.gap_class] += row.minute_count
    return {
        ROW_COUNT: len(found.rows),
        "expected_minutes": found.expected_count,
        "missing_minutes": minutes.total(),
        **{f"{each.value}_minutes": minutes[each] for each in GapClass},
        "open": found.count(GapState.OPEN),
        "repaired": found.count(GapState.REPAIRED),
        "unrepairable": found.count(GapState.UNREPAIRABLE),
        "changed": found.changed_count,
        "newest": dg.MetadataValue.md(_table(sorted(found.rows, key=_newest_first, reverse=True)[:_SHOWN_COUNT])),
    }


def _newest_first(row: Row) -> tuple[datetime, str]:
    return row.ts_start, row.symbol


def _table(rows: Sequence[Row]) -> str:
    if not rows:
        return "No minute is missing."
    lines = [
        f"| {row.symbol} | {row.ts_start:%Y-%m-%d %H:%M}Z | {row.minute_count} | {row.gap_class} | {row.state} | {row.evidence} |"
        for row in rows
    ]
    return "\n".join(["| symbol | from | minutes | class | state | evidence |", "|---|---|---|---|---|---|", *lines])


def gap_check(looks: Sequence[Found]) -> dg.AssetCheckResult:
    """Whether nothing waits whose ticks Kafka has, in any session of the run."""
    missing = (row for found in looks for row in found.rows)
    rows = [row for row in missing if row.gap_class is GapClass.PIPELINE_GAP and row.state is GapState.OPEN]
    return dg.AssetCheckResult(
        check_name=NO_PIPELINE_GAP,
        passed=not rows,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"failed": len(rows), "sample": "; ".join(f"{row.symbol} {row.ts_start:%H:%M}Z" for row in rows[:3]) or "none"},
    )
