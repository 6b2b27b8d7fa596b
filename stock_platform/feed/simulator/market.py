"""Prices and volumes of the simulated market: a pure function of (seed, symbol, second).

A simulator that is killed and started again goes on as if nothing had been, and any past second can be asked for.
Each UTC midnight has an anchor price; between two anchors runs a Brownian bridge, livelier where the market is: first over
the day's blocks, then over the seconds of a block, so that a block costs 0.2 ms and no other block."""

import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from stock_platform.calendars import Calendar, Session, calendar
from stock_platform.contracts.epoch import EPOCH
from stock_platform.feed.simulator.shape import DAY_S, REGULAR_S, DayShape, Hours, day_shape, volume_ratio
from stock_platform.feed.simulator.updates import BLOCK_S, EMPTY, PRICE_SCALE, Block, DailyBar, Integers, second_of
from stock_platform.feed.watchlist import Instrument, Simulated

Rate = Literal["natural", "full"]
"""natural: as often as the market is lively; full: each symbol in each second that it is open, for load tests."""

_BLOCKS = DAY_S // BLOCK_S
_FIRST_DAY = date(2000, 1, 1)
"""Day 0 of every symbol's anchors."""
_MEMORY_DAYS = 1_000
_PULL_RATIO = 0.995
"""Anchors go back to the base price by 0.5 % a day: years later they still surround it."""
_CENT = PRICE_SCALE // 100
_RATE_QUIET, _RATE_LIVELY = 0.12, 0.55
"""Chance of an update in a second: at night, and what one unit of liveliness adds (no more than 0.95 in all)."""
_SIZE_SIGMA, _BLOCK_SIGMA = 1.0, 0.25
_VARIANCE_FLOOR = 0.02
_RANGE_RATIO = 0.35
"""How far a drawn day's high and low lie beyond its open and close, in deviations of a day's return."""
_ACTIVE_DAYS_BACK = 10
"""Longer than any exchange is closed."""

_Reals = NDArray[np.float64]


@dataclass(frozen=True)
class _Knots:
    """Where a day's blocks begin: logarithms of prices, shape (97,), and volumes traded in each, shape (96,)."""

    prices: _Reals
    volumes: Integers


class Market:
    """The whole market of one seed."""

    def __init__(self, instruments: Iterable[Instrument], *, seed: int, hours: Hours, rate: Rate = "natural") -> None:
        self.instruments = {each.symbol: each for each in instruments if each.simulator}
        self._seed = seed
        self._hours: Hours = hours
        self._rate = rate
        self._knots = lru_cache(maxsize=4 * len(self.instruments) + 64)(self._compute_knots)

    def block(self, symbol: str, start: int) -> Block:
        """Updates of [start, start + BLOCK_S)."""
        day, first = divmod(start, DAY_S)
        shape = self._shape(symbol, day)
        part = slice(first, first + BLOCK_S)
        liveliness, regular = shape.liveliness[part], shape.regular[part]
        if not liveliness.any():
            return EMPTY
        draw = self._generator(symbol, start)
        prices = self._prices(symbol, day, first // BLOCK_S, liveliness, draw)
        happens = (draw.random(BLOCK_S) < self._chance(liveliness)) & (liveliness > 0)
        volumes = self._volumes(symbol, day, first // BLOCK_S, liveliness * (happens & regular), draw)
        seconds = start + np.arange(BLOCK_S, dtype=np.int64)
        return Block(seconds, prices, np.where(regular, volumes, -1), shape.phases[part]).where(happens)

    def active_block(self, symbol: str, start: int) -> int | None:
        """Start of the newest block, not later than that, in which the market is open."""
        day, first = divmod(start, DAY_S)
        for back in range(_ACTIVE_DAYS_BACK):
            last = first // BLOCK_S + 1 if back == 0 else _BLOCKS
            open_blocks = np.flatnonzero(self._shape(symbol, day - back).lively_blocks[:last])
            if open_blocks.size:
                return (day - back) * DAY_S + int(open_blocks[-1]) * BLOCK_S
        return None

    def calendar(self, symbol: str) -> Calendar:
        """The exchange's own; a market that is always open has a session a UTC day."""
        return calendar("24/7" if self._hours == "always" else self.instruments[symbol].calendar)

    def drawn_bar(self, symbol: str, session: Session) -> DailyBar:
        """Open and close on the anchors of its day, high and low drawn beyond them."""
        instrument, day = self.instruments[symbol], session.session_date
        opening, close = (math.exp(self._anchor(instrument, day + timedelta(days=n))) for n in (0, 1))
        draw = self._generator(symbol, -day.toordinal())
        above, below = np.abs(draw.standard_normal(2)) * _RANGE_RATIO * _sigma(instrument)
        high, low = max(opening, close) * math.exp(above), min(opening, close) * math.exp(-below)
        expected = _simulated(instrument).daily_volume * volume_ratio(day, calendar_name=instrument.calendar, hours=self._hours)
        volume = expected * math.exp(_BLOCK_SIGMA * draw.standard_normal())
        prices = _cents(opening), _cents(high), _cents(low), _cents(close)
        return DailyBar(second_of(session.ts_open), *prices, round(volume))

    def _shape(self, symbol: str, day: int) -> DayShape:
        return day_shape(_date(day), calendar_name=self.instruments[symbol].calendar, hours=self._hours)

    def _chance(self, liveliness: _Reals) -> _Reals | float:
        return 1.0 if self._rate == "full" else np.minimum(_RATE_QUIET + _RATE_LIVELY * liveliness, 0.95)

    def _prices(self, symbol: str, day: int, index: int, liveliness: _Reals, draw: np.random.Generator) -> Integers:
        """A bridge from this block's knot to the next one's, shape (900,)."""
        knots = self._knots(symbol, day).prices
        bridge = _bridge(knots[index], knots[index + 1], _variance(liveliness, self.instruments[symbol]), draw)
        return np.maximum(1, np.rint(np.exp(bridge) * 100)).astype(np.int64) * _CENT

    def _volumes(self, symbol: str, day: int, index: int, weight: _Reals, draw: np.random.Generator) -> Integers:
        """Cumulative since the session's open, shape (900,): the block's volume, shared out by lots, at least 1 each."""
        total = int(self._knots(symbol, day).volumes[index])
        lots = np.cumsum(weight * draw.lognormal(0.0, _SIZE_SIGMA, BLOCK_S))
        count = np.cumsum(weight > 0)
        shared = np.floor((total - count[-1]) * lots / lots[-1]) if count[-1] else lots
        return self._traded_before(symbol, day, index) + shared.astype(np.int64) + count

    def _traded_before(self, symbol: str, day: int, index: int) -> int:
        """Volume of the session's blocks before this one; a session may have opened before midnight."""
        first = (int(self._shape(symbol, day).opens[index]) - day * DAY_S) // BLOCK_S
        today = int(self._knots(symbol, day).volumes[max(0, first) : index].sum())
        return today if first >= 0 else today + int(self._knots(symbol, day - 1).volumes[first:].sum())

    def _compute_knots(self, symbol: str, day: int) -> _Knots:
        instrument, shape = self.instruments[symbol], self._shape(symbol, day)
        draw = self._generator(symbol, _date(day).toordinal())
        start, end = (self._anchor(instrument, _date(day + n)) for n in (0, 1))
        variance = _variance(shape.liveliness, instrument).reshape(_BLOCKS, BLOCK_S).sum(axis=1)
        prices = np.concatenate(([start], _bridge(start, end, variance, draw)))
        lively = (shape.liveliness * shape.regular).reshape(_BLOCKS, BLOCK_S).sum(axis=1)
        expected = lively * _simulated(instrument).daily_volume / REGULAR_S
        drawn = np.rint(expected * draw.lognormal(-(_BLOCK_SIGMA**2) / 2, _BLOCK_SIGMA, _BLOCKS))
        return _Knots(prices, np.where(lively > 0, np.maximum(BLOCK_S, drawn), 0).astype(np.int64))

    def _anchor(self, instrument: Instrument, day: date) -> float:
        """Logarithm of the price at the day's first midnight, UTC: random steps that fade, so that it stays sane."""
        steps = _faded_steps(self._seed, instrument.symbol, (day - _FIRST_DAY).days)
        return math.log(_simulated(instrument).base_price) + _sigma(instrument) * steps

    def _generator(self, symbol: str, moment: int) -> np.random.Generator:
        return np.random.default_rng((self._seed, zlib.crc32(symbol.encode()), moment & 0xFFFFFFFFFF))


def _bridge(start: float, end: float, variance: _Reals, draw: np.random.Generator) -> _Reals:
    """A random walk from start that reaches end with its last step."""
    walk = np.cumsum(draw.standard_normal(variance.size) * np.sqrt(variance))
    passed = np.cumsum(variance)
    return start + walk + (passed / passed[-1]) * (end - start - walk[-1])


def _variance(liveliness: _Reals, instrument: Instrument) -> _Reals:
    """Of the logarithm's step in each second; a closed market drifts a little, or there would be no gaps at the open."""
    return (liveliness + _VARIANCE_FLOOR) / REGULAR_S * _sigma(instrument) ** 2


@lru_cache(maxsize=32_768)
def _faded_steps(seed: int, symbol: str, day: int) -> float:
    """Standard normal steps up to the day, each fading by the pull; deviation about 10."""
    recent = _steps(seed, symbol)[: day + 1][: -_MEMORY_DAYS - 1 : -1]
    return float(recent @ _FADING[: recent.size])


@lru_cache(maxsize=256)
def _steps(seed: int, symbol: str) -> _Reals:
    """Of every day up to 2049; the same first ones whatever the count."""
    return np.random.default_rng((seed, zlib.crc32(symbol.encode()))).standard_normal(50 * 365)


_FADING = _PULL_RATIO ** np.arange(_MEMORY_DAYS)


def _cents(price: float) -> int:
    return round(price * 100) * _CENT


def _sigma(instrument: Instrument) -> float:
    return _simulated(instrument).volatility_pct / 100


def _simulated(instrument: Instrument) -> Simulated:
    assert instrument.simulator is not None  # Market keeps no other
    return instrument.simulator


def _date(day: int) -> date:
    return EPOCH.date() + timedelta(days=day)
