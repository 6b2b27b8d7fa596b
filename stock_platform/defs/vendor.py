"""The vendor's history as assets: 1-minute bars by session, daily bars with corporate actions, instrument data.

Delivery: effectively once, by upsert; a repeat asks the vendor again and changes only what it says otherwise. Unit of parallelism:
one request after the other, under the machine's budget. Not here: requests and parsing (feed/yahoo)."""

# Dagster's decorators are typed in part only, and refuse MaterializeResult with its type argument.
# pyright: reportUnknownMemberType=false, reportMissingTypeArgument=false, reportUnknownParameterType=false
# pyright: reportUnknownVariableType=false

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import dagster as dg

from stock_platform.adapters.postgres import upsert_frame
from stock_platform.adapters.vendor_budget import vendor_budget
from stock_platform.adapters.vendor_door import Door
from stock_platform.calendars import calendar
from stock_platform.config import FeedKind
from stock_platform.contracts.record import Record
from stock_platform.contracts.vendor import CORPORATE_ACTION, VENDOR_BAR_1D, VENDOR_BAR_1M, VENDOR_INSTRUMENT
from stock_platform.defs.external import VENDOR
from stock_platform.defs.jumps import no_jump_without_factor
from stock_platform.defs.world import World, column_schema, key_of
from stock_platform.errors import HistoryTooOld, VendorBlocked
from stock_platform.feed.choice import instruments_of
from stock_platform.feed.splits import Split
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.audit import RawAnswers
from stock_platform.feed.yahoo.bars import Interval
from stock_platform.feed.yahoo.door import open_door
from stock_platform.feed.yahoo.history import History, Span, check_age, dropped_in_all, fetch_history
from stock_platform.feed.yahoo.polling import SYMBOLS_PER_REQUEST, fetch_quotes
from stock_platform.feed.yahoo.tables import BARS, action_frame, bar_frame, instrument_frame
from stock_platform.feed.yahoo.units import doubts

_DAY = timedelta(days=1)
_DOUBTS_TOLD = 5
_CLOSING_MINUTE = timedelta(minutes=1)
"""The vendor gives the closing auction a bar of its own, which starts at the close."""


@dataclass
class _Vendor:
    """One run's way to the vendor, and what it found."""

    world: World
    door: Door
    raw: RawAnswers
    histories: list[History] = field(default_factory=lambda: [])
    changed: int = 0

    def fetch(self, symbol: str, interval: Interval, span: Span) -> History:
        """History of one symbol, with its bars written."""
        history = fetch_history(self.door, self.raw, symbol, interval, span=span, now=self.world.clock.now())
        self.histories.append(history)
        home = self.world.settings.home
        self.changed += self.write(BARS[interval], bar_frame(history, interval, source=self.world.settings.vendor, home=home))
        return history

    def write(self, record: Record, frame: Any) -> int:
        """Rows changed."""
        with self.world.database("feed_writer") as connection:
            return upsert_frame(connection, record.address, frame, key=record.key)

    def metadata(self) -> dict[str, Any]:
        """What a person wants to know of the run."""
        refused = {each.symbol: f"{each.refusal.reason}: {each.refusal.detail}" for each in self.histories if each.refusal}
        doubted = {each.symbol: found[:_DOUBTS_TOLD] for each in self.histories if (found := _doubts(each))}
        folders = sorted({str(path.parent) for history in self.histories for path in history.paths})
        found = {"dropped": dropped_in_all(self.histories), "refused": refused, "doubted": doubted}
        return {**self.state(), **found, "raw_answers": folders}

    def state(self) -> dict[str, Any]:
        """Requests of this run, and the breaker."""
        state = vendor_budget(self.world.settings, self.world.clock).state()
        return {"requests": self.door.request_count, "breaker": state.breaker(self.world.clock.now())}


def _doubts(history: History) -> list[str]:
    splits = [Split(each.ex_date, each.ratio) for each in history.actions if each.ratio is not None]
    return doubts([kept.bar for kept in history.bars], splits)


@contextmanager
def _vendor(world: World) -> Generator[_Vendor]:
    """A way to the vendor; what no retry can mend fails the run at once, with its sentence."""
    raw = RawAnswers(world.settings.home / "vendor" / "raw", world.settings.vendor_raw_days)
    try:
        yield _Vendor(world, open_door(world.settings, world.clock), raw)
    except (HistoryTooOld, VendorBlocked) as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error


def vendor_assets(partitions: dg.PartitionsDefinition[str], *, retry_after_s: float = 20) -> list[dg.AssetsDefinition]:
    """staging/vendor_bar_1m by session; staging/vendor_bar_1d, reference/corporate_action and reference/vendor_instrument whole.

    Args:
        retry_after_s: Pause before the first retry of what heals by itself: network, servers in trouble, a spent budget.
    """
    retry = dg.RetryPolicy(max_retries=3, delay=retry_after_s, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)

    @dg.multi_asset(
        name="vendor_minutes",
        specs=[_spec(VENDOR_BAR_1M, partitions)],
        backfill_policy=dg.BackfillPolicy.single_run(),
        retry_policy=retry,
    )
    def vendor_minutes(context: dg.AssetExecutionContext, world: dg.ResourceParam[World]) -> Iterator[dg.MaterializeResult]:
        days = sorted(date.fromisoformat(key) for key in context.partition_keys)
        with _vendor(world) as vendor:
            for instrument, span in session_spans(world, days):
                vendor.fetch(instrument.symbol, "1m", span)
            yield _result(VENDOR_BAR_1M, vendor)

    @dg.multi_asset(
        name="vendor_daily",
        specs=[_spec(VENDOR_BAR_1D), _spec(CORPORATE_ACTION)],
        retry_policy=retry,
    )
    def vendor_daily(world: dg.ResourceParam[World]) -> Iterator[dg.MaterializeResult]:
        now = world.clock.now()
        span, changed = Span(now - timedelta(days=world.settings.vendor_daily_days), now), 0
        with _vendor(world) as vendor:
            for instrument in watched(world):
                history = vendor.fetch(instrument.symbol, "1d", span)
                changed += vendor.write(CORPORATE_ACTION, action_frame(history, source=world.settings.vendor))
            yield _result(VENDOR_BAR_1D, vendor)
            actions = sum(len(history.actions) for history in vendor.histories)
            yield _materialized(CORPORATE_ACTION, actions, changed=changed)

    @dg.multi_asset(name="vendor_instruments", specs=[_spec(VENDOR_INSTRUMENT)], retry_policy=retry)
    def vendor_instruments(world: dg.ResourceParam[World]) -> Iterator[dg.MaterializeResult]:
        instruments, known = watched(world), dict[str, str | None]()
        with _vendor(world) as vendor:
            for start in range(0, len(instruments), SYMBOLS_PER_REQUEST):
                batch = fetch_quotes(vendor.door, [each.symbol for each in instruments[start : start + SYMBOLS_PER_REQUEST]])
                vendor.changed += vendor.write(VENDOR_INSTRUMENT, instrument_frame(batch, source=world.settings.vendor))
                known |= {symbol: quote.currency for symbol, quote in batch.quotes.items()}
            found = {**vendor.state(), **differences(instruments, known)}
            yield _materialized(VENDOR_INSTRUMENT, len(known), changed=vendor.changed, **found)

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


def vendor_schedule(feed_kind: FeedKind) -> dg.ScheduleDefinition:
    """Daily bars, actions, instrument data, and the check that rests on them, before the US pre-market opens at 04:00 New York."""
    job = dg.define_asset_job(
        "vendor_daily_job",
        selection=dg.AssetSelection.assets(*(key_of(each.address) for each in (VENDOR_BAR_1D, CORPORATE_ACTION, VENDOR_INSTRUMENT)))
        | dg.AssetSelection.checks(no_jump_without_factor),
        description="Daily bars, corporate actions and instrument data from the vendor; then jumps that no action explains.",
    )
    return dg.ScheduleDefinition(
        name="vendor_daily",
        job=job,
        cron_schedule="30 3 * * *",
        execution_timezone="America/New_York",
        default_status=dg.DefaultScheduleStatus.RUNNING if feed_kind != "tape" else dg.DefaultScheduleStatus.STOPPED,
    )


def watched(world: World) -> list[Instrument]:
    """Instruments that the vendor supplies; a tape's are not asked for."""
    return [each for each in instruments_of(world.settings) if each.provider == "yahoo"]


def session_spans(world: World, days: Sequence[date]) -> Iterator[tuple[Instrument, Span]]:
    """Per instrument the time from its first session's open to its last one's close, as far as it has happened.

    Raises:
        HistoryTooOld: the vendor no longer keeps minutes of the first session."""
    now = world.clock.now()
    for instrument in watched(world):
        hours = calendar(instrument.calendar)
        sessions = hours.sessions(days[0], days[-1] + _DAY)
        if not sessions or sessions[0].ts_open >= now:
            continue
        check_age(instrument.symbol, "1m", sessions[0].ts_open, now=now)
        close = sessions[-1].ts_close
        has_auction = hours.session_latest(close).ts_open < close
        yield instrument, Span(sessions[0].ts_open, min(close + _CLOSING_MINUTE if has_auction else close, now))


def _spec(record: Record, partitions: dg.PartitionsDefinition[str] | None = None) -> dg.AssetSpec:
    return dg.AssetSpec(
        key_of(record.address),
        deps=[VENDOR],
        group_name=record.address.split(".")[0],
        kinds={"yahoo", "postgres"},
        owners=["team:data-platform"],
        description=f"{record.meaning} Grain: {record.grain}.",
        metadata={"dagster/column_schema": column_schema(record)},
        partitions_def=partitions,
    )


def _result(record: Record, vendor: _Vendor) -> dg.MaterializeResult:
    bars = sum(len(history.bars) for history in vendor.histories)
    return _materialized(record, bars, changed=vendor.changed, **vendor.metadata())


def _materialized(record: Record, rows: int, **found: Any) -> dg.MaterializeResult:
    return dg.MaterializeResult(asset_key=key_of(record.address), metadata={"dagster/row_count": rows, **found})
