"""Parameters that several endpoints share, and the list of symbols that may be asked for."""

import re
from collections.abc import Collection
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Annotated, TypeVar

from fastapi import HTTPException, Path, Query, Request
from pydantic import StringConstraints, ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from stock_platform.adapters.clock import Clock
from stock_platform.api.store import Store

Moment = TypeVar("Moment", date, datetime)


def written(pattern: str, expected: str) -> WrapValidator:
    """A parameter must be written so: numbers are no days and no instants here, nobody knows from the outside what they count.

    Args:
        expected: In words, with an example."""

    def read(value: object, parse: ValidatorFunctionWrapHandler) -> object:
        if isinstance(value, str) and re.fullmatch(pattern, value):
            with suppress(ValidationError):
                return parse(value)
        raise ValueError(expected)

    return WrapValidator(read)


SYMBOL_PATTERN = r"^[A-Za-z0-9^][A-Za-z0-9.\-=^]{0,19}$"
ONE_SYMBOL = SYMBOL_PATTERN.removeprefix("^").removesuffix("$")
"""To be part of a longer pattern."""
_A_SYMBOL = "a symbol as in AAPL: at most 20 letters, digits and . - = ^"
_SymbolText = Annotated[str, StringConstraints(pattern=SYMBOL_PATTERN), written(SYMBOL_PATTERN, _A_SYMBOL)]
Symbol = Annotated[_SymbolText, Path(description="Of the watchlist; small letters do as well.", examples=["AAPL"])]
OneSymbol = Annotated[_SymbolText | None, Query(description="Of this symbol only.", examples=["AAPL"])]
_AN_INSTANT = "an instant with its zone, as in 2026-11-20T14:30:00Z; the + of a zone is written %2B in an address"
Limit = Annotated[int, Query(ge=1, le=500, description="Rows of a page.", examples=[50])]
PageCursor = Annotated[str, Query(max_length=200, description="`next_cursor` of the page before; leave it out for the first.")]
Day = Annotated[date, written(r"\d{4}-\d\d-\d\d", "a day as in 2026-11-20")]
Instant = Annotated[datetime, written(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*([Zz]|[+-]\d\d:?\d\d)", _AN_INSTANT)]
FirstSession = Annotated[Day | None, Query(description="First session, inclusive.", examples=["2026-11-16"])]
LastSession = Annotated[Day | None, Query(description="Session after the last, exclusive.", examples=["2026-11-21"])]

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


def check_order(start: Moment | None, end: Moment | None) -> None:
    """Refuse a range that ends before it begins.

    Raises:
        HTTPException: it does.
    """
    if start is not None and end is not None and start > end:
        text = f"Parameter start is {start.isoformat()}, after end {end.isoformat()}; expected a start at or before the end."
        raise HTTPException(422, text)


def check_one_of(name: str, value: str | None, known: Collection[str]) -> None:
    """Refuse a name that there is not; None stands for any.

    Raises:
        HTTPException: it is not known.
    """
    if value is not None and value not in known:
        raise HTTPException(422, f"Parameter {name} is {value!r}; expected one of {', '.join(known)}.")


async def only_known_parameters(request: Request) -> None:
    """Refuse parameters that the endpoint does not have: a misspelled filter would be none.

    Raises:
        HTTPException: there is one.
    """
    known = [field.alias for field in request.scope["route"].dependant.query_params]
    for name in request.query_params:
        if name not in known:
            there = f"expected {', '.join(known)}" if known else "this address takes none"
            raise HTTPException(422, f"Parameter {name} is not known; {there}.")
