"""From settings to what is fed: which instruments, which plan, which sessions. Pure but for reading watchlist and tape."""

from datetime import date
from pathlib import Path

from stock_platform.calendars import calendar
from stock_platform.config import Settings
from stock_platform.errors import SettingInvalid
from stock_platform.feed.plan import StreamPlan, TapePlan
from stock_platform.feed.tape import Tape
from stock_platform.feed.tick import from_epoch_ms
from stock_platform.feed.watchlist import Instrument, always_open, load_watchlist


def instruments_of(settings: Settings) -> tuple[Instrument, ...]:
    """What this profile watches. A simulated exchange that never closes has a session a day."""
    watched = load_watchlist(settings.feed_watchlist)
    if settings.feed_kind == "tape":
        return _tape_plan(settings).instruments(Tape(_tape_path(settings)))
    if settings.feed_kind == "simulator" and settings.simulator_hours == "always":
        return always_open(watched)
    return watched


def plan_of(settings: Settings) -> StreamPlan | TapePlan:
    """What the profile's line is told to do."""
    if settings.feed_kind == "tape":
        return _tape_plan(settings)
    url = settings.feed_yahoo_url if settings.feed_kind == "yahoo" else f"ws://127.0.0.1:{settings.simulator_port}"
    return StreamPlan(settings.feed_line, settings.feed_kind, url, instruments_of(settings))


def tape_sessions(path: Path) -> tuple[date, date]:
    """First and last session of a tape of US trades.

    Raises:
        TapeUnreadable: it is no tape.
    """
    tape, hours = Tape(path), calendar("XNYS")
    ends = (tape.row(0), tape.row(tape.row_count - 1))
    first, last = (hours.session_latest(from_epoch_ms(trade.ts_event_ms)).session_date for trade in ends)
    return first, last


def _tape_plan(settings: Settings) -> TapePlan:
    return TapePlan(
        line=settings.feed_line,
        path=_tape_path(settings),
        speed=settings.feed_tape_speed,
        is_as_live=settings.feed_tape_as_live,
        known=load_watchlist(settings.feed_watchlist),
    )


def _tape_path(settings: Settings) -> Path:
    if settings.feed_tape is None:
        raise SettingInvalid("STOCK_PLATFORM_FEED_TAPE", None, "the path of a Parquet file of trades")
    return settings.feed_tape
