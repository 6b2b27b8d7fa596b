"""Records that are computed while they are read: factors of corporate actions, bars adjusted by them, the vendor's days in their
own shares. Each is a view."""

from stock_platform.contracts.bar import VERDICTS
from stock_platform.contracts.columns import columns
from stock_platform.contracts.record import Record
from stock_platform.contracts.tick import SOURCES
from stock_platform.contracts.vendor import ACTION_KINDS, VENDORS

LEFT_OUT = ("no_close_before", "other_currency", "implausible_amount")
"""Why a payment has no factor."""

_TOTAL_RETURN = (
    "open_total_return_adjusted high_total_return_adjusted low_total_return_adjusted close_total_return_adjusted dividend_factor"
)
_ADJUSTED = (
    "symbol ts_start ts_end session_date close "
    "open_split_adjusted high_split_adjusted low_split_adjusted close_split_adjusted vwap_split_adjusted volume_split_adjusted "
    "open_total_return_adjusted high_total_return_adjusted low_total_return_adjusted close_total_return_adjusted "
    "split_factor dividend_factor tick_count"
)
_ADJUSTED_NULLABLE = frozenset({"vwap_split_adjusted", "volume_split_adjusted", *_TOTAL_RETURN.split()})
_BESIDE = "The raw bar does not change; a corporate action that comes late changes this view and nothing else."

ADJUSTMENT_FACTOR = Record(
    address="reference.adjustment_factor",
    grain="one row per symbol, ex-date and kind",
    meaning="What each corporate action does to prices before its ex-date; a payment that cannot be applied has a reason instead.",
    key=("symbol", "ex_date", "kind"),
    columns=columns(
        "symbol ex_date kind ratio amount session_date_before close_before factor reason split_ratio split_factor dividend_factor"
    ),
    nullable=frozenset("ratio amount session_date_before close_before factor reason dividend_factor".split()),
    closed_sets={"kind": ACTION_KINDS, "reason": LEFT_OUT},
)

BAR_1M_ADJUSTED = Record(
    address="market.bar_1m_adjusted",
    grain="one row per symbol and minute",
    meaning=f"Certified 1-minute bars adjusted for splits, and for splits and payments. {_BESIDE}",
    key=("symbol", "ts_start"),
    columns=columns(f"{_ADJUSTED} source revision verdict dagster_run_id ts_accepted"),
    nullable=_ADJUSTED_NULLABLE,
    closed_sets={"source": SOURCES, "verdict": VERDICTS},
)

BAR_1D_ADJUSTED = Record(
    address="aggregates.bar_1d_adjusted",
    grain="one row per symbol and session",
    meaning=f"Session bars adjusted for splits, and for splits and payments. {_BESIDE}",
    key=("symbol", "ts_start"),
    columns=columns(f"{_ADJUSTED} bar_count dagster_run_id ts_updated"),
    nullable=_ADJUSTED_NULLABLE,
)

BAR_1D_VENDOR = Record(
    address="market.bar_1d_vendor",
    grain="one row per symbol and session that has no bar of ours",
    meaning="The vendor's daily bars from before the platform's first session, each in the shares of its own day; not certified.",
    key=("symbol", "session_date"),
    columns=columns("symbol ts_start ts_end session_date open high low close volume source ts_recv"),
    nullable=frozenset({"volume"}),
    closed_sets={"source": VENDORS},
)
