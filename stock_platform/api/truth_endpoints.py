"""What changed the past: corporate actions, restatements, and indicators that look back."""

from datetime import date, datetime

from fastapi import APIRouter

from stock_platform.api.cursors import decode, page_of
from stock_platform.api.parameters import FirstSession, LastSession, Limit, PageCursor, Symbol, Watchlist, check_order
from stock_platform.api.problems import problems
from stock_platform.api.store import ListQuery, SessionQuery, Store
from stock_platform.api.truth_shapes import BarChangePage, CorporateActionPage, IndicatorPage, RestatementPage


def truth_routes(store: Store, watchlist: Watchlist) -> APIRouter:
    """`/stocks/{symbol}/actions`, `…/restatements`, `…/indicators` and `/restatements`."""
    routes = APIRouter(tags=["past"])

    @routes.get("/stocks/{symbol}/actions", summary="Splits, dividends and capital gains, newest first", responses=problems(404))
    def actions(
        symbol: Symbol, start: FirstSession = None, end: LastSession = None, limit: Limit = 100, cursor: PageCursor = ""
    ) -> CorporateActionPage:
        check_order(start, end)
        known, after = watchlist.known(symbol), decode(cursor, date, str)
        rows = store.corporate_actions(ListQuery(limit + 1, after, symbol=known, start=start, end=end))
        items, further = page_of(rows, limit, lambda row: (row.ex_date, row.kind))
        return CorporateActionPage(symbol=known, items=items, next_cursor=further)

    @routes.get(
        "/stocks/{symbol}/restatements",
        summary="Certified bars that restatements changed: before and after",
        responses=problems(404),
    )
    def bar_changes(
        symbol: Symbol, start: FirstSession = None, end: LastSession = None, limit: Limit = 100, cursor: PageCursor = ""
    ) -> BarChangePage:
        check_order(start, end)
        known, after = watchlist.known(symbol), decode(cursor, int, datetime)
        rows = store.bar_changes(ListQuery(limit + 1, after, symbol=known, start=start, end=end))
        items, further = page_of(rows, limit, lambda row: (row.restatement_id, row.ts_start))
        return BarChangePage(symbol=known, items=items, next_cursor=further)

    @routes.get("/restatements", summary="Restatements, newest first, with what they changed", responses=problems())
    def restatements(
        start: FirstSession = None, end: LastSession = None, limit: Limit = 20, cursor: PageCursor = ""
    ) -> RestatementPage:
        check_order(start, end)
        rows = store.restatements(ListQuery(limit + 1, decode(cursor, int), start=start, end=end))
        items, further = page_of(rows, limit, lambda row: (row.restatement_id,))
        return RestatementPage(items=items, next_cursor=further)

    @routes.get(
        "/stocks/{symbol}/indicators",
        summary="Technical indicators by session, oldest first; without a start the newest",
        responses=problems(404),
    )
    def indicators(symbol: Symbol, start: FirstSession = None, end: LastSession = None, limit: Limit = 250) -> IndicatorPage:
        check_order(start, end)
        known = watchlist.known(symbol)
        return IndicatorPage(symbol=known, items=store.indicators(SessionQuery(known, start, end, limit)))

    return routes
