"""From settings to what is fed: which instruments by which lines, which plan, which sessions. Reads watchlist and tape."""

from datetime import date
from functools import lru_cache, partial
from pathlib import Path

from stock_platform.calendars import calendar
from stock_platform.config import Settings
from stock_platform.errors import SettingInvalid, WatchlistInvalid
from stock_platform.feed.plan import TAPE_LINE, Plan, StreamPlan, TapePlan
from stock_platform.feed.shards import Share, Watch
from stock_platform.feed.tape import Tape
from stock_platform.feed.tick import from_epoch_ms
from stock_platform.feed.watchlist import Instrument, Sharing, always_open, load_watchlist, read_watchlist


def instruments_of(settings: Settings) -> tuple[Instrument, ...]:
    """What this profile watches."""
    return watch_of(settings).instruments


def watch_of(settings: Settings) -> Watch:
    """What this profile watches now, and by which lines. A simulated exchange that never closes has a session a day.

    Raises:
        WatchlistInvalid: names the line and the reason.
    """
    if settings.feed_kind == "tape":
        return _tape_watch(_tape_plan(settings))
    is_always_open = settings.feed_kind == "simulator" and settings.simulator_hours == "always"
    return _read(settings.feed_watchlist, is_always_open=is_always_open, redundancy=settings.feed_redundancy)


def lines_of(settings: Settings) -> tuple[Share, ...]:
    """Every line that is wanted, with what it carries."""
    watch = watch_of(settings)
    return (Share(TAPE_LINE, 0, watch.instruments),) if settings.feed_kind == "tape" else watch.shares


def plan_of(settings: Settings, line: str) -> Plan:
    """What that line is told to do."""
    if settings.feed_kind == "tape":
        return _tape_plan(settings)
    canary = settings.feed_canary or None
    return StreamPlan(line, settings.feed_kind, settings.feed_yahoo_url, partial(watch_of, settings), canary=canary)


def tape_sessions(path: Path) -> tuple[date, date]:
    """First and last session of a tape: of the calendars that it names, else of US trades.

    Raises:
        TapeUnreadable: it is no tape.
    """
    tape = Tape(path)
    hours = [calendar(name) for name in set(tape.calendars.values()) or {"XNYS"}]
    ends = (from_epoch_ms(tape.row(index).ts_event_ms) for index in (0, tape.row_count - 1))
    first, last = ([each.session_latest(ts).session_date for each in hours] for ts in ends)
    return min(first), max(last)


def _read(path: Path, *, is_always_open: bool, redundancy: int | None) -> Watch:
    """What the watchlist says, worked out again only when its file has changed: every line asks with each heartbeat."""
    try:
        found = path.stat()
    except OSError as error:
        raise WatchlistInvalid(path, "file", error.strerror or str(error)) from error
    return _read_version(path, found.st_mtime_ns, found.st_size, is_always_open, redundancy)


@lru_cache(maxsize=1)
def _tape_watch(plan: TapePlan) -> Watch:
    """A tape does not change while it is played."""
    return Watch(plan.instruments(Tape(plan.path)), Sharing())


@lru_cache(maxsize=2)
def _read_version(path: Path, _mtime_ns: int, _size: int, is_always_open: bool, redundancy: int | None) -> Watch:
    watched = read_watchlist(path)
    lines = Sharing(shards=watched.lines.shards, redundancy=redundancy) if redundancy else watched.lines
    return Watch(always_open(watched.instruments) if is_always_open else watched.instruments, lines)


def _tape_plan(settings: Settings) -> TapePlan:
    return TapePlan(
        line=TAPE_LINE,
        path=_tape_path(settings),
        speed=settings.feed_tape_speed,
        is_as_live=settings.feed_tape_as_live,
        known=load_watchlist(settings.feed_watchlist),
    )


def _tape_path(settings: Settings) -> Path:
    if settings.feed_tape is None:
        raise SettingInvalid("STOCK_PLATFORM_FEED_TAPE", None, "the path of a Parquet file of trades")
    return settings.feed_tape
