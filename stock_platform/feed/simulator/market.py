"""Prices and volumes of the simulated market: a pure function of (seed, symbol, second).

A simulator that is killed and started again goes on as if nothing had been, and any past second can be asked for.
Each UTC midnight has an anchor price; between two anchors runs a Brownian bridge, livelier where the market is."""

import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from stock_platform.feed.simulator.shape import DAY_S, REGULAR_S, Hours, liveliness, regular_seconds
from stock_platform.feed.tick import EPOCH
from stock_platform.feed.watchlist import Instrument, Simulated

_FIRST_DAY = date(2000, 1, 1)
"""Day 0 of every symbol's anchors."""
_MEMORY_DAYS = 1_000
_PULL_RATIO = 0.995
"""Anchors go back to the base price by 0.5 % a day: years later they they still surround it."""
_TICK_SIZE = 0.01
_RATE_QUIET, _RATE_LIVELY = 0.12, 0.55
"""Chance of an update in a second: at night, and what one unit of liveliness adds (no more than 0.95 in all)."""
_SIZE_SIGMA = 1.0
_VARIANCE_FLOOR = 0.02
_PATHS_KEPT = 3


@dataclass(frozen=True)
class DayPath:
    """Updates of one symbol in one UTC day, by second.

    Args:
        seconds: Of the day, ascending, shape (n_updates,).
        prices: In hundredths, same index.
        volumes: Cumulative since the session's start, same index; -1 outside the regular session.
    """

    seconds: NDArray[np.int32]
    prices: NDArray[np.int64]
    volumes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Update:
    """One last-sale update.

    Args:
        second: Of the epoch.
        day_volume: None outside the regular session.
    """

    symbol: str
    second: int
    price: float
    day_volume: int | None
    previous_close: float


class Market:
    """The whole market of one seed."""

    def __init__(self, instruments: Iterable[Instrument], *, seed: int, hours: Hours) -> None:
        self._seed = seed
        self._hours: Hours = hours
        self._instruments = {each.symbol: each for each in instruments if each.simulator}
        self._path = lru_cache(maxsize=_PATHS_KEPT * len(self._instruments))(self._compute_path)

    def update(self, symbol: str, second: int) -> Update | None:
        """What happens to the symbol in that second of the epoch; None when nothing does, or it is not traded here."""
        newest = self.newest(symbol, second)
        return newest if newest and newest.second == second else None

    def newest(self, symbol: str, second: int) -> Update | None:
        """The newest update at or before that second, from this UTC day or the days before."""
        if symbol not in self._instruments:
            return None
        day, second_of_day = divmod(second, DAY_S)
        for back in range(8):
            path = self._path(symbol, _date(day - back))
            index = int(np.searchsorted(path.seconds, second_of_day if back == 0 else DAY_S, side="right")) - 1
            if index >= 0:
                return self._update(symbol, day - back, path, index)
        return None

    def path(self, symbol: str, day: date) -> DayPath:
        """All updates of a UTC day."""
        return self._path(symbol, day)

    def _update(self, symbol: str, day: int, path: DayPath, index: int) -> Update:
        volume = int(path.volumes[index])
        return Update(
            symbol=symbol,
            second=day * DAY_S + int(path.seconds[index]),
            price=int(path.prices[index]) * _TICK_SIZE,
            day_volume=None if volume < 0 else volume,
            previous_close=round(math.exp(self._anchor(symbol, _date(day))), 2),
        )

    def _compute_path(self, symbol: str, day: date) -> DayPath:
        instrument = self._instruments[symbol]
        draw = self._generator(symbol, day)
        shape = liveliness(day, calendar_name=instrument.calendar, hours=self._hours)
        prices = self._prices(instrument, day, shape, draw)
        happens = (draw.random(DAY_S) < np.minimum(_RATE_QUIET + _RATE_LIVELY * shape, 0.95)) & (shape > 0)
        volumes = self._volumes(instrument, day, shape, draw, happens=happens)
        seconds = np.flatnonzero(happens)
        return DayPath(seconds.astype(np.int32), prices[seconds], volumes[seconds])

    def _prices(
        self, instrument: Instrument, day: date, shape: NDArray[np.float64], draw: np.random.Generator
    ) -> NDArray[np.int64]:
        """A bridge from this midnight's anchor to the next one's, in hundredths, shape (86400,)."""
        start, end = (self._anchor(instrument.symbol, day + timedelta(days=n)) for n in (0, 1))
        variance = np.cumsum(shape + _VARIANCE_FLOOR)
        steps = draw.standard_normal(DAY_S) * np.sqrt((shape + _VARIANCE_FLOOR) / REGULAR_S) * _sigma(instrument)
        walk = np.cumsum(steps)
        bridge = start + walk + (variance / variance[-1]) * (end - start - walk[-1])
        return np.maximum(1, np.rint(np.exp(bridge) / _TICK_SIZE)).astype(np.int64)

    def _volumes(
        self,
        instrument: Instrument,
        day: date,
        shape: NDArray[np.float64],
        draw: np.random.Generator,
        *,
        happens: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """Cumulative volume from 0 at the session's start; -1 outside of it, shape (86400,)."""
        regular = regular_seconds(day, calendar_name=instrument.calendar, hours=self._hours)
        per_second = _simulated(instrument).daily_volume / REGULAR_S
        rate = np.minimum(_RATE_QUIET + _RATE_LIVELY * shape, 0.95)
        lot = draw.lognormal(-(_SIZE_SIGMA**2) / 2, _SIZE_SIGMA, DAY_S) * per_second * shape / rate
        sizes = np.where(happens & regular, np.maximum(1, np.rint(lot)), 0).astype(np.int64)
        return np.where(regular, np.cumsum(sizes), -1)

    def _anchor(self, symbol: str, day: date) -> float:
        """Logarithm of the price at the day's first midnight, UTC: random steps that fade, so that it stays sane."""
        instrument = self._instruments[symbol]
        steps = _faded_steps(self._seed, symbol, (day - _FIRST_DAY).days)
        return math.log(_simulated(instrument).base_price) + _sigma(instrument) * steps

    def _generator(self, symbol: str, day: date) -> np.random.Generator:
        return np.random.default_rng((self._seed, zlib.crc32(symbol.encode()), day.toordinal()))


@lru_cache(maxsize=1_024)
def _faded_steps(seed: int, symbol: str, day: int) -> float:
    """Standard normal steps up to the day, each fading by the pull; deviation about 10."""
    draw = np.random.default_rng((seed, zlib.crc32(symbol.encode())))
    recent = draw.standard_normal(day + 1)[: -_MEMORY_DAYS - 1 : -1]
    fading = _PULL_RATIO ** np.arange(recent.size)
    return float(recent @ fading)


def _sigma(instrument: Instrument) -> float:
    return _simulated(instrument).volatility_pct / 100


def _simulated(instrument: Instrument) -> Simulated:
    assert instrument.simulator is not None  # Market keeps no other
    return instrument.simulator


def _date(day: int) -> date:
    return EPOCH.date() + timedelta(days=day)


def second_of(ts: datetime) -> int:
    """Whole seconds since the epoch."""
    return (ts - EPOCH) // timedelta(seconds=1)
