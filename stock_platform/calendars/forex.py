"""The currency market, 24/5: open from Sunday 17:00 to Friday 17:00 New York, with sessions as Yahoo cuts them.

Yahoo's charts of CCY instruments give the London day, 00:00 to 24:00, as the regular trading period, and stamp daily bars
with London's midnight. So a session is a London day; Monday's begins on Sunday at 17:00 New York, Friday's ends at 17:00
New York. (exchange_calendars' 24/5 is the UTC weekday, which loses Sunday evening.) Holidays: none; the market is thin on
them, not closed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from stock_platform.calendars.calendar import Session

FIRST, LAST = date(1990, 1, 1), date(2055, 12, 31)
_LONDON, _NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")
_WEEK_TURN = time(17)
_DAY = timedelta(days=1)
_MONDAY, _FRIDAY = 0, 4


def forex_sessions() -> Iterator[Session]:
    """Every session from FIRST to LAST: rules, not a table, so that no horizon needs to be watched."""
    for n in range((LAST - FIRST).days + 1):
        day = FIRST + n * _DAY
        if day.weekday() <= _FRIDAY:
            opens = _at(day - _DAY, _WEEK_TURN, _NEW_YORK) if day.weekday() == _MONDAY else _at(day, time(), _LONDON)
            closes = _at(day, _WEEK_TURN, _NEW_YORK) if day.weekday() == _FRIDAY else _at(day + _DAY, time(), _LONDON)
            yield Session(day, opens, closes, ts_pre=opens, ts_post_end=closes)


def _at(day: date, hour: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, hour, zone).astimezone(UTC)
