"""History by asking: bars and corporate actions from v8 charts, in windows that the vendor takes; every raw answer is kept.

Unit of parallelism: none, one request after the other. A repeat asks again: nothing is remembered, so a failure does not stick.
Not here: what an answer means (chart), where rows are kept (defs)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from stock_platform.adapters.vendor_door import Answer, Door
from stock_platform.errors import HistoryTooOld, VendorAnswerUnusable
from stock_platform.feed.yahoo.actions import Action
from stock_platform.feed.yahoo.answer import Unusable
from stock_platform.feed.yahoo.audit import RawAnswers
from stock_platform.feed.yahoo.bars import Bar, Interval
from stock_platform.feed.yahoo.chart import Chart, parse_chart

CHART_URL = "https://query2.finance.yahoo.com/v8/finance/chart/"

WINDOWS: dict[Interval, timedelta] = {"1m": timedelta(days=8), "1d": timedelta(days=36_500)}
"""Longest span of one request: Yahoo answers 422 "Only 8 days worth of 1m granularity data are allowed" to more."""
MINUTES_KEPT = timedelta(days=30)
"""1m bars must begin within the last 30 days, else Yahoo answers 422."""

_ABOUT_THE_SYMBOL = frozenset({"vendor_error", "empty", "unknown_interval", "unknown_shape"})
"""Reasons that lie in what was asked for: other symbols may well be answered."""


@dataclass(frozen=True)
class Span:
    """Time [start, end), both aware."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Kept:
    """A bar with the raw answer that it was read from.

    Args:
        rules: Names of the rules that it breaks; it is held then.
    """

    bar: Bar
    ts_recv: datetime
    path: Path
    rules: tuple[str, ...] = ()


@dataclass
class History:
    """What the vendor has of one symbol in a span.

    Args:
        refusal: Why there is nothing, where the vendor does not have the symbol or the span; None with bars or without trades.
        dropped: Rows that were no bars, by reason.
    """

    symbol: str
    currency: str = ""
    bars: list[Kept] = field(default_factory=lambda: [])
    actions: list[Action] = field(default_factory=lambda: [])
    dropped: dict[str, int] = field(default_factory=lambda: {})
    paths: list[Path] = field(default_factory=lambda: [])
    ts_recv: datetime | None = None
    refusal: Unusable | None = None


def fetch_history(door: Door, raw: RawAnswers, symbol: str, interval: Interval, *, span: Span, now: datetime) -> History:
    """Bars that are final at `now` and start in the span, and the corporate actions in it.

    Raises:
        HistoryTooOld: the vendor does not keep 1m bars that long.
        VendorAnswerUnusable: a page, an error of the vendor's servers, no JSON.
        VendorBlocked, VendorBudgetSpent, VendorUnreachable: see the door.
    """
    check_age(symbol, interval, span.start, now=now)
    history = History(symbol)
    for window in windows(span, WINDOWS[interval]):
        answer = door.get(CHART_URL + quote(symbol), _parameters(interval, window))
        path = raw.keep(answer, f"{symbol}-{interval}")
        history.paths.append(path)
        history.ts_recv = answer.ts
        _add(history, parse_chart(answer, now=now), answer, path=path, span=span, interval=interval)
        if history.refusal is not None and answer.status == HTTPStatus.NOT_FOUND:
            break  # no such symbol; another refusal may be of this window alone
    if history.currency:
        history.refusal = None  # a symbol that is younger than the span: only its first windows were refused
    return history


def check_age(symbol: str, interval: Interval, start: datetime, *, now: datetime) -> None:
    """Refuse before anything is asked.

    Raises:
        HistoryTooOld: the vendor does not keep 1m bars that long.
    """
    if interval == "1m" and start < now - MINUTES_KEPT:
        raise HistoryTooOld(symbol, interval, start, now - MINUTES_KEPT)


def windows(span: Span, longest: timedelta) -> Iterator[Span]:
    """The span in pieces that are not longer than that, in order."""
    start = span.start
    while start < span.end:
        end = min(start + longest, span.end)
        yield Span(start, end)
        start = end


def _parameters(interval: Interval, window: Span) -> dict[str, str]:
    return {
        "interval": interval,
        "period1": str(int(window.start.timestamp())),
        "period2": str(int(window.end.timestamp())),
        "includePrePost": "false",
        "events": "div,splits,capitalGains",
    }


def _add(history: History, chart: Chart | Unusable, answer: Answer, *, path: Path, span: Span, interval: Interval) -> None:
    if isinstance(chart, Chart) and chart.interval != interval:
        chart = Unusable("unknown_interval", f"{chart.symbol} came in bars of {chart.interval}; expected {interval}")
    if isinstance(chart, Unusable):
        history.refusal = _refusal(chart, answer)
        return
    history.currency = chart.currency
    history.bars += [Kept(bar, answer.ts, path) for bar in chart.bars if span.start <= bar.ts_start < span.end]
    history.actions += [action for action in chart.actions if action not in history.actions]
    counted = {**vars(chart.dropped), "bad_events": chart.bad_event_count}
    history.dropped = {name: history.dropped.get(name, 0) + count for name, count in counted.items()}


def _refusal(chart: Unusable, answer: Answer) -> Unusable | None:
    """Nothing traded is no refusal; a vendor in trouble is an error; the rest lies in what was asked for."""
    if chart.reason == "no_timestamps":
        return None
    if chart.reason in _ABOUT_THE_SYMBOL and answer.status < 500:
        return chart
    raise VendorAnswerUnusable(answer.url, answer.status, chart.reason, chart.detail)


def dropped_in_all(histories: Sequence[History]) -> dict[str, int]:
    """Dropped rows of several symbols, by reason."""
    names = sorted({name for history in histories for name in history.dropped})
    return {name: sum(history.dropped.get(name, 0) for history in histories) for name in names}
