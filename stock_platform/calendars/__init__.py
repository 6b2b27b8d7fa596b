"""When which market is open. Not here: which instruments are watched (feed).

Tables are rendered from exchange_calendars (export.py) and committed, so that no running process pays its import:
1.3 s and 80 MB for a question that a bisection answers."""

from stock_platform.calendars.calendar import Calendar, Phase, Session
from stock_platform.calendars.lookup import calendar

__all__ = ["Calendar", "Phase", "Session", "calendar"]
