"""Cursors of long lists: the key of a page's last row, opaque to clients, so that rows that come meanwhile shift no page. Pure."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, TypeVar

from stock_platform.errors import PlatformError

Key = tuple[Any, ...]
Row = TypeVar("Row")
_BETWEEN = "\x1f"
_READ: dict[type, Callable[[str], Any]] = {str: str, int: int, date: date.fromisoformat, datetime: datetime.fromisoformat}


class CursorInvalid(PlatformError):
    """A cursor is none of ours."""

    def __init__(self, cursor: str) -> None:
        super().__init__(
            f"Parameter cursor is {cursor!r}; expected `next_cursor` of the page before, unchanged, or none for the first page."
        )


def page_of(rows: Sequence[Row], limit: int, key: Callable[[Row], Key]) -> tuple[list[Row], str | None]:
    """The page, and the cursor of the next one where there is one.

    Args:
        rows: One more than `limit`, where there are so many.
        key: Of a row, in the list's order.
    """
    page = list(rows[:limit])
    return page, encode(key(page[-1])) if len(rows) > limit else None


def encode(key: Key) -> str:
    """The key as a cursor."""
    text = _BETWEEN.join(part.isoformat() if isinstance(part, date) else str(part) for part in key)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type) -> Key | None:
    """The key in a cursor; None of an empty one.

    Raises:
        CursorInvalid: it holds something else.
    """
    if not cursor:
        return None
    try:
        parts = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode().split(_BETWEEN)
        key = tuple(_READ[kind](part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, binascii.Error):
        raise CursorInvalid(cursor) from None
    if any(_is_unusable(part) for part in key):
        raise CursorInvalid(cursor)
    return key


def _is_unusable(part: object) -> bool:
    """Whether no row can have it: an instant without a zone, a number beyond the database's, a NUL."""
    if isinstance(part, datetime):
        return part.tzinfo is None
    return abs(part) >= 2**63 if isinstance(part, int) else "\0" in str(part)
