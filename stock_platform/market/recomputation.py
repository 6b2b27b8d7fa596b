"""A bar computed anew from its ticks, in plain Python and by the documented rules only. Pure.

The second opinion on what flink/functions (BarState, Extent) and staging.bar_1m_sized make of the same ticks: so no code of
theirs, and no order of theirs, is used here. Not here: which records are read (verification)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from itertools import pairwise
from typing import Any, NamedTuple

from stock_platform.market.tick_message import Tick

_STEP = Decimal("0.000001")
_DIGITS = 80
"""More than a price of 18 digits times a volume of 19, summed, can have: sums are exact, and only VWAP is rounded, once."""

FIELDS = tuple(
    "open high low close volume vwap tick_count ts_first_tick ts_last_tick is_continuous source kafka_offset_first "
    "kafka_offset_last".split()
)
"""What is recomputed of a bar, by the names of market.bar_1m."""


class Placed(NamedTuple):
    """A tick and its offset."""

    offset: int
    tick: Tick


class _Identity(NamedTuple):
    """A tick that comes twice is one tick. In this order day volume rises; one without any lies below all others."""

    day_volume: int
    ts_event: datetime
    price: Decimal

    @property
    def by_time(self) -> tuple[datetime, int, Decimal]:
        """The order in which open and close are looked for."""
        return self.ts_event, self.day_volume, self.price


def recompute(ticks: Iterable[Placed], *, day_volume_before: int) -> Mapping[str, Any]:
    """The bar of these ticks, in any order and with repeats; by the names of FIELDS, empty when there is no tick.

    Args:
        day_volume_before: Highest cumulative volume of the session's earlier bars, 0 before the first. It counts only where no
            tick can be missing before the bar; else the volume inside the bar is all that is known.
    """
    placed = list(ticks)
    if not placed:
        return {}
    flags = _flags(placed)
    by_volume = sorted(flags)
    by_time = sorted(flags, key=lambda tick: tick.by_time)
    sized = [tick for tick in by_volume if tick.day_volume >= 0]
    is_continuous = flags[by_volume[0]]
    volume, vwap = _sized(sized, day_volume_before if is_continuous else None)
    return {
        "open": by_time[0].price,
        "high": max(tick.price for tick in flags),
        "low": min(tick.price for tick in flags),
        "close": by_time[-1].price,
        "volume": volume,
        "vwap": vwap,
        "tick_count": len(flags),
        "ts_first_tick": by_time[0].ts_event,
        "ts_last_tick": by_time[-1].ts_event,
        "is_continuous": is_continuous,
        "source": min(each.tick.source for each in placed),
        "kafka_offset_first": min(each.offset for each in placed),
        "kafka_offset_last": max(each.offset for each in placed),
    }


def _flags(placed: Iterable[Placed]) -> dict[_Identity, bool]:
    """Each distinct tick, continuous when one of its copies says so."""
    flags: dict[_Identity, bool] = defaultdict(bool)
    for _, tick in placed:
        day_volume = -1 if tick.day_volume is None else tick.day_volume
        flags[_Identity(day_volume, tick.ts_event, tick.price)] |= tick.is_continuous
    return flags


def _sized(sized: list[_Identity], before: int | None) -> tuple[int | None, Decimal | None]:
    """Volume and VWAP of the ticks that have a day volume, lowest first; none for coins and currencies.

    Args:
        before: Day volume at the bar's boundary; None where it is not known.
    """
    if not sized:
        return None, None
    boundary = sized[0].day_volume if before is None else before
    volume = sized[-1].day_volume - boundary
    if volume <= 0:
        return volume, None
    with localcontext(prec=_DIGITS):
        notional = sized[0].price * (sized[0].day_volume - boundary)
        notional += sum((after.price * (after.day_volume - earlier.day_volume) for earlier, after in pairwise(sized)), Decimal(0))
        return volume, (notional / volume).quantize(_STEP, ROUND_HALF_UP)
