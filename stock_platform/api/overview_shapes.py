"""Shapes of the market at a glance: who moved most, how broadly, and every symbol's change for a heat map. The rest: shapes."""

from datetime import date, datetime

from pydantic import Field

from stock_platform.api.shapes import Price, Shape


class Mover(Shape):
    """One of the highest or lowest changes of a session's close against the close before; from certified bars."""

    rank: int = Field(description="From 1.")
    symbol: str = Field(examples=["AAPL"])
    previous_close: Price
    close: Price = Field(description="So far, while the session runs.")
    change_pct: Price = Field(description="Percent.", examples=["1.25"])
    volume: int | None = Field(description="None where the instrument has no volume.")


class SectorBreadth(Shape):
    """How many symbols of a sector rose and fell against the close before; from certified bars."""

    sector: str = Field(description="ALL over every sector.", examples=["Technology"])
    symbol_count: int = Field(description="One without an earlier close is counted here alone.")
    advancing_count: int
    declining_count: int
    unchanged_count: int
    above_sma_50_ratio: float | None = Field(description="Share of those that have an SMA 50; None where none has.")
    mean_change_pct: float | None = Field(description="Percent.")
    volume: int | None


class SymbolChange(Shape):
    """A tile of the heat map: the provisional quote of one symbol."""

    symbol: str = Field(examples=["AAPL"])
    name: str = Field(examples=["Apple Inc."])
    sector: str = Field(examples=["Technology"])
    currency: str = Field(examples=["USD"])
    price: Price | None = Field(description="None until the first tick, as all that follows.")
    change_pct: Price | None = Field(description="Change since the previous close, percent.")
    day_volume: int | None
    ts_event: datetime | None


class MarketOverview(Shape):
    """The market at a glance."""

    session_date: date | None = Field(
        description="Of movers and breadth: the newest session that at least half of the watchlist traded in, else the newest; "
        "None before the first."
    )
    top: list[Mover] = Field(description="The ten highest changes, highest first.")
    bottom: list[Mover] = Field(description="The ten lowest changes, lowest first.")
    breadth: list[SectorBreadth] = Field(description="By sector; ALL first.")
    symbols: list[SymbolChange] = Field(description="The whole watchlist, by symbol.")
