"""How good the data is, across symbols: refused bars, gaps, service levels, latency."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from stock_platform.api.cursors import decode, page_of
from stock_platform.api.level_shapes import LatencyPage, SessionLevelPage
from stock_platform.api.parameters import (
    FirstSession,
    Instant,
    LastSession,
    Limit,
    OneSymbol,
    PageCursor,
    Watchlist,
    check_one_of,
    check_order,
)
from stock_platform.api.problems import problems
from stock_platform.api.quality_shapes import RefusedBarPage, SymbolGapPage
from stock_platform.api.store import LatencyQuery, ListQuery, Store
from stock_platform.calendars.lookup import CALENDARS
from stock_platform.contracts.slo import Hop

_RefusedFilter = Literal["open", "decided", "released", "overridden", "discarded"]
_GapState = Literal["open", "repaired", "explained", "unrepairable"]
_GapClass = Literal["closed", "halt", "no_trade", "feed_gap", "pipeline_gap", "held"]
_CALENDARS = ("ALL", *CALENDARS)
_Calendar = Annotated[str | None, Query(description="ALL is over every one.", examples=["ALL"])]
_RuleName = Annotated[str | None, Query(description="Bars that broke this rule.", examples=["collar"])]


def quality_routes(store: Store, watchlist: Watchlist, rules: Collection[str]) -> APIRouter:
    """`/quality/…`.

    Args:
        rules: Names of the gate's."""
    routes = APIRouter(tags=["quality"], prefix="/quality")
    _add_bad_bars(routes, store, watchlist, rules)
    _add_levels(routes, store)
    return routes


def _add_bad_bars(routes: APIRouter, store: Store, watchlist: Watchlist, rules: Collection[str]) -> None:

    @routes.get("/quarantine", summary="Bars that the gate refused: waiting, and decided; newest first", responses=problems(404))
    def quarantine(
        state: Annotated[_RefusedFilter | None, Query(description="`decided` is any but open; without it all.")] = None,
        symbol: OneSymbol = None,
        rule: _RuleName = None,
        start: FirstSession = None,
        end: LastSession = None,
        limit: Limit = 50,
        cursor: PageCursor = "",
    ) -> RefusedBarPage:
        check_order(start, end)
        check_one_of("rule", rule, rules)
        known, after = watchlist.known(symbol) if symbol else None, decode(cursor, datetime, str, str)
        rows = store.refused_bars(ListQuery(limit + 1, after, symbol=known, start=start, end=end, state=state, rule=rule))
        items, further = page_of(rows, limit, lambda row: (row.ts_start, row.symbol, row.dagster_run_id))
        return RefusedBarPage(items=items, open_count=store.refused_bar_count(), next_cursor=further)

    @routes.get("/gaps", summary="Session minutes without a certified bar, of all symbols; newest first", responses=problems(404))
    def gaps(
        state: _GapState | None = None,
        gap_class: _GapClass | None = None,
        symbol: OneSymbol = None,
        start: FirstSession = None,
        end: LastSession = None,
        limit: Limit = 100,
        cursor: PageCursor = "",
    ) -> SymbolGapPage:
        check_order(start, end)
        known, after = watchlist.known(symbol) if symbol else None, decode(cursor, datetime, str)
        asked = ListQuery(limit + 1, after, symbol=known, start=start, end=end, state=state, gap_class=gap_class)
        items, further = page_of(store.all_gaps(asked), limit, lambda row: (row.ts_start, row.symbol))
        return SymbolGapPage(items=items, next_cursor=further)


def _add_levels(routes: APIRouter, store: Store) -> None:
    @routes.get("/slo", summary="How complete sessions were, and what is left of the error budget", responses=problems())
    def levels(
        calendar: _Calendar = None,
        start: FirstSession = None,
        end: LastSession = None,
        limit: Limit = 60,
        cursor: PageCursor = "",
    ) -> SessionLevelPage:
        check_order(start, end)
        check_one_of("calendar", calendar, _CALENDARS)
        asked = ListQuery(limit + 1, decode(cursor, date, str), start=start, end=end, calendar=calendar)
        items, further = page_of(store.session_levels(asked), limit, lambda row: (row.session_date, row.calendar))
        return SessionLevelPage(items=items, next_cursor=further)

    @routes.get("/latency", summary="How long each hop took, by minute, oldest first", responses=problems())
    def latency(
        hop: Hop | None = None,
        start: Annotated[Instant | None, Query(description="Inclusive; without it the newest minutes come.")] = None,
        end: Annotated[Instant | None, Query(description="Exclusive.")] = None,
        limit: Annotated[int, Query(ge=1, le=2000, description="Rows, one a minute and hop.")] = 360,
    ) -> LatencyPage:
        check_order(start, end)
        return LatencyPage(items=store.latency(LatencyQuery(hop, start, end, limit)))
