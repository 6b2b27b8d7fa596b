"""The ledger's rows from what is missing now and what they were: pure, and the same again from the same state.

A row is cut where some of its minutes have got bars: those are repaired, by the run that accepted them, and stay so. What is still
missing is classified anew at each look, so that evidence that comes late counts; a row that would say the same of the same minutes
stays as it is, and what a repair run has decided is kept."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from stock_platform.contracts.gap import GapClass, GapState
from stock_platform.market.gaps.classes import Gap
from stock_platform.market.session_minutes import Minute, instant_of, minute_of, stretches

Accepted = Mapping[tuple[str, Minute], str]
"""Dagster run that accepted the certified bar of a symbol's minute."""


@dataclass(frozen=True)
class Row:
    """One row of quality.gap, in the order of its columns."""

    symbol: str
    ts_start: datetime
    ts_end: datetime
    session_date: date
    minute_count: int
    gap_class: GapClass
    evidence: str
    state: GapState
    closed_by_run: str | None
    closed_reason: str | None
    attempt_count: int
    ts_found: datetime
    ts_closed: datetime | None
    dagster_run_id: str

    @property
    def minutes(self) -> range:
        """Its minutes."""
        return range(minute_of(self.ts_start), minute_of(self.ts_end))

    @property
    def is_decided(self) -> bool:
        """Whether a repair run, or its lack, has decided that there will be no bar."""
        is_confirmed = self.state is GapState.EXPLAINED and self.closed_by_run is not None
        return is_confirmed or self.state is GapState.UNREPAIRABLE

    def of(self, minutes: range) -> "Row":
        """The part of it with these minutes."""
        return replace(self, ts_start=instant_of(minutes.start), ts_end=instant_of(minutes.stop), minute_count=len(minutes))


@dataclass(frozen=True)
class Look:
    """Who looks at which session, when."""

    session_date: date
    run_id: str
    now: datetime


def decided_minutes(stored: Iterable[Row]) -> dict[str, frozenset[Minute]]:
    """Minutes by symbol of which no look makes anything else."""
    return _minutes_by_symbol(row for row in stored if row.is_decided)


def closed_minutes(stored: Iterable[Row]) -> dict[str, frozenset[Minute]]:
    """Minutes by symbol of which an earlier look found that the market was not open."""
    return _minutes_by_symbol(row for row in stored if row.gap_class is GapClass.CLOSED)


def silent_minutes(stored: Iterable[Row]) -> dict[str, frozenset[Minute]]:
    """Minutes by symbol that an earlier look found silent, with Kafka asked."""
    quiet = (GapClass.CLOSED, GapClass.HALT, GapClass.NO_TRADE)
    return _minutes_by_symbol(row for row in stored if row.gap_class in quiet)


def _minutes_by_symbol(rows: Iterable[Row]) -> dict[str, frozenset[Minute]]:
    found: dict[str, set[Minute]] = defaultdict(set)
    for row in rows:
        if row.state is not GapState.REPAIRED:
            found[row.symbol].update(row.minutes)
    return {symbol: frozenset(minutes) for symbol, minutes in found.items()}


def merged(stored: Sequence[Row], gaps: Iterable[Gap], accepted: Accepted, *, look: Look) -> list[Row]:
    """The session's rows as they are to be, by symbol and time.

    Args:
        gaps: What is missing now and not decided.
        accepted: Of the stored rows' minutes, those that have a certified bar.
    """
    by_symbol: dict[str, list[Row]] = defaultdict(list)
    for row in stored:
        by_symbol[row.symbol].append(row)
    kept = [part for row in stored for part in _kept(row, accepted, look)]
    found = [_row(gap, by_symbol[gap.symbol], look) for gap in gaps]
    return sorted([*kept, *found], key=lambda row: (row.symbol, row.ts_start))


def _kept(row: Row, accepted: Accepted, look: Look) -> Iterator[Row]:
    """Parts of a stored row that stay: those whose minutes have bars, and what was decided of the others."""
    with_bars = {minute for minute in row.minutes if (row.symbol, minute) in accepted}
    for minutes in stretches(with_bars):
        yield row.of(minutes) if row.state is GapState.REPAIRED else _repaired(row.of(minutes), accepted, look)
    if row.is_decided:
        yield from map(row.of, stretches(set(row.minutes) - with_bars))


def _repaired(row: Row, accepted: Accepted, look: Look) -> Row:
    runs = sorted({accepted[row.symbol, minute] for minute in row.minutes})
    newest = accepted[row.symbol, row.minutes[-1]]
    others = f", the others by {', '.join(run for run in runs if run != newest)}" if len(runs) > 1 else ""
    bars = "its bar was" if row.minute_count == 1 else f"its {row.minute_count} bars were"
    reason = f"{bars} accepted by run {newest}{others}"
    return replace(row, state=GapState.REPAIRED, closed_by_run=newest, closed_reason=reason, ts_closed=look.now)


def _row(gap: Gap, stored: Iterable[Row], look: Look) -> Row:
    """A gap as a row; what is known of its minutes since an earlier look is taken over."""
    live = [row for row in stored if row.state is not GapState.REPAIRED and not row.is_decided]
    earlier = [row for row in live if row.minutes.start < gap.minutes.stop and gap.minutes.start < row.minutes.stop]
    state = GapState.OPEN if gap.closing is None else GapState.EXPLAINED
    same = next((row for row in earlier if (row.minutes, row.gap_class, row.state) == (gap.minutes, gap.gap_class, state)), None)
    if same is not None:
        return same
    first = min(earlier, key=lambda row: row.ts_found, default=None)
    return Row(
        symbol=gap.symbol,
        ts_start=instant_of(gap.minutes.start),
        ts_end=instant_of(gap.minutes.stop),
        session_date=look.session_date,
        minute_count=len(gap.minutes),
        gap_class=gap.gap_class,
        evidence=gap.evidence,
        state=state,
        closed_by_run=None,
        closed_reason=gap.closing,
        attempt_count=max((row.attempt_count for row in earlier if row.gap_class is gap.gap_class), default=0),
        ts_found=first.ts_found if first else look.now,
        ts_closed=None if gap.closing is None else look.now,
        dagster_run_id=first.dagster_run_id if first else look.run_id,
    )
