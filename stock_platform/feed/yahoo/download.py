"""The vendor's history into Postgres: asked for, kept as raw answers, judged by the vendor's rules, upserted.

Delivery: effectively once; a repeat asks again and changes only what the vendor says otherwise. Unit of parallelism: one request
after the other, under the machine's budget. Not here: requests and parsing (history), rules (rules), who asks (defs, repair)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.postgres import connect, upsert_frame
from stock_platform.adapters.vendor_budget import vendor_budget
from stock_platform.adapters.vendor_door import Door
from stock_platform.calendars import calendar
from stock_platform.config import Settings
from stock_platform.contracts.record import Record
from stock_platform.feed.choice import instruments_of
from stock_platform.feed.corporate_actions import load_splits
from stock_platform.feed.splits import Split
from stock_platform.feed.watchlist import Instrument
from stock_platform.feed.yahoo.audit import RawAnswers
from stock_platform.feed.yahoo.bars import Interval
from stock_platform.feed.yahoo.door import open_door
from stock_platform.feed.yahoo.history import History, Span, check_age, dropped_in_all, fetch_history
from stock_platform.feed.yahoo.rules import held_in_all, held_sample, hold
from stock_platform.feed.yahoo.tables import BARS, bar_frame

_DAY = timedelta(days=1)
_HELD_TOLD = 5
_CLOSING_MINUTE = timedelta(minutes=1)
"""The vendor gives the closing auction a bar of its own, which starts at the close."""


@dataclass
class Download:
    """One way to the vendor, and what came by it.

    Args:
        levels: Our own last certified close of each symbol, in the shares of now: what tells a wrong unit from a right one.
    """

    settings: Settings
    clock: Clock
    door: Door
    raw: RawAnswers
    levels: Mapping[str, Decimal] = field(default_factory=lambda: {})
    histories: list[History] = field(default_factory=lambda: [])
    changed: int = 0

    def fetch(self, symbol: str, interval: Interval, span: Span) -> History:
        """History of one symbol, with its bars judged and written.

        Raises:
            HistoryTooOld, VendorAnswerUnusable, VendorBlocked, VendorBudgetSpent, VendorUnreachable: see fetch_history.
        """
        history = fetch_history(self.door, self.raw, symbol, interval, span=span, now=self.clock.now())
        hold(history, splits=self._splits(symbol), level=self.levels.get(symbol))
        self.histories.append(history)
        frame = bar_frame(history, interval, source=self.settings.vendor, home=self.settings.home)
        self.changed += self.write(BARS[interval], frame)
        return history

    def _splits(self, symbol: str) -> Sequence[Split]:
        with connect(self.settings.dsn("feed_writer")) as connection:
            return load_splits(connection, [symbol]).get(symbol, ())

    def write(self, record: Record, frame: Any) -> int:
        """Rows changed."""
        with connect(self.settings.dsn("feed_writer")) as connection:
            return upsert_frame(connection, record.address, frame, key=record.key)

    def metadata(self) -> dict[str, Any]:
        """What a person wants to know of it."""
        refused = {each.symbol: f"{each.refusal.reason}: {each.refusal.detail}" for each in self.histories if each.refusal}
        folders = sorted({str(path.parent) for history in self.histories for path in history.paths})
        held = {"held": held_in_all(self.histories), "held_sample": held_sample(self.histories, _HELD_TOLD)}
        return {**self.state(), "dropped": dropped_in_all(self.histories), "refused": refused, **held, "raw_answers": folders}

    def state(self) -> dict[str, Any]:
        """Requests so far, and the breaker."""
        state = vendor_budget(self.settings, self.clock).state()
        return {"requests": self.door.request_count, "breaker": state.breaker(self.clock.now())}


def download_of(settings: Settings, clock: Clock, levels: Mapping[str, Decimal]) -> Download:
    """A way to the vendor of this profile; levels as for Download."""
    raw = RawAnswers(settings.home / "vendor" / "raw", settings.vendor_raw_days)
    return Download(settings, clock, open_door(settings, clock), raw, levels)


def fetch_minutes(download: Download, days: Sequence[date], symbols: Collection[str] | None = None) -> None:
    """The vendor's minutes of the sessions from the first day to the last.

    Args:
        symbols: None stands for all that the vendor supplies.
    Raises:
        HistoryTooOld: the vendor no longer keeps minutes of the first session; and all of Download.fetch.
    """
    wanted = [each for each in watched(download.settings) if symbols is None or each.symbol in symbols]
    for instrument, span in session_spans(wanted, days, download.clock):
        download.fetch(instrument.symbol, "1m", span)


def watched(settings: Settings) -> list[Instrument]:
    """Instruments that the vendor supplies; a tape's are not asked for."""
    return [each for each in instruments_of(settings) if each.provider == "yahoo"]


def session_spans(instruments: Sequence[Instrument], days: Sequence[date], clock: Clock) -> Iterator[tuple[Instrument, Span]]:
    """Per instrument the time from its first session's open to its last one's close, as far as it has happened.

    Raises:
        HistoryTooOld: the vendor no longer keeps minutes of the first session."""
    now = clock.now()
    for instrument in instruments:
        hours = calendar(instrument.calendar)
        sessions = hours.sessions(days[0], days[-1] + _DAY)
        if not sessions or sessions[0].ts_open >= now:
            continue
        check_age(instrument.symbol, "1m", sessions[0].ts_open, now=now)
        close = sessions[-1].ts_close
        has_auction = hours.session_latest(close).ts_open < close
        yield instrument, Span(sessions[0].ts_open, min(close + _CLOSING_MINUTE if has_auction else close, now))
