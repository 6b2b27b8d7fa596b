"""Where the columns of records come from, tick to certified bar and beside it. Not here: aggregates (aggregate_registry).

One name has one meaning everywhere, so that a column comes from its namesakes in what its record is made of; given here is what a
record is made of, and each column that is computed from others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import dagster as dg

from stock_platform.contracts.adjusted import ADJUSTMENT_FACTOR, BAR_1D_ADJUSTED, BAR_1D_VENDOR, BAR_1M_ADJUSTED
from stock_platform.contracts.archive import ARCHIVED_TICK
from stock_platform.contracts.bar import BAR, BAR_1D, BAR_REVISION, QUARANTINE, STAGED_BAR
from stock_platform.contracts.record import Record
from stock_platform.contracts.reference import SESSION
from stock_platform.contracts.slo import ERROR_BUDGET, SLO_SESSION
from stock_platform.contracts.tick import QUOTE, QUOTE_UPDATE, TICK
from stock_platform.contracts.vendor import CORPORATE_ACTION, VENDOR_BAR_1D, VENDOR_BAR_1M
from stock_platform.defs.world import key_of

_PRICES = ("open", "high", "low", "close")


@dataclass(frozen=True)
class Origins:
    """Of one record.

    Args:
        made_of: Records whose columns it carries on.
        computed: By column, the names that it is computed from in them; none where a namesake is another's doing.
    """

    made_of: Sequence[Record]
    computed: Mapping[str, str] = field(default_factory=dict[str, str])

    def of(self, name: str) -> list[dg.TableColumnDep]:
        """What this column comes from; nothing where the record's writer gives it."""
        names = self.computed.get(name, name).split()
        return [dg.TableColumnDep(key_of(each.address), found) for each in self.made_of for found in names if found in each.names]


_VOLUME = "day_volume_first day_volume_last is_continuous volume_stated"
_SIZED = {"volume": _VOLUME, "vwap": "notional_inside price_first day_volume_first day_volume_last is_continuous"}
_SESSION = {"session_date": "ts_start session_date ts_open ts_close"}
_QUOTED = {"change_pct": "price previous_close"}
_ADJUSTED = {
    **{f"{name}_split_adjusted": f"{name} split_factor" for name in (*_PRICES, "vwap")},
    **{f"{name}_total_return_adjusted": f"{name} split_factor dividend_factor" for name in _PRICES},
    "volume_split_adjusted": "volume split_ratio",
}
_COUNTED = "session_minute_count excused_minute_count"
_SPENT = f"{_COUNTED} good_minute_count"

ORIGINS: Mapping[str, Origins] = {
    QUOTE_UPDATE.address: Origins((TICK,), _QUOTED),
    QUOTE.address: Origins((TICK,), _QUOTED),
    ARCHIVED_TICK.address: Origins((TICK,)),
    STAGED_BAR.address: Origins(
        (TICK,),
        {
            **dict.fromkeys(("open", "close"), "price ts_event day_volume"),
            **dict.fromkeys(("high", "low"), "price"),
            "price_first": "price day_volume",
            **dict.fromkeys(("ts_start", "ts_end", "ts_first_tick", "ts_last_tick"), "ts_event"),
            **dict.fromkeys(("day_volume_first", "day_volume_last"), "day_volume"),
            "notional_inside": "price day_volume",
            "tick_count": "symbol day_volume ts_event price",
        },
    ),
    BAR.address: Origins((STAGED_BAR, VENDOR_BAR_1M, SESSION), _SIZED | _SESSION | {"volume": f"{_VOLUME} volume"}),
    QUARANTINE.address: Origins((STAGED_BAR, SESSION), _SIZED | _SESSION | {"rules": ""}),
    BAR_REVISION.address: Origins((BAR,), {"ts_valid_from": "ts_accepted", "ts_valid_to": "ts_accepted"}),
    ADJUSTMENT_FACTOR.address: Origins(
        (CORPORATE_ACTION, BAR_1D),
        {
            "session_date_before": "session_date",
            "close_before": "close",
            "factor": "ratio amount close",
            "reason": "amount currency close",
            "split_ratio": "ratio",
            "split_factor": "ratio",
            "dividend_factor": "amount ratio close",
        },
    ),
    BAR_1M_ADJUSTED.address: Origins((BAR, ADJUSTMENT_FACTOR), _ADJUSTED),
    BAR_1D_ADJUSTED.address: Origins((BAR_1D, ADJUSTMENT_FACTOR), _ADJUSTED),
    BAR_1D_VENDOR.address: Origins(
        (VENDOR_BAR_1D, ADJUSTMENT_FACTOR, SESSION),
        {
            **{name: f"{name} split_ratio" for name in (*_PRICES, "volume")},
            "ts_start": "ts_start ts_open",
            "ts_end": "ts_start ts_close",
        },
    ),
    ERROR_BUDGET.address: Origins(
        (SLO_SESSION,),
        {
            **dict.fromkeys(("counted_minute_count", "counted_30_minute_count", "budget_30_minutes"), _COUNTED),
            **dict.fromkeys(
                ("spent_minute_count", "spent_30_minute_count", "good_ratio", "burn_rate", "budget_left_ratio"), _SPENT
            ),
            "session_30_count": "session_date",
        },
    ),
}
"""By address. A record that is not here has columns of its own making."""


def column_lineage(record: Record) -> dg.TableColumnLineage | None:
    """As Dagster has it; None for a record whose columns come from no other's."""
    origins = ORIGINS.get(record.address)
    if origins is None:
        return None
    return dg.TableColumnLineage({name: found for name in record.names if (found := origins.of(name))})
