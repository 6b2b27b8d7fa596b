"""One symbol's bars, their passports, and the minutes without one."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Response

from stock_platform.adapters.clock import Clock
from stock_platform.api.parameters import Instant, Symbol, Watchlist, check_order
from stock_platform.api.passport_shapes import Passport
from stock_platform.api.problems import problems
from stock_platform.api.shapes import BarPage, Basis, GapPage, Interval
from stock_platform.api.store import BarQuery, GapQuery, Store
from stock_platform.contracts.bar_start import whole_minute
from stock_platform.errors.passport import BarNotCertified, BarStartUnusable

_ONE_TIME = "factors are of the corporate actions known now, bars as of an instant of what was known then; ask for one of them."
_SETTLED = timedelta(hours=1)
"""Longer than any promotion takes: what was certified at an instant so long ago does not change any more."""
_FOR_A_DAY = {"Cache-Control": "private, max-age=86400, immutable"}


def bar_routes(store: Store, watchlist: Watchlist, clock: Clock) -> APIRouter:
    """`/stocks/{symbol}/bars`, `…/bars/{ts_start}/passport`, `…/gaps`."""
    routes = APIRouter(tags=["bars"], prefix="/stocks/{symbol}")

    @routes.get("/bars", summary="Bars of one instrument, oldest first", response_model=BarPage, responses=problems(404))
    def bars(
        symbol: Symbol,
        interval: Interval = Interval.ONE_MINUTE,
        start: Annotated[
            Instant | None,
            Query(description="Inclusive; without it the newest bars come. The next page starts at `ts_end` of the last bar."),
        ] = None,
        end: Annotated[Instant | None, Query(description="Exclusive.")] = None,
        limit: Annotated[int, Query(ge=1, le=2000)] = 390,
        adjusted: Annotated[
            Basis, Query(description="Basis of prices and volumes, by the corporate actions known now.")
        ] = Basis.RAW,
        as_of: Annotated[Instant | None, Query(description="Certified bars as they were then; for 1m only.")] = None,
    ) -> Response:
        check_order(start, end)
        if as_of is not None and adjusted is not Basis.RAW:
            raise HTTPException(422, f"Parameter adjusted={adjusted} does not go with as_of: {_ONE_TIME}")
        if as_of is not None and interval is not Interval.ONE_MINUTE:
            raise HTTPException(422, f"Parameter as_of goes with interval=1m only: bars of {interval} keep no earlier versions.")
        page = store.bar_page(BarQuery(watchlist.known(symbol), interval, start, end, limit, as_of, adjusted))
        is_settled = as_of is not None and as_of <= clock.now() - _SETTLED
        return Response(page, headers=_FOR_A_DAY if is_settled else None, media_type="application/json")

    @routes.get(
        "/bars/{ts_start}/passport",
        summary="Where a certified 1-minute bar comes from, who accepted it, and what it was before",
        responses=problems(404),
    )
    def passport(
        symbol: Symbol, ts_start: Annotated[Instant, Path(description="Start of the bar.", examples=["2013-10-07T14:30:00Z"])]
    ) -> Passport:
        try:
            return store.passport(watchlist.known(symbol), whole_minute(ts_start))
        except BarStartUnusable as error:
            raise HTTPException(422, f"Parameter ts_start: {error}") from None
        except BarNotCertified as error:
            raise HTTPException(404, str(error)) from None

    @routes.get("/gaps", summary="Session minutes without a certified bar, and why", responses=problems(404))
    def gaps(
        symbol: Symbol,
        start: Annotated[Instant | None, Query(description="Gaps that end after it; without it the newest come.")] = None,
        end: Annotated[Instant | None, Query(description="Gaps that begin before it.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> GapPage:
        check_order(start, end)
        known = watchlist.known(symbol)
        return GapPage(symbol=known, items=store.gaps(GapQuery(known, start, end, limit)))

    return routes
