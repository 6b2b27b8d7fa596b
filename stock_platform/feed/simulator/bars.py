"""Bars of the simulated market: the stream's own updates, minute by minute, and coarser ones from them.

Not here: what Yahoo writes around them (chart)."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stock_platform.calendars import Session
from stock_platform.feed.simulator.shape import DAY_S, REGULAR
from stock_platform.feed.simulator.updates import BLOCK_S, EMPTY, Block, DailyBar, Integers, block_start, second_of
from stock_platform.feed.simulator.world import World

MINUTE_S = 60
_INTRADAY_SESSIONS = 31
"""So many daily bars are summed up from minutes; older ones cannot be compared with minutes that nobody may ask for."""


@dataclass(frozen=True)
class Bars:
    """Bars of one symbol in order; every array has the same length.

    Args:
        starts: Second of the epoch, inclusive.
        opens: In ten-thousandths; highs, lows and closes alike.
        volumes: Traded inside the bar in the regular session.
        phases: Yahoo's market_hours of the bar's last update.
    """

    starts: Integers
    opens: Integers
    highs: Integers
    lows: Integers
    closes: Integers
    volumes: Integers
    phases: NDArray[np.int8]

    def where(self, mask: NDArray[np.bool_]) -> "Bars":
        """Only those bars."""
        columns = (self.starts, self.opens, self.highs, self.lows, self.closes, self.volumes)
        starts, opens, highs, lows, closes, volumes = (column[mask] for column in columns)
        return Bars(starts, opens, highs, lows, closes, volumes, self.phases[mask])

    def between(self, start: float, end: float) -> "Bars":
        """Bars that start in [start, end)."""
        return self.where((self.starts >= start) & (self.starts < end))


def minute_bars(block: Block) -> Bars:
    """Updates as minutes. Volume is what the day's volume grew by; a day's volume that falls is a new session's."""
    total = np.maximum(block.volumes, 0)
    grown = np.diff(total, prepend=0)
    traded = np.where(grown < 0, total, grown)
    minutes = Bars(block.seconds, block.prices, block.prices, block.prices, block.prices, traded, block.phases)
    return coarser(minutes, MINUTE_S)


def coarser(bars: Bars, seconds: int, *, offset: int = 0) -> Bars:
    """Bars of so many seconds, the grid moved by the offset."""
    starts = (bars.starts - offset) // seconds * seconds + offset
    if not starts.size:
        return bars
    first = np.flatnonzero(np.diff(starts, prepend=starts[0] - 1))
    last = np.append(first[1:], starts.size) - 1
    return Bars(
        starts=starts[first],
        opens=bars.opens[first],
        highs=np.maximum.reduceat(bars.highs, first),
        lows=np.minimum.reduceat(bars.lows, first),
        closes=bars.closes[last],
        volumes=np.add.reduceat(bars.volumes, first),
        phases=bars.phases[last],
    )


class History:
    """Bars of any time, as a chart asked for at some second shows them: adjusted by every split so far."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._day = lru_cache(maxsize=512)(self._compute_day)

    def minutes(self, symbol: str, start: int, end: int, *, now: int) -> Bars:
        """Minutes that start in [start, end) and are over."""
        splits = tuple(timed.start for _, timed in self._world.splits(symbol, now))
        days = range(start // DAY_S, -(-min(end, now) // DAY_S))
        whole = _joined([self._day(symbol, day, self._world.faults.version, splits) for day in days])
        return whole.where((whole.starts >= start) & (whole.starts < end) & (whole.starts + MINUTE_S <= now))

    def running(self, symbol: str, now: int) -> Bars:
        """The minute that is not over: what has come up to this second and in it; none or one bar."""
        start = now // MINUTE_S * MINUTE_S
        block = self._world.updates(symbol, block_start(start) - BLOCK_S, block_start(start) + BLOCK_S, adjusted_at=now)
        return minute_bars(block.where(block.seconds <= now)).between(start, now + 1)

    def daily(self, symbol: str, sessions: list[Session], *, now: int) -> list[DailyBar]:
        """A bar a session that has begun; the running one as far as it has come, up to this second."""
        newest = second_of(self._world.session(symbol, now).ts_open) - _INTRADAY_SESSIONS * DAY_S
        starts = [(session, second_of(session.ts_open)) for session in sessions]
        bars = [
            self._summed(symbol, session, now) if start > newest else self._drawn(symbol, session, now)
            for session, start in starts
            if start <= now
        ]
        return [bar for bar in bars if bar]

    def _summed(self, symbol: str, session: Session, now: int) -> DailyBar | None:
        start, end = second_of(session.ts_open), second_of(session.ts_close)
        bars = self.minutes(symbol, start, end, now=now)
        bars = _joined([bars, self.running(symbol, now)]) if now < end else bars
        regular = bars.where(bars.phases == REGULAR)
        if not regular.starts.size:
            return None
        return DailyBar(
            start=start,
            open=int(regular.opens[0]),
            high=int(regular.highs.max()),
            low=int(regular.lows.min()),
            close=int(regular.closes[-1]),
            volume=int(regular.volumes.sum()),
        )

    def _drawn(self, symbol: str, session: Session, now: int) -> DailyBar | None:
        bar = self._world.source.drawn_bar(symbol, session)
        for split, timed in self._world.splits(symbol, now):
            bar = bar and _split(bar, split.ratio, is_older=bar.start < timed.start)
        return bar

    def _compute_day(self, symbol: str, day: int, version: int, splits: tuple[int, ...]) -> Bars:
        """A whole UTC day; the block before it tells what had been traded of a session that opened before midnight."""
        start, known = day * DAY_S, max(splits, default=-1)
        bars = minute_bars(self._world.updates(symbol, start - BLOCK_S, start + DAY_S, adjusted_at=known))
        for split, timed in self._world.splits(symbol, known):
            shares = np.where(bars.starts < timed.start, bars.volumes * split.ratio, bars.volumes)
            bars = replace(bars, volumes=np.rint(shares).astype(np.int64))
        return bars.between(start, start + DAY_S)


def _split(bar: DailyBar, ratio: float, *, is_older: bool) -> DailyBar:
    opening, high, low, close = (round(price / ratio) for price in (bar.open, bar.high, bar.low, bar.close))
    return DailyBar(bar.start, opening, high, low, close, round(bar.volume * ratio) if is_older else bar.volume)


def _joined(parts: list[Bars]) -> Bars:
    """Bars in a row."""
    whole = parts or [minute_bars(EMPTY)]
    return Bars(
        np.concatenate([each.starts for each in whole]),
        np.concatenate([each.opens for each in whole]),
        np.concatenate([each.highs for each in whole]),
        np.concatenate([each.lows for each in whole]),
        np.concatenate([each.closes for each in whole]),
        np.concatenate([each.volumes for each in whole]),
        np.concatenate([each.phases for each in whole]),
    )
