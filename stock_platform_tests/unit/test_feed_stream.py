"""The stream client against a vendor that does everything that vendors do: closes, cuts, falls silent, forgets a symbol."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from stock_platform.adapters.clock import Clock, SystemClock, wait_until
from stock_platform.errors import StreamClosed
from stock_platform.feed.tick import Candidate, Refusal
from stock_platform.feed.watchlist import Instrument, load_watchlist
from stock_platform.feed.yahoo.fallback import Fallback
from stock_platform.feed.yahoo.source import StreamSource
from stock_platform.feed.yahoo.stream import Gap, Patience
from stock_platform_tests.scripted_vendor import ScriptedVendor, ShiftedClock, scripted_vendor

_CLOCK = SystemClock()
_AAPL, _MSFT, _BTC = (
    next(each for each in load_watchlist() if each.symbol == name) for name in ("AAPL", "MSFT", "BTC-USD")
)  # fmt: skip
_TRADING = ShiftedClock(datetime(2026, 11, 20, 15, 0, tzinfo=UTC))
"""A Friday, half an hour after the open."""
_CLOSED = ShiftedClock(datetime(2026, 11, 21, 15, 0, tzinfo=UTC))
_QUICK = Patience(
    connect=timedelta(seconds=5),
    silence=timedelta(seconds=30),
    pause_first=timedelta(milliseconds=20),
    pause_cap=timedelta(milliseconds=100),
)
_NERVOUS = Patience(
    silence=timedelta(milliseconds=400), pause_first=timedelta(milliseconds=20), pause_cap=timedelta(milliseconds=50)
)


def _equity(n: int) -> Instrument:
    return _AAPL.model_copy(update={"symbol": f"S{n:03}"})


@contextmanager
def _source(
    vendor: ScriptedVendor,
    instruments: Sequence[Instrument],
    *,
    clock: Clock = _TRADING,
    patience: Patience = _QUICK,
    **more: object,
) -> Iterator[StreamSource]:
    source = StreamSource(vendor.url, instruments, clock=clock, patience=patience, **more)  # type: ignore[arg-type]
    try:
        yield source
    finally:
        source.close()


def _until(condition: Callable[[], object], within_s: float = 20) -> None:
    assert wait_until(lambda: bool(condition()), _CLOCK, within=timedelta(seconds=within_s), every=timedelta(milliseconds=10))


def _read(source: StreamSource, number: int) -> list[Candidate | Refusal]:
    got: list[Candidate | Refusal] = []
    _until(lambda: got.extend(source.read(timedelta(milliseconds=50))) or len(got) >= number)
    return got


def _gaps(source: StreamSource, number: int = 1) -> list[Gap]:
    got: list[Gap] = []
    _until(lambda: got.extend(source.gaps()) or len(got) >= number)
    return got


def test_connections_carry_95_symbols_and_the_canary_last() -> None:
    with scripted_vendor() as vendor, _source(vendor, [_equity(n) for n in range(200)], canary="BTC-USD"):
        _until(lambda: len(vendor.live) == 3 and all(each.heard for each in vendor.live))
        lists = sorted((each.symbols for each in vendor.live), key=len)
    assert [len(symbols) for symbols in lists] == [11, 96, 96]
    assert {symbols[-1] for symbols in lists} == {"BTC-USD"}
    assert {s for symbols in lists for s in symbols[:-1]} == {f"S{n:03}" for n in range(200)}


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014, 3000, 4321, "abort"])
def test_every_end_of_a_connection_is_outlived_and_is_a_gap_with_bounds(code: int | str) -> None:
    with scripted_vendor() as vendor, _source(vendor, [_AAPL, _MSFT]) as source:
        _until(lambda: vendor.live and vendor.live[0].heard)
        vendor.send("AAPL", ts=_TRADING.now())
        (heard,) = _read(source, 1)
        before = _TRADING.now()
        vendor.abort() if isinstance(code, str) else vendor.close(code)
        (gap,) = _gaps(source)
        _until(lambda: vendor.live and vendor.live[0].heard)
        vendor.send("AAPL", 101.0, ts=_TRADING.now())
        (after,) = _read(source, 1)
    assert isinstance(heard, Candidate)
    assert isinstance(after, Candidate)
    assert gap.symbols == ("AAPL", "MSFT")
    assert gap.ts_start == heard.ts_recv
    assert before < gap.ts_end == after.ts_connected
    assert str(code) in gap.detail or code in (1002, 1007, "abort")


def test_connection_that_falls_silent_in_the_session_is_left() -> None:
    with scripted_vendor() as vendor, _source(vendor, [_AAPL], patience=_NERVOUS) as source:
        _until(lambda: len(vendor.past) >= 2)
        assert _gaps(source)[0].detail.startswith(f"Stream {vendor.url}: nothing came for")


def test_silence_out_of_hours_is_normal() -> None:
    with scripted_vendor() as vendor, _source(vendor, [_AAPL], clock=_CLOSED, patience=_NERVOUS) as source:
        _until(lambda: vendor.live and vendor.live[0].heard)
        quiet_since = _CLOSED.now()
        _until(lambda: _CLOSED.now() - quiet_since > 5 * _NERVOUS.silence)
        assert (len(vendor.live), vendor.past, source.last_error) == (1, [], None)


def test_connection_whose_list_was_cut_shows_by_its_canary() -> None:
    """One connection hears the canary, the other only the rest of its list: that list's end was cut."""
    many = [_equity(n) for n in range(100)]
    with scripted_vendor() as vendor, _source(vendor, many, patience=_NERVOUS, canary="BTC-USD") as source:
        _until(lambda: len(vendor.live) == 2 and all(each.heard for each in vendor.live))
        whole = next(number for number, each in enumerate(vendor.live) if "S099" in each.symbols)

        def is_left() -> bool:
            with suppress(StreamClosed):  # the line may leave in this very moment
                if not vendor.past:
                    vendor.send("BTC-USD", ts=_TRADING.now(), to=whole)
                    vendor.send("S000", ts=_TRADING.now(), to=1 - whole)
            return bool(vendor.past)

        assert wait_until(is_left, _CLOCK, within=timedelta(seconds=20), every=timedelta(milliseconds=50))
        (gap,) = _gaps(source)
    assert "S000" in vendor.past[0].symbols
    assert "no word of BTC-USD" in gap.detail
    assert gap.ts_end - gap.ts_start >= _NERVOUS.silence


def test_canary_that_sleeps_itself_costs_no_connection() -> None:
    with scripted_vendor() as vendor, _source(vendor, [_AAPL], patience=_NERVOUS, canary="BTC-USD") as source:
        _until(lambda: vendor.live and vendor.live[0].heard)
        vendor.send("BTC-USD", ts=_TRADING.now())
        since = _TRADING.now()

        def is_long_enough() -> bool:
            vendor.send("AAPL", ts=_TRADING.now())
            return _TRADING.now() - since > 5 * _NERVOUS.silence

        assert wait_until(is_long_enough, _CLOCK, within=timedelta(seconds=20), every=timedelta(milliseconds=50))
        assert (vendor.past, source.gaps()) == ([], ())


def test_vendor_that_refuses_from_the_first_moment_is_a_gap() -> None:
    with scripted_vendor() as vendor:
        vendor.is_refusing = True
        begun = _TRADING.now()
        with _source(vendor, [_AAPL]) as source:
            _until(lambda: source.last_error and source.last_error != "not connected yet")
            vendor.is_refusing = False
            (gap,) = _gaps(source)
    assert timedelta(0) <= gap.ts_start - begun < timedelta(seconds=5)


def test_symbols_that_move_away_while_their_connection_is_down_have_their_gap() -> None:
    with scripted_vendor() as vendor, _source(vendor, [_AAPL, _MSFT]) as source:
        _until(lambda: vendor.live and vendor.live[0].heard)
        vendor.is_refusing = True
        vendor.abort()
        _until(lambda: vendor.refused_count)  # so the line knows that it is down
        source.watch([_AAPL])
        (gap,) = _gaps(source)
    assert gap.symbols == ("MSFT",)


def test_clock_that_was_set_back_makes_no_gap() -> None:
    with scripted_vendor() as vendor, _source(vendor, [_AAPL], ts_lost=_TRADING.now() + timedelta(hours=1)) as source:
        _until(lambda: source.covered_until(_TRADING.now()) is not None)
        assert source.gaps() == ()


def test_canary_that_was_owned_and_given_away_is_a_sign_of_life_alone() -> None:
    with scripted_vendor() as vendor, _source(vendor, [_AAPL, _BTC], canary="BTC-USD") as source:
        _until(lambda: vendor.live and vendor.live[0].heard)
        source.watch([_AAPL])
        vendor.send("BTC-USD", ts=_TRADING.now())
        vendor.send("AAPL", ts=_TRADING.now())
        got = _read(source, 1)
        assert vendor.live[0].symbols[-1] == "BTC-USD"
    assert {_symbol(each) for each in got} == {"AAPL"}


def test_canary_of_another_line_is_a_sign_of_life_and_no_price() -> None:
    with scripted_vendor() as vendor, _source(vendor, [_AAPL], canary="BTC-USD") as source:
        _until(lambda: vendor.live and vendor.live[0].heard)
        vendor.send("BTC-USD", ts=_TRADING.now())
        vendor.send("AAPL", ts=_TRADING.now())
        got = _read(source, 1)
    assert [each.symbol for each in got if isinstance(each, Candidate)] == ["AAPL"]


def test_symbols_join_and_leave_without_touching_the_connection() -> None:
    with scripted_vendor() as vendor, _source(vendor, [_AAPL], canary="BTC-USD") as source:
        _until(lambda: vendor.live and vendor.live[0].heard)
        source.watch([_MSFT, _BTC])
        _until(lambda: vendor.live[0].symbols == ["BTC-USD", "MSFT"])
        joined = _TRADING.now()

        def is_carried() -> bool:
            vendor.send("MSFT", ts=_TRADING.now())
            return "MSFT" in source.carried

        assert wait_until(is_carried, _CLOCK, within=timedelta(seconds=10), every=timedelta(milliseconds=100))
        vendor.send("AAPL", ts=_TRADING.now())
        vendor.send("BTC-USD", ts=_TRADING.now())
        got = _read(source, 2)
        _until(lambda: got.extend(source.read(timedelta(0))) or any(_symbol(each) == "BTC-USD" for each in got))
        assert vendor.past == []
        assert source.gaps() == ()
    assert {_symbol(each) for each in got} == {"MSFT", "BTC-USD"}
    msft = next(each for each in got if isinstance(each, Candidate) and each.symbol == "MSFT")
    assert msft.ts_connected is not None
    assert abs(msft.ts_connected - joined) < timedelta(seconds=1)


def _symbol(item: Candidate | Refusal) -> str | None:
    return item.symbol if isinstance(item, Candidate) else None


def test_bad_frames_are_refusals_and_the_connection_stays() -> None:
    with scripted_vendor() as vendor, _source(vendor, [_AAPL]) as source:
        _until(lambda: vendor.live and vendor.live[0].heard)
        for text in ("not json", "{}", '{"message":"%%%"}', '{"message":"/////w=="}'):
            vendor.send_text(text)
        got = _read(source, 4)
        assert len(vendor.live) == 1
    assert [each.reason for each in got if isinstance(each, Refusal)] == ["not_json", "not_pricing", "not_base64", "not_protobuf"]


def test_line_that_was_down_begins_with_its_gap() -> None:
    lost = _TRADING.now() - timedelta(seconds=30)
    with scripted_vendor() as vendor, _source(vendor, [_AAPL], ts_lost=lost) as source:
        (gap,) = _gaps(source)
    assert (gap.symbols, gap.ts_start) == (("AAPL",), lost)


def test_nothing_is_confirmed_while_a_connection_is_down() -> None:
    with scripted_vendor() as vendor, _source(vendor, [_AAPL]) as source:
        _until(lambda: source.covered_until(_TRADING.now()) is not None)
        vendor.is_refusing = True
        vendor.abort()
        _until(lambda: source.covered_until(_TRADING.now()) is None)
        assert source.last_error
        vendor.is_refusing = False
        _until(lambda: source.covered_until(_TRADING.now()) is not None)


class _Asked:
    """Stands where the batch quote request does; its own test is against a real HTTP server."""

    last_error: str | None = None

    def __init__(self) -> None:
        self.symbols: list[tuple[str, ...]] = []

    def poll(self, symbols: Sequence[str]) -> Sequence[Candidate | Refusal]:
        self.symbols.append(tuple(symbols))
        return [Refusal("polled", symbol, _TRADING.now(), 0, bytes) for symbol in symbols]


def test_fallback_asks_for_what_is_unheard_and_only_then() -> None:
    poll, taken, unheard = _Asked(), list[Candidate | Refusal](), ["AAPL"]
    fallback = Fallback(
        lambda: poll, lambda _: unheard, taken.append, clock=_CLOCK, every=timedelta(milliseconds=20), after=timedelta(0)
    )
    try:
        _until(lambda: len(poll.symbols) >= 3)
        unheard.clear()
        seen = count()
        _until(lambda: next(seen) > 5)
        asked = len(poll.symbols)
        _until(lambda: next(seen) > 30)
        assert len(poll.symbols) <= asked + 1
    finally:
        fallback.close()
    assert set(poll.symbols) == {("AAPL",)}
    assert fallback.polled_count == len(taken)
    assert fallback.ts_polled is not None


@pytest.mark.parametrize(("clock", "expected"), [(_TRADING, {"AAPL"}), (_CLOSED, set[str]())])
def test_lost_connection_is_polled_for_while_its_market_trades(clock: Clock, expected: set[str]) -> None:
    with scripted_vendor() as vendor:
        vendor.is_refusing = True
        with _source(vendor, [_AAPL], clock=clock) as source:
            _until(lambda: source.last_error)
            assert set(source.unheard(clock.now())) == expected
