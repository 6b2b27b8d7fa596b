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
    if ts.second or ts.microsecond:
        raise BarStartUnusable(text, "is inside a minute")
    return ts.astimezone(UTC)
