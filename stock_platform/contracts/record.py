"""The language of contracts: a column has a type, a unit and a meaning; a record has a grain, a key and columns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Type(StrEnum):
    """Closed set of column types; each renderer maps every one of them."""

    TEXT = "text"
    PRICE = "price"
    """Decimal(18, 6); text in JSON, so that no reader rounds it."""
    MONEY = "money"
    """Decimal(38, 6): a sum of price x quantity."""
    RATIO = "ratio"
    """Double precision: derived statistics only, never a price."""
    FACTOR = "factor"
    """Decimal(18, 9): what a price or a number of shares is multiplied by."""
    MULTIPLIER = "multiplier"
    """Decimal(38, 18): a factor that we compute ourselves; what is rounded away is far below a price's sixth digit."""
    QUANTITY = "quantity"
    """64-bit integer."""
    INSTANT = "instant"
    """Instant in UTC, millisecond; epoch milliseconds in JSON."""
    DAY = "day"
    FLAG = "flag"
    JSON = "json"


@dataclass(frozen=True)
class Column:
    """One name with one meaning everywhere."""

    name: str
    type: Type
    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class Record:
    """One table or topic.

    Args:
        address: `schema.table`, or the topic's name.
        grain: What one row is, as "one row per ...".
        columns: In order; a name of `nullable` may be null.
        defaulted: Columns that the database fills itself; writers leave them out.
    """

    address: str
    grain: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    nullable: frozenset[str] = frozenset()
    defaulted: frozenset[str] = frozenset()
    closed_sets: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: {})

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    @property
    def written(self) -> tuple[str, ...]:
        """Columns that a writer names, in order."""
        return tuple(name for name in self.names if name not in self.defaulted)
