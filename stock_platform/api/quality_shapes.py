"""Shapes of how good the data is, across symbols: refused bars, gaps. The rest: shapes.

Not here: how they are found (store)."""

from datetime import date, datetime
from enum import StrEnum

from pydantic import Field

from stock_platform.api.shapes import Cursor, Gap, Price, Shape


class RefusedState(StrEnum):
    """What became of a refused bar."""

    OPEN = "open"
    """It waits for a person, or for a newer version that passes."""
    RELEASED = "released"
    """It passed when it was judged again."""
    OVERRIDDEN = "overridden"
    """It was promoted although it broke rules, as suspect."""
    DISCARDED = "discarded"


class ReviewDecision(Shape):
    """What a person decided of a refused bar."""

    reason: str
    decided_by: str
    dagster_run_id: str = Field(description="Run that carried it out.")
    ts_decided: datetime


class RefusedBar(Shape):
    """A bar that the gate refused, with its content as it was refused or decided on."""

    symbol: str = Field(examples=["AAPL"])
    ts_start: datetime
    ts_end: datetime
    session_date: date
    state: RefusedState
    rules: list[str] = Field(description="Names of the rules that it broke.", examples=[["collar"]])
    open: Price
    high: Price
    low: Price
    close: Price
    volume: int | None = Field(description="None where the instrument has no volume.")
    vwap: Price | None = Field(description="None where nothing was traded.")
    tick_count: int
    dagster_run_id: str = Field(description="Gate run that refused it; of a decided bar the run of the decision.")
    dagster_run_url: str = Field(description="That run's page in Dagster.")
    ts_noted: datetime = Field(description="When it was refused; of a decided bar when that was decided.")
    decision: ReviewDecision | None = Field(description="None while it waits.")


class RefusedBarPage(Shape):
    """Refused bars, newest bar first."""

    items: list[RefusedBar]
    open_count: int = Field(description="Bars that wait for a decision now, whatever the filters.")
    next_cursor: Cursor


class SymbolGap(Gap):
    """A gap, and whose."""

    symbol: str = Field(examples=["AAPL"])


class SymbolGapPage(Shape):
    """Gaps of all symbols, newest first."""

    items: list[SymbolGap]
    next_cursor: Cursor
