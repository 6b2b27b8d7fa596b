"""Service levels as assets: behind the gap look of each gate run, and of whatever changes a session's certified bars later.

Cost of a gate run: some queries of one session and a bounded sample of the newest quotes; the promotion is over by then. Not here:
what is counted (market/service_level), what is measured (market/latency)."""

# Dagster's decorators are typed in part only, and refuse MaterializeResult with its type argument.
# pyright: reportUnknownMemberType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, LiteralString

import dagster as dg

from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.bar import BAR
from stock_platform.contracts.slo import LATENCY_MINUTE, LATENCY_P50_S, LATENCY_P99_S, OBJECTIVE, SLO_SESSION, Hop
from stock_platform.defs.certify import GATE
from stock_platform.defs.external import QUOTES
from stock_platform.defs.gaps import GAPS, sessions_to_look_at
from stock_platform.defs.priority import LAST_STEP
from stock_platform.defs.retries import retried_if_transient, retry_policy
from stock_platform.defs.row_count import ROW_COUNT, tell_each
from stock_platform.defs.world import World, key_of, table_spec
from stock_platform.errors import BrokerUnreachable, TopicMissing
from stock_platform.market.gaps.facts import read_until
from stock_platform.market.latency import Latency, latencies
from stock_platform.market.latency_facts import (
    all_minutes,
    keep_latencies,
    new_minutes,
    read_bars,
    sampled,
    with_flink,
)
from stock_platform.market.service_level import (
    Latencies,
    Level,
    keep_levels,
    kept_latencies,
    latencies_due,
    read_latencies,
    read_levels,
)

LEVELS, LATENCIES = key_of(SLO_SESSION.address), key_of(LATENCY_MINUTE.address)
_BARS = key_of(BAR.address)
SLO_MET, LATENCY_WITHIN = "slo_met", "latency_within"

_BUDGET = """
SELECT budget_left_ratio, burn_rate, spent_30_minute_count, budget_30_minutes, session_30_count
FROM ops.error_budget
WHERE calendar = 'ALL' AND session_date = %s
"""
_OF_SESSION = """
    ts_minute >= (SELECT min(ts_open) FROM reference.session WHERE session_date = %(session_date)s)
    AND ts_minute < (SELECT max(ts_close) FROM reference.session WHERE session_date = %(session_date)s)
"""
# The slowest in a hundred are left out, one at least: of few minutes that is often the first, in which everything starts.
_LATENCY: LiteralString = f"""
SELECT
    percentile_disc(0.5) WITHIN GROUP (ORDER BY p50_ms),
    (array_agg(p99_ms ORDER BY p99_ms DESC))[1 + greatest(1, count(*) / 100)],
    count(*)
FROM ops.latency_minute
WHERE
    hop = %(hop)s
    AND {_OF_SESSION}
"""
_LATENCY_COUNT: LiteralString = f"SELECT count(*) FROM ops.latency_minute WHERE {_OF_SESSION}"


def service_level_assets(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """ops/slo_session and ops/latency_minute, one step."""

    @dg.multi_asset(
        name="service_level",
        op_tags=LAST_STEP,
        retry_policy=retry_policy(),
        backfill_policy=dg.BackfillPolicy.single_run(),
        specs=[
            table_spec(SLO_SESSION, upstream=[GAPS, _BARS], kinds=set(), partitions=partitions),
            # Of a replay nothing is measured.
            table_spec(LATENCY_MINUTE, upstream=[GAPS, QUOTES, _BARS], kinds={"kafka"}, partitions=partitions, is_skippable=True),
        ],
        check_specs=[
            dg.AssetCheckSpec(
                SLO_MET,
                asset=LEVELS,
                description=f"Of 30 sessions' error budget (objective {OBJECTIVE:.1%} of counted minutes good) some is left.",
            ),
            dg.AssetCheckSpec(
                LATENCY_WITHIN,
                asset=LATENCIES,
                description=f"From a bar's end to its certificate it takes at most {LATENCY_P50_S:g} s in half of the session's "
                f"minutes, and {LATENCY_P99_S:g} s in 99 of 100; of fewer one may take longer.",
            ),
        ],
    )
    @retried_if_transient
    def service_level(
        context: dg.AssetExecutionContext, world: dg.ResourceParam[World]
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        days = sorted(map(date.fromisoformat, context.partition_keys))
        facts: dict[str, Any] = {"run_id": context.run.run_id, "is_gate": GATE in context.run.tags}
        tell_each(context, LEVELS, {day: level_metadata(_levels(world, day, **facts)) for day in days})
        yield dg.MaterializeResult(asset_key=LEVELS, check_results=[_checked(world, slo_met, days[-1])])
        if world.settings.is_replay:
            yield _result(LATENCY_WITHIN, LATENCIES, "A replay has no latency: nothing is measured.", is_passed=True)
            return
        tell_each(context, LATENCIES, {day: _latency(world, day, **facts) for day in days})
        yield dg.MaterializeResult(asset_key=LATENCIES, check_results=[_checked(world, latency_within, days[-1])])

    return service_level


def _levels(world: World, session_date: date, *, run_id: str, is_gate: bool) -> list[Level]:
    with world.database("gate_owner") as connection:
        days = sessions_to_look_at(connection, session_date)
        *_, rows = [_level(connection, world, day, run_id, is_gate=is_gate) for day in days]
    return rows


def _latency(world: World, session_date: date, *, run_id: str, is_gate: bool) -> dict[str, Any]:
    with world.database("gate_owner") as connection:
        measured = _measure(connection, world, session_date, run_id, is_gate=is_gate)
        return latency_metadata(measured) | _latency_count(connection, session_date)


def _latency_count(connection: Connection, session_date: date) -> dict[str, int]:
    """Rows of the minutes from the session's first open to its last close."""
    row = connection.execute(_LATENCY_COUNT, {"session_date": session_date}).fetchone()
    return {ROW_COUNT: row[0] if row else 0}


def _checked(world: World, check: Callable[[Connection, date], dg.AssetCheckResult], session_date: date) -> dg.AssetCheckResult:
    """Of several sessions the last is judged: what stands now."""
    with world.database("gate_owner") as connection:
        return check(connection, session_date)


def refreshed_level(world: World, run_id: str, session_date: date) -> dg.AssetMaterialization:
    """Bring a session's level up to date from within another run: its certified bars or gaps have changed."""
    with world.database("gate_owner") as connection:
        rows = _level(connection, world, session_date, run_id, is_gate=False)
    return dg.AssetMaterialization(LEVELS, partition=session_date.isoformat(), metadata=level_metadata(rows))


def _level(connection: Connection, world: World, session_date: date, run_id: str, *, is_gate: bool) -> list[Level]:
    until = read_until(connection, session_date)
    if until is None:
        return []
    latencies_s = _latencies(connection, world, session_date, until, is_gate=is_gate)
    rows = read_levels(connection, session_date, until, latencies_s)
    keep_levels(connection, session_date, rows, run_id=run_id, now=world.clock.now())
    return rows


def _latencies(connection: Connection, world: World, session_date: date, until: datetime, *, is_gate: bool) -> Latencies:
    """Event times of a replay are of the past or faster than life: nothing of it is late."""
    if world.settings.is_replay:
        return {}
    if is_gate and not latencies_due(connection, session_date, until):
        return kept_latencies(connection, session_date)
    return read_latencies(connection, session_date)


def _measure(connection: Connection, world: World, session_date: date, run_id: str, *, is_gate: bool) -> list[Latency]:
    """A gate run measures what it has certified, quotes too; another run what Postgres knows of the whole session."""
    bars = read_bars(connection, session_date, (new_minutes if is_gate else all_minutes)(connection, session_date))
    ticks = []
    if is_gate:
        try:
            ticks = sampled(world.settings.kafka_bootstrap, bars)
        except (BrokerUnreachable, TopicMissing) as error:
            dg.get_dagster_logger().warning("no quotes to measure ticks by", extra={"reason": str(error)})
    rows = latencies(with_flink(bars, ticks), ticks)
    keep_latencies(connection, rows, run_id=run_id, now=world.clock.now())
    return rows


def level_metadata(rows: Sequence[Level]) -> dict[str, Any]:
    """What a person wants to know of a session."""
    good, excused = sum(row.good_minute_count for row in rows), sum(row.excused_minute_count for row in rows)
    counted = sum(row.session_minute_count for row in rows) - excused
    worst = sorted((row for row in rows if row.good_ratio is not None), key=lambda row: (row.good_ratio or 0, row.symbol))[:5]
    return {
        ROW_COUNT: len(rows),
        "counted_minutes": counted,
        "good_minutes": good,
        "excused_minutes": excused,
        "spent_minutes": counted - good,
        "good_ratio": good / counted if counted else 1.0,
        "worst": ", ".join(f"{row.symbol} {row.good_ratio:.4f}" for row in worst) or "none",
    }


def latency_metadata(rows: Iterable[Latency]) -> dict[str, Any]:
    """The newest minute's hops, and how many rows were written."""
    found = list(rows)
    newest = max((row.ts_minute for row in found), default=None)
    hops = {row.hop: row for row in found if row.ts_minute == newest}
    return {
        "rows_written": len(found),
        "minute": str(newest or "none"),
        **{f"{hop}_p50_ms": row.p50_ms for hop, row in hops.items()},
        **{f"{hop}_p99_ms": row.p99_ms for hop, row in hops.items()},
    }


def slo_met(connection: Connection, session_date: date) -> dg.AssetCheckResult:
    """Whether the window that ends with the session leaves some of its error budget."""
    row = connection.execute(_BUDGET, (session_date,)).fetchone()
    left = row[0] if row else None
    if row is None or left is None:
        return _result(SLO_MET, LEVELS, "No minute of the session counts yet.", is_passed=True)
    _, burn, spent, budget, sessions = row
    said = (
        f"{left:.0%} of the error budget is left: of {budget:.1f} min in {sessions} sessions {spent} are spent. "
        f"This session burns at {burn or 0:.1f} times what it earns."
    )
    return _result(SLO_MET, LEVELS, said, is_passed=left >= 0, budget_left_ratio=left, burn_rate=burn or 0.0)


def latency_within(connection: Connection, session_date: date) -> dg.AssetCheckResult:
    """Whether the session's minutes were certified in time: median of their p50, p99 without the slowest in a hundred."""
    facts = {"hop": Hop.EVENT_TO_CERTIFIED.value, "session_date": session_date}
    row = connection.execute(_LATENCY, facts).fetchone()
    if row is None or row[1] is None:
        return _result(LATENCY_WITHIN, LATENCIES, "Too few minutes of the session came live to judge them.", is_passed=True)
    p50_s, p99_s, minutes = row[0] / 1000, row[1] / 1000, row[2]
    said = (
        f"Bars of {minutes} minutes were certified {p50_s:.1f} s after their end (p50, at most {LATENCY_P50_S:g} s) and "
        f"{p99_s:.1f} s (p99, at most {LATENCY_P99_S:g} s)."
    )
    is_passed = p50_s <= LATENCY_P50_S and p99_s <= LATENCY_P99_S
    return _result(LATENCY_WITHIN, LATENCIES, said, is_passed=is_passed, p50_s=p50_s, p99_s=p99_s)


def _result(name: str, key: dg.AssetKey, said: str, *, is_passed: bool, **figures: float) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=name,
        passed=is_passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=said,
        metadata=dict(figures),
    )
