"""Rows of the API's examples (examples): one minute of one symbol, AAPL 2026-11-20 14:31 UTC, and what was told of it."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from stock_platform.api.level_shapes import SessionLevel
from stock_platform.api.overview_shapes import Mover, SectorBreadth
from stock_platform.api.passport_shapes import BarVersion, CheckResult
from stock_platform.api.quality_shapes import RefusedBar, RefusedState
from stock_platform.api.shapes import Quote, Stock
from stock_platform.api.truth_shapes import BarChange, BarContent, Indicator, Restatement

DAGSTER = "http://127.0.0.1:3070"
RUN = "0f3c5a8e-7d21-4c6b-9a53-b1f0e2d4c687"
BY_RUN: dict[str, Any] = {"dagster_run_id": RUN, "dagster_run_url": f"{DAGSTER}/runs/{RUN}"}
JOB = "9d1c2b7e4f5a60718293a4b5c6d7e8f9"
SESSION = date(2026, 11, 20)
TS = datetime(2026, 11, 20, 14, 31, tzinfo=UTC)
END, ACCEPTED, SEEN = TS.replace(minute=32), TS.replace(minute=32, second=9), TS.replace(minute=32, second=30)
MINUTE: dict[str, Any] = {"ts_start": TS, "ts_end": END, "session_date": SESSION}
PRICES = {name: Decimal(price) for name, price in (("open", "189.2"), ("high", "189.4"), ("low", "189.11"), ("close", "189.25"))}
CONTENT: dict[str, Any] = {**PRICES, "volume": 41250, "vwap": Decimal("189.2417"), "tick_count": 87}
RESTATED: dict[str, Any] = {**CONTENT, "volume": 41260, "tick_count": 88}

QUOTE = Quote(
    symbol="AAPL",
    price=Decimal("189.25"),
    previous_close=Decimal("188.1"),
    change_pct=Decimal("0.611377"),
    day_volume=1204300,
    currency="USD",
    session_phase="regular",
    ts_event=SEEN,
    ts_recv=SEEN,
    source="yahoo",
)
STOCK = Stock(
    symbol="AAPL",
    name="Apple Inc.",
    sector="Technology",
    currency="USD",
    calendar="XNYS",
    quote=QUOTE,
    sparkline=[Decimal("189.2"), Decimal("189.25")],
)
GAP: dict[str, Any] = {
    **MINUTE,
    "minute_count": 1,
    "gap_class": "feed_gap",
    "evidence": "No feed line heard it from 14:31:00 to 14:32:00 UTC (60 s).",
    "state": "repaired",
    "closed_by_run": RUN,
    "closed_by_run_url": f"{DAGSTER}/runs/{RUN}",
    "closed_reason": "The minute was taken from the vendor's history.",
    "attempt_count": 1,
    "ts_found": SEEN,
    "ts_closed": SEEN,
}
VERSION = BarVersion(
    **CONTENT,
    **BY_RUN,
    revision=1,
    verdict="passed",
    ts_first_tick=TS,
    ts_last_tick=END.replace(minute=31, second=59),
    is_continuous=True,
    source="yahoo",
    kafka_partition=3,
    kafka_offset_first=10422,
    kafka_offset_last=11930,
    flink_job_id=JOB,
    response_path=None,
    ts_valid_from=ACCEPTED,
    ts_valid_to=None,
)
CHECK = CheckResult(
    check_name="high_is_highest",
    severity="quarantine",
    is_passed=True,
    observed_count=30,
    failed_count=0,
    detail="",
    ts_checked=ACCEPTED,
)
MOVER = Mover(
    rank=1, symbol="AAPL", previous_close=Decimal("188.1"), close=Decimal("189.25"), change_pct=Decimal("0.611377"), volume=1204300
)
BREADTH = SectorBreadth(
    sector="ALL",
    symbol_count=30,
    advancing_count=18,
    declining_count=11,
    unchanged_count=1,
    above_sma_50_ratio=0.6,
    mean_change_pct=0.31,
    volume=98120400,
)
REFUSED = RefusedBar(
    **MINUTE,
    **CONTENT,
    **BY_RUN,
    symbol="AAPL",
    state=RefusedState.OPEN,
    rules=["collar"],
    ts_noted=ACCEPTED,
    decision=None,
)
CHANGE = BarChange(
    **BY_RUN,
    restatement_id=7,
    ts_start=TS,
    session_date=SESSION,
    change="changed",
    before=BarContent(**CONTENT, revision=1, verdict="passed"),
    after=BarContent(**RESTATED, revision=2, verdict="restated"),
    ts_accepted=SEEN,
)
RESTATEMENT = Restatement(
    **BY_RUN,
    restatement_id=7,
    session_date=SESSION,
    symbols=["AAPL"],
    ticks_from="topic",
    state="finished",
    is_promoted=True,
    is_partial=False,
    flink_job_id=JOB,
    last_error=None,
    added_count=0,
    removed_count=0,
    changed_count=1,
    ts_started=ACCEPTED,
    ts_ended=SEEN,
)
LEVEL = SessionLevel(
    session_date=SESSION,
    calendar="ALL",
    objective_ratio=0.999,
    counted_minute_count=11700,
    spent_minute_count=3,
    good_ratio=0.999744,
    burn_rate=0.256,
    session_30_count=30,
    budget_30_minutes=351.0,
    spent_30_minute_count=41,
    budget_left_ratio=0.883,
)
UNKNOWN = ("sma_200", "macd_signal", "macd_histogram")
KNOWN = {name: 189.25 for name in Indicator.model_fields if name not in ("session_date", "close", "session_count", *UNKNOWN)}
INDICATOR = Indicator(session_date=SESSION, close=Decimal("189.25"), session_count=60, **KNOWN, **dict.fromkeys(UNKNOWN))
