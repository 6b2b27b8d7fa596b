"""Reference data as assets: what is watched and its sessions, refreshed daily, with a watch on how long the tables last."""

# Dagster's decorators are typed in part only, and refuse MaterializeResult with its type argument.
# pyright: reportUnknownMemberType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg

from stock_platform.calendars.horizon import EndingTable, ending_tables
from stock_platform.contracts.reference import INSTRUMENT, SESSION
from stock_platform.defs.external import WATCHLIST
from stock_platform.defs.retries import retried_if_transient, retry_policy
from stock_platform.defs.world import World, key_of, table_spec
from stock_platform.feed import reference
from stock_platform.feed.choice import instruments_of

REFERENCE = {"instrument": key_of(INSTRUMENT.address), "session": key_of(SESSION.address)}
HORIZON, SESSIONS = "calendar_horizon", "sessions_ahead"
_CHECKED = timedelta(days=7)

_FOUND = """
SELECT session.calendar, session.session_date, session.ts_open, session.ts_close
FROM reference.session AS session
WHERE session.calendar = ANY(%s) AND session.session_date >= %s AND session.session_date <= %s
"""


def reference_assets() -> dg.AssetsDefinition:
    """reference/instrument and reference/session, from the watchlist and the rendered calendars."""

    @dg.multi_asset(
        name="load_reference",
        retry_policy=retry_policy(),
        specs=[
            table_spec(INSTRUMENT, upstream=[WATCHLIST], kinds={"python"}),
            table_spec(SESSION, upstream=[key_of(INSTRUMENT.address)], kinds={"python"}),
        ],
        check_specs=[
            dg.AssetCheckSpec(HORIZON, asset=REFERENCE["session"], description="Every watched calendar is known for 60 days."),
            dg.AssetCheckSpec(SESSIONS, asset=REFERENCE["session"], description="The coming week is there, as the tables have it."),
        ],
    )
    @retried_if_transient
    def load_reference(
        context: dg.AssetExecutionContext, world: dg.ResourceParam[World]
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        instruments, today = instruments_of(world.settings), world.clock.now().date()
        first, last = reference.days(world.settings, today)
        names = reference.calendars_of(instruments)
        with world.database("gate_owner") as connection:
            loaded = reference.load(connection, instruments, first=first, last=last)
        yield dg.MaterializeResult(asset_key=REFERENCE["instrument"], metadata={"dagster/row_count": loaded.instrument_count})
        counts = {"dagster/row_count": loaded.session_count, "changed": loaded.changed_count, "calendars": ", ".join(names)}
        yield dg.MaterializeResult(asset_key=REFERENCE["session"], metadata=counts)
        yield horizon_result(ending_tables(names, min(today, last)))
        yield sessions_result(world, names, first=max(first, min(today, last)), last=min(today + _CHECKED, last))

    return load_reference


def horizon_result(ending: list[EndingTable]) -> dg.AssetCheckResult:
    """Fails as soon as a table ends within two months; an error when it is a matter of days."""
    is_urgent = any(each.is_urgent for each in ending)
    return dg.AssetCheckResult(
        asset_key=REFERENCE["session"],
        check_name=HORIZON,
        passed=not ending,
        severity=dg.AssetCheckSeverity.ERROR if is_urgent else dg.AssetCheckSeverity.WARN,
        description="; ".join(map(str, ending)) or "every watched calendar is known for two months and more",
    )


def sessions_result(world: World, names: list[str], *, first: date, last: date) -> dg.AssetCheckResult:
    """Whether the database holds the sessions that the tables have for those days, both included."""
    expected = set(_expected(names, first, last))
    with world.database("gate_owner") as connection:
        found = set(connection.execute(_FOUND, (names, first, last)).fetchall())
    wrong = sorted(expected ^ found)
    return dg.AssetCheckResult(
        asset_key=REFERENCE["session"],
        check_name=SESSIONS,
        passed=not wrong,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"expected": len(expected), "found": len(found), "wrong": ", ".join(f"{each[0]} {each[1]}" for each in wrong)},
    )


def _expected(names: list[str], first: date, last: date) -> Iterator[tuple[str, date, datetime, datetime]]:
    for name in names:
        for session in reference.sessions_of(name, first, last):
            yield name, session.session_date, session.ts_open, session.ts_close


def reference_job() -> Any:
    """The daily refresh; each start of the stack loads the same rows by itself."""
    return dg.define_asset_job(
        "refresh_reference",
        selection=dg.AssetSelection.assets(*REFERENCE.values()),
        tags={"dagster/max_runtime": "300"},
        description="Load instruments and sessions anew; check how long the calendars last.",
    )


def reference_schedule(job: Any) -> dg.ScheduleDefinition:
    """Every day, soon after midnight UTC: no exchange opens then but those that never close."""
    return dg.ScheduleDefinition(
        name="daily_reference",
        job=job,
        cron_schedule="20 0 * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Refreshes instruments and sessions once a day.",
    )
