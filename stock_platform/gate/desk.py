"""A reviewer's decision on one refused bar: released, released against a rule, or discarded, each with its audit row.

One transaction, the caller's; nobody promotes beside it. A release judges the bar as it is staged now, by the gate's own reader
and rules. A repeat is refused: the bar has left the quarantine, or is discarded already. Not here: what is refused (refused)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import polars as pl
from psycopg import sql

from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.bar import QUARANTINE_DECISION, Decision, QuarantineState, Verdict
from stock_platform.errors.quarantine import BarDiscarded, BarNotStaged, BarStillBroken, ReasonMissing, RuleNotOverridable
from stock_platform.gate.batch import read_bar
from stock_platform.gate.judge import Judgement, judge
from stock_platform.gate.promote import Promotion, lock_promotions, promote
from stock_platform.gate.refused import RefusedBar, last_decision, meanings, refused_bar
from stock_platform.gate.rules import OVERRIDABLE, Severity

_OVERRIDE = "Mend what made it; or release it as it is with --override, marked suspect; or discard it."
_NO_OVERRIDE = "Mend what made it, or discard it; no override takes such a bar."


@dataclass(frozen=True)
class Review:
    """Whose decision it is, on which bar, and why.

    Args:
        dagster_run_id: Run that carries it out; code_version: of what it runs.
    """

    symbol: str
    ts_start: datetime
    reason: str
    decided_by: str
    dagster_run_id: str
    code_version: str
    ts_decided: datetime


@dataclass(frozen=True)
class Outcome:
    """What a decision did.

    Args:
        rules: Names of the rules that the bar broke when it was decided on, comma-separated.
        verdict: With which it is in the market; None where it is not.
    """

    decision: Decision
    session_date: date
    rules: str
    verdict: str | None
    promotion: Promotion


def release(connection: Connection, review: Review) -> Outcome:
    """Promote the bar as the gate would, if it passes now.

    Raises:
        BarStillBroken: it does not; names the rules.
        BarNotQuarantined, BarNotStaged, ReasonMissing: there is nothing to release, or no reason.
    """
    judgement = _judged_again(connection, review)
    broken = refusing(judgement)
    if broken:
        next_step = _OVERRIDE if OVERRIDABLE.issuperset(broken) else _NO_OVERRIDE
        raise BarStillBroken(review.symbol, review.ts_start, meanings(broken), next_step=next_step)
    return _promoted(connection, review, judgement, Decision.RELEASED)


def override(connection: Connection, review: Review) -> Outcome:
    """Promote the bar even where it breaks rules, as suspect then; one that passes now is simply released.

    Raises:
        RuleNotOverridable: the market tables cannot hold it.
        BarNotQuarantined, BarNotStaged, ReasonMissing: as for release.
    """
    judgement = _judged_again(connection, review)
    broken = refusing(judgement)
    never = [name for name in broken if name not in OVERRIDABLE]
    if never:
        raise RuleNotOverridable(review.symbol, review.ts_start, meanings(never))
    if not broken:
        return _promoted(connection, review, judgement, Decision.RELEASED)
    return _promoted(connection, review, as_suspect(judgement), Decision.OVERRIDDEN)


def discard(connection: Connection, review: Review) -> Outcome:
    """Keep the bar out, as it was refused, for good: the gate judges only a newer version of it again.

    Raises:
        BarDiscarded, BarNotQuarantined, ReasonMissing: there is nothing to discard, or no reason.
    """
    bar = _under_review(connection, review)
    if bar.state is QuarantineState.DISCARDED:
        raise BarDiscarded(review.symbol, review.ts_start, last_decision(connection, review.symbol, review.ts_start))
    connection.execute(
        "UPDATE quality.quarantine SET state = %s WHERE symbol = %s AND ts_start = %s",
        (QuarantineState.DISCARDED, review.symbol, review.ts_start),
    )
    _record(connection, review, Decision.DISCARDED, bar.values)
    return Outcome(Decision.DISCARDED, bar.values["session_date"], bar.values["rules"], None, Promotion(0, 0, 0))


def refusing(judgement: Judgement) -> list[str]:
    """Names of the rules that keep the bar out."""
    return [each.name for each in judgement.results if not each.is_passed and each.severity is not Severity.SUSPECT]


def as_suspect(judgement: Judgement) -> Judgement:
    """The same judgement, its bars let through with a mark; what they broke stays written down."""
    return replace(judgement, bars=judgement.bars.with_columns(verdict=pl.lit(Verdict.SUSPECT.value)))


def _under_review(connection: Connection, review: Review) -> RefusedBar:
    """The refused bar; from here to the end of the transaction nobody promotes."""
    for what, text in (("reason", review.reason), ("author", review.decided_by)):
        if not text.strip():
            raise ReasonMissing(review.symbol, review.ts_start, what)
    lock_promotions(connection)
    return refused_bar(connection, review.symbol, review.ts_start)


def _judged_again(connection: Connection, review: Review) -> Judgement:
    _under_review(connection, review)
    batch = read_bar(connection, review.symbol, review.ts_start)
    if batch is None:
        raise BarNotStaged(review.symbol, review.ts_start)
    return judge(batch)


def _promoted(connection: Connection, review: Review, judgement: Judgement, decision: Decision) -> Outcome:
    promotion = promote(
        connection, judgement, dagster_run_id=review.dagster_run_id, code_version=review.code_version, now=review.ts_decided
    )
    bar = judgement.bars.row(0, named=True)
    _record(connection, review, decision, bar)
    return Outcome(decision, bar["session_date"], bar["rules"], bar["verdict"], promotion)


def _record(connection: Connection, review: Review, decision: Decision, bar: Mapping[str, Any]) -> None:
    """The audit row: the decision and the content that it was made on."""
    values = {**bar, **vars(review), "decision": decision}
    names = QUARANTINE_DECISION.names
    statement = sql.SQL("INSERT INTO quality.quarantine_decision ({}) VALUES ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, names)), sql.SQL(", ").join(sql.Placeholder() * len(names))
    )
    connection.execute(statement, [values[name] for name in names])
