"""The command `history`: bars of one symbol as a frame for a person. Not here: requests and parsing (history)."""

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from stock_platform.adapters.clock import Clock
from stock_platform.config import Settings
from stock_platform.errors import HistoryMissing
from stock_platform.feed.yahoo.audit import RawAnswers
from stock_platform.feed.yahoo.bars import Interval
from stock_platform.feed.yahoo.door import open_door
from stock_platform.feed.yahoo.history import Span, fetch_history
from stock_platform.feed.yahoo.tables import bar_frame

_SHOWN = ("ts_start", "open", "high", "low", "close", "volume", "currency")


def history_frame(settings: Settings, clock: Clock, symbol: str, interval: Interval, *, first: date, last: date) -> pl.DataFrame:
    """Bars of the UTC days [first, last], sorted by time; columns ts_start open high low close volume currency.

    Raises:
        HistoryMissing: the vendor has nothing of the symbol.
        HistoryTooOld, VendorAnswerUnusable, VendorBlocked, VendorBudgetSpent, VendorUnreachable: see fetch_history.
    """
    now = clock.now()
    span = Span(datetime.combine(first, time(), UTC), min(datetime.combine(last, time(), UTC) + timedelta(days=1), now))
    raw = RawAnswers(settings.home / "vendor" / "raw", settings.vendor_raw_days)
    history = fetch_history(open_door(settings, clock), raw, symbol, interval, span=span, now=now)
    if history.refusal is not None:
        raise HistoryMissing(symbol, interval, history.refusal.reason, history.refusal.detail)
    return bar_frame(history, interval, source=settings.vendor, home=settings.home).select(_SHOWN)
