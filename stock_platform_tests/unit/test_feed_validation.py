"""What becomes a tick and what does not, candidate by candidate."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock_platform.feed.tick import Candidate, Refusal, Tick, tick_id
from stock_platform.feed.validation import Validator
from stock_platform.feed.watchlist import Instrument

_OPEN = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
_NOON = _OPEN + timedelta(hours=3)
_SECOND = timedelta(seconds=1)
_BEFORE_OPEN = _OPEN - timedelta(minutes=10)


def _instrument(symbol: str = "AAPL", calendar: str = "XNYS") -> Instrument:
    return Instrument(symbol=symbol, name=symbol, sector="Technology", currency="USD", calendar=calendar, provider="yahoo")


def _candidate(
    price: str = "100",
    *,
    symbol: str = "AAPL",
    ts_event: datetime = _NOON,
    ts_recv: datetime | None = None,
    ts_connected: datetime | None = _BEFORE_OPEN,
    day_volume: int | None = 1_000,
    size: int | None = None,
) -> Candidate:
    return Candidate(
        symbol=symbol,
        price=Decimal(price),
        day_volume=day_volume,
        size=size,
        ts_event=ts_event,
        ts_recv=ts_recv or ts_event,
        previous_close=None,
        ts_connected=ts_connected,
        line_seq=0,
        payload=lambda: b"original",
    )


def _validator(source: str = "yahoo", calendar: str = "XNYS") -> Validator:
    return Validator(line="one", source=source, instruments=[_instrument(calendar=calendar)])


def _accepted(verdict: Tick | Refusal) -> Tick:
    assert isinstance(verdict, Tick), verdict
    return verdict


def _reasons(validator: Validator, prices: list[str]) -> list[str | None]:
    verdicts = [validator.judge(_candidate(price, ts_event=_NOON + n * _SECOND)) for n, price in enumerate(prices)]
    return [verdict.reason if isinstance(verdict, Refusal) else None for verdict in verdicts]


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (_candidate(symbol="TSLA"), "not_subscribed"),
        (_candidate("0"), "price_invalid"),
        (_candidate("-1"), "price_invalid"),
        (_candidate("NaN"), "price_invalid"),
        (_candidate("Infinity"), "price_invalid"),
        (_candidate("1000000000000"), "price_invalid"),
        (_candidate("0.0000001"), "price_invalid"),
        (_candidate(ts_event=_NOON + timedelta(milliseconds=5_001), ts_recv=_NOON), "ahead_of_time"),
    ],
)
def test_bad_candidate_is_refused_with_its_reason(candidate: Candidate, reason: str) -> None:
    verdict = _validator().judge(candidate)
    assert isinstance(verdict, Refusal)
    assert (verdict.reason, verdict.payload()) == (reason, b"original")


@pytest.mark.parametrize(
    "candidate",
    [
        _candidate("0.000001"),
        _candidate("167.4100000000"),
        _candidate(ts_event=_NOON + timedelta(seconds=5), ts_recv=_NOON),
        _candidate(ts_event=_OPEN - timedelta(days=2, hours=17), ts_recv=_OPEN - timedelta(days=2)),
    ],
)
def test_candidate_at_the_limit_is_accepted(candidate: Candidate) -> None:
    _accepted(_validator().judge(candidate))


def test_late_tick_over_midnight_is_no_stale_snapshot() -> None:
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    validator = _validator(calendar="24/7")
    before = _candidate(ts_event=midnight - timedelta(seconds=2), ts_connected=midnight - timedelta(hours=1))
    late = _candidate(
        ts_event=midnight - timedelta(seconds=1),
        ts_recv=midnight + timedelta(seconds=1),
        ts_connected=midnight - timedelta(hours=1),
    )
    assert [_accepted(validator.judge(each)).session_phase for each in (before, late)] == ["regular", "regular"]


@pytest.mark.parametrize(
    ("prices", "reasons"),
    [
        (["100", "103"], [None, None]),  # 3 % is inside
        (["100", "97"], [None, None]),
        (["100", "103.01", "100"], [None, "spike", None]),
        (["100", "10000", "1", "100"], [None, "spike", "spike", None]),  # x100 and x0.01 do not agree with each other
        (["100", "50", "50.5", "50.2", "50.1"], [None, "spike", "spike", None, None]),  # a genuine crash
        (["100", "50", "50.5", "100", "50", "50"], [None, "spike", "spike", None, "spike", "spike"]),
        (["100", "50", "50", "50", "100"], [None, "spike", "spike", None, "spike"]),  # the level is the new one
    ],
)
def test_spike_is_refused_and_a_level_shift_let_through(prices: list[str], reasons: list[str | None]) -> None:
    assert _reasons(_validator(), prices) == reasons


def test_new_session_may_open_anywhere() -> None:
    validator = _validator()
    validator.judge(_candidate("100"))
    _accepted(validator.judge(_candidate("50", ts_event=_NOON + timedelta(days=1))))


@pytest.mark.parametrize(
    ("connections", "expected"),
    [
        ([_BEFORE_OPEN, _BEFORE_OPEN], [True, True]),
        ([_OPEN + timedelta(seconds=1)] * 3, [False, True, True]),  # came into a running session
        ([_BEFORE_OPEN, _NOON, _NOON], [True, False, True]),  # a drop in between
        ([None, None], [True, True]),  # a tape
    ],
)
def test_continuity_follows_the_connection(connections: list[datetime | None], expected: list[bool]) -> None:
    validator = _validator()
    ticks = [
        _accepted(validator.judge(_candidate(ts_connected=ts_connected, ts_event=_NOON + n * timedelta(seconds=1))))
        for n, ts_connected in enumerate(connections)
    ]
    assert [tick.is_continuous for tick in ticks] == expected


def test_snapshot_that_repeats_the_newest_tick_proves_that_nothing_was_missed() -> None:
    validator = _validator()
    validator.judge(_candidate())
    snapshot = _candidate(ts_connected=_NOON + timedelta(minutes=1), ts_recv=_NOON + timedelta(minutes=1))
    assert _accepted(validator.judge(snapshot)).is_continuous


def test_tape_sums_sizes_of_the_regular_session_only() -> None:
    validator = _validator("tape")
    times = [_BEFORE_OPEN, _OPEN, _NOON, _NOON, _OPEN + timedelta(hours=7), _OPEN + timedelta(days=1)]
    prices = ["100", "100", "100", "200", "100", "100"]
    verdicts = [
        validator.judge(_candidate(price, ts_event=ts, ts_connected=None, day_volume=None, size=7))
        for ts, price in zip(times, prices, strict=True)
    ]
    volumes = [verdict.day_volume if isinstance(verdict, Tick) else verdict.reason for verdict in verdicts]
    assert volumes == [None, 7, 14, "spike", None, 7]


def test_stream_has_day_volume_in_regular_hours_only() -> None:
    validator = _validator()
    assert _accepted(validator.judge(_candidate(ts_event=_BEFORE_OPEN, day_volume=5))).day_volume is None
    assert _accepted(validator.judge(_candidate(day_volume=5))).day_volume == 5


@given(st.lists(st.integers(1, 10**7), min_size=1, max_size=60))
def test_same_prices_get_the_same_verdicts(cents: list[int]) -> None:
    prices = [f"{value / 100:.2f}" for value in cents]
    assert _reasons(_validator(), prices) == _reasons(_validator(), prices)


def test_tick_id_is_the_hash_of_the_identity() -> None:
    # printf 'AAPL|1000|1795447800000|100.5' | b2sum -l 64
    assert tick_id("AAPL", day_volume=1000, ts_event_ms=1795447800000, price="100.5") == "8b1a29196d5e12ae"
