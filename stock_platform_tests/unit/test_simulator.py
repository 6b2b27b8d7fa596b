"""The simulated market: the same for ever, sane, alive at night; its bars and what happens to it."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from stock_platform.feed.simulator.bars import History
from stock_platform.feed.simulator.fault import FAULT
from stock_platform.feed.simulator.faults import Faults
from stock_platform.feed.simulator.market import Market
from stock_platform.feed.simulator.shape import DAY_S, Hours
from stock_platform.feed.simulator.updates import Block, Update, second_of
from stock_platform.feed.simulator.world import World
from stock_platform.feed.watchlist import load_watchlist

_SUNDAY, _MONDAY = date(2026, 11, 22), date(2026, 11, 23)
_INSTRUMENTS = load_watchlist()


def _world(hours: Hours = "always", seed: int = 7, *faults: dict[str, object]) -> World:
    known = Faults(seed=seed)
    for fault in faults:
        known.add(FAULT.validate_python(fault), now=0)
    return World(Market(_INSTRUMENTS, seed=seed, hours=hours), known)


def _second(day: date, hour: int, minute: int = 0, second: int = 0) -> int:
    return int(datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=UTC).timestamp())


def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


def _day(world: World, symbol: str, day: date) -> Block:
    return world.updates(symbol, _second(day, 0), _second(day, 0) + 86_400)


def _updates(world: World, symbol: str, start: int, end: int) -> list[Update]:
    """Second by second, as the stream asks."""
    return [update for second in range(start, end) if (update := world.update(symbol, second))]


def test_market_asked_again_from_any_second_says_the_same() -> None:
    forward = [_world().newest("AAPL", _second(_MONDAY, hour)) for hour in range(24)]
    world = _world()
    backward = [world.newest("AAPL", _second(_MONDAY, hour)) for hour in reversed(range(24))]
    assert forward == backward[::-1]
    assert forward != [_world(seed=8).newest("AAPL", _second(_MONDAY, hour)) for hour in range(24)]


@pytest.mark.parametrize("day", [_SUNDAY, _MONDAY])
def test_every_symbol_trades_in_nearly_every_minute(day: date) -> None:
    world = _world()
    minutes = [len(np.unique(_day(world, each.symbol, day).seconds // 60)) for each in _INSTRUMENTS]
    assert min(minutes) > 0.98 * 1_440


def test_volume_never_falls_within_a_session_and_starts_near_nothing() -> None:
    volumes = _day(_world(), "AAPL", _MONDAY).volumes
    assert volumes[0] < 0.001 * volumes[-1]
    assert (np.diff(volumes) > 0).all()
    assert 20_000_000 < volumes[-1] < 100_000_000  # the watchlist says 48 million a regular day


def test_price_goes_on_over_midnight_and_stays_sane_for_years() -> None:
    world = _world()
    for symbol, base in (("AAPL", 272), ("SPY", 660), ("BTC-USD", 84_600)):
        last, first = _day(world, symbol, _SUNDAY).prices[-1], _day(world, symbol, _MONDAY).prices[0]
        assert abs(first / last - 1) < 0.005
        for year in range(2013, 2036):
            update = world.newest(symbol, _second(date(year, 6, 2), 12))
            assert update is not None
            assert base / 4 < update.price < base * 4


def test_price_goes_on_over_a_block_s_end() -> None:
    prices = _day(_world(), "AAPL", _MONDAY).prices
    steps = np.abs(np.diff(np.log(prices)))
    assert steps.max() < 0.003  # a day moves by 1.6 %, a lively second by a hundredth of it


def test_open_market_is_livelier_than_the_night_and_noon() -> None:
    block = _day(_world(), "AAPL", _MONDAY)
    volumes = dict(zip(block.seconds.tolist(), block.volumes.tolist(), strict=True))

    def traded(hour: int, minute: int) -> int:
        inside = [volume for second, volume in volumes.items() if 0 <= second - _second(_MONDAY, hour, minute) < 1800]
        return max(inside) - min(inside)

    first_half_hour, noon, night = traded(14, 30), traded(17, 30), traded(3, 0)
    assert first_half_hour > 1.5 * noon > 15 * night > 0


def test_exchange_hours_are_the_real_ones() -> None:
    world = _world("exchange")
    assert _day(world, "AAPL", _SUNDAY).seconds.size == 0
    assert _day(world, "BTC-USD", _SUNDAY).seconds.size > 10_000
    block = _day(world, "AAPL", _MONDAY)
    regular = block.where(block.volumes >= 0)
    assert _second(_MONDAY, 14, 30) <= regular.seconds[0] < _second(_MONDAY, 14, 31)
    assert _second(_MONDAY, 20, 59) <= regular.seconds[-1] < _second(_MONDAY, 21)
    assert set(regular.phases.tolist()) == {1}
    assert block.seconds[0] >= _second(_MONDAY, 9)
    assert block.phases[0] == 0
    weekend = world.newest("AAPL", _second(_SUNDAY, 12))
    assert weekend is not None
    assert _second(date(2026, 11, 21), 0, 50) < weekend.second < _second(date(2026, 11, 21), 1)  # Friday's post-market
    assert (weekend.phase, weekend.day_volume) == (2, None)


def test_previous_close_is_the_last_regular_price_of_the_session_before() -> None:
    world = _world("exchange")
    friday = _day(world, "AAPL", date(2026, 11, 20))
    close = friday.where(friday.phases == 1).prices[-1] / 10_000
    for hour in (10, 15, 22):
        update = world.newest("AAPL", _second(_MONDAY, hour))
        assert update is not None
        assert update.previous_close == close


def test_full_rate_is_every_symbol_in_every_second() -> None:
    market = Market(_INSTRUMENTS, seed=7, hours="always", rate="full")
    assert all(market.block(each.symbol, _second(_SUNDAY, 3)).seconds.size == 900 for each in _INSTRUMENTS)


@pytest.mark.parametrize("hours", ["always", "exchange"])
def test_minute_bars_are_the_aggregation_of_the_stream_s_updates(hours: Hours) -> None:
    world, start, end = _world(hours), _second(_MONDAY, 14, 20), _second(_MONDAY, 14, 50)
    bars = History(world).minutes("AAPL", start, end, now=end + 3600)
    updates, before = _updates(world, "AAPL", start, end), world.newest("AAPL", start - 1)
    assert before is not None
    high_water = before.day_volume or 0
    expected: list[tuple[float, ...]] = []
    for minute in range(start, end, 60):
        inside = [update for update in updates if minute <= update.second < minute + 60]
        if inside:
            prices, volume = [update.price for update in inside], inside[-1].day_volume
            expected.append((minute, prices[0], max(prices), min(prices), prices[-1], (volume or high_water) - high_water))
            high_water = volume or high_water
    scaled = (bars.opens / 1e4, bars.highs / 1e4, bars.lows / 1e4, bars.closes / 1e4)
    assert list(zip(bars.starts, *scaled, bars.volumes, strict=True)) == expected
    assert len(expected) >= 29


def test_running_minute_is_not_a_bar_yet() -> None:
    history, now = History(_world()), _second(_MONDAY, 15, 0, 30)
    assert history.minutes("AAPL", now - 90, now + 600, now=now).starts.tolist() == [_second(_MONDAY, 14, 59)]
    assert history.running("AAPL", now).starts.tolist() == [_second(_MONDAY, 15)]


@pytest.mark.parametrize("hours", ["always", "exchange"])
def test_daily_bar_is_the_sum_of_its_minutes(hours: Hours) -> None:
    world, now = _world(hours), _second(date(2026, 11, 24), 12)
    session = world.source.calendar("AAPL").sessions(_MONDAY, date(2026, 11, 24))[0]
    (bar,) = History(world).daily("AAPL", [session], now=now)
    block = _day(world, "AAPL", _MONDAY)
    regular = block.where(block.phases == 1)
    assert bar == (
        int(session.ts_open.timestamp()),
        regular.prices[0],
        regular.prices.max(),
        regular.prices.min(),
        regular.prices[-1],
        regular.volumes[-1],
    )


def test_old_daily_bars_run_on_from_one_to_the_next() -> None:
    world, now = _world(), _second(_MONDAY, 12)
    sessions = world.source.calendar("AAPL").sessions(date(2025, 1, 1), date(2025, 3, 1))
    bars = History(world).daily("AAPL", sessions, now=now)
    assert len(bars) == 59
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)
    assert [bar.close for bar in bars[:-1]] == [bar.open for bar in bars[1:]]


@pytest.mark.parametrize("first", [date(2026, 11, 16), date(2026, 11, 21)], ids=["a Monday", "a Saturday"])
def test_old_daily_bar_trades_what_such_a_day_trades(first: date) -> None:
    """The market that never closes is quiet at the weekend, and was so in the past."""
    world = _world()
    session = world.source.calendar("AAPL").sessions(first, first + timedelta(days=1))[0]
    volumes: list[int] = []
    for years in (0, 1):
        now = second_of(session.ts_close) + years * 365 * DAY_S
        (bar,) = History(world).daily("AAPL", [session], now=now)
        volumes.append(bar.volume)
    assert 0.3 < volumes[0] / volumes[1] < 3


def test_halt_is_silence_and_the_reopening_brings_its_volume() -> None:
    start = _second(_MONDAY, 15)
    world = _world("always", 7, {"kind": "halt", "symbols": ["AAPL"], "start": _iso(start), "duration_s": 300})
    assert _updates(world, "AAPL", start, start + 300) == []
    assert _updates(world, "MSFT", start, start + 300)
    plain, after = _world(), world.newest("AAPL", start + 360)
    assert after == plain.newest("AAPL", start + 360)
    assert world.newest("AAPL", start + 299) == plain.newest("AAPL", start - 1)


@pytest.mark.parametrize(
    ("passed_s", "factor"), [(-1, 1.0), (15, 0.96), (30, 0.92), (180, 0.94), (330, 0.96), (630, 1.0), (4000, 1.0)]
)
def test_crash_is_a_genuine_fall_and_its_recovery(passed_s: int, factor: float) -> None:
    start = _second(_MONDAY, 15)
    crash = {"kind": "crash", "pct": -8, "fall_s": 30, "recovery_s": 600, "start": _iso(start)}
    faults, market = Faults(seed=7), Market(_INSTRUMENTS, seed=7, hours="always", rate="full")
    faults.add(FAULT.validate_python(crash), now=0)
    crashed, usual = (World(market, each).update("SPY", start + passed_s) for each in (faults, Faults(seed=7)))
    assert crashed is not None and usual is not None
    assert crashed.price == pytest.approx(usual.price * factor, abs=0.005)


def test_split_divides_the_stream_and_adjusts_the_charts_past() -> None:
    start = _second(_MONDAY, 15)
    world, plain = _world("always", 7, {"kind": "split", "symbols": ["AAPL"], "ratio": 4, "start": _iso(start)}), _world()
    before, after = (world.newest("AAPL", at) for at in (start - 1, start + 60))
    usual = plain.newest("AAPL", start + 60)
    assert before == plain.newest("AAPL", start - 1)
    assert after is not None and usual is not None and usual.previous_close is not None
    assert after.price == pytest.approx(usual.price / 4, abs=0.005)
    assert after.previous_close == usual.previous_close / 4
    known, unknown = (History(world).minutes("AAPL", start - 600, start, now=now) for now in (start + 600, start - 1))
    np.testing.assert_allclose(known.closes[:9], unknown.closes / 4, atol=50)
    np.testing.assert_array_equal(known.volumes[:9], unknown.volumes * 4)
