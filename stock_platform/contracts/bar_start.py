"""The start of a bar as a person or a run's configuration writes it. Pure."""

from datetime import UTC, datetime

from stock_platform.errors.passport import BarStartUnusable


def bar_start(text: str) -> datetime:
    """The instant that is meant, UTC.

    Raises:
        BarStartUnusable: it is no instant, has no zone, or is not the start of a minute.
    """
    try:
        ts = datetime.fromisoformat(text)
    except ValueError:
        raise BarStartUnusable(text, "is no instant") from None
    if ts.tzinfo is None:
        raise BarStartUnusable(text, "has no zone")
    return whole_minute(ts)


def whole_minute(ts: datetime) -> datetime:
    """The same instant, UTC.

    Raises:
        BarStartUnusable: it is inside a minute.
    """
    start = ts.replace(second=0, microsecond=0)
    if ts != start:
        raise BarStartUnusable(ts.isoformat(), f"is inside the minute that starts at {start.astimezone(UTC):%Y-%m-%dT%H:%MZ}")
    return ts.astimezone(UTC)
