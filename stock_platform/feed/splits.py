"""Stock splits as the feed asks for them. Not here: where they are kept and who loads them."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from math import prod
from typing import NamedTuple


class Split(NamedTuple):
    """From its ex-date on one old share is so many new ones: 7 for a 7:1 split, 0.1 for a 1:10 reverse split."""

    ex_date: date
    ratio: Decimal


Splits = Mapping[str, Sequence[Split]]
"""Splits of each symbol; a symbol without any may be absent."""


def ratio_between(splits: Sequence[Split], *, after: date | None, until: date) -> Decimal:
    """New shares an old one, over the splits with ex-dates in (after, until]; of that very day alone without `after`."""
    return prod(
        (
            split.ratio
            for split in splits
            if split.ex_date <= until and (split.ex_date > after if after else split.ex_date == until)
        ),
        start=Decimal(1),
    )
