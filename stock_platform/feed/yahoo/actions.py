"""Corporate actions of a v8 chart: dividends, splits, capital gains. Pure and total."""

from collections.abc import Iterator, Mapping
from datetime import date, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, NamedTuple

from stock_platform.feed.yahoo.answer import instant_of, mapping, price_of, text_of

ActionKind = Literal["split", "dividend", "capital_gain"]

_KINDS: tuple[tuple[str, ActionKind], ...] = (("dividends", "dividend"), ("splits", "split"), ("capitalGains", "capital_gain"))
"""Name in the chart's events, and ours."""


class Action(NamedTuple):
    """One corporate action: a split has a ratio (new shares per old one), the others an amount."""

    ex_date: date
    kind: ActionKind
    ratio: Decimal | None
    amount: Decimal | None
    currency: str


def actions_of(events: Any, currency: str, zone: tzinfo) -> tuple[list[Action], int]:
    """Actions by day and kind, each pair once, and how many events are none."""
    found = list(_each(mapping(events), currency, zone))
    good = [action for action in found if action is not None]
    together: dict[tuple[date, ActionKind], Action] = {}
    for action in good:
        before = together.get(action[:2])
        together[action[:2]] = _both(before, action) if before else action
    return [together[key] for key in sorted(together)], len(found) - len(good)


def _both(one: Action, other: Action) -> Action:
    """A regular and a special dividend of one day are one payment; splits of one day multiply."""
    if one.ratio is not None and other.ratio is not None:
        return one._replace(ratio=one.ratio * other.ratio)
    return one._replace(amount=(one.amount or 0) + (other.amount or 0))


def _each(events: Mapping[str, Any], currency: str, zone: tzinfo) -> Iterator[Action | None]:
    for name, kind in _KINDS:
        for event in mapping(events.get(name)).values():
            yield _action(mapping(event), kind, currency, zone)


def _action(event: Mapping[str, Any], kind: ActionKind, currency: str, zone: tzinfo) -> Action | None:
    ts = instant_of(event.get("date"))
    ratio = _ratio(event) if kind == "split" else None
    amount = price_of(event.get("amount")) if kind != "split" else None
    if ts is None or (ratio is None and amount is None):
        return None
    return Action(ts.astimezone(zone).date(), kind, ratio, amount, text_of(event.get("currency")) or currency)


def _ratio(event: Mapping[str, Any]) -> Decimal | None:
    """New shares per old one: 7 of a 7:1 split, 0.1 of a 1:10 one."""
    new, old = price_of(event.get("numerator")), price_of(event.get("denominator"))
    if new is None or old is None:
        new, old = _written(text_of(event.get("splitRatio")) or "")
    return round(new / old, 9) if new and old and new > 0 and old > 0 else None


def _written(ratio: str) -> tuple[Decimal | None, Decimal | None]:
    """Numbers of 7:1 or 7/1."""
    parts = ratio.replace("/", ":").split(":")
    try:
        new, old = (Decimal(part) for part in parts)
    except (ValueError, InvalidOperation):
        return None, None
    return (new, old) if new.is_finite() and old.is_finite() else (None, None)
