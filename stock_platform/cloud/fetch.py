"""One fetch: vendor → the feed's own rules → table StockPrices, and a report of every symbol. Not here: Lambda (fetch_function).

Which symbols: those whose market trades now by its calendar, so that holidays and early closes are skipped. State: a validator
remembers its symbols for as long as the process lives; a fresh one is told the table's prices first. What repeats after a crash:
the whole fetch; a row that is there refuses its own repetition."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.dynamodb import DeadLetters, Table
from stock_platform.calendars import calendar
from stock_platform.cloud.price_row import candidate_of_row, row_of
from stock_platform.errors import PlatformError
from stock_platform.feed.tick import Candidate, Refusal, Tick
from stock_platform.feed.validation import Validator
from stock_platform.feed.watchlist import Instrument

_LETTER_SYMBOLS = 200
"""A message holds 256 KiB; a symbol's failure is below 1 KiB."""
_DETAIL_LENGTH = 600


class Poll(Protocol):
    """The feed's batch quote request (feed/yahoo/polling)."""

    last_error: str | None
    missing: frozenset[str]

    def poll(self, symbols: Sequence[str]) -> Sequence[Candidate | Refusal]:
        """Prices now; what could not be had is told in last_error and missing."""
        ...


class FetchFailed(PlatformError):
    """A fetch brought nothing at all, so that it should be tried again."""

    def __init__(self, asked: int, reason: str) -> None:
        super().__init__(f"None of {asked} symbols could be fetched: {reason}. The next scheduled fetch tries again; see the log.")


@dataclass
class Report:
    """What became of each symbol of one fetch; every asked symbol is in exactly one of the groups.

    Args:
        closed: Not asked: its market does not trade now.
        unchanged: The vendor said what is stored already.
        older: The table had a newer price.
        failed: Why it has no new row, by symbol.
    """

    ts: datetime
    asked: tuple[str, ...]
    closed: tuple[str, ...]
    written: frozenset[str] = frozenset()
    unchanged: frozenset[str] = frozenset()
    older: frozenset[str] = frozenset()
    failed: dict[str, str] = field(default_factory=dict[str, str])

    def counts(self) -> dict[str, int]:
        """So many symbols by group."""
        groups = ("asked", "closed", "written", "unchanged", "older", "failed")
        return {name: len(getattr(self, name)) for name in groups}


class Fetcher:
    """Fetches a watchlist into a table.

    Args:
        source: Of the ticks: yahoo or simulator.
    """

    def __init__(
        self, instruments: Sequence[Instrument], *, poll: Poll, table: Table, letters: DeadLetters, clock: Clock, source: str
    ) -> None:
        self._instruments = instruments
        self._poll = poll
        self._table = table
        self._letters = letters
        self._clock = clock
        self._validator = Validator(line="cloud", source=source, instruments=instruments)
        self._known: set[str] = set()

    def fetch(self, calendars: frozenset[str]) -> Report:
        """Fetch what trades now of these calendars.

        Raises:
            FetchFailed: the vendor gave nothing, or no row could be written.
            TableUnavailable, QueueUnavailable: as they say.
        """
        now = self._clock.now()
        trading, closed = split_by_hours(self._instruments, calendars, now)
        report = Report(now, trading, closed)
        if not trading:
            return report
        self._remember(trading)
        found = self._poll.poll(trading)
        rows = self._judge(found, report)
        puts = self._table.put_newer({symbol: row_of(tick) for symbol, tick in rows.items()})
        report.written, report.older = puts.written, puts.older
        report.failed.update(puts.failed)
        self._account(report)
        self._send(report)
        if len(report.failed) == len(trading):
            raise FetchFailed(len(trading), summary(report.failed))
        return report

    def _remember(self, symbols: Sequence[str]) -> None:
        """Tell a fresh validator what the table has, so that a first price is compared with the last one."""
        fresh = [symbol for symbol in symbols if symbol not in self._known]
        for row in self._table.read_many(fresh).values():
            self._validator.judge(candidate_of_row(row))
        self._known.update(fresh)

    def _judge(self, found: Sequence[Candidate | Refusal], report: Report) -> dict[str, Tick]:
        ticks: dict[str, Tick] = {}
        unchanged: set[str] = set()
        for item in found:
            symbol = item.symbol if isinstance(item, Candidate) else _symbol_of(item)
            verdict = self._validator.judge(item) if isinstance(item, Candidate) else item
            if isinstance(verdict, Tick):
                ticks[symbol] = verdict
            elif verdict is None:
                unchanged.add(symbol)
            elif symbol in report.asked:
                report.failed[symbol] = f"{verdict.reason}: {verdict.detail}"[:_DETAIL_LENGTH]
        report.unchanged = frozenset(unchanged - ticks.keys())
        return ticks

    def _account(self, report: Report) -> None:
        """Nothing is dropped silently: what was asked and is in no group has failed."""
        told = report.written | report.unchanged | report.older | report.failed.keys()
        for symbol in report.asked:
            if symbol not in told:
                is_missing = symbol in self._poll.missing
                reason = "missing: the vendor does not answer it" if is_missing else f"not asked: {self._poll.last_error}"
                report.failed[symbol] = reason[:_DETAIL_LENGTH]

    def _send(self, report: Report) -> None:
        failed = sorted(report.failed.items())
        for start in range(0, len(failed), _LETTER_SYMBOLS):
            part = dict(failed[start : start + _LETTER_SYMBOLS])
            self._letters.send(json.dumps({"ts": report.ts.isoformat(), "failed": part}))


def split_by_hours(
    instruments: Sequence[Instrument], calendars: frozenset[str], now: datetime
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Symbols of these calendars whose market trades at the instant, and those whose market does not. Pure."""
    asked = [each for each in instruments if each.calendar in calendars]
    trading = tuple(each.symbol for each in asked if calendar(each.calendar).is_trading(now))
    return trading, tuple(each.symbol for each in asked if not calendar(each.calendar).is_trading(now))


def summary(failed: Mapping[str, str]) -> str:
    """The commonest reasons, for a sentence."""
    reasons = Counter(reason.split(":", 1)[0] for reason in failed.values())
    return ", ".join(f"{count} {reason}" for reason, count in reasons.most_common(3))


def _symbol_of(refusal: Refusal) -> str:
    """Symbol of a vendor's quote that has no price; its bytes are the quote as JSON."""
    return str(json.loads(refusal.payload())["symbol"])
