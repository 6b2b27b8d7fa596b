"""What a closed bar is compared with: its symbol's accepted bars before it, and the other bars of its minute. Pure.

A symbol's bars are gone through in order of time, those accepted before and those of the batch; one whose prices are out of scale
is no measure for the next ones. So it makes no difference whether bars are judged one by one or a session at once."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median, median_low
from typing import NamedTuple

import polars as pl

from stock_platform.contracts.jump import OVERNIGHT

COMPARED_COUNT = 30
"""Accepted bars that give the reference."""
HABIT_COUNT = 60
"""Accepted bars that show how much is usual, and whether a symbol often stands still."""

SCALE_LIMIT = 3.0
"""No price triples or falls to a third within half an hour of trade; a wrong unit is a factor of 100."""
COLLAR_PCT = (5.0, 20.0)
"""Narrowest and widest collar: the limit-up/limit-down bands of tier 1 names, and of tier 2 names near open and close.
Source: National Market System Plan to Address Extraordinary Market Volatility, section VIII and appendix A."""
COLLAR_SIGMAS = 6.0
_SIGMA_OF_MEDIAN = 1.4826
"""Standard deviation of a normal variable over the median of its absolute value."""
_HALF_HOUR = COMPARED_COUNT**0.5
"""Growth of a random walk's deviation from one minute to thirty."""
_MOVES_NEEDED = 10
_AFTER_OPEN, _BEFORE_CLOSE = timedelta(minutes=15), timedelta(minutes=25)
"""In which the bands are doubled; the same source."""

EQUAL_RUN_LIMIT = 9
"""So many bars that only repeat the price before may follow each other while peers move."""
VOLUME_LIMIT = 100.0
"""Times the largest minute of the hour before: an auction is some ten times as much, a wrong cumulative volume a thousand."""
_HABIT_NEEDED = 15
_HABIT_SHARE = 0.25
_PEERS_NEEDED = 3

MEASURES = ("scale_ratio", "collar_share", "jump_pct", "equal_run_count", "volume_ratio")


class Known(NamedTuple):
    """A bar in the row of its symbol's bars; prices as floats, which keep their order."""

    ts_start: datetime
    session_date: date
    open: float
    high: float
    low: float
    close: float
    volume: int | None = None
    ts_open: datetime | None = None
    ts_close: datetime | None = None
    is_judged: bool = False
    is_peer_moving: bool = False


class Measures(NamedTuple):
    """How a bar stands to what came before; None where there is nothing to compare it with.

    Args:
        scale_ratio: Farthest price over the reference, or the other way round: at least 1.
        collar_share: Deviation of high and low from the reference, 1 at the collar's edge.
        jump_pct: Move from the last session's close to the open, splits taken out; of a session's first bar only.
        equal_run_count: Bars up to this one that only repeat the price before, while peers move and the symbol usually does.
        volume_ratio: Volume over the largest one of the bars before.
    """

    scale_ratio: float | None = None
    collar_share: float | None = None
    jump_pct: float | None = None
    equal_run_count: int | None = None
    volume_ratio: float | None = None


@dataclass
class _Past:
    """What is known of a symbol up to now.

    Args:
        session_date: Of the last close; own_count: how many closes in a row are of that session.
        shares_of: Session in whose shares the closes are: a later one, where no bar of it was a measure yet.
    """

    closes: deque[float] = field(default_factory=lambda: deque(maxlen=COMPARED_COUNT))
    moves_pct: deque[float] = field(default_factory=lambda: deque(maxlen=COMPARED_COUNT))
    flats: deque[bool] = field(default_factory=lambda: deque(maxlen=HABIT_COUNT))
    volumes: deque[int] = field(default_factory=lambda: deque(maxlen=HABIT_COUNT))
    session_date: date | None = None
    own_count: int = 0
    shares_of: date | None = None
    run_count: int = 0

    def enter(self, session_date: date, splits: Sequence[tuple[date, float]]) -> None:
        """Bring what is known to the shares of this session."""
        before, self.shares_of = self.shares_of, session_date
        if before is None or before == session_date:
            return
        dates = [ex_date for ex_date, _ in splits]
        for _, ratio in splits[bisect_right(dates, before) : bisect_right(dates, session_date)]:
            self.closes = deque((close / ratio for close in self.closes), maxlen=COMPARED_COUNT)

    def measures(self, bar: Known) -> Measures:
        """How the bar stands to it."""
        if not self.closes:
            return Measures()
        reference = median_low(self.closes)
        return Measures(
            scale_ratio=scale_ratio(bar, reference),
            collar_share=self._collar_share(bar, reference),
            jump_pct=self._jump_pct(bar),
            equal_run_count=self._equal_run_count(bar),
            volume_ratio=self._volume_ratio(bar),
        )

    def _collar_share(self, bar: Known, reference: float) -> float | None:
        """Near the open against the reference, later against its own session alone: one that is entered in its middle, because the
        platform started then, would be compared with prices of hours or days ago."""
        own_count = self.own_count if self.session_date == bar.session_date else 0
        if own_count < len(self.closes) and not _is_after_open(bar):
            if not own_count:
                return None
            reference = median_low(list(self.closes)[-own_count:])
        return max(bar.high - reference, reference - bar.low) / reference * 100 / self.collar_pct(bar)

    def collar_pct(self, bar: Known) -> float:
        """By how much the price usually moves in half an hour, within limits, doubled near open and close."""
        usual = median(self.moves_pct) if len(self.moves_pct) >= _MOVES_NEEDED else 0.0
        narrowest, widest = COLLAR_PCT
        collar = min(max(COLLAR_SIGMAS * _SIGMA_OF_MEDIAN * _HALF_HOUR * usual, narrowest), widest)
        return collar * (2 if _is_near_edge(bar) else 1)

    def _jump_pct(self, bar: Known) -> float | None:
        before = self.session_date
        if before is None or before == bar.session_date or bar.session_date - before > OVERNIGHT:
            return None
        return abs(bar.open / self.closes[-1] - 1) * 100

    def _equal_run_count(self, bar: Known) -> int | None:
        if not bar.is_peer_moving:
            return None
        habit = list(self.flats)[: len(self.flats) - self.run_count]
        if len(habit) < _HABIT_NEEDED or sum(habit) > _HABIT_SHARE * len(habit):
            return None
        return self.run_count + 1 if self._goes_on(bar) else 0

    def _volume_ratio(self, bar: Known) -> float | None:
        is_known = bar.volume is not None and len(self.volumes) >= _HABIT_NEEDED
        return bar.volume / max(self.volumes) if is_known and bar.volume else None

    def _goes_on(self, bar: Known) -> bool:
        return bar.high == bar.low == bar.close and bool(self.closes) and bar.close == self.closes[-1]

    def add(self, bar: Known) -> None:
        """The next ones are compared with it too."""
        if self.closes and bar.session_date == self.session_date:
            self.moves_pct.append(abs(bar.close / self.closes[-1] - 1) * 100)
        is_flat = self._goes_on(bar)
        self.run_count = min(self.run_count + 1, HABIT_COUNT) if is_flat else 0
        self.flats.append(is_flat)
        if bar.volume and bar.volume > 0:
            self.volumes.append(bar.volume)
        self.closes.append(bar.close)
        self.own_count = self.own_count + 1 if bar.session_date == self.session_date else 1
        self.session_date = bar.session_date


def measured(bars: Iterable[Known], splits: Sequence[tuple[date, float]] = ()) -> list[Measures]:
    """Measures of the judged ones among a symbol's bars.

    Args:
        bars: In order of time.
        splits: Ex-date and new shares an old one, in order.
    """
    past, found = _Past(), list[Measures]()
    for bar in bars:
        past.enter(bar.session_date, splits)
        measures = past.measures(bar) if bar.is_judged else Measures()
        if bar.is_judged:
            found.append(measures)
        if bar.close > 0 and (measures.scale_ratio or 1) <= SCALE_LIMIT:
            past.add(bar)
    return found


def scale_ratio(bar: Known, reference: float) -> float:
    """Farthest price over the reference, or the other way round."""
    return max(bar.high / reference, reference / bar.low if bar.low > 0 else float("inf"))


def with_measures(bars: pl.DataFrame, earlier: pl.DataFrame, splits: Mapping[str, Sequence[tuple[date, float]]]) -> pl.DataFrame:
    """The bars with MEASURES.

    Args:
        bars: Those to judge, sorted by symbol and ts_start.
        earlier: Accepted bars of their symbols; where both have a bar, the one to judge counts.
    """
    names = ("symbol", *Known._fields)
    judged = _with_peers(bars).with_columns(is_judged=pl.lit(value=True))
    others = earlier.join(bars, on=["symbol", "ts_start"], how="anti").with_columns(
        pl.lit(None, pl.Datetime("us", "UTC")).alias("ts_open"),
        pl.lit(None, pl.Datetime("us", "UTC")).alias("ts_close"),
        is_judged=pl.lit(value=False),
        is_peer_moving=pl.lit(value=False),
    )
    prices = pl.col("open", "high", "low", "close").cast(pl.Float64)
    known = pl.concat([each.select(names).with_columns(prices) for each in (judged, others)]).sort(
        "symbol", "ts_start", maintain_order=True
    )
    found = list[Measures]()
    for rows in known.partition_by("symbol", maintain_order=True):
        of_symbol = map(Known._make, rows.drop("symbol").iter_rows())
        found += measured(of_symbol, splits.get(rows["symbol"][0], ()))
    return bars.hstack(pl.DataFrame(found, schema=dict(zip(MEASURES, _TYPES, strict=True)), orient="row"))


_TYPES = (pl.Float64, pl.Float64, pl.Float64, pl.Int64, pl.Float64)


def _with_peers(bars: pl.DataFrame) -> pl.DataFrame:
    """Whether at least half of the calendar's other bars of that minute moved."""
    is_moving = (pl.col("high") > pl.col("low")).cast(pl.Int64)
    minute = ("calendar", "ts_start")
    moving, peers = is_moving.sum().over(minute) - is_moving, pl.len().over(minute).cast(pl.Int64) - 1
    return bars.with_columns(is_peer_moving=(peers >= _PEERS_NEEDED) & (moving * 2 >= peers))


def _is_near_edge(bar: Known) -> bool:
    if bar.ts_open is None or bar.ts_close is None:
        return False
    return _is_after_open(bar) or bar.ts_start >= bar.ts_close - _BEFORE_CLOSE


def _is_after_open(bar: Known) -> bool:
    return bar.ts_open is not None and bar.ts_start < bar.ts_open + _AFTER_OPEN
