"""What becomes a tick and what does not, candidate by candidate."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock_platform.contracts.tick import DEAD_LETTER, TICK
from stock_platform.feed.splits import Split, Splits
from stock_platform.feed.tick import Candidate, Refusal, Tick, price_text, refusal_json, tick_id, tick_json
from stock_platform.feed.validation import Validator
from stock_platform.feed.watchlist import Instrument

_OPEN = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
_NOON = _OPEN + timedelta(hours=3)
_SECOND = timedelta(seconds=1)
_BEFORE_OPEN = _OPEN - timedelta(minutes=10)


def _instrument(symbol: str = "AAPL", calendar: str = "XNYS") -> Instrument:
    described = Instrument(symbol=symbol, name=symbol, sector="Technology", currency="USD", calendar="24/7", provider="yahoo")
    return described.model_copy(update={"calendar": calendar})


def _candidate(
    price: str = "100",
    *,
    symbol: str = "AAPL",
    ts_event: datetime = _NOON,
    ts_recv: datetime | None = None,
    ts_connected: datetime | None = _BEFORE_OPEN,
    day_volume: int | None = 1_000,
    size: int | None = None,
    previous_close: str | None = None,
    vendor_phase: int | None = None,
    currency: str | None = None,
) -> Candidate:
    return Candidate(
        symbol=symbol,
        price=Decimal(price),
        day_volume=day_volume,
        size=size,
        ts_event=ts_event,
        ts_recv=ts_recv or ts_event,
        previous_close=None if previous_close is None else Decimal(previous_close),
        ts_connected=ts_connected,
        line_seq=0,
        payload=lambda: b"original",
        vendor_phase=vendor_phase,
        currency=currency,
    )


def _validator(source: str = "yahoo", calendar: str = "XNYS") -> Validator:
    return Validator(line="one", source=source, instruments=[_instrument(calendar=calendar)])


def _accepted(verdict: Tick | Refusal | None) -> Tick:
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
        (_candidate("0.0012345678"), "price_invalid"),  # 0.001235 is 3.5 ten-thousandths off
        (_candidate("sNaN"), "price_invalid"),
        (_candidate("1E+999999"), "price_invalid"),
        (_candidate("1E-999999"), "price_invalid"),
        (_candidate(day_volume=-1), "volume_invalid"),
        (_candidate(size=-1), "volume_invalid"),
        (_candidate(currency="GBP"), "unit_mismatch"),
        (_candidate(ts_event=datetime(1900, 1, 1, tzinfo=UTC)), "outside_calendar"),
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


@pytest.mark.parametrize(("reconnected", "is_continuous"), [(_BEFORE_OPEN, True), (_NOON + timedelta(seconds=1), False)])
def test_refused_price_is_no_gap_and_hides_none(reconnected: datetime, is_continuous: bool) -> None:
    validator = _validator()
    validator.judge(_candidate("100"))
    refused, accepted = (
        validator.judge(_candidate(price, ts_event=_NOON + timedelta(seconds=second), ts_connected=reconnected))
        for second, price in ((2, "300"), (3, "100"))
    )
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.is_continuous) == ("spike", is_continuous)
    assert _accepted(accepted).is_continuous is is_continuous


def test_snapshot_that_repeats_the_newest_tick_proves_that_nothing_was_missed() -> None:
    validator = _validator()
    validator.judge(_candidate())
    snapshot = _candidate(ts_connected=_NOON + timedelta(minutes=1), ts_recv=_NOON + timedelta(minutes=1))
    assert _accepted(validator.judge(snapshot)).is_continuous


def test_tape_sums_sizes_of_the_regular_session_with_those_of_refused_prices() -> None:
    """A print off the market is real volume at a wrong price."""
    validator = _validator("tape")
    times = [_BEFORE_OPEN, _OPEN, _NOON, _NOON, _NOON, _OPEN + timedelta(hours=7), _OPEN + timedelta(days=1)]
    prices = ["100", "100", "100", "200", "100", "100", "100"]
    verdicts = [
        validator.judge(_candidate(price, ts_event=ts, ts_connected=None, day_volume=None, size=7))
        for ts, price in zip(times, prices, strict=True)
    ]
    volumes = [verdict.day_volume if isinstance(verdict, Tick) else verdict.reason if verdict else verdict for verdict in verdicts]
    assert volumes == [None, 7, 14, "spike", 28, None, 7]


def test_tape_with_cumulative_volumes_is_taken_at_its_word() -> None:
    validator = _validator("tape")
    ticks = [
        _accepted(validator.judge(_candidate(ts_event=ts, ts_connected=None, day_volume=500, size=7)))
        for ts in (_BEFORE_OPEN, _NOON, _NOON)
    ]
    assert [tick.day_volume for tick in ticks] == [None, 500, 500]
    assert validator.counts.duplicates == 0


def test_print_of_a_tape_without_size_and_volume_has_none() -> None:
    validator = _validator(source="tape")
    sizes = [None, 7, None]
    ticks = [_accepted(validator.judge(_candidate(ts_connected=None, day_volume=None, size=size))) for size in sizes]
    assert [tick.day_volume for tick in ticks] == [None, 7, None]


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


def _judge(validator: Validator, prices: Iterable[str], *, start: datetime = _NOON, every: timedelta = _SECOND) -> list[str]:
    """What becomes of prices that follow one another: tick, suspect, nothing new, or the reason of the refusal."""
    return [_said(validator.judge(_candidate(price, ts_event=start + n * every))) for n, price in enumerate(prices)]


def _said(verdict: Tick | Refusal | None) -> str:
    if isinstance(verdict, Tick):
        return "suspect" if verdict.is_suspect else "tick"
    return "nothing new" if verdict is None else verdict.reason


def _settled(level: str = "100", *, splits: Splits | None = None) -> Validator:
    """Thirty prices around the level, in the half minute before noon."""
    validator = Validator(line="one", source="yahoo", instruments=[_instrument()], splits=splits)
    prices = [level, str(Decimal(level) + Decimal("0.01"))] * 15
    assert set(_judge(validator, prices, start=_NOON - timedelta(seconds=60))) == {"tick"}
    return validator


def test_price_in_another_unit_is_refused_however_often_it_comes() -> None:
    validator = _settled()
    assert _judge(validator, ["10000", "1.0001", *["10002"] * 9, "100.02"]) == ["unit_mismatch"] * 11 + ["tick"]
    refusal = validator.judge(_candidate("10000", ts_event=_NOON + timedelta(minutes=1)))
    assert isinstance(refusal, Refusal)
    assert refusal.detail == "10000 is 100 times 100.02: not in its unit"


def test_unit_that_stays_is_the_next_session_s_own() -> None:
    validator = _settled()
    assert _judge(validator, ["10000", "10001", "10002"]) == ["unit_mismatch"] * 3
    assert _judge(validator, ["10003", "10001"], start=_NOON + timedelta(days=1)) == ["tick", "tick"]


def test_first_price_in_another_unit_than_the_vendor_s_close_is_refused_twice() -> None:
    """One of the two is wrong; a third price that agrees says which."""
    validator = _validator()
    verdicts = [validator.judge(_candidate("10000", ts_event=_NOON + n * _SECOND, previous_close="101")) for n in range(4)]
    assert [_said(verdict) for verdict in verdicts] == ["unit_mismatch", "unit_mismatch", "suspect", "tick"]


def test_unit_of_a_single_price_is_not_sure() -> None:
    assert _judge(_validator(), ["10000", "100", "100.01", "100.02", "100.03"]) == ["tick", "spike", "spike", "suspect", "tick"]


_SPLIT = {"AAPL": [Split(_OPEN.date(), Decimal(7))]}


def test_first_price_far_from_the_last_one_is_published_as_suspect() -> None:
    validator = _settled("645")
    assert _judge(validator, ["92", "92.1"], start=_NOON + timedelta(days=1)) == ["suspect", "tick"]


def test_first_price_after_a_known_split_is_no_suspect() -> None:
    validator = _settled("645")
    validator.update_splits({"AAPL": [Split(_OPEN.date() + timedelta(days=1), Decimal(7))]})
    # The same factor once more is an error.
    assert _judge(validator, ["92", "92.1", "13.1"], start=_NOON + timedelta(days=1)) == ["tick", "tick", "spike"]


def test_first_price_is_compared_with_the_close_of_the_vendor() -> None:
    close = "645.57"
    assert _said(_validator().judge(_candidate("92", previous_close=close))) == "suspect"
    validator = Validator(line="one", source="yahoo", instruments=[_instrument()], splits=_SPLIT)
    assert _said(validator.judge(_candidate("92", previous_close=close))) == "tick"
    assert _said(_validator().judge(_candidate("390", previous_close=close))) == "tick"  # 39.6 % down
    assert _said(_validator().judge(_candidate("387", previous_close=close))) == "suspect"  # 40.05 % down


def test_split_within_a_session_begins_a_new_level_at_once() -> None:
    """AAPL on 2014-06-09: the pre-market's first prints were in old shares."""
    validator = _settled("645", splits=_SPLIT)
    found = _judge(validator, ["92.2", "92.3", "645.5", "645.6", "92.1", "13.2"])
    assert found == ["tick", "tick", "spike", "spike", "tick", "spike"]


def test_split_that_the_vendors_close_has_in_it_explains_nothing_more() -> None:
    """The usual morning of an ex-date: the line begins anew, and Yahoo's previous close is in new shares."""
    validator = Validator(line="one", source="yahoo", instruments=[_instrument()], splits=_SPLIT)
    first = _candidate("92.2", previous_close="92.4")
    assert isinstance(validator.judge(first), Tick)
    found = _judge(validator, ["92.3", "92.2"] * 15 + ["13.2", "92.1"], start=first.ts_event + timedelta(seconds=1))
    assert found[-2:] == ["spike", "tick"]


def test_split_of_another_day_explains_nothing() -> None:
    later = {"AAPL": [Split(_OPEN.date() + timedelta(days=1), Decimal(7))]}
    assert _judge(_settled("645", splits=later), ["92.2", "645"]) == ["spike", "tick"]


def test_reverse_split_by_a_hundred_is_no_wrong_unit() -> None:
    validator = _settled("1", splits={"AAPL": [Split(_OPEN.date(), Decimal("0.01"))]})
    assert _judge(validator, ["100.5", "100.6", "10060"]) == ["tick", "tick", "spike"]


def test_split_learned_while_running_counts_at_once() -> None:
    validator = _settled("645")
    validator.update_splits(_SPLIT)
    validator.update_splits(_SPLIT)
    assert _judge(validator, ["92.2", "13.2"]) == ["tick", "spike"]
    validator.update_splits(_SPLIT)  # told again, it has happened already
    assert _judge(validator, ["13.2"], start=_NOON + timedelta(minutes=1)) == ["spike"]


def test_crash_in_steps_is_followed() -> None:
    """Eight per cent down, one per cent at a time, five prints a step: no step is lost."""
    validator = _settled()
    steps = [[f"{100 - step + n / 100:.2f}" for n in range(5)] for step in range(1, 9)]
    found = [_judge(validator, step, start=_NOON + timedelta(seconds=10 * n)) for n, step in enumerate(steps)]
    assert [step[2:] for step in found if "spike" in step] == [["suspect", "tick", "tick"] for step in found if "spike" in step]
    assert all(step[-1] == "tick" for step in found)


def test_crash_without_a_pause_is_followed() -> None:
    """A tenth of a per cent a print, eighty times: the level goes with it."""
    validator = _settled()
    found = _judge(validator, [f"{100 - n / 10:.2f}" for n in range(1, 81)])
    assert found.count("spike") <= 8
    assert found[-1] == "tick"


def test_opening_gap_is_followed() -> None:
    validator = _validator()
    assert set(_judge(validator, ["100", "100.05"] * 20, start=_OPEN - timedelta(minutes=1))) == {"tick"}
    assert _judge(validator, ["104", "104.1", "104.05", "104.2"], start=_OPEN) == ["spike", "spike", "suspect", "tick"]


def test_reopening_after_a_halt_is_followed() -> None:
    validator = _settled()
    found = _judge(validator, ["80", "81.5", "80.4", "82", "79.5"], start=_NOON + timedelta(minutes=10))
    assert found == ["spike", "spike", "suspect", "tick", "tick"]
    assert validator.counts.level_shifts == 1


def test_snapshot_from_before_the_session_is_a_price_for_the_page_and_for_no_bar() -> None:
    friday, sunday = _OPEN - timedelta(days=2, hours=17), _OPEN - timedelta(hours=16)
    validator = _validator()
    tick = _accepted(validator.judge(_candidate("99", ts_event=friday, ts_recv=_OPEN, ts_connected=sunday)))
    assert (tick.session_phase, tick.day_volume, tick.is_suspect, tick.is_continuous) == ("closed", None, True, False)
    again = _candidate("99", ts_event=friday, ts_recv=_OPEN, ts_connected=sunday + _SECOND)
    assert validator.judge(again) is None
    first = _accepted(validator.judge(_candidate("150", ts_event=_OPEN + _SECOND, ts_connected=sunday)))
    assert (first.is_suspect, first.is_continuous) == (False, True)


def test_snapshot_of_the_running_weekend_is_no_suspect() -> None:
    friday, sunday = _OPEN - timedelta(days=2, hours=17), _OPEN - timedelta(hours=16)
    tick = _accepted(_validator().judge(_candidate("99", ts_event=friday, ts_recv=sunday)))
    assert (tick.session_phase, tick.is_suspect) == ("post", False)


def test_tick_of_an_earlier_session_by_a_running_connection_is_late_for_a_minute_only() -> None:
    midnight = datetime(2026, 11, 23, tzinfo=UTC)
    validator = _validator(calendar="24/7")
    for behind, phase in ((2, "regular"), (59, "regular"), (62, "closed")):
        ts_event = midnight - timedelta(seconds=behind)
        validator.judge(_candidate(ts_event=midnight + _SECOND, ts_connected=midnight))
        tick = _accepted(validator.judge(_candidate(f"100.{behind}", ts_event=ts_event, ts_recv=midnight, ts_connected=midnight)))
        assert tick.session_phase == phase


def test_repeat_by_the_same_connection_is_nothing_new() -> None:
    validator = _validator()
    assert [_said(validator.judge(_candidate())) for _ in range(3)] == ["tick", "nothing new", "nothing new"]
    assert _said(validator.judge(_candidate(day_volume=1_001))) == "tick"
    assert (validator.counts.ticks, validator.counts.duplicates) == (2, 2)


def test_late_tick_is_published_but_moves_no_level() -> None:
    validator = _settled()
    assert _judge(validator, ["100.01"], start=_NOON) == ["tick"]
    late = [
        _candidate(price, ts_event=_NOON - timedelta(seconds=61), ts_recv=_NOON)
        for price in ("100.3", "100.2", "103", "103", "103")
    ]
    assert [_said(validator.judge(each)) for each in late] == ["tick", "tick", "spike", "spike", "spike"]
    assert _said(validator.judge(_candidate("100.2", ts_event=_NOON - timedelta(seconds=59), ts_recv=_NOON))) == "tick"
    assert validator.counts.late == 2
    # Still the newest tick: said again, it is a repeat.
    assert validator.judge(_candidate("100.01", ts_event=_NOON)) is None


def test_falling_volume_is_published_and_counted() -> None:
    validator = _validator()
    volumes = [1_000, 900, 1_100, 549, 600]
    ticks = [_accepted(validator.judge(_candidate(day_volume=volume))) for volume in volumes]
    assert [tick.day_volume for tick in ticks] == volumes
    assert (validator.counts.volume_backwards, validator.counts.volume_resets) == (1, 1)
    older = _candidate(day_volume=10, ts_event=_NOON - _SECOND)
    assert _accepted(validator.judge(older)).day_volume == 10
    assert validator.counts.volume_backwards == 1


_PRE, _POST = _OPEN - timedelta(hours=1), _OPEN + timedelta(hours=7)
_NIGHT = _OPEN - timedelta(hours=7)


@pytest.mark.parametrize(
    ("ts_event", "vendor_phase", "session_phase", "is_suspect"),
    [
        (_PRE, 0, "pre", False),
        (_NOON, 1, "regular", False),
        (_POST, 2, "post", False),
        (_PRE, 3, "pre", False),
        (_POST, 3, "post", False),
        (_NIGHT, 3, "closed", False),
        (_NIGHT, 4, "closed", False),
        (_NOON, None, "regular", False),
        (_NOON, 77, "regular", False),
        (_NOON, 0, "pre", True),
        (_NOON, 2, "post", True),
        (_NOON, 3, "post", True),
        (_NOON, 4, "closed", True),
        (_PRE, 1, "pre", True),
        (_POST, 1, "post", True),
        (_NIGHT, 1, "closed", True),
    ],
)
def test_print_is_regular_only_where_vendor_and_calendar_agree(
    ts_event: datetime, vendor_phase: int | None, session_phase: str, is_suspect: bool
) -> None:
    tick = _accepted(_validator().judge(_candidate(ts_event=ts_event, vendor_phase=vendor_phase)))
    assert (tick.session_phase, tick.is_suspect) == (session_phase, is_suspect)
    assert (tick.day_volume is None) == (session_phase != "regular")


def test_market_that_never_closes_contradicts_nobody() -> None:
    tick = _accepted(_validator(calendar="24/7").judge(_candidate(vendor_phase=0)))
    assert (tick.session_phase, tick.is_suspect) == ("regular", False)


def test_level_of_a_market_that_never_closes_outlives_midnight() -> None:
    midnight = datetime(2026, 11, 24, tzinfo=UTC)
    validator = _validator(calendar="24/7")
    assert set(_judge(validator, ["100", "100.01"] * 15, start=midnight - timedelta(minutes=1))) == {"tick"}
    assert _judge(validator, ["101"], start=midnight) == ["spike"]


def test_symbol_comes_and_goes_without_a_trace() -> None:
    validator = _settled()
    validator.add([_instrument(), _instrument("MSFT")])
    assert _said(validator.judge(_candidate("50", symbol="MSFT"))) == "tick"
    assert _judge(validator, ["90"]) == ["spike"]  # known already: it keeps its level
    validator.remove(["AAPL", "NEVER"])
    assert _judge(validator, ["90"]) == ["not_subscribed"]
    validator.add([_instrument()])
    assert _judge(validator, ["90"]) == ["tick"]
    assert validator.counts.rejects == {"spike": 1, "not_subscribed": 1}


def test_previous_close_is_kept_for_the_session_and_stored_as_it_can_be() -> None:
    validator = _validator()
    closes = ["99.5", None, "0.00000001", "Infinity", "98.1234567"]
    ticks = [
        _accepted(validator.judge(_candidate(ts_event=_NOON + n * _SECOND, previous_close=close))) for n, close in enumerate(closes)
    ]
    assert [tick.previous_close for tick in ticks] == [Decimal("99.5"), Decimal("99.5"), None, None, Decimal("98.123457")]
    next_day = _accepted(validator.judge(_candidate(ts_event=_NOON + timedelta(days=1))))
    assert next_day.previous_close is None


@given(
    st.lists(
        st.builds(
            _candidate,
            st.decimals().map(str) | st.sampled_from(["100", "100.5", "10000", "99", "14.3"]),
            symbol=st.sampled_from(["AAPL", "MSFT"]),
            ts_event=st.datetimes(timezones=st.just(UTC)) | st.just(_NOON),
            ts_recv=st.datetimes(timezones=st.just(UTC)) | st.just(_NOON),
            ts_connected=st.sampled_from([_BEFORE_OPEN, _NOON, None]),
            day_volume=st.none() | st.integers(),
            size=st.none() | st.integers(),
            previous_close=st.none() | st.decimals().map(str),
            vendor_phase=st.none() | st.integers(-2, 9),
            currency=st.sampled_from([None, "USD", "GBp"]),
        ),
        max_size=30,
    ),
    st.sampled_from(["yahoo", "tape"]),
)
def test_any_candidates_are_judged_and_always_alike(candidates: list[Candidate], source: str) -> None:
    first, second = _validator(source), _validator(source)
    verdicts = [first.judge(each) for each in candidates]
    assert [_said(verdict) for verdict in verdicts] == [_said(second.judge(each)) for each in candidates]
    for verdict in verdicts:
        if isinstance(verdict, Tick):
            assert verdict.price == round(verdict.price, 6) > 0
            json.loads(tick_json(verdict))


def test_tick_on_kafka_is_as_its_contract_says() -> None:
    tick = Tick(
        symbol="AAPL",
        price=Decimal("100.500000"),
        day_volume=1000,
        size=None,
        ts_event=datetime(2026, 11, 23, 15, 30, tzinfo=UTC),
        ts_recv=datetime(2026, 11, 23, 15, 30, 0, 250_999, tzinfo=UTC),
        session_phase="regular",
        currency="USD",
        previous_close=Decimal("1E+2"),
        source="yahoo",
        line="yahoo-0a",
        line_seq=7,
        is_suspect=False,
        is_continuous=True,
    )
    assert tick_json(tick) == (
        b'{"symbol":"AAPL","price":"100.5","day_volume":1000,"size":null,"ts_event":1795447800000,"ts_recv":1795447800250,'
        b'"session_phase":"regular","currency":"USD","previous_close":"100","source":"yahoo","line":"yahoo-0a","line_seq":7,'
        b'"tick_id":"8b1a29196d5e12ae","is_suspect":false,"is_continuous":true}'
    )
    assert tuple(json.loads(tick_json(tick))) == tuple(column.name for column in TICK.columns)


def test_refusal_on_kafka_is_as_its_contract_says() -> None:
    refusal = Refusal("spike", "100 is far", datetime(2026, 11, 23, 15, 30, tzinfo=UTC), 7, lambda: b"original")
    assert refusal_json(refusal) == (
        b'{"reason":"spike","detail":"100 is far","payload_base64":"b3JpZ2luYWw=","kafka_topic":null,"kafka_partition":null,'
        b'"kafka_offset":null,"ts_dead":1795447800000}'
    )
    assert tuple(json.loads(refusal_json(refusal))) == tuple(column.name for column in DEAD_LETTER.columns)


@pytest.mark.parametrize(
    ("price", "text"),
    [("167.4100", "167.41"), ("100", "100"), ("100.0", "100"), ("1E+3", "1000"), ("0.000001", "0.000001"), ("1E-6", "0.000001")],
)
def test_price_is_written_as_its_shortest_plain_decimal(price: str, text: str) -> None:
    assert price_text(Decimal(price)) == text


@pytest.mark.parametrize(("hour", "minute", "phase"), [(3, 59, "regular"), (4, 0, "closed"), (4, 59, "closed"), (5, 0, "regular")])
def test_lunch_break_makes_no_bar(hour: int, minute: int, phase: str) -> None:
    """Hong Kong rests from 12:00 to 13:00, which is 04:00 to 05:00Z."""
    ts_event = datetime(2026, 11, 23, hour, minute, 59, tzinfo=UTC)
    validator = _validator(calendar="XHKG")
    _accepted(validator.judge(_candidate(ts_event=ts_event - timedelta(minutes=1))))
    assert _accepted(validator.judge(_candidate("100.01", ts_event=ts_event))).session_phase == phase
