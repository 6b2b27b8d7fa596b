"""A feed line's row in ops.feed_line and its gaps in ops.feed_gap: who owns the line, how it is, what the others carry.

Not here: the run (feed_line), who starts it (feed_supervisor)."""

from datetime import datetime, timedelta

from stock_platform.adapters.postgres import Connection
from stock_platform.defs.world import World
from stock_platform.feed.plan import LineState, Plan, Standing, StreamPlan
from stock_platform.feed.shards import shard_named
from stock_platform.feed.yahoo.stream import Gap

_ALIVE_WITHIN = timedelta(seconds=10)
"""A line beats every 2 s; one that was heard within this time carries what it says."""
_BEFORE = "SELECT state, ts_clock FROM ops.feed_line WHERE line = %s"
_WENT_WELL = ("drained", "retired", "ended")
"""States after which nothing was missed."""

_TAKE_OVER = """
INSERT INTO ops.feed_line
    (line, shard, dagster_run_id, source, state, ts_started, ts_heartbeat, tick_count, reject_count)
VALUES (%(line)s, %(shard)s, %(run)s, %(source)s, 'starting', %(now)s, %(now)s, 0, 0)
ON CONFLICT (line) DO UPDATE SET
    ts_clock = CASE WHEN feed_line.state IN ('drained', 'retired') THEN NULL ELSE feed_line.ts_clock END,
    dagster_run_id = excluded.dagster_run_id, source = excluded.source, state = excluded.state, ts_started = excluded.ts_started,
    ts_heartbeat = excluded.ts_heartbeat, symbols = '', tick_count = 0, reject_count = 0, suspect_count = 0, duplicate_count = 0,
    late_count = 0, polled_count = 0, unknown_fields = '', last_error = NULL
"""

_BEAT = """
UPDATE ops.feed_line SET
    state = %(state)s, ts_heartbeat = %(now)s, ts_clock = coalesce(%(ts_clock)s, ts_clock),
    ts_event_last = coalesce(%(ts_event_last)s, ts_event_last), ts_recv_last = coalesce(%(ts_recv_last)s, ts_recv_last),
    tick_count = %(tick_count)s, reject_count = %(reject_count)s, suspect_count = %(suspect_count)s,
    duplicate_count = %(duplicate_count)s, late_count = %(late_count)s, polled_count = %(polled_count)s,
    unknown_fields = %(unknown_fields)s, symbols = %(symbols)s, last_error = %(last_error)s
WHERE line = %(line)s AND dagster_run_id = %(run)s
"""

_GAP = """
INSERT INTO ops.feed_gap (line, ts_gap_start, ts_gap_end, symbols, shard, redundancy, detail)
VALUES (%(line)s, %(start)s, %(end)s, %(symbols)s, %(shard)s, %(redundancy)s, %(detail)s)
ON CONFLICT (line, ts_gap_start, symbols) DO UPDATE SET ts_gap_end = excluded.ts_gap_end, detail = excluded.detail
"""
_NEWEST_GAP = """
UPDATE ops.feed_line SET gap_count = gap_count + 1, ts_gap_start = %(start)s, ts_gap_end = %(end)s WHERE line = %(line)s
"""

_CARRIED = "SELECT line, symbols FROM ops.feed_line WHERE line <> %s AND state = 'running' AND ts_heartbeat >= %s"


def take_over(world: World, plan: Plan, run_id: str) -> datetime | None:
    """Make this run the owner of the line; gives up to when the earlier one has heard everything, if it broke off."""
    shard = shard_named(plan.line) if isinstance(plan, StreamPlan) else 0
    values = {"line": plan.line, "shard": shard, "run": run_id, "source": plan.source, "now": world.clock.now()}
    with world.database("feed_writer") as connection:
        before = connection.execute(_BEFORE, (plan.line,)).fetchone()
        connection.execute(_TAKE_OVER, values)
    return before[1] if before and before[0] not in _WENT_WELL else None


def beat(world: World, state: LineState, run_id: str) -> Standing:
    """Write the line's state and gaps; what the others carry. Not ours any more: nothing is written."""
    now = world.clock.now()
    values = {
        **{name: getattr(state, name) for name in _WRITTEN},
        "symbols": " ".join(state.symbols),
        "now": now,
        "run": run_id,
    }
    with world.database("feed_writer") as connection:
        if connection.execute(_BEAT, values).rowcount != 1:
            return Standing(is_ours=False)
        for gap in state.gaps:
            _record_gap(connection, state, gap)
        others = connection.execute(_CARRIED, (state.line, now - _ALIVE_WITHIN)).fetchall()
    return Standing(carried={line: frozenset(symbols.split()) for line, symbols in others})


_WRITTEN = (
    "line state ts_clock ts_event_last ts_recv_last tick_count reject_count suspect_count duplicate_count late_count "
    "polled_count unknown_fields last_error"
).split()


def _record_gap(connection: Connection, state: LineState, gap: Gap) -> None:
    values = {
        "line": state.line,
        "shard": shard_named(state.line),
        "redundancy": state.redundancy,
        "start": gap.ts_start,
        "end": gap.ts_end,
        "symbols": " ".join(gap.symbols),
        "detail": gap.detail,
    }
    connection.execute(_GAP, values)
    connection.execute(_NEWEST_GAP, values)
