"""What the lively store says of the past and of quality: a split, a dividend, two restatements, refused bars, gaps, a market.

Long enough that a page of one row has a next one. Not here: quotes and bars (lively_store)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from stock_platform.api.cursors import Key
from stock_platform.api.level_shapes import HopLatency, SessionLevel
from stock_platform.api.overview_shapes import MarketOverview, Mover, SectorBreadth, SymbolChange
from stock_platform.api.quality_shapes import RefusedBar, RefusedState, ReviewDecision, SymbolGap
from stock_platform.api.shapes import Gap
from stock_platform.api.store import LatencyQuery, ListQuery, SessionQuery
from stock_platform.api.truth_shapes import BarChange, BarContent, CorporateAction, Indicator, Restatement
from stock_platform.contracts.slo import Hop

SESSION = date(2026, 11, 19)
OPEN = datetime(2026, 11, 19, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAGSTER = "http://127.0.0.1:3070"
RUNS = f"{DAGSTER}/runs/"
SECTORS = {"AAPL": "Technology", "BTC-USD": "Crypto", "MSFT": "Technology", "SPY": "Fund"}
CHANGES = {"AAPL": "1.25", "BTC-USD": "-3.5", "MSFT": "0", "SPY": "0.4"}
Row = TypeVar("Row")


class LivelyPast:
    """Always the same."""

    def corporate_actions(self, query: ListQuery) -> list[CorporateAction]:
        """A dividend after a split."""
        told = {"currency": "USD", "source": "yahoo", "ts_recv": OPEN}
        rows = [
            CorporateAction(ex_date=SESSION, kind="dividend", ratio=None, amount=Decimal("0.25"), **told),
            CorporateAction(ex_date=date(2026, 6, 9), kind="split", ratio=Decimal(4), amount=None, **told),
        ]
        rows = [
            row for row in rows if (not query.start or row.ex_date >= query.start) and (not query.end or row.ex_date < query.end)
        ]
        return _page(rows, query, lambda row: (row.ex_date, row.kind))

    def bar_changes(self, query: ListQuery) -> list[BarChange]:
        """One bar each added, removed and changed."""
        before, after = _content("10", 1, "passed"), _content("11", 2, "restated")
        sides = {"added": (None, after), "changed": (before, after), "removed": (before, None)}
        rows = [
            BarChange(
                restatement_id=2,
                ts_start=OPEN + minute * MINUTE,
                session_date=SESSION,
                change=change,
                before=was,
                after=became,
                **_run("run-9"),
                ts_accepted=OPEN + timedelta(days=1),
            )
            for minute, (change, (was, became)) in reversed(list(enumerate(sides.items())))
        ]
        return _page(_of_sessions(rows, query), query, lambda row: (row.restatement_id, row.ts_start))

    def restatements(self, query: ListQuery) -> list[Restatement]:
        """The second failed; the first had changed three bars."""
        rows = [
            _restatement(3, state="failed", last_error="Kafka has dropped the ticks."),
            _restatement(2, state="finished", **_run("run-9"), added_count=1, removed_count=1, changed_count=1),
        ]
        return _page(_of_sessions(rows, query), query, lambda row: (row.restatement_id,))

    def indicators(self, query: SessionQuery) -> list[Indicator]:
        """Five sessions, of which the long averages know nothing yet."""
        days = [SESSION - timedelta(days=back) for back in range(5)][::-1]
        wanted = [day for day in days if (not query.start or day >= query.start) and (not query.end or day < query.end)]
        return [_indicator(day) for day in (wanted[: query.limit] if query.start else wanted[-query.limit :])]

    def refused_bars(self, query: ListQuery) -> list[RefusedBar]:
        """One of each state."""
        states = (RefusedState.OPEN, RefusedState.RELEASED, RefusedState.OVERRIDDEN, RefusedState.DISCARDED)
        rows = [_refused(OPEN + (9 - number) * MINUTE, state) for number, state in enumerate(states)]
        rows = [row for row in rows if query.state in (None, row.state) or (query.state == "decided" and row.decision)]
        rows = [row for row in rows if query.rule is None or query.rule in row.rules]
        return _page(_of_sessions(rows, query), query, lambda row: (row.ts_start, row.symbol, row.dagster_run_id))

    def refused_bar_count(self) -> int:
        """One waits."""
        return 1

    def data_docs(self, dagster_run_id: str) -> str | None:
        """A page of run-1 alone."""
        return "<!DOCTYPE html><title>Data Docs</title><h1>Every rule held</h1>" if dagster_run_id == "run-1" else None

    def all_gaps(self, query: ListQuery) -> list[SymbolGap]:
        """An outage of two symbols, and a silence."""
        rows = [
            _gap("MSFT", OPEN + 60 * MINUTE, "no_trade", "explained"),
            _gap("MSFT", OPEN, "feed_gap", "repaired"),
            _gap("AAPL", OPEN, "feed_gap", "open"),
        ]
        rows = [row for row in rows if query.state in (None, row.state) and query.gap_class in (None, row.gap_class)]
        return _page(_of_sessions(rows, query), query, lambda row: (row.ts_start, row.symbol))

    def session_levels(self, query: ListQuery) -> list[SessionLevel]:
        """A day that missed half of what it may, after one that missed nothing."""
        rows = [_level(SESSION, "XNYS", 1), _level(SESSION, "ALL", 1), _level(SESSION - timedelta(days=1), "ALL", 0)]
        rows = [row for row in rows if query.calendar in (None, row.calendar)]
        return _page(_of_sessions(rows, query), query, lambda row: (row.session_date, row.calendar))

    def latency(self, query: LatencyQuery) -> list[HopLatency]:
        """Three minutes of two hops."""
        rows = [
            HopLatency(ts_minute=OPEN + minute * MINUTE, hop=hop, observation_count=9, p50_ms=5, p95_ms=9, p99_ms=20, max_ms=40)
            for minute in range(3)
            for hop in (Hop.EVENT_TO_STAGING, Hop.RECEIVED_TO_FLINK)
        ]
        rows = [row for row in rows if query.hop in (None, row.hop)]
        rows = [row for row in rows if not query.start or row.ts_minute >= query.start]
        rows = [row for row in rows if not query.end or row.ts_minute < query.end]
        return rows[: query.limit] if query.start else rows[-query.limit :]

    def overview(self) -> MarketOverview:
        """Two rose, one fell."""
        order = sorted(CHANGES, key=lambda symbol: Decimal(CHANGES[symbol]))
        return MarketOverview(
            session_date=SESSION,
            top=[_mover(rank, symbol) for rank, symbol in enumerate(reversed(order), 1)],
            bottom=[_mover(rank, symbol) for rank, symbol in enumerate(order, 1)],
            breadth=[
                _breadth("ALL", 4, 2, 1, -0.4625),
                _breadth("Crypto", 1, 0, 1, -3.5),
                _breadth("Fund", 1, 1, 0, 0.4),
                _breadth("Technology", 2, 1, 0, 0.625),
            ],
            symbols=[_change(symbol) for symbol in sorted(CHANGES)],
        )


def gap(start: datetime, gap_class: str, state: str) -> Gap:
    """Three minutes without bars."""
    return Gap(
        ts_start=start,
        ts_end=start + 3 * MINUTE,
        session_date=start.date(),
        minute_count=3,
        gap_class=gap_class,
        evidence="made up",
        state=state,
        closed_by_run="run-3" if state == "repaired" else None,
        closed_by_run_url=f"{RUNS}run-3" if state == "repaired" else None,
        closed_reason=None if state == "open" else "made up",
        attempt_count=0,
        ts_found=start + 4 * MINUTE,
        ts_closed=None if state == "open" else start + 9 * MINUTE,
    )


def _page(rows: list[Row], query: ListQuery, key: Any) -> list[Row]:
    """Rows behind the key, newest first, as a store gives them."""
    after: Key | None = query.after
    found = [row for row in rows if query.symbol in (None, getattr(row, "symbol", query.symbol))]
    return [row for row in found if after is None or key(row) < after][: query.limit]


def _of_sessions(rows: list[Row], query: ListQuery) -> list[Row]:
    days: list[tuple[Row, Any]] = [(row, getattr(row, "session_date", SESSION)) for row in rows]
    return [row for row, day in days if (not query.start or day >= query.start) and (not query.end or day < query.end)]


def _run(name: str) -> dict[str, str]:
    return {"dagster_run_id": name, "dagster_run_url": f"{RUNS}{name}"}


def _content(price: str, revision: int, verdict: str) -> BarContent:
    value = Decimal(price)
    return BarContent(
        open=value, high=value, low=value, close=value, volume=100, vwap=value, tick_count=3, revision=revision, verdict=verdict
    )


def _restatement(number: int, **values: Any) -> Restatement:
    usual: dict[str, Any] = dict.fromkeys(("added_count", "removed_count", "changed_count"), 0)
    none: dict[str, Any] = dict.fromkeys(("last_error", "dagster_run_id", "dagster_run_url"))
    return Restatement(
        restatement_id=number,
        session_date=SESSION,
        symbols=["AAPL"],
        ticks_from="archive",
        is_promoted=values["state"] == "finished",
        is_partial=False,
        flink_job_id="f2",
        ts_started=OPEN + timedelta(days=1),
        ts_ended=OPEN + timedelta(days=1, minutes=2),
        **(usual | none | values),
    )


def _indicator(day: date) -> Indicator:
    known = {"session_date": day, "close": Decimal(100), "session_count": 30, "sma_20": 99.5, "rsi_14": 61.2}
    return Indicator.model_validate(dict.fromkeys(Indicator.model_fields) | known)


def _refused(start: datetime, state: RefusedState) -> RefusedBar:
    price, is_open = Decimal(100), state is RefusedState.OPEN
    decided = ReviewDecision(reason="made up", decided_by="ann", dagster_run_id="run-8", ts_decided=start + 9 * MINUTE)
    return RefusedBar(
        symbol="AAPL",
        ts_start=start,
        ts_end=start + MINUTE,
        session_date=SESSION,
        state=state,
        rules=["collar"],
        open=price,
        high=price,
        low=price,
        close=price,
        volume=10,
        vwap=price,
        tick_count=1,
        **_run("run-7" if is_open else "run-8"),
        ts_noted=start + (2 if is_open else 9) * MINUTE,
        decision=None if is_open else decided,
    )


def _gap(symbol: str, start: datetime, gap_class: str, state: str) -> SymbolGap:
    return SymbolGap(symbol=symbol, **gap(start, gap_class, state).model_dump())


def _level(day: date, calendar: str, spent: int) -> SessionLevel:
    return SessionLevel(
        session_date=day,
        calendar=calendar,
        objective_ratio=0.999,
        counted_minute_count=2_000,
        spent_minute_count=spent,
        good_ratio=1 - spent / 2_000,
        burn_rate=spent / 2,
        session_30_count=30,
        budget_30_minutes=60,
        spent_30_minute_count=30 * spent,
        budget_left_ratio=1 - spent / 2,
    )


def _mover(rank: int, symbol: str) -> Mover:
    change = Decimal(CHANGES[symbol])
    return Mover(rank=rank, symbol=symbol, previous_close=Decimal(100), close=100 + change, change_pct=change, volume=1000)


def _breadth(sector: str, count: int, advancing: int, declining: int, mean: float) -> SectorBreadth:
    return SectorBreadth(
        sector=sector,
        symbol_count=count,
        advancing_count=advancing,
        declining_count=declining,
        unchanged_count=count - advancing - declining,
        above_sma_50_ratio=0.5,
        mean_change_pct=mean,
        volume=1000 * count,
    )


def _change(symbol: str) -> SymbolChange:
    change = Decimal(CHANGES[symbol])
    return SymbolChange(
        symbol=symbol,
        name=symbol,
        sector=SECTORS[symbol],
        currency="USD",
        price=100 + change,
        change_pct=change,
        day_volume=1000,
        ts_event=OPEN,
    )
