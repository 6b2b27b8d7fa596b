"""Hours of markets that are not New York's: breaks, evenings before, eras, horizons. Expected instants by hand from the
exchanges' published hours and holidays; Tokyo and Hong Kong have no summer time, so that JST is +9 h, HKT +8 h all year."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from stock_platform.calendars import calendar
from stock_platform.calendars.lookup import CALENDARS


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "ts", "phase", "session_date"),
    [
        # Tokyo, Friday 2026-11-20: 09:00-11:30, 12:30-15:30
        ("XTKS", "2026-11-19 23:59:59.999", "closed", None),
        ("XTKS", "2026-11-20 00:00", "regular", date(2026, 11, 20)),
        ("XTKS", "2026-11-20 02:29:59.999", "regular", date(2026, 11, 20)),
        ("XTKS", "2026-11-20 02:30", "closed", date(2026, 11, 20)),
        ("XTKS", "2026-11-20 03:29:59.999", "closed", date(2026, 11, 20)),
        ("XTKS", "2026-11-20 03:30", "regular", date(2026, 11, 20)),
        ("XTKS", "2026-11-20 06:30", "closed", None),
        # until 2024-11-01 it closed at 15:00, since 2024-11-05 at 15:30
        ("XTKS", "2024-11-01 06:15", "closed", None),
        ("XTKS", "2024-11-05 06:15", "regular", date(2024, 11, 5)),
        # Labour Thanksgiving Day, a Monday
        ("XTKS", "2026-11-23 01:00", "closed", None),
        # Hong Kong, Friday 2026-11-20: 09:30-12:00, 13:00-16:00; half a day on Christmas Eve, without a break
        ("XHKG", "2026-11-20 01:30", "regular", date(2026, 11, 20)),
        ("XHKG", "2026-11-20 04:00", "closed", date(2026, 11, 20)),
        ("XHKG", "2026-11-20 05:00", "regular", date(2026, 11, 20)),
        ("XHKG", "2026-11-20 08:00", "closed", None),
        ("XHKG", "2026-12-24 03:59", "regular", date(2026, 12, 24)),
        ("XHKG", "2026-12-24 05:30", "closed", None),
        # London: 08:00-16:30, in summer an hour earlier in UTC; pre-market from 07:15 as Yahoo has it; Good Friday
        ("XLON", "2026-10-23 07:00", "regular", date(2026, 10, 23)),
        ("XLON", "2026-10-26 07:30", "pre", date(2026, 10, 26)),
        ("XLON", "2026-10-26 08:00", "regular", date(2026, 10, 26)),
        ("XLON", "2026-04-03 10:00", "closed", None),
        # Frankfurt has no pre-market: 09:00-17:30
        ("XETR", "2026-11-20 07:59", "closed", None),
        ("XETR", "2026-11-20 16:29", "regular", date(2026, 11, 20)),
        # Sydney in its summer is +11 h: 10:00-16:00
        ("XASX", "2026-11-19 23:00", "regular", date(2026, 11, 20)),
        # CME Globex: Sunday 17:00 Chicago (-6 h) is Monday's session; an hour's stop at 16:00
        ("CMES", "2026-11-22 22:59:59.999", "closed", None),
        ("CMES", "2026-11-22 23:00", "regular", date(2026, 11, 23)),
        ("CMES", "2026-11-23 21:59:59.999", "regular", date(2026, 11, 23)),
        ("CMES", "2026-11-23 22:30", "closed", None),
        ("CMES", "2026-11-23 23:00", "regular", date(2026, 11, 24)),
        ("CMES", "2026-11-20 22:00", "closed", None),
        # currencies: Sunday 17:00 to Friday 17:00 New York; a session is a London day
        ("24/5", "2026-11-20 21:59:59.999", "regular", date(2026, 11, 20)),
        ("24/5", "2026-11-20 22:00", "closed", None),
        ("24/5", "2026-11-22 21:59", "closed", None),
        ("24/5", "2026-11-22 22:00", "regular", date(2026, 11, 23)),
        ("24/5", "2026-11-23 23:59:59.999", "regular", date(2026, 11, 23)),
        ("24/5", "2026-11-24 00:00", "regular", date(2026, 11, 24)),
        ("24/5", "2026-07-10 21:00", "closed", None),
        ("24/5", "2026-07-08 23:00", "regular", date(2026, 7, 9)),
        # Mumbai 09:15-15:30 (+5:30); the table ends with 2026
        ("XBOM", "2026-11-20 03:45", "regular", date(2026, 11, 20)),
        ("XNSE", "2026-11-20 10:00", "closed", None),
    ],
)
def test_market_at_an_instant_is_in_its_phase_and_session(name: str, ts: str, phase: str, session_date: date | None) -> None:
    hours = calendar(name)
    assert (hours.phase(_at(ts)), hours.session_date(_at(ts))) == (phase, session_date)
    assert hours.is_trading(_at(ts)) == (phase != "closed")


@pytest.mark.parametrize(
    ("name", "ts", "start", "end"),
    [
        # morning, lunch and afternoon of Tokyo; from Friday's close over the weekend and Monday's holiday to Tuesday
        ("XTKS", "2026-11-20 01:00", "2026-11-20 01:00", "2026-11-20 02:30"),
        ("XTKS", "2026-11-20 03:00", "2026-11-20 03:30", "2026-11-20 03:00"),
        ("XTKS", "2026-11-20 06:30", "2026-11-24 00:00", "2026-11-20 06:30"),
        # back-to-back sessions are one stretch
        ("24/5", "2026-11-17 12:00", "2026-11-17 12:00", "2026-11-20 22:00"),
        ("24/5", "2026-11-21 12:00", "2026-11-22 22:00", "2026-11-21 12:00"),
        ("CMES", "2026-11-23 22:00", "2026-11-23 23:00", "2026-11-23 22:00"),
    ],
)
def test_trading_stretches_begin_and_end(name: str, ts: str, start: str, end: str) -> None:
    hours = calendar(name)
    assert (hours.next_trading_start(_at(ts)), hours.trading_end(_at(ts))) == (_at(start), _at(end))


def test_session_with_a_break_tells_it() -> None:
    (session,) = calendar("XHKG").sessions(date(2026, 11, 20), date(2026, 11, 21))
    assert (session.ts_break_start, session.ts_break_end) == (_at("2026-11-20 04:00"), _at("2026-11-20 05:00"))
    assert (session.ts_pre, session.ts_post_end) == (session.ts_open, session.ts_close)


@pytest.mark.parametrize("name", ["XBOM", "XSHG", "XSES"])
def test_market_beyond_its_horizon_keeps_weekday_hours_and_says_that_they_are_assumed(name: str) -> None:
    hours = calendar(name)
    assert hours.horizon == date(2026, 12, 31)
    assert not hours.is_assumed(_at("2026-12-31 05:00"))
    # 2027-01-04 is a Monday, 05:00Z an hour of all three
    assert (hours.phase(_at("2027-01-04 05:00")), hours.is_assumed(_at("2027-01-04 05:00"))) == ("regular", True)
    assert hours.phase(_at("2027-01-03 05:00")) == "closed"
    assert hours.next_open(_at("2030-06-01 00:00")) > _at("2030-06-01 00:00")


def test_assumed_hours_are_the_last_known_ones() -> None:
    (session,) = calendar("XBOM").sessions(date(2027, 1, 4), date(2027, 1, 5))
    assert session[:3] == (date(2027, 1, 4), _at("2027-01-04 03:45"), _at("2027-01-04 10:00"))
    assert session.is_assumed


@pytest.mark.parametrize("name", [name for name in CALENDARS if name != "24/7"])
def test_sessions_of_a_year_follow_one_another(name: str) -> None:
    year = calendar(name).sessions(date(2026, 1, 1), date(2027, 1, 1))
    assert 230 <= len(year) <= 261
    for session, following in pairwise(year):
        assert session.ts_pre <= session.ts_open < session.ts_close <= session.ts_post_end <= following.ts_pre
        assert following.ts_open - session.ts_close < timedelta(days=14)
