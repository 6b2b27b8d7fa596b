"""Shapes of service levels: what each session spent of the error budget, and how long each hop took. The rest: shapes.

Not here: how they are computed (the tables' own description)."""

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from stock_platform.api.shapes import Cursor, Shape
from stock_platform.contracts.slo import Hop

Rounded = Annotated[float, AfterValidator(lambda value: round(value, 6))]
"""A derived number, without the noise of binary fractions."""


class SessionLevel(Shape):
    """How complete one session was, and what that leaves of the error budget of the calendar's 30 newest sessions up to it."""

    session_date: date
    calendar: str = Field(description="Exchange calendar; ALL over every one.", examples=["XNYS", "ALL"])
    objective_ratio: float = Field(description="Share of minutes that is to be good.", examples=[0.999])
    counted_minute_count: int = Field(description="Session minutes of all symbols, those without a fault of ours left out.")
    spent_minute_count: int = Field(description="Counted minutes without a bar that was certified.")
    good_ratio: Rounded | None = Field(description="None where no minute counts.", examples=[0.9995])
    burn_rate: Rounded | None = Field(description="1 spends exactly the budget; None where no minute counts.")
    session_30_count: int = Field(description="Sessions that the budget is over, at most 30.")
    budget_30_minutes: Rounded = Field(description="Minutes that they may miss.")
    spent_30_minute_count: int = Field(description="Minutes that they have missed.")
    budget_left_ratio: Rounded | None = Field(
        description="1: nothing spent; below 0: more than there was. None where no minute counts."
    )


class SessionLevelPage(Shape):
    """Service levels, newest session first."""

    items: list[SessionLevel]
    next_cursor: Cursor


class HopLatency(Shape):
    """How long one hop took in one minute, milliseconds."""

    ts_minute: datetime
    hop: Hop = Field(description="From where to where.", examples=["event_to_staging"])
    observation_count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class LatencyPage(Shape):
    """Latency by minute and hop, oldest first."""

    items: list[HopLatency]
