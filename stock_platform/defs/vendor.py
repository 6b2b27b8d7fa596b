"""The vendor's history as assets: 1-minute bars, daily bars and corporate actions by session, instrument data.

Delivery: effectively once, by upsert; a repeat asks the vendor again and changes only what it says otherwise. Unit of parallelism:
one request after the other, under the machine's budget. Not here: requests and parsing (feed/yahoo)."""

# Dagster's decorators are typed in part only, and refuse MaterializeResult with its type argument.
# pyright: reportUnknownMemberType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import dagster as dg

from stock_platform.config import FeedKind, Settings
from stock_platform.contracts.record import Record
from stock_platform.contracts.vendor import CORPORATE_ACTION, VENDOR_BAR_1D, VENDOR_BAR_1M, VENDOR_INSTRUMENT
from stock_platform.defs.external import VENDOR
from stock_platform.defs.jumps import no_jump_without_factor
from stock_platform.defs.priority import give_way
from stock_platform.defs.retries import retried_if_transient, retry_policy
from stock_platform.defs.row_count import row_counts, table_count, tell_each
from stock_platform.defs.sessions import range_tags
from stock_platform.defs.world import World, key_of, table_spec
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.download import Download, download_of, fetch_minutes, watched
from stock_platform.feed.yahoo.history import Span
from stock_platform.feed.yahoo.polling import SYMBOLS_PER_REQUEST, fetch_quotes
from stock_platform.feed.yahoo.tables import action_frame, instrument_frame
from stock_platform.market.levels import certified_levels

POOL = "vendor"
"""One step at a time asks the vendor: they share one machine's budget of requests, and two would wait for each other."""


def _vendor(world: World, until: date | None = None) -> Download:
    """A way to the vendor.

    Args:
        until: Last session that is asked for; None: the present one."""
    now = world.clock.now()
    end = datetime.combine(until + timedelta(days=1), time(), UTC) if until else now
    with world.database("gate_owner") as connection:
        levels = certified_levels(connection, until=end, now=now)
    return download_of(world.settings, world.clock, levels)


def vendor_assets(partitions: dg.PartitionsDefinition[str], *, retry_after_s: float = 20) -> list[dg.AssetsDefinition]:
    """staging/vendor_bar_1m, staging/vendor_bar_1d and reference/corporate_action by session; reference/vendor_instrument whole.

    Args:
        retry_after_s: Pause before the first retry of what heals by itself: network, servers in trouble, a spent budget.
    """
    retry = retry_policy(first_after_s=retry_after_s)

    @dg.multi_asset(
        name="vendor_minutes",
        specs=[_spec(VENDOR_BAR_1M, partitions)],
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=retry,
        pool=POOL,
    )
    @retried_if_transient
    def vendor_minutes(context: dg.AssetExecutionContext, world: dg.ResourceParam[World]) -> Iterator[dg.MaterializeResult]:
        give_way(context.run)
        days = sorted(date.fromisoformat(key) for key in context.partition_keys)
        vendor = _vendor(world, days[-1])
        fetch_minutes(vendor, days)
        yield _bars(context, world, VENDOR_BAR_1M, days, vendor)

    @dg.multi_asset(
        name="vendor_daily",
        specs=[_spec(VENDOR_BAR_1D, partitions), _spec(CORPORATE_ACTION, partitions)],
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=retry,
        pool=POOL,
    )
    @retried_if_transient
    def vendor_daily(context: dg.AssetExecutionContext, world: dg.ResourceParam[World]) -> Iterator[dg.MaterializeResult]:
        give_way(context.run)
        days = sorted(date.fromisoformat(key) for key in context.partition_keys)
        span, changed = daily_span(days, world.clock.now()), 0
        vendor = _vendor(world, days[-1])
        for instrument in watched(world.settings):
            history = vendor.fetch(instrument.symbol, "1d", span)
            changed += vendor.write(CORPORATE_ACTION, action_frame(history, source=world.settings.vendor))
        yield _bars(context, world, VENDOR_BAR_1D, days, vendor)
        tell_each(context, key_of(CORPORATE_ACTION.address), _counted(world, CORPORATE_ACTION, days, column="ex_date"))
        actions = sum(len(history.actions) for history in vendor.histories)
        yield _materialized(CORPORATE_ACTION, fetched=actions, changed=changed)

    @dg.multi_asset(name="vendor_instruments", specs=[_spec(VENDOR_INSTRUMENT)], retry_policy=retry, pool=POOL)
    @retried_if_transient
    def vendor_instruments(world: dg.ResourceParam[World]) -> Iterator[dg.MaterializeResult]:
        instruments, known = watched(world.settings), dict[str, str | None]()
        vendor = _vendor(world)
        for start in range(0, len(instruments), SYMBOLS_PER_REQUEST):
            batch = fetch_quotes(vendor.door, [each.symbol for each in instruments[start : start + SYMBOLS_PER_REQUEST]])
            vendor.changed += vendor.write(VENDOR_INSTRUMENT, instrument_frame(batch, source=world.settings.vendor))
            known |= {symbol: quote.currency for symbol, quote in batch.quotes.items()}
        with world.database("gate_owner") as connection:
            whole = table_count(connection, VENDOR_INSTRUMENT)
        found = {**whole, **vendor.state(), **differences(instruments, known)}
        yield _materialized(VENDOR_INSTRUMENT, fetched=len(known), changed=vendor.changed, **found)

    return [vendor_minutes, vendor_daily, vendor_instruments]


def differences(instruments: Sequence[Instrument], known: Mapping[str, str | None]) -> dict[str, list[str]]:
    """Where the watchlist and the vendor disagree.

    Args:
        known: Currency of each symbol that the vendor answered, None where it told none."""
    unknown = [each.symbol for each in instruments if each.symbol not in known]
    told = ((each, known.get(each.symbol)) for each in instruments)
    other = [
        f"{each.symbol}: {each.currency}, vendor {currency}" for each, currency in told if currency not in (None, each.currency)
    ]
    return {"unknown_to_vendor": unknown, "other_currency": other}


def daily_span(days: Sequence[date], now: datetime) -> Span:
    """Time in which the daily bars of these sessions start, anywhere: Sydney's begin on the day before, UTC."""
    start, end = (datetime.combine(day, time(), UTC) for day in (days[0] - timedelta(days=1), days[-1] + timedelta(days=1)))
    return Span(min(start, now), min(end, now))


def daily_job(partitions: dg.PartitionsDefinition[str]) -> Any:
    """Daily bars and what comes with them, of some sessions."""
    return dg.define_asset_job(
        "vendor_daily_job",
        selection=dg.AssetSelection.assets(*(key_of(each.address) for each in (VENDOR_BAR_1D, CORPORATE_ACTION, VENDOR_INSTRUMENT)))
        | dg.AssetSelection.checks(no_jump_without_factor),
        partitions_def=partitions,
        description="Daily bars, corporate actions and instrument data from the vendor; then jumps that no action explains.",
    )


def vendor_schedule(job: Any, partitions: dg.PartitionsDefinition[str], feed_kind: FeedKind) -> dg.ScheduleDefinition:
    """Daily bars, actions, instrument data, and the check that rests on them, before the US pre-market opens at 04:00 New York.

    It asks for the sessions of the last weeks in one run, so that an action that the vendor tells late is found."""

    @dg.schedule(
        name="vendor_daily",
        job=job,
        cron_schedule="30 3 * * *",
        execution_timezone="America/New_York",
        default_status=dg.DefaultScheduleStatus.RUNNING if feed_kind != "tape" else dg.DefaultScheduleStatus.STOPPED,
        description="Daily bars, corporate actions and instrument data from the vendor, of the last weeks' sessions in one run.",
    )
    def vendor_daily(context: dg.ScheduleEvaluationContext, world: dg.ResourceParam[World]) -> dg.RunRequest | dg.SkipReason:
        first, last = recent_sessions(world.settings, context.scheduled_execution_time.date())
        keys = [key for key in partitions.get_partition_keys() if first.isoformat() <= key <= last.isoformat()]
        if not keys:
            return dg.SkipReason(f"No session is watched from {first} to {last}.")
        return dg.RunRequest(tags=range_tags(keys))

    return vendor_daily


def recent_sessions(settings: Settings, today: date) -> tuple[date, date]:
    """First and last day of what the schedule asks for."""
    return max(settings.sessions_first, today - timedelta(days=settings.vendor_daily_days)), today


def _spec(record: Record, partitions: dg.PartitionsDefinition[str] | None = None) -> dg.AssetSpec:
    return table_spec(record, upstream=[VENDOR], kinds={"yahoo"}, partitions=partitions)


def _bars(
    context: dg.AssetExecutionContext, world: World, record: Record, days: Sequence[date], vendor: Download
) -> dg.MaterializeResult:
    """Rows of each session; what was asked and answered, of the run as a whole."""
    tell_each(context, key_of(record.address), _counted(world, record, days))
    bars = sum(len(history.bars) for history in vendor.histories)
    return _materialized(record, fetched=bars, changed=vendor.changed, **vendor.metadata())


def _counted(world: World, record: Record, days: Sequence[date], *, column: str = "session_date") -> dict[date, dict[str, int]]:
    with world.database("gate_owner") as connection:
        return row_counts(connection, record, days, column=column)


def _materialized(record: Record, **found: Any) -> dg.MaterializeResult:
    return dg.MaterializeResult(asset_key=key_of(record.address), metadata=found)
