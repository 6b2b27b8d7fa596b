"""The rules for the vendor's bars, declared once. A bar that breaks one is held: it is kept, and used for nothing. Pure.

Not here: how a wrong scale is seen (units), the rules for certified bars (gate)."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from stock_platform.feed.splits import Split
from stock_platform.feed.yahoo.actions import Action
from stock_platform.feed.yahoo.bars import Bar
from stock_platform.feed.yahoo.history import History
from stock_platform.feed.yahoo.units import AdjustedClose, Payment, missed_payments, missed_splits, unit_errors


@dataclass(frozen=True)
class Seen:
    """What is judged, and what is known beside it.

    Args:
        bars: Of one symbol, in order of time.
        splits: That are known, in any order.
        actions: That came with the bars.
        level: Our own last certified close, in the vendor's shares of now; None where we have none.
    """

    bars: Sequence[Bar]
    splits: Sequence[Split] = ()
    actions: Sequence[Action] = ()
    level: Decimal | None = None

    def fields(self) -> Iterator[list[Decimal]]:
        """Opens, highs, lows, closes."""
        for name in ("open", "high", "low", "close"):
            yield [getattr(bar, name) for bar in self.bars]


@dataclass(frozen=True)
class Rule:
    """One sentence about the vendor's bars that must be true.

    Args:
        broken_by: Positions of the bars of which it is not.
    """

    name: str
    meaning: str
    broken_by: Callable[[Seen], set[int]]


def _not_positive(seen: Seen) -> set[int]:
    return {index for index, bar in enumerate(seen.bars) if min(bar.open, bar.high, bar.low, bar.close) <= 0}


def _out_of_order(seen: Seen) -> set[int]:
    return {
        index for index, bar in enumerate(seen.bars) if bar.low > min(bar.open, bar.close) or bar.high < max(bar.open, bar.close)
    }


def _in_other_unit(seen: Seen) -> set[int]:
    return {index for prices in seen.fields() for index in unit_errors(prices, expected=seen.level)}


def _in_old_shares(seen: Seen) -> set[int]:
    days = [bar.session_date for bar in seen.bars]
    splits = {*seen.splits, *(Split(each.ex_date, each.ratio) for each in seen.actions if each.ratio is not None)}
    return {
        index
        for prices in seen.fields()
        for split in splits
        for index in missed_splits(list(zip(days, prices, strict=True)), split, expected=seen.level)
    }


def _without_a_payment(seen: Seen) -> set[int]:
    adjusted = [(index, bar) for index, bar in enumerate(seen.bars) if bar.adjusted_close is not None and bar.close > 0]
    closes = [AdjustedClose(bar.session_date, bar.close, bar.adjusted_close or bar.close) for _, bar in adjusted]
    payments = sorted(Payment(each.ex_date, each.amount) for each in seen.actions if each.amount is not None)
    return {adjusted[place][0] for place in missed_payments(closes, payments)}


RULES = (
    Rule("vendor_price_positive", "Every price is above zero.", _not_positive),
    Rule("vendor_ohlc_order", "The low is at or below, the high at or above open and close.", _out_of_order),
    Rule("vendor_unit", "No price is a factor of 100 off our last certified close, or else its neighbours.", _in_other_unit),
    Rule("vendor_split", "No price before a split still stands in old shares.", _in_old_shares),
    Rule("vendor_dividend", "The adjusted close, where there is one, takes every later payment into account.", _without_a_payment),
)


def judged(seen: Seen) -> list[tuple[str, ...]]:
    """Names of the rules that each bar breaks, in the order of RULES."""
    broken = [(rule.name, rule.broken_by(seen)) for rule in RULES]
    return [tuple(name for name, places in broken if index in places) for index in range(len(seen.bars))]


def hold(history: History, *, splits: Sequence[Split], level: Decimal | None) -> None:
    """Mark the bars of a history that break rules."""
    found = judged(Seen([kept.bar for kept in history.bars], splits, history.actions, level))
    history.bars = [replace(kept, rules=rules) for kept, rules in zip(history.bars, found, strict=True)]


def held_in_all(histories: Sequence[History]) -> dict[str, int]:
    """Held rows of several symbols, by rule."""
    return dict(Counter(rule for history in histories for kept in history.bars for rule in kept.rules))


def held_sample(histories: Sequence[History], count: int) -> list[str]:
    """The first held rows, for a person."""
    rows = [
        f"{history.symbol} {kept.bar.ts_start:%Y-%m-%d %H:%M}Z {', '.join(kept.rules)}: "
        f"open {kept.bar.open}, high {kept.bar.high}, low {kept.bar.low}, close {kept.bar.close}"
        for history in histories
        for kept in history.bars
        if kept.rules
    ]
    return rows[:count]
