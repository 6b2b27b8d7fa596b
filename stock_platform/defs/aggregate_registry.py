"""Which aggregates there are, what each is made of, and when it is made. Not here: reading and writing (aggregate)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import dagster as dg
import polars as pl

from stock_platform.aggregates.breadth import sector_breadth
from stock_platform.aggregates.coarser import coarsen
from stock_platform.aggregates.correlation import correlations
from stock_platform.aggregates.indicator import indicators
from stock_platform.aggregates.liquidity import liquidity
from stock_platform.aggregates.mover import movers
from stock_platform.aggregates.session import session_statistics
from stock_platform.aggregates.volatility import volatilities
from stock_platform.contracts.adjusted import ADJUSTMENT_FACTOR
from stock_platform.contracts.aggregate import CORRELATION_60D, INDICATOR_1D, LIQUIDITY_30M, MOVER, SECTOR_BREADTH, VOLATILITY_20D
from stock_platform.contracts.bar import BAR, BAR_1D, BAR_1H, BAR_5M, BAR_15M, SESSION_STAT
from stock_platform.contracts.record import Record
from stock_platform.contracts.reference import INSTRUMENT, SESSION
from stock_platform.contracts.vendor import VENDOR_BAR_1D
from stock_platform.defs.aggregate_inputs import SessionInputs
from stock_platform.defs.world import key_of

Origin = tuple[tuple[Record, str], ...]
"""Columns that a column is computed from."""

PROVENANCE = ("dagster_run_id", "ts_updated")
"""Columns of every aggregate that are computed from none."""


@dataclass(frozen=True)
class Aggregate:
    """One table.

    Args:
        compute: The session's frames in, the table's rows of the session out.
        origins: Of each column but its provenance.
        is_of_session: Of an intraday one: each bar counts in all rows of its symbol, not only in those whose window it lies in.
    """

    record: Record
    compute: Callable[[SessionInputs], pl.DataFrame]
    origins: Mapping[str, Origin]
    is_of_session: bool = False

    @property
    def key(self) -> dg.AssetKey:
        """Of its asset."""
        return key_of(self.record.address)

    @property
    def upstream(self) -> list[dg.AssetKey]:
        """What it is read from."""
        return sorted({key_of(record.address) for origin in self.origins.values() for record, _ in origin})

    @property
    def column_lineage(self) -> dg.TableColumnLineage:
        """Its columns' origins as Dagster shows them."""
        return dg.TableColumnLineage(
            {
                name: [dg.TableColumnDep(key_of(record.address), column) for record, column in origin]
                for name, origin in self.origins.items()
            }
        )

    @property
    def description(self) -> str:
        """For a person: what a row is, and each column's formula with its unit."""
        shown = [column for column in self.record.columns if column.name not in (*PROVENANCE, *self.record.key)]
        lines = [f"- `{each.name}`: {each.meaning}{f' [{each.unit}]' if each.unit else ''}" for each in shown]
        return "\n".join([f"{self.record.meaning} Grain: {self.record.grain}.", "", *lines])


def _minutes(names: str) -> Origin:
    return tuple((BAR, name) for name in names.split())


def _days(names: str) -> Origin:
    """Of a session and of those before it, which are brought to its shares."""
    told = tuple((record, name) for name in names.split() for record in (BAR_1D, VENDOR_BAR_1D))
    return (*told, (ADJUSTMENT_FACTOR, "split_ratio"))


def _newest(name: str) -> Origin:
    return ((BAR_1D, name),)


def _coarse(record: Record, every: str | None) -> Aggregate:
    return Aggregate(record, lambda inputs: coarsen(inputs.bars, every=every), _OF_MINUTES)


_IN_SESSION = {
    "symbol": _minutes("symbol"),
    "ts_start": (*_minutes("ts_start"), (SESSION, "ts_open")),
    "ts_end": (*_minutes("ts_start"), (SESSION, "ts_open"), (SESSION, "ts_close")),
    "session_date": _minutes("session_date"),
    "volume": _minutes("volume"),
    "tick_count": _minutes("tick_count"),
    "bar_count": _minutes("ts_start"),
}
_OF_MINUTES = {
    **_IN_SESSION,
    **{name: _minutes(name) for name in ("open", "high", "low", "close")},
    "vwap": _minutes("vwap volume"),
    "verdict": _minutes("verdict"),
}
_DAY = {"symbol": _newest("symbol"), "session_date": _newest("session_date")}
_OF_CLOSES = (
    "sma_20 sma_50 sma_200 ema_12 ema_26 rsi_14 macd macd_signal macd_histogram bollinger_upper bollinger_middle bollinger_lower"
)

INTRADAY = (
    _coarse(BAR_5M, "5m"),
    _coarse(BAR_15M, "15m"),
    _coarse(BAR_1H, "1h"),
    Aggregate(
        LIQUIDITY_30M,
        lambda inputs: liquidity(inputs.bars),
        {
            **_IN_SESSION,
            "volume_share_ratio": _minutes("volume"),
            "notional": _minutes("vwap volume"),
            "mean_range_bps": _minutes("open high low"),
            "amihud_pct": _minutes("open close vwap volume"),
        },
        is_of_session=True,  # its share is of the session's volume
    ),
    _coarse(BAR_1D, None),
)
"""Of the session's minutes alone; the session's own bar is the last, and what all others read."""

DAILY = (
    Aggregate(
        SESSION_STAT,
        lambda inputs: session_statistics(inputs.bars, inputs.days),
        {
            **{name: _OF_MINUTES[name] for name in "symbol session_date open high low close volume vwap bar_count".split()},
            "range_pct": _minutes("open high low"),
            "return_pct": _minutes("open close"),
            "gap_pct": (*_minutes("open"), *_days("close")),
            "realised_volatility_pct": _minutes("close"),
            "volume_ratio_20": (*_minutes("volume"), *_days("volume")),
        },
    ),
    Aggregate(
        INDICATOR_1D,
        lambda inputs: indicators(inputs.days),
        {
            **_DAY,
            "close": _newest("close"),
            "session_count": (*_newest("session_date"), (VENDOR_BAR_1D, "session_date")),
            **{name: _days("close") for name in _OF_CLOSES.split()},
            "atr_14": _days("high low close"),
        },
    ),
    Aggregate(
        MOVER,
        lambda inputs: movers(inputs.days),
        {
            **_DAY,
            **dict.fromkeys(("direction", "rank", "change_pct", "previous_close"), _days("close")),
            "close": _newest("close"),
            "volume": _newest("volume"),
        },
    ),
    Aggregate(
        SECTOR_BREADTH,
        lambda inputs: sector_breadth(inputs.days, inputs.instruments),
        {
            "session_date": _newest("session_date"),
            "sector": ((INSTRUMENT, "sector"),),
            "symbol_count": _newest("symbol"),
            **dict.fromkeys(("advancing_count", "declining_count", "unchanged_count", "mean_change_pct"), _days("close")),
            "above_sma_50_ratio": _days("close"),
            "volume": _newest("volume"),
        },
    ),
    Aggregate(
        VOLATILITY_20D,
        lambda inputs: volatilities(inputs.days, inputs.instruments),
        {
            **_DAY,
            "volatility_pct": (*_days("close"), (INSTRUMENT, "calendar")),
            "parkinson_volatility_pct": (*_days("high low"), (INSTRUMENT, "calendar")),
            "observation_count": _days("close"),
            "sessions_per_year": ((INSTRUMENT, "calendar"),),
        },
    ),
)
"""Of the session and of those before it."""

AT_CLOSE = (
    Aggregate(
        CORRELATION_60D,
        lambda inputs: correlations(inputs.days),
        {
            **_DAY,
            "other_symbol": _newest("symbol"),
            "correlation": _days("close"),
            "observation_count": _days("close"),
        },
    ),
)
"""As DAILY, but too many rows for every minute: made once the session is over."""

EVERY_RUN = (*INTRADAY, *DAILY)
"""Made by each gate run."""
EVERY_ONE = (*EVERY_RUN, *AT_CLOSE)
