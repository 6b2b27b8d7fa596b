"""When which market is open. Not here: which instruments are watched (feed).

Tables are rendered from exchange_calendars (export.py) and committed, so that no running process pays its import:
1.3 s and 80 MB for a question that a bisection answers."""

from stock_platform.calendars.calendar import Calendar, Phase, Session
from stock_platform.calendars.exchanges import calendar_of_exchange, calendar_of_symbol
from stock_platform.calendars.lookup import calendar, has_same_hours

__all__ = ["Calendar", "Phase", "Session", "calendar", "calendar_of_exchange", "calendar_of_symbol", "has_same_hours"]
