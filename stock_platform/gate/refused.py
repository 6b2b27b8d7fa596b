"""What the gate refused, as a reviewer sees it: bars by filter; one bar with what it broke, what was decided, what comes next.

Reads quality.quarantine, quality.quarantine_decision, staging.bar_1m_sized; writes nothing. Not here: decisions (desk)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, LiteralString, cast

from psycopg.rows import dict_row

from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.bar import QUARANTINE, QUARANTINE_DECISION, QuarantineState
from stock_platform.errors.quarantine import BarNotQuarantined, RuleUnknown
from stock_platform.gate.batch import CONTENT, read_bar
from stock_platform.gate.rules import OVERRIDABLE, RULES

_MEANINGS = {rule.name: rule.meaning for rule in RULES}

_LISTED = f"""
SELECT {", ".join(QUARANTINE.names)}, count(*) OVER () AS found_count
FROM quality.quarantine
WHERE
    (%(session_date)s::date IS NULL OR session_date = %(session_date)s)
    AND (%(symbol)s::text IS NULL OR symbol = %(symbol)s)
    AND (%(rule)s::text IS NULL OR %(rule)s = ANY (string_to_array(rules, ',')))
    AND (%(state)s::text IS NULL OR state = %(state)s)
ORDER BY ts_quarantined DESC, ts_start DESC, symbol
LIMIT %(limit)s
"""

_ONE = f"SELECT {', '.join(QUARANTINE.names)} FROM quality.quarantine WHERE symbol = %s AND ts_start = %s"

_DECIDED = f"""
SELECT {", ".join(QUARANTINE_DECISION.names)}
FROM quality.quarantine_decision
WHERE symbol = %s AND ts_start = %s
ORDER BY ts_decided
"""


@dataclass(frozen=True)
class Wanted:
    """Which refused bars; None stands for any."""

    session_date: date | None = None
    symbol: str | None = None
    rule: str | None = None
    state: QuarantineState | None = QuarantineState.OPEN


@dataclass(frozen=True)
class RefusedBar:
    """A row of quality.quarantine.

    Args:
        values: By column, in the contract's order."""

    values: Mapping[str, Any]

    @property
    def state(self) -> QuarantineState:
        """Whether it waits for a person."""
        return QuarantineState(self.values["state"])

    @property
    def broken(self) -> dict[str, str]:
        """Rules that it broke when it was refused, with their meaning."""
        return meanings(self.values["rules"].split(","))


@dataclass(frozen=True)
class Listed:
    """The newest refused bars, newest first, of `count` that were found."""

    bars: tuple[RefusedBar, ...]
    count: int


@dataclass(frozen=True)
class Decided:
    """A row of quality.quarantine_decision."""

    values: Mapping[str, Any]

    def __str__(self) -> str:
        entry = self.values
        return f"{entry['decision']} by {entry['decided_by']} at {entry['ts_decided']:%Y-%m-%d %H:%M:%S}Z: {entry['reason']}"


@dataclass(frozen=True)
class Sheet:
    """Everything about one refused bar.

    Args:
        changes: Columns in which the bar as it is staged now differs, as refused and as staged; None when it is not staged."""

    bar: RefusedBar
    decisions: tuple[Decided, ...]
    changes: Mapping[str, tuple[Any, Any]] | None

    @property
    def step(self) -> str:
        """What a reviewer can do now."""
        if self.changes is None:
            return "discard it: staging does not have it any more, so nothing is left to release"
        if self.changes:
            return "wait: the gate judges the newer version with its session's next run; release judges it at once"
        if self.bar.state is QuarantineState.DISCARDED:
            return "nothing: it stays out until a newer version comes; release judges it again all the same"
        if self.bar.broken.keys() <= OVERRIDABLE:
            return "release it once its cause is mended, or as it is with --override, marked suspect; or discard it"
        return "release it once its cause is mended, or discard it; no override takes it"


def meanings(rules: list[str]) -> dict[str, str]:
    """Rules by name with their meaning; a name from an older version of the platform has none any more."""
    return {name: _MEANINGS.get(name, "A rule that the platform does not have any more.") for name in rules}


def listed(connection: Connection, wanted: Wanted, *, limit: int) -> Listed:
    """The newest refused bars.

    Raises:
        RuleUnknown: no rule is named so.
    """
    if wanted.rule is not None and wanted.rule not in _MEANINGS:
        raise RuleUnknown(wanted.rule, _MEANINGS)
    rows = _rows(connection, _LISTED, {**vars(wanted), "limit": limit})
    count = rows[0]["found_count"] if rows else 0
    return Listed(tuple(RefusedBar({name: row[name] for name in QUARANTINE.names}) for row in rows), count)


def refused_bar(connection: Connection, symbol: str, ts_start: datetime) -> RefusedBar:
    """One bar of the quarantine.

    Raises:
        BarNotQuarantined: it is not there; says what was decided of it last.
    """
    rows = _rows(connection, _ONE, (symbol, ts_start))
    if not rows:
        raise BarNotQuarantined(symbol, ts_start, last_decision(connection, symbol, ts_start))
    return RefusedBar(rows[0])


def sheet_of(connection: Connection, symbol: str, ts_start: datetime) -> Sheet:
    """Everything about one bar of the quarantine.

    Raises:
        BarNotQuarantined: it is not there.
    """
    bar = refused_bar(connection, symbol, ts_start)
    staged = read_bar(connection, symbol, ts_start)
    changes = None if staged is None else differences(bar.values, staged.bars.row(0, named=True))
    return Sheet(bar, decisions_of(connection, symbol, ts_start), changes)


def differences(refused: Mapping[str, Any], staged: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Columns of the content that differ, as refused and as staged."""
    return {name: (refused[name], staged[name]) for name in CONTENT if refused[name] != staged[name]}


def decisions_of(connection: Connection, symbol: str, ts_start: datetime) -> tuple[Decided, ...]:
    """What was decided of the bar, the oldest first; also of one that has left the quarantine."""
    return tuple(Decided(row) for row in _rows(connection, _DECIDED, (symbol, ts_start)))


def last_decision(connection: Connection, symbol: str, ts_start: datetime) -> str | None:
    """The newest decision in a sentence, if there is one."""
    decided = decisions_of(connection, symbol, ts_start)
    return f"it was {decided[-1]}" if decided else None


def _rows(connection: Connection, query: str, parameters: Any) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(cast(LiteralString, query), parameters).fetchall()
