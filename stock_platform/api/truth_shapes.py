"""Shapes of what changes the past: corporate actions, restatements, and indicators that look back. The rest: shapes.

Not here: how they are found (store)."""

from datetime import date, datetime

from pydantic import Field

from stock_platform.api.shapes import Cursor, Price, Shape


class CorporateAction(Shape):
    """A split, dividend or capital gain, as the vendor tells it."""

    ex_date: date = Field(description="First session that trades without it.", examples=["2014-06-09"])
    kind: str = Field(description="split, dividend or capital_gain.", examples=["split"])
    ratio: Price | None = Field(description="New shares for an old one; of a split only.", examples=["7"])
    amount: Price | None = Field(description="Paid a share, in `currency`; None of a split.")
    currency: str = Field(examples=["USD"])
    source: str = Field(description="Vendor that told it.", examples=["yahoo"])
    ts_recv: datetime = Field(description="When it was read.")


class CorporateActionPage(Shape):
    """Corporate actions of one symbol, newest first."""

    symbol: str = Field(examples=["AAPL"])
    items: list[CorporateAction]
    next_cursor: Cursor


class BarContent(Shape):
    """What a bar said before or after a restatement."""

    open: Price
    high: Price
    low: Price
    close: Price
    volume: int | None = Field(description="None where the instrument has no volume.")
    vwap: Price | None = Field(description="None where nothing was traded.")
    tick_count: int
    revision: int
    verdict: str = Field(description="passed, suspect, restated or vendor.", examples=["restated"])


class BarChange(Shape):
    """A certified bar that a restatement added, removed or changed."""

    restatement_id: int
    ts_start: datetime
    session_date: date
    change: str = Field(description="added, removed or changed.", examples=["changed"])
    before: BarContent | None = Field(description="None of an added bar.")
    after: BarContent | None = Field(description="None of a removed bar.")
    dagster_run_id: str = Field(description="Run that accepted the change.")
    dagster_run_url: str = Field(description="That run's page in Dagster.")
    ts_accepted: datetime


class BarChangePage(Shape):
    """Restated bars of one symbol: newest restatement first, newest bar first in it."""

    symbol: str = Field(examples=["AAPL"])
    items: list[BarChange]
    next_cursor: Cursor


class Restatement(Shape):
    """One recomputation of a session, and how many certified bars it changed."""

    restatement_id: int
    session_date: date
    symbols: list[str] | None = Field(description="None: all of the session.")
    ticks_from: str | None = Field(
        description="Offsets of the topic, the session's archive, a tape, or the vendor's history. None: no source, or none yet."
    )
    state: str = Field(description="running, finished or failed.", examples=["finished"])
    is_promoted: bool = Field(description="The certified bars have it; a finished one that is not was only compared with staging.")
    is_partial: bool = Field(description="Only the bars that were missing were to come.")
    flink_job_id: str | None
    dagster_run_id: str | None = Field(description="Run that asked for it; None where a command only compared.")
    dagster_run_url: str | None = Field(description="That run's page in Dagster.")
    last_error: str | None
    added_count: int
    removed_count: int
    changed_count: int
    ts_started: datetime
    ts_ended: datetime | None


class RestatementPage(Shape):
    """Restatements, newest first."""

    items: list[Restatement]
    next_cursor: Cursor


class Indicator(Shape):
    """Technical indicators of daily closes up to a session, in the shares of that session; None until their window is full."""

    session_date: date
    close: Price
    session_count: int = Field(description="Sessions that were looked back over.")
    sma_20: float | None
    sma_50: float | None
    sma_200: float | None
    ema_12: float | None
    ema_26: float | None
    rsi_14: float | None
    macd: float | None
    macd_signal: float | None
    macd_histogram: float | None
    bollinger_upper: float | None
    bollinger_middle: float | None
    bollinger_lower: float | None
    atr_14: float | None


class IndicatorPage(Shape):
    """Indicators of one symbol, oldest session first."""

    symbol: str = Field(examples=["AAPL"])
    items: list[Indicator]
