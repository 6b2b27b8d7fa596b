"""A whole answer of every shape, for the API's description: made of the shapes themselves, so that none can be out of date.

Not here: the rows in them (example_rows)."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from stock_platform.api.example_rows import (
    ACCEPTED,
    BREADTH,
    BY_RUN,
    CHANGE,
    CHECK,
    CONTENT,
    DAGSTER,
    END,
    GAP,
    INDICATOR,
    JOB,
    LEVEL,
    MINUTE,
    MOVER,
    QUOTE,
    REFUSED,
    RESTATEMENT,
    RUN,
    SEEN,
    SESSION,
    STOCK,
    TS,
    VERSION,
)
from stock_platform.api.level_shapes import HopLatency, LatencyPage, SessionLevelPage
from stock_platform.api.overview_shapes import MarketOverview, SymbolChange
from stock_platform.api.passport_shapes import FlinkJob, GateRun, Passport
from stock_platform.api.quality_shapes import RefusedBarPage, SymbolGap, SymbolGapPage
from stock_platform.api.shapes import (
    Bar,
    BarPage,
    Basis,
    CalendarStatus,
    FeedState,
    FeedStatus,
    Gap,
    GapPage,
    Health,
    Interval,
    MarketState,
    MarketStatus,
    Shape,
    StockPage,
)
from stock_platform.api.truth_shapes import BarChangePage, CorporateAction, CorporateActionPage, IndicatorPage, RestatementPage
from stock_platform.contracts.slo import Hop

_ANSWERS: tuple[Shape, ...] = (
    StockPage(items=[STOCK], next_cursor="AAPL"),
    STOCK,
    BarPage(
        symbol="AAPL",
        interval=Interval.ONE_MINUTE,
        adjusted=Basis.RAW,
        items=[Bar(**MINUTE, **CONTENT, is_certified=True, verdict="passed", revision=1)],
    ),
    Passport(
        **MINUTE,
        symbol="AAPL",
        current=VERSION,
        kafka_topic="market.ticks.v1",
        flink_job=FlinkJob(flink_job_id=JOB, restatement_id=None, is_known=True, state="RUNNING", ts_checkpoint=ACCEPTED),
        gate_run=GateRun(
            dagster_run_id=RUN,
            url=BY_RUN["dagster_run_url"],
            code_version="1f2e3d4",
            closed_until=END,
            checks=[CHECK],
            data_docs_url=f"/data-docs/{RUN}",
        ),
        revisions=[VERSION],
        refused=None,
    ),
    GapPage(symbol="AAPL", items=[Gap(**GAP)]),
    SymbolGapPage(items=[SymbolGap(symbol="AAPL", **GAP)], next_cursor=None),
    MarketStatus(
        ts_now=SEEN,
        feed=FeedStatus(kind="yahoo", state=FeedState.RUNNING, line="a", ts_event_last=SEEN, ts_heartbeat=SEEN, stale_since=None),
        calendars=[
            CalendarStatus(
                calendar="XNYS",
                state=MarketState.OPEN,
                session_date=SESSION,
                ts_next_open=datetime(2026, 11, 23, 14, 30, tzinfo=UTC),
                ts_next_close=datetime(2026, 11, 20, 21, 0, tzinfo=UTC),
            )
        ],
        lag_s=0.2,
        ts_bar_last=END,
        ts_bar_certified_last=TS,
        dagster_url=DAGSTER,
    ),
    MarketOverview(
        session_date=SESSION,
        top=[MOVER],
        bottom=[MOVER],
        breadth=[BREADTH],
        symbols=[
            SymbolChange(
                symbol="AAPL",
                name="Apple Inc.",
                sector="Technology",
                currency="USD",
                price=QUOTE.price,
                change_pct=QUOTE.change_pct,
                day_volume=QUOTE.day_volume,
                ts_event=SEEN,
            )
        ],
    ),
    RefusedBarPage(items=[REFUSED], open_count=1, next_cursor=None),
    SessionLevelPage(items=[LEVEL], next_cursor=None),
    LatencyPage(
        items=[
            HopLatency(
                ts_minute=TS, hop=Hop.EVENT_TO_STAGING, observation_count=2600, p50_ms=355, p95_ms=497, p99_ms=742, max_ms=1200
            )
        ]
    ),
    CorporateActionPage(
        symbol="AAPL",
        items=[
            CorporateAction(
                ex_date=date(2014, 6, 9),
                kind="split",
                ratio=Decimal(7),
                amount=None,
                currency="USD",
                source="yahoo",
                ts_recv=TS,
            )
        ],
        next_cursor=None,
    ),
    BarChangePage(symbol="AAPL", items=[CHANGE], next_cursor=None),
    RestatementPage(items=[RESTATEMENT], next_cursor=None),
    IndicatorPage(symbol="AAPL", items=[INDICATOR]),
    Health(status="ok", checks={"store": "ok"}),
)
EXAMPLES: dict[str, Any] = {type(answer).__name__: answer.model_dump(mode="json") for answer in _ANSWERS}
"""By the name of the shape, as it is answered."""
