"""Records of the aggregates that are no bars: indicators, movers, breadth, correlation, volatility, liquidity.

Not here: formulas (aggregate_columns)."""

from stock_platform.contracts.columns import columns
from stock_platform.contracts.record import Record

DIRECTIONS = ("top", "bottom")

_DAILY = "In the shares of the session: later splits do not change it."

LIQUIDITY_30M = Record(
    address="aggregates.liquidity_30m",
    grain="one row per symbol and half hour from the session's open",
    meaning="How much was traded, and at what cost, in the certified bars of each half hour.",
    key=("symbol", "ts_start"),
    columns=columns(
        "symbol ts_start ts_end session_date volume volume_share_ratio notional tick_count bar_count mean_range_bps amihud_pct "
        "dagster_run_id ts_updated"
    ),
    nullable=frozenset({"volume", "volume_share_ratio", "notional", "amihud_pct"}),
)

_INDICATORS = (
    "sma_20 sma_50 sma_200 ema_12 ema_26 rsi_14 macd macd_signal macd_histogram bollinger_upper bollinger_middle bollinger_lower "
    "atr_14"
)

INDICATOR_1D = Record(
    address="aggregates.indicator_1d",
    grain="one row per symbol and session",
    meaning=f"Technical indicators of daily closes up to the session; null until their window is full. {_DAILY}",
    key=("symbol", "session_date"),
    columns=columns(f"symbol session_date close session_count {_INDICATORS} dagster_run_id ts_updated"),
    nullable=frozenset(_INDICATORS.split()),
)

MOVER = Record(
    address="aggregates.mover",
    grain="one row per session, direction and rank",
    meaning="The ten highest changes against the previous close, and the ten lowest; equal ones in order of symbol.",
    key=("session_date", "direction", "rank"),
    columns=columns("session_date direction rank symbol previous_close close change_pct volume dagster_run_id ts_updated"),
    nullable=frozenset({"volume"}),
    closed_sets={"direction": DIRECTIONS},
)

SECTOR_BREADTH = Record(
    address="aggregates.sector_breadth",
    grain="one row per session and sector, and one for ALL of them",
    meaning="How many symbols rose and fell against the previous close; one without a previous close is in symbol_count alone.",
    key=("session_date", "sector"),
    columns=columns(
        "session_date sector symbol_count advancing_count declining_count unchanged_count above_sma_50_ratio mean_change_pct "
        "volume dagster_run_id ts_updated"
    ),
    nullable=frozenset({"above_sma_50_ratio", "mean_change_pct", "volume"}),
)

VOLATILITY_20D = Record(
    address="aggregates.volatility_20d",
    grain="one row per symbol and session",
    meaning="Annualised volatility of the newest 20 sessions, from closes and from ranges.",
    key=("symbol", "session_date"),
    columns=columns(
        "symbol session_date volatility_pct parkinson_volatility_pct observation_count sessions_per_year dagster_run_id ts_updated"
    ),
    nullable=frozenset({"volatility_pct", "parkinson_volatility_pct"}),
)

CORRELATION_60D = Record(
    address="aggregates.correlation_60d",
    grain="one row per session and pair of symbols, symbol < other_symbol",
    meaning="Which symbols moved together over the newest 60 sessions that both have; made once the session is over.",
    key=("symbol", "other_symbol", "session_date"),
    columns=columns("session_date symbol other_symbol correlation observation_count dagster_run_id ts_updated"),
    nullable=frozenset({"correlation"}),
)
