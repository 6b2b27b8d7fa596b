"""Parameters that several endpoints share, and the list of symbols that may be asked for."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import HTTPException, Path, Query
from pydantic import BeforeValidator

from stock_platform.adapters.clock import Clock
from stock_platform.api.store import Store

SYMBOL_PATTERN = r"^[A-Za-z0-9^][A-Za-z0-9.\-=^]{0,19}$"
ONE_SYMBOL = SYMBOL_PATTERN.removeprefix("^").removesuffix("$")
"""To be part of a longer pattern."""
Symbol = Annotated[str, Path(pattern=SYMBOL_PATTERN, description="Of the watchlist; small letters do as well.", examples=["AAPL"])]
OneSymbol = Annotated[str | None, Query(pattern=SYMBOL_PATTERN, description="Of this symbol only.", examples=["AAPL"])]
Limit = Annotated[int, Query(ge=1, le=500, description="Rows of a page.", examples=[50])]
PageCursor = Annotated[str, Query(max_length=200, description="`next_cursor` of the page before; leave it out for the first.")]
Day = Annotated[date, BeforeValidator(lambda value: _written(value, _DAY, "a day as in 2026-11-20"))]
Instant = Annotated[datetime, BeforeValidator(lambda value: _written(value, _INSTANT, "an instant as in 2026-11-20T14:30:00Z"))]
FirstSession = Annotated[Day | None, Query(description="First session, inclusive.", examples=["2026-11-16"])]
LastSession = Annotated[Day | None, Query(description="Session after the last, exclusive.", examples=["2026-11-21"])]

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*")
_KEPT = timedelta(seconds=5)


class Watchlist:
    """The symbols that may be asked for, read again every few seconds."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._symbols: frozenset[str] = frozenset()
        self._ts_read: datetime | None = None

    def known(self, symbol: str) -> str:
        """The symbol in capitals.

        Raises:
            HTTPException: nobody watches it.
        """
        return next(iter(self.all_known([symbol])))

    def all_known(self, symbols: list[str]) -> frozenset[str]:
        """The symbols in capitals.

        Raises:
            HTTPException: nobody watches one of them.
        """
        asked = frozenset(symbol.upper() for symbol in symbols)
        unknown = asked - self._fresh()
        if unknown:
            raise not_watched(min(unknown))
        return asked

    def _fresh(self) -> frozenset[str]:
        now = self._clock.now()
        if self._ts_read is None or now - self._ts_read > _KEPT:
            self._symbols, self._ts_read = self._store.symbols(), now
        return self._symbols


def not_watched(symbol: str) -> HTTPException:
    """The refusal of a symbol."""
    return HTTPException(404, f"Symbol {symbol} is not on the watchlist; GET /stocks lists those that are.")


def _written(value: object, pattern: re.Pattern[str], expected: str) -> object:
    """Numbers are no days and no instants here: nobody knows from the outside what they count."""
    if isinstance(value, str) and not pattern.fullmatch(value):
        raise ValueError(f"expected {expected}")
    return value


def check_zones(**instants: datetime | None) -> None:
    """Refuse instants without a zone.

    Raises:
        HTTPException: one has none.
    """
    for name, instant in instants.items():
        if instant is not None and instant.tzinfo is None:
            raise HTTPException(422, f"Parameter {name} has no zone; write it as in 2026-11-20T14:30:00Z.")
