"""Hours of the markets. Expected instants by hand from the NYSE's published holidays and hours."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stock_platform.calendars import calendar
from stock_platform.errors import CalendarHorizonPassed, CalendarUnknown


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _second(text: str) -> int:
    return int(_at(text).timestamp())


@pytest.mark.parametrize(
    ("ts", "phase"),
    [
        # 2013-10-07, a Monday in summer time: 04:00 New York is 08:00 UTC
        ("2013-10-07 07:59:59.999", "closed"),
        ("2013-10-07 08:00", "pre"),
        ("2013-10-07 13:29:59.999", "pre"),
        ("2013-10-07 13:30", "regular"),
        ("2013-10-07 19:59:59.999", "regular"),
        ("2013-10-07 20:00", "post"),
        ("2013-10-07 23:59:59.999", "post"),
        ("2013-10-08 00:00", "closed"),
        # 2026-11-27, the early close after Thanksgiving, winter time: 13:00 New York is 18:00 UTC
        ("2026-11-27 17:59:59.999", "regular"),
        ("2026-11-27 18:00", "post"),
        ("2026-11-27 22:00", "closed"),
        ("2026-12-24 17:59:59.999", "regular"),
        ("2026-12-24 18:00", "post"),
        # Thanksgiving, Christmas, Good Friday, a Saturday
        ("2026-11-26 15:00", "closed"),
        ("2026-12-25 15:00", "closed"),
        ("2026-04-03 15:00", "closed"),
        ("2026-11-21 15:00", "closed"),
    ],
)
def test_exchange_at_an_instant_is_in_its_phase(ts: str, phase: str) -> None:
    assert calendar("XNYS").phase(_at(ts)) == phase


@pytest.mark.parametrize(
    ("day", "ts_open"),
    [
        (date(2008, 3, 7), "2008-03-07 14:30"),  # clocks change on Sunday 2008-03-09
        (date(2008, 3, 10), "2008-03-10 13:30"),
        (date(2026, 10, 30), "2026-10-30 13:30"),  # and back on Sunday 2026-11-01
        (date(2026, 11, 2), "2026-11-02 14:30"),
    ],
)
def test_open_around_a_clock_change_stays_at_half_past_nine(day: date, ts_open: str) -> None:
    (session,) = calendar("XNYS").sessions(day, day + timedelta(days=1))
    assert session.ts_open == _at(ts_open)


def test_sessions_leave_out_the_holiday_and_the_end() -> None:
    days = [session.session_date.day for session in calendar("XNYS").sessions(date(2026, 11, 24), date(2026, 11, 30))]
    assert days == [24, 25, 27]


def test_session_of_a_pre_market_tick_is_the_day_of_its_regular_hours() -> None:
    assert calendar("XNYS").session_date(_at("2013-10-07 08:00")) == date(2013, 10, 7)
    assert calendar("XNYS").session_at(_at("2013-10-06 15:00")) is None
    assert calendar("XNYS").session_latest(_at("2013-10-06 15:00")).session_date == date(2013, 10, 4)


def test_next_open_on_a_friday_evening_is_monday() -> None:
    assert calendar("XNYS").next_open(_at("2013-10-04 20:00")) == _at("2013-10-07 13:30")
    assert calendar("XNYS").next_close(_at("2013-10-07 20:00")) == _at("2013-10-08 20:00")


def test_continuous_market_has_a_session_each_utc_day() -> None:
    hours = calendar("24/7")
    assert (hours.next_trading_start(_at("2026-11-22 03:00")), hours.trading_end(_at("2026-11-22 03:00"))) == (
        _at("2026-11-22 03:00"),
        None,
    )
    (session,) = hours.sessions(date(2026, 11, 22), date(2026, 11, 23))
    midnight, next_midnight = _at("2026-11-22 00:00"), _at("2026-11-23 00:00")
    assert session[:5] == (date(2026, 11, 22), midnight, next_midnight, midnight, next_midnight)
    assert hours.session_at(_at("2026-11-22 23:59:59.999")) == session
    assert hours.phase(_at("2026-11-22 03:00")) == "regular"


def test_instant_before_the_table_says_what_to_do() -> None:
    with pytest.raises(CalendarHorizonPassed, match=r"XNYS does not know 1989-12-29 15:00Z; .* 1990-01-02 to"):
        calendar("XNYS").phase(_at("1989-12-29 15:00"))
    with pytest.raises(CalendarUnknown, match="XNYS, XTSE"):
        calendar("XNSY")


@pytest.mark.parametrize(
    ("ts", "start", "end"),
    [
        # a Friday noon; its evening; the Sunday after; the pre-market of the Monday
        ("2026-11-20 17:00", "2026-11-20 17:00", "2026-11-21 01:00"),
        ("2026-11-21 01:00", "2026-11-23 09:00", "2026-11-21 01:00"),
        ("2026-11-22 12:00", "2026-11-23 09:00", "2026-11-22 12:00"),
        ("2026-11-23 09:00", "2026-11-23 09:00", "2026-11-24 01:00"),
        # the early close of 2026-11-27: post-market until 17:00 New York
        ("2026-11-27 19:00", "2026-11-27 19:00", "2026-11-27 22:00"),
    ],
)
def test_trading_begins_with_the_pre_market_and_ends_with_the_post_market(ts: str, start: str, end: str) -> None:
    hours = calendar("XNYS")
    assert (hours.next_trading_start(_at(ts)), hours.trading_end(_at(ts))) == (_at(start), _at(end))
    assert hours.is_trading(_at(ts)) == (ts == start)


@given(st.integers(_second("1990-01-03"), _second("2035-12-30")))
def test_regular_phase_holds_exactly_inside_a_session(second: int) -> None:
    ts = datetime.fromtimestamp(second, UTC)
    day = ts.date()
    sessions = calendar("XNYS").sessions(day, day + timedelta(days=1))
    is_inside = any(session.ts_open <= ts < session.ts_close for session in sessions)
    assert (calendar("XNYS").phase(ts) == "regular") == is_inside
