"""A restatement's whole way, where its stages are joined: ticks, the Flink job, the gate's rules, promotion with a diff.

One at a time. Effectively once: one transaction takes bars over, judges, promotes and writes the diff; a crash before its end
leaves everything as it was, and a repeat over the same ticks gives an empty diff. Not here: who asks for it (restate, defs/restate)
and how it is told."""

import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import ROOT, Settings
from stock_platform.errors.restatement import FeedUnheard, RestatementBlocked
from stock_platform.feed.archive_file import archive_path
from stock_platform.feed.plan import TAPE_LINE, TapePlan
from stock_platform.feed.tape_ticks import write_ticks
from stock_platform.feed.watchlist import load_watchlist
from stock_platform.gate import judge as judging
from stock_platform.gate.batch import read_batch
from stock_platform.gate.data_docs import keep_page
from stock_platform.gate.hold import settle_hold
from stock_platform.gate.judge import Judgement, as_restated
from stock_platform.gate.promote import Promotion, forget_refusals, lock_promotions, promote, record_results, withdraw
from stock_platform.market import shadow
from stock_platform.market.asked import Asked, read_asked, require_begun
from stock_platform.market.promotion import MADE, Difference, Key, remember, take_over, write_difference
from stock_platform.market.protection import require_unprotected
from stock_platform.market.restatement import Place, Restated, restated
from stock_platform.market.tick_source import FromArchive
from stock_platform.stack import layout
from stock_platform.stack.prepare import script_values


@dataclass(frozen=True)
class Promoter:
    """Who promotes, when: what the bars' passports will say."""

    run_id: str
    code_version: str
    now: datetime


@dataclass(frozen=True)
class Outcome:
    """What a promotion did: to market as a whole, and to the restated bars of it."""

    judgement: Judgement
    promotion: Promotion
    difference: Difference


@dataclass(frozen=True)
class Promoted:
    """A restatement that was promoted."""

    done: Restated
    outcome: Outcome


def restate_and_promote(
    settings: Settings,
    clock: Clock,
    session_date: date,
    symbols: Sequence[str] = (),
    *,
    closed_until: datetime | None,
    run_id: str,
    code_version: str,
) -> Promoted:
    """Restate a session from its ticks, and promote what differs.

    Args:
        symbols: None stands for all that have the session.
        closed_until: Bars that end later are left to the stream; asked before the ticks are read. None: not known.
        run_id: Dagster run that does it; code_version: of what it runs.
    Raises:
        FeedUnheard: no bar is known to be closed.
        RestatementRunning: another one is under way.
        RestatementBlocked: the rules block the batch; and all of `allowed` and market/restatement.restated.
    """
    if closed_until is None:
        raise FeedUnheard(session_date)
    asked = allowed(settings, clock, session_date, symbols, closed_until=closed_until)
    judging.warm_up()
    dsn = settings.dsn("gate_owner")
    with shadow.only_restatement(dsn, asked, clock, dagster_run_id=run_id) as restatement_id:
        done = restated(place_of(settings, clock), restatement_id, asked, closed_until=closed_until)
        return settle(dsn, done, closed_until=closed_until, by=Promoter(run_id, code_version, clock.now()))


def allowed(settings: Settings, clock: Clock, session_date: date, symbols: Sequence[str], *, closed_until: datetime) -> Asked:
    """What is asked for, where anybody may restate it.

    Args:
        closed_until: How far the feed has come: a tape that is played as live may be faster than life.
    Raises:
        SessionProtected: nobody may.
        SessionUnknown, SymbolsUnknown: there is no such session.
        SessionNotBegun: nothing of it has happened.
    """
    with connect(settings.dsn("gate_owner")) as connection:
        require_unprotected(connection, session_date)
        asked = read_asked(connection, session_date, symbols)
    require_begun(asked, max(clock.now(), closed_until))
    return asked


def settle(dsn: str, done: Restated, *, closed_until: datetime, by: Promoter) -> Promoted:
    """Promote what was restated; under the lock of restatements.

    Raises:
        SessionProtected: nobody may any more.
        RestatementBlocked: the rules block the batch; their results and page are kept.
    """
    with connect(dsn) as connection:
        outcome = promote_restated(connection, done.restatement_id, done.asked, closed_until=closed_until, by=by)
    judgement = outcome.judgement if isinstance(outcome, Outcome) else outcome
    with connect(dsn) as connection:
        if judgement.is_blocked:
            record_results(connection, judgement, dagster_run_id=by.run_id, now=by.now)
        keep_page(connection, judgement, dagster_run_id=by.run_id, code_version=by.code_version, now=by.now)
    if isinstance(outcome, Outcome):
        return Promoted(done, outcome)
    raise RestatementBlocked(done.asked.session_date, judgement.blocking)


def promote_restated(
    connection: Connection, restatement_id: int, asked: Asked, *, closed_until: datetime, by: Promoter
) -> Outcome | Judgement:
    """In the caller's transaction; of a blocked batch only the judgement, and nothing else happens.

    Raises:
        SessionProtected: nobody may any more.
    """
    lock_promotions(connection)
    require_unprotected(connection, asked.session_date)
    with connection.transaction() as whole:
        shadow.note_promotion(connection, restatement_id)
        certified = remember(connection, asked)
        taken = take_over(connection, restatement_id, closed_until)
        forget_refusals(connection, [(each.symbol, each.ts_start) for each in taken])
        judgement = judging.judge(read_batch(connection, asked.session_date, closed_until))
        concerned = {(each.symbol, each.ts_start) for each in taken} | _followers(judgement, certified)
        judgement = as_restated(judgement, concerned)
        if not judgement.is_blocked:
            withdraw(connection, [(each.symbol, each.ts_start) for each in taken if each.is_removed], now=by.now)
            promotion = promote(connection, judgement, dagster_run_id=by.run_id, code_version=by.code_version, now=by.now)
            settle_hold(connection, judgement, dagster_run_id=by.run_id, now=by.now)
            difference = write_difference(connection, restatement_id, asked, concerned, dagster_run_id=by.run_id, now=by.now)
            return Outcome(judgement, promotion, difference)
        raise psycopg.Rollback(whole)
    return judgement


def _followers(judgement: Judgement, certified: Mapping[Key, tuple[Any, ...]]) -> set[Key]:
    """Certified bars whose ticks are the same and whose volume is not: the bar before them was restated."""
    rows = judgement.bars.select("symbol", "ts_start", *MADE).iter_rows()
    return {(row[0], row[1]) for row in rows if certified.get((row[0], row[1])) == row[2:]}


def place_of(settings: Settings, clock: Clock) -> Place:
    """Where restatements of this stack are made."""
    return Place(
        dsn=settings.dsn("gate_owner"),
        flink_address=settings.flink_batch_address,
        kafka_bootstrap=settings.kafka_bootstrap,
        values=script_values(settings),
        sql=ROOT / "flink" / "sql",
        jar=layout.FUNCTIONS_JAR,
        folder=layout.flink(settings.home) / "restatement",
        archive=lambda day: archive_path(settings.home, day),
        clock=clock,
    )


@contextmanager
def named_ticks(settings: Settings, tape: str, clock: Clock) -> Generator[FromArchive | None]:
    """Ticks of a tape that was named, judged as the feed judges them, in a file that goes with the block.

    Raises:
        TapeUnreadable: it is no tape.
    """
    if not tape:
        yield None
        return
    plan = TapePlan(line=TAPE_LINE, path=Path(tape), known=load_watchlist(settings.feed_watchlist))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ticks.parquet"
        written = write_ticks(plan, path, clock=clock)
        refused = f", {written.rejects.total()} trades refused" if written.rejects else ""
        yield FromArchive(path, f"tape {tape} ({written.row_count} ticks{refused})")
