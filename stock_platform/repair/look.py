"""One look at a session's minutes, where its stages are joined: what Postgres and Kafka know of them, classified, into the ledger.

Unit of parallelism: session. Effectively once: the same state gives the same rows, and nothing is written. Not here: who looks
(defs/gaps), what is done about what was found (outage)."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice

from stock_platform.adapters.kafka_range import offset_ranges, read_batches
from stock_platform.adapters.kafka_records import Stored
from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.gap import GapState
from stock_platform.contracts.tick import DEAD_LETTER
from stock_platform.feed.dead_letters.letter import Letter, letter_of
from stock_platform.market.gaps.classes import classify
from stock_platform.market.gaps.facts import read_seen, read_watched
from stock_platform.market.gaps.ledger import lock_ledger, read_accepted, read_rows, write_rows
from stock_platform.market.gaps.rows import Accepted, Look, Row, merged, silent_minutes
from stock_platform.market.gaps.seen import InTopic, Seen
from stock_platform.market.gaps.topic import span, ticks_in_topic
from stock_platform.market.session_minutes import Minute, minute_of, stretches
from stock_platform.market.tick_message import tick_of

_LETTERS_LIMIT = 50_000
"""Refused messages that are read in one look: evidence for a person, no count to rely on."""

Minutes = Mapping[str, frozenset[Minute]]
"""By symbol."""


@dataclass(frozen=True)
class Found:
    """What a look found.

    Args:
        expected_count: Closed session minutes of all watched symbols.
        changed_count: Rows of the ledger that changed.
    """

    rows: tuple[Row, ...]
    expected_count: int
    changed_count: int

    def count(self, state: GapState) -> int:
        """Rows in that state."""
        return sum(row.state is state for row in self.rows)


def look_at(
    connection: Connection, bootstrap: str, session_date: date, closed_until: datetime, *, run_id: str, now: datetime
) -> Found:
    """Bring the session's part of the ledger up to date, in the caller's transaction.

    Raises:
        TopicMissing, BrokerUnreachable: minutes are to be looked up in Kafka, and it does not answer.
    """
    lock_ledger(connection)
    stored = read_rows(connection, session_date)
    watched = read_watched(connection, session_date, closed_until)
    session = read_seen(connection, session_date, watched, stored)
    wanted = unexplained(session, silent_minutes(stored))
    if wanted:
        session = _looked_up(session, bootstrap, wanted, delay=max(each.delay for each in watched))
    look = Look(session_date, run_id, now)
    rows = merged(stored, classify(session), _accepted(connection, session_date, session), look=look)
    changed = write_rows(connection, stored, rows)
    return Found(tuple(rows), sum(len(seen.expected) for seen in session), changed)


def _accepted(connection: Connection, session_date: date, session: Collection[Seen]) -> Accepted:
    """Runs that accepted bars of the ledger's minutes; a bar that came while this look read its facts is left to the next one."""
    bars = {seen.symbol: seen.bars for seen in session}
    found = read_accepted(connection, session_date)
    return {key: run for key, run in found.items() if key[0] not in bars or key[1] in bars[key[0]]}


def unexplained(session: Collection[Seen], looked: Minutes) -> Minutes:
    """Minutes that nothing explains yet, and that were not looked up in Kafka before."""
    found = {seen.symbol: seen.silent - looked.get(seen.symbol, frozenset()) for seen in session}
    return {symbol: minutes for symbol, minutes in found.items() if minutes}


def _looked_up(session: Collection[Seen], bootstrap: str, wanted: Minutes, *, delay: timedelta) -> list[Seen]:
    """The session with what Kafka has of these minutes: their ticks, and what was refused in the silences that they belong to."""
    since, until = span(wanted, delay=delay)
    ticks = ticks_in_topic(bootstrap, wanted, since=since, until=until)
    counts: dict[str, dict[Minute, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for (symbol, minute, phase), count in ticks.counts.items():
        counts[symbol][minute][phase] += count
    quiet = {seen.symbol: _silences(seen, wanted) for seen in session if seen.symbol in wanted}
    letters = _letters(bootstrap, quiet, delay=delay)
    return [
        replace(
            seen,
            topic=_in_topic(counts[seen.symbol], letters[seen.symbol]),
            is_dropped=seen.symbol in ticks.dropped,
        )
        for seen in session
    ]


def _in_topic(counts: Mapping[Minute, Counter[str]], letters: Mapping[Minute, Counter[str]]) -> dict[Minute, InTopic]:
    found: dict[Minute, InTopic] = {}
    for minute in counts.keys() | letters.keys():
        phases = dict(counts.get(minute, Counter[str]()))
        found[minute] = InTopic(phases.pop("regular", 0), phases, letters.get(minute, {}))
    return found


def _silences(seen: Seen, wanted: Minutes) -> frozenset[Minute]:
    """All minutes of the symbol's silences that have grown."""
    grown = (run for run in stretches(seen.silent) if not wanted[seen.symbol].isdisjoint(run))
    return frozenset(minute for run in grown for minute in run)


def _letters(bootstrap: str, quiet: Minutes, *, delay: timedelta) -> dict[str, dict[Minute, Counter[str]]]:
    """Refused messages by symbol, minute and reason."""
    since, until = span(quiet, delay=delay)
    found: dict[str, dict[Minute, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for letter in islice(_read_letters(bootstrap, since, until), _LETTERS_LIMIT):
        minute = _minute(letter)
        if letter.symbol is not None and minute in quiet.get(letter.symbol, ()):
            found[letter.symbol][minute][letter.reason] += 1
    return found


def _read_letters(bootstrap: str, since: datetime, until: datetime) -> Iterator[Letter]:
    for where in offset_ranges(bootstrap, DEAD_LETTER.address, since=since, until=until):
        if where.start < where.end:
            for batch in read_batches(bootstrap, DEAD_LETTER.address, where):
                yield from (letter_of(Stored(where.partition, each.offset, -1, None, {}, each.value)) for each in batch)


def _minute(letter: Letter) -> Minute:
    """Of the tick, where the job refused one; else the feed refused a message when it came."""
    tick = tick_of(letter.payload)
    return minute_of(tick.ts_event if tick else letter.ts_dead)
