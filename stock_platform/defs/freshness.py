"""Freshness: a policy of Dagster's for what is made daily whatever the market does; for the rest a check that knows the session.

Dagster's policies know windows and cron lines, no exchange's calendar, and take a backfill of an old session for news. So what is
made of a session has the check `fresh_in_session`: it asks for the newest session that has opened; a closed market, a weekend or a
holiday is not stale. Certified bars are also held to each calendar that is open (open_markets). A sensor looks every half minute
and writes only answers that have changed."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.bar import BAR
from stock_platform.contracts.reference import INSTRUMENT, SESSION
from stock_platform.contracts.vendor import CORPORATE_ACTION, VENDOR_BAR_1D, VENDOR_INSTRUMENT
from stock_platform.defs.aggregate_registry import EVERY_RUN
from stock_platform.defs.gaps import GAPS
from stock_platform.defs.open_markets import LIMIT, Hours, read_open_markets, told_of_stale
from stock_platform.defs.service_level import LEVELS
from stock_platform.defs.world import World, key_of

DAILY_POLICY = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=26))
"""A schedule makes it every day of the year; two hours for a slow vendor and its retries."""
DAILY = frozenset(key_of(each.address) for each in (INSTRUMENT, SESSION, VENDOR_BAR_1D, CORPORATE_ACTION, VENDOR_INSTRUMENT))
_BARS = key_of(BAR.address)
OF_SESSION = (_BARS, GAPS, LEVELS, *(aggregate.key for aggregate in EVERY_RUN))
FRESH = "fresh_in_session"
SYMBOLS = "symbols"
"""Metadata of an event that is of some symbols only: it says nothing of the others."""
_LOOKED_BACK = 100

_HOURS = """
SELECT DISTINCT session.session_date, session.ts_open, session.ts_close, session.ts_break_start, session.ts_break_end
FROM reference.session AS session
JOIN reference.instrument AS instrument ON instrument.calendar = session.calendar
WHERE session.ts_open <= %(now)s AND session.ts_open > %(now)s - interval '14 days'
"""
_NEXT = """
SELECT min(session.ts_open)
FROM reference.session AS session
JOIN reference.instrument AS instrument ON instrument.calendar = session.calendar
WHERE session.ts_open > %(now)s
"""
_STARTED = "SELECT min(ts_started) FROM ops.feed_line WHERE state <> 'retired'"


@dataclass(frozen=True)
class Due:
    """What has to be there now.

    Args:
        until: Up to when the market has traded; that is now while it is open.
        since: When it opened, also after a break, or the feed began.
        next_open: None where the calendars do not say.
    """

    session_date: date
    since: datetime
    until: datetime
    next_open: datetime | None


def due_now(sessions: Iterable[Hours], now: datetime, *, started: datetime | None, next_open: datetime | None) -> Due | None:
    """Of the newest trading of all watched markets; None before there was any, or before a feed line was started. Pure."""
    newest = max(sessions, key=lambda each: (each.traded_until(now), each.opens), default=None)
    if newest is None or started is None:
        return None
    return Due(newest.session_date, max(newest.traded_since(now), started), newest.traded_until(now), next_open)


def verdict(due: Due | None, made: datetime | None, now: datetime) -> tuple[bool, str]:
    """Whether an asset that was last made of the due session at that time is fresh, and a sentence. Pure."""
    if due is None:
        return True, "No watched market has opened since the platform was started."
    told = (
        f"last made of session {due.session_date} at {made:%Y-%m-%d %H:%M}Z" if made else f"not made of session {due.session_date}"
    )
    is_fresh = made is not None and made >= due.until - LIMIT
    is_new = due.until - due.since < LIMIT
    if due.until < now:
        opens = f"; the next one opens at {due.next_open:%Y-%m-%d %H:%M}Z" if due.next_open else ""
        return is_fresh or is_new, f"No watched market is open since {due.until:%Y-%m-%d %H:%M}Z{opens}. It was {told}."
    if is_new and not is_fresh:
        return True, f"A watched market is open; the feed and it have been for less than {LIMIT.total_seconds() / 60:g} min."
    return is_fresh, f"A watched market is open, and it was {told}; at most {LIMIT.total_seconds() / 60:g} min may pass."


def freshness_results(instance: dg.DagsterInstance, world: World) -> list[dg.AssetCheckResult]:
    """One answer for each asset that is made of a session."""
    now = world.clock.now()
    if world.settings.is_replay:
        return [_result(key, is_passed=True, said="A replay is not held to the clock.") for key in OF_SESSION]
    with world.database("gate_owner") as connection:
        (started,) = connection.execute(_STARTED).fetchone() or (None,)
        due = _read_due(connection, now, started=started)
        stale = told_of_stale(read_open_markets(connection, now), now, started=started)
    made = last_made(instance, OF_SESSION, due.session_date) if due else {}
    answers = {key: verdict(due, made.get(key), now) for key in OF_SESSION}
    if stale:
        answers[_BARS] = False, stale
    return [_result(key, is_passed=is_passed, said=said) for key, (is_passed, said) in answers.items()]


def _read_due(connection: Connection, now: datetime, *, started: datetime | None) -> Due | None:
    facts = {"now": now}
    sessions = [Hours(*row) for row in connection.execute(_HOURS, facts).fetchall()]
    (next_open,) = connection.execute(_NEXT, facts).fetchone() or (None,)
    return due_now(sessions, now, started=started, next_open=next_open)


def last_made(instance: dg.DagsterInstance, keys: Sequence[dg.AssetKey], session_date: date) -> dict[dg.AssetKey, datetime]:
    """When each asset's partition of the session was last materialised; one that never was is left out.

    One look for all: while the session goes on, its partition is the newest of each. Where a backfill or a restatement of another
    session came later, or one of some symbols only, that asset is asked for alone."""
    partition, found = session_date.isoformat(), dict[dg.AssetKey, datetime]()
    for record in instance.get_asset_records(keys):
        key, newest = record.asset_entry.asset_key, record.asset_entry.last_materialization_record
        if newest is not None and (newest.partition_key != partition or not _is_of_all(newest)):
            newest = _newest_of(instance, key, partition)
        if newest is not None:
            found[key] = datetime.fromtimestamp(newest.timestamp, UTC)
    return found


def _newest_of(instance: dg.DagsterInstance, key: dg.AssetKey, partition: str) -> dg.EventLogRecord | None:
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition])
    found = instance.fetch_materializations(wanted, limit=_LOOKED_BACK).records
    return next((each for each in found if _is_of_all(each)), None)


def _is_of_all(record: dg.EventLogRecord) -> bool:
    made = record.asset_materialization
    told = made.metadata.get(SYMBOLS) if made else None
    return told is None or not told.value


def _result(key: dg.AssetKey, *, is_passed: bool, said: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=key, check_name=FRESH, passed=is_passed, severity=dg.AssetCheckSeverity.WARN, description=said
    )


@dg.multi_asset_check(
    name="session_freshness_checks",
    can_subset=True,  # a person materialises one asset, and with it its checks
    specs=[
        dg.AssetCheckSpec(
            FRESH,
            asset=key,
            description=f"Made anew within {LIMIT.total_seconds() / 60:g} min while a watched market is open; on a closed market, "
            "a weekend or a holiday it is not stale.",
        )
        for key in OF_SESSION
    ],
)
def session_freshness_checks(
    context: dg.AssetCheckExecutionContext, world: dg.ResourceParam[World]
) -> Iterator[dg.AssetCheckResult]:
    """Look now at those that are asked for."""
    wanted = {key.asset_key for key in context.selected_asset_check_keys}
    yield from (each for each in freshness_results(context.instance, world) if each.asset_key in wanted)


@dg.sensor(
    name="session_freshness",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Looks whether what is made of a session is as new as its market; writes answers that have changed.",
)
def session_freshness(context: dg.SensorEvaluationContext, world: dg.ResourceParam[World]) -> dg.SensorResult:
    """No run is ever asked for."""
    results = freshness_results(context.instance, world)
    before: dict[str, bool] = json.loads(context.cursor) if context.cursor else {}
    after = {_name(each): each.passed for each in results}
    changed = [_evaluation(each) for each in results if before.get(_name(each)) != each.passed]
    stale = sum(not each.passed for each in results)
    told = f"{stale} of {len(results)} assets are stale" if stale else f"All {len(results)} assets are as new as their market"
    said = f"{told}; {len(changed)} answers have changed."
    return dg.SensorResult(skip_reason=said, asset_events=changed, cursor=json.dumps(after))


def _name(result: dg.AssetCheckResult) -> str:
    return result.asset_key.to_user_string() if result.asset_key else ""


def _evaluation(result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    assert result.asset_key is not None
    return dg.AssetCheckEvaluation(
        asset_key=result.asset_key,
        check_name=FRESH,
        passed=result.passed,
        severity=result.severity,
        description=result.description,
    )


def with_daily_policy(assets: Sequence[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
    """The same assets; those that are made daily say so to Dagster."""

    def daily(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(freshness_policy=DAILY_POLICY) if spec.key in DAILY else spec

    return [each.map_asset_specs(daily) for each in assets]
