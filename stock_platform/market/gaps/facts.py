"""What Postgres knows of the minutes of a session: which are expected, which have bars, what is held, what nobody heard.

Reads reference.instrument, reference.session, reference.vendor_instrument, staging.bar_1m, market.bar_1m, quality.quarantine,
quality.check_result, quality.gap, ops.symbol_gap, ops.feed_line. Not here: what Kafka has (topic), the rows (ledger)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from stock_platform.adapters.postgres import Connection
from stock_platform.market.asked import Stretch
from stock_platform.market.gaps.rows import Row, closed_minutes, decided_minutes
from stock_platform.market.gaps.seen import HISTORY_MINUTES, Held, Seen, deaf_minutes
from stock_platform.market.session_minutes import Hours, Minute, instant_of, minute_of, touched

# Bars up to here have been judged; what a later session's runs say counts when all of this one is closed.
_UNTIL = """
SELECT max(run.closed_until)
FROM quality.gate_run AS run
WHERE
    run.session_date = %(session_date)s
    OR (
        run.session_date > %(session_date)s
        AND run.closed_until >= (
            SELECT max(session.ts_close + coalesce(vendor.delay_s, 0) * interval '1 second')
            FROM reference.instrument AS instrument
            JOIN reference.session AS session ON session.calendar = instrument.calendar
            LEFT JOIN reference.vendor_instrument AS vendor ON vendor.symbol = instrument.symbol
            WHERE session.session_date = %(session_date)s
        )
    )
"""
# A symbol is watched from its first tick on; one that has none yet, from the first full minute of the line that carries it.
_WATCHED = """
SELECT
    instrument.symbol, instrument.calendar, session.ts_open, session.ts_close, session.ts_break_start, session.ts_break_end,
    coalesce(vendor.delay_s, 0) * interval '1 second' AS delay,
    least(
        (
            SELECT staged.ts_start FROM staging.bar_1m AS staged
            WHERE staged.symbol = instrument.symbol AND staged.response_path IS NULL
            ORDER BY staged.ts_start LIMIT 1
        ),
        (SELECT min(gap.ts_start) FROM quality.gap AS gap WHERE gap.symbol = instrument.symbol),
        (
            SELECT date_trunc('minute', min(line.ts_started) + interval '59.999999 seconds') FROM ops.feed_line AS line
            WHERE instrument.symbol = ANY (string_to_array(line.symbols, ' '))
        )
    ) AS ts_watched
FROM reference.instrument AS instrument
JOIN reference.session AS session ON session.calendar = instrument.calendar
LEFT JOIN reference.vendor_instrument AS vendor ON vendor.symbol = instrument.symbol
WHERE session.session_date = %(session_date)s
ORDER BY instrument.symbol
"""
_BARS = """
SELECT
    symbol,
    array_agg(extract(EPOCH FROM ts_start)::bigint / 60),
    array_agg(CASE WHEN response_path IS NULL THEN tick_count END)
FROM market.bar_1m
WHERE session_date = %(session_date)s
GROUP BY symbol
"""
_BEFORE = """
SELECT DISTINCT ON (session.calendar) session.calendar, session.session_date, session.ts_open, session.ts_close,
    session.ts_break_start, session.ts_break_end
FROM reference.session AS session
WHERE session.session_date < %(session_date)s AND session.session_date > %(session_date)s - 14
ORDER BY session.calendar, session.session_date DESC
"""
_TAIL = """
SELECT symbol, extract(EPOCH FROM ts_start)::bigint / 60, CASE WHEN response_path IS NULL THEN tick_count END
FROM market.bar_1m
WHERE ts_start >= %(since)s AND ts_start < %(until)s AND symbol = ANY (%(symbols)s)
"""
_REFUSED = """
SELECT symbol, extract(EPOCH FROM ts_start)::bigint / 60, state, rules FROM quality.quarantine WHERE session_date = %(session_date)s
"""
_UNJUDGED = """
SELECT staged.symbol, extract(EPOCH FROM staged.ts_start)::bigint / 60
FROM staging.bar_1m AS staged
WHERE
    staged.ts_start >= %(since)s
    AND staged.ts_start < %(until)s
    AND NOT EXISTS (SELECT FROM market.bar_1m AS bar WHERE bar.symbol = staged.symbol AND bar.ts_start = staged.ts_start)
    AND NOT EXISTS (SELECT FROM quality.quarantine AS bar WHERE bar.symbol = staged.symbol AND bar.ts_start = staged.ts_start)
"""
_BLOCKED = """
SELECT string_agg(check_name, ',' ORDER BY check_name)
FROM quality.check_result
WHERE severity = 'block' AND NOT is_passed AND dagster_run_id = (
    SELECT dagster_run_id FROM quality.check_result WHERE session_date = %(session_date)s ORDER BY ts_checked DESC LIMIT 1
)
"""
_UNHEARD = """
SELECT symbol, ts_gap_start, ts_gap_end FROM ops.symbol_gap
WHERE ts_gap_start < %(until)s AND ts_gap_end > %(since)s
ORDER BY symbol, ts_gap_start
"""
_DEAF = """
SELECT gap.symbol, gap.ts_gap_start, gap.ts_gap_end, session.ts_open, session.ts_close
FROM ops.symbol_gap AS gap
JOIN reference.instrument AS instrument ON instrument.symbol = gap.symbol
JOIN reference.session AS session ON session.calendar = instrument.calendar
WHERE
    session.session_date = %(session_date)s
    AND gap.ts_gap_start < least(%(until)s, session.ts_close)
    AND gap.ts_gap_end > greatest(%(since)s, session.ts_open)
ORDER BY gap.symbol, gap.ts_gap_start
"""


class Watched(NamedTuple):
    """A symbol that has the session: its minutes of [since, until) are looked at; the vendor brings them late by `delay`."""

    symbol: str
    calendar: str
    hours: Hours
    delay: timedelta
    since: Minute
    until: Minute


def read_until(connection: Connection, session_date: date) -> datetime | None:
    """Up to when the session's bars are judged; None while none is."""
    row = connection.execute(_UNTIL, {"session_date": session_date}).fetchone()
    return row[0] if row else None


def read_stretches(connection: Connection, session_date: date, *, since: datetime, until: datetime) -> list[Stretch]:
    """Minutes of the session that an unheard stretch touches which shares time with [since, until), of every symbol that has it."""
    facts = {"session_date": session_date, "since": since, "until": until}
    found = connection.execute(_DEAF, facts).fetchall()
    minutes = [(symbol, touched(max(start, opens), min(end, closes))) for symbol, start, end, opens, closes in found]
    return [Stretch(symbol, instant_of(each.start), instant_of(each.stop)) for symbol, each in minutes if each]


def read_watched(connection: Connection, session_date: date, closed_until: datetime) -> list[Watched]:
    """Symbols that have the session and are watched; the minutes of an exchange that the vendor brings late close so much later."""
    rows = connection.execute(_WATCHED, {"session_date": session_date}).fetchall()
    return [
        Watched(symbol, name, _hours(*hours), delay, minute_of(since), minute_of(closed_until - delay))
        for symbol, name, *hours, delay, since in rows
        if since is not None
    ]


def read_seen(connection: Connection, session_date: date, watched: Sequence[Watched], stored: Sequence[Row]) -> list[Seen]:
    """What Postgres knows of each symbol's session."""
    facts = {"session_date": session_date}
    bars = {row[0]: dict(zip(row[1], row[2], strict=True)) for row in connection.execute(_BARS, facts).fetchall()}
    decided, closed = decided_minutes(stored), closed_minutes(stored)
    tails = _tails(connection, session_date, watched)
    held, unheard = _held(connection, session_date, watched), _unheard(connection, watched, tails)
    return [
        Seen(
            symbol=each.symbol,
            calendar=each.calendar,
            expected=each.hours.minutes(since=each.since, until=each.until),
            bars=bars.get(each.symbol, {}),
            before=_counts(tails.get(each.symbol, {}), unheard[each.symbol]),
            held=held[each.symbol],
            unheard=unheard[each.symbol],
            known_closed=closed.get(each.symbol, frozenset()),
            decided=decided.get(each.symbol, frozenset()),
        )
        for each in watched
    ]


def _hours(opens: datetime, closes: datetime, break_start: datetime | None, break_end: datetime | None) -> Hours:
    pause = (minute_of(break_start), minute_of(break_end)) if break_start and break_end else (None, None)
    return Hours(minute_of(opens), minute_of(closes), *pause)


def _tails(connection: Connection, session_date: date, watched: Sequence[Watched]) -> dict[str, dict[Minute, int | None]]:
    """Per symbol the last session minutes before the session's open in which it was watched, with their ticks."""
    rows = connection.execute(_BEFORE, {"session_date": session_date}).fetchall()
    hours = {name: _hours(*times) for name, _, *times in rows}
    found: dict[str, dict[Minute, int | None]] = {}
    for name, earlier in hours.items():
        symbols = {each.symbol: each for each in watched if each.calendar == name}
        minutes = earlier.minutes(since=0, until=earlier.closes)[-HISTORY_MINUTES:]
        if not symbols or not minutes:
            continue
        bounds = {"since": instant_of(minutes[0]), "until": instant_of(minutes[-1] + 1), "symbols": list(symbols)}
        bars = {(symbol, m): ticks for symbol, m, ticks in connection.execute(_TAIL, bounds).fetchall()}
        for symbol, each in symbols.items():
            found[symbol] = {m: bars.get((symbol, m), 0) for m in minutes if m >= each.since}
    return found


def _counts(tail: Mapping[Minute, int | None], unheard: Iterable[tuple[datetime, datetime]]) -> list[int]:
    """Ticks of the minutes that were heard, oldest first; a bar of the vendor says nothing of ticks."""
    deaf = deaf_minutes(unheard)
    return [ticks for minute, ticks in tail.items() if ticks is not None and minute not in deaf]


def _held(connection: Connection, session_date: date, watched: Sequence[Watched]) -> dict[str, dict[Minute, Held]]:
    found: dict[str, dict[Minute, Held]] = defaultdict(dict)
    facts = {"session_date": session_date}
    for symbol, minute, state, rules in connection.execute(_REFUSED, facts).fetchall():
        found[symbol][minute] = Held("refused" if state == "open" else "discarded", rules)
    if not watched:
        return found
    bounds = {"since": instant_of(min(each.hours.opens for each in watched)), "until": instant_of(max(e.until for e in watched))}
    unjudged = connection.execute(_UNJUDGED, bounds).fetchall()
    blocked = connection.execute(_BLOCKED, facts).fetchone() if unjudged else None
    for symbol, minute in unjudged:
        found[symbol][minute] = Held("unjudged", (blocked[0] if blocked else None) or "")
    return found


def _unheard(
    connection: Connection, watched: Sequence[Watched], tails: Mapping[str, Mapping[Minute, Any]]
) -> dict[str, list[tuple[datetime, datetime]]]:
    found: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    if not watched:
        return found
    first = min([each.hours.opens for each in watched] + [minute for tail in tails.values() for minute in tail])
    bounds = {"since": instant_of(first), "until": instant_of(max(each.hours.closes for each in watched))}
    for symbol, start, end in connection.execute(_UNHEARD, bounds).fetchall():
        found[symbol].append((start, end))
    return found
