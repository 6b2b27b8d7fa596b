"""Records of the vendor's history: bars to compare ours with, corporate actions, instrument data."""

from stock_platform.contracts.columns import columns
from stock_platform.contracts.record import Record

VENDORS = ("yahoo", "simulator")
ACTION_KINDS = ("split", "dividend", "capital_gain")

_AS_SHOWN = "prices are adjusted for every split up to ts_recv, not for dividends"
_HELD = "A row with rules is held: it is kept, and used for nothing"

VENDOR_BAR_1M = Record(
    address="staging.vendor_bar_1m",
    grain="one row per symbol and minute of regular hours",
    meaning=f"1-minute bars as the vendor has them; {_AS_SHOWN}. {_HELD}.",
    key=("symbol", "ts_start"),
    columns=columns("symbol ts_start open high low close volume is_edge session_date currency source response_path ts_recv rules"),
    nullable=frozenset({"volume", "rules"}),
    closed_sets={"source": VENDORS},
)

VENDOR_BAR_1D = Record(
    address="staging.vendor_bar_1d",
    grain="one row per symbol and trading day",
    meaning=f"Daily bars as the vendor has them; {_AS_SHOWN}. {_HELD}.",
    key=("symbol", "ts_start"),
    columns=columns("symbol ts_start open high low close volume session_date currency source response_path ts_recv rules"),
    nullable=frozenset({"volume", "rules"}),
    closed_sets={"source": VENDORS},
)

CORPORATE_ACTION = Record(
    address="reference.corporate_action",
    grain="one row per symbol, ex-date and kind",
    meaning="Splits, dividends and capital gains as the vendor tells them.",
    key=("symbol", "ex_date", "kind"),
    columns=columns("symbol ex_date kind ratio amount currency source ts_recv"),
    nullable=frozenset({"ratio", "amount"}),
    closed_sets={"kind": ACTION_KINDS, "source": VENDORS},
)

VENDOR_INSTRUMENT = Record(
    address="reference.vendor_instrument",
    grain="one row per symbol that the vendor knows",
    meaning="What the vendor says of a watched instrument, to compare the watchlist with.",
    key=("symbol",),
    columns=columns("symbol name instrument_type currency exchange zone first_trade_date delay_s source ts_recv"),
    nullable=frozenset({"name", "currency", "exchange", "zone", "first_trade_date", "delay_s"}),
    closed_sets={"source": VENDORS},
)

FIELDS = ("open", "high", "low", "close", "volume")
SIDES = ("only_ours", "only_vendor")

VENDOR_DIFFERENCE = Record(
    address="quality.vendor_difference",
    grain="one row per symbol, minute and field that differs, or per minute that only one side has",
    meaning="Where certified bars and the vendor's usable ones differ; of a minute that one side lacks, the other's close.",
    key=("symbol", "ts_start", "field"),
    columns=columns("symbol ts_start field session_date ours vendor difference_bps ts_checked dagster_run_id"),
    nullable=frozenset({"ours", "vendor", "difference_bps"}),
    closed_sets={"field": (*FIELDS, *SIDES)},
)
