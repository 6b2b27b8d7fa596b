"""Door to Dagster's own database: what is there, how large it is, and what has outlived its use.

Dagster 1.13 forgets ticks by its `retention`, and nothing else: `delete_run` takes a run's materialisations with it, so that its
partition looks never made, and leaves the rows of its checks. Here a run goes as a whole, but for what is still the newest word on
something: the newest materialisation of each asset's partition and the newest evaluation of each check stay, with their run's row.
Of a run that may never end, what it has said goes; how it was started, and by which process, stays.
Tables are those of dagster-postgres 0.29; a test goes through them with Dagster's own API."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from stock_platform.adapters.postgres import Connection

_AT_ONCE = 200
"""Runs in one transaction: some ten thousand events, a second."""

# Ended runs, oldest first; a run that is under way has no end.
_ENDED = """
SELECT run_id FROM runs
WHERE
    status IN ('SUCCESS', 'FAILURE', 'CANCELED')
    AND to_timestamp(coalesce(end_time, extract(EPOCH FROM update_timestamp)))
    < CASE WHEN pipeline_name = ANY (%(frequent)s) THEN %(frequent_before)s ELSE %(before)s END
ORDER BY id
"""
# Ids of events that are the newest of their kind: read once, and only those of old runs are asked for.
_NEWEST = """
CREATE TEMPORARY TABLE newest_event ON COMMIT PRESERVE ROWS AS
SELECT max(id) AS id FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION' GROUP BY asset_key, partition
UNION
SELECT max(evaluation_event_storage_id) FROM asset_check_executions GROUP BY asset_key, check_name
UNION
SELECT max(id) FROM event_logs WHERE dagster_event_type = 'FRESHNESS_STATE_CHANGE' GROUP BY asset_key
"""
_TAGS = """
DELETE FROM asset_event_tags WHERE event_id IN (
    SELECT id FROM event_logs WHERE run_id = ANY (%(runs)s) AND id NOT IN (SELECT id FROM newest_event WHERE id IS NOT NULL)
)
"""
_EVENTS = """
DELETE FROM event_logs
WHERE run_id = ANY (%(runs)s) AND id NOT IN (SELECT id FROM newest_event WHERE id IS NOT NULL)
"""
_CHECKS = """
DELETE FROM asset_check_executions AS execution
WHERE
    run_id = ANY (%(runs)s)
    AND EXISTS (
        SELECT FROM asset_check_executions AS newer
        WHERE newer.asset_key = execution.asset_key AND newer.check_name = execution.check_name AND newer.id > execution.id
    )
"""
_RUNS = """
DELETE FROM runs
WHERE run_id = ANY (%(runs)s) AND NOT EXISTS (SELECT FROM event_logs WHERE event_logs.run_id = runs.run_id)
"""
# What runs under way say again and again. Their few other events stay: monitoring reads the process's number from them.
_ENDLESS = """
    SELECT event_logs.id
    FROM event_logs
    JOIN runs ON runs.run_id = event_logs.run_id
    WHERE
        runs.pipeline_name = ANY (%(endless)s)
        AND runs.status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')
        AND (event_logs.dagster_event_type IS NULL OR event_logs.dagster_event_type = 'ASSET_MATERIALIZATION')
        AND event_logs.timestamp < %(frequent_before)s::timestamptz AT TIME ZONE 'UTC'
        AND event_logs.id NOT IN (SELECT id FROM newest_event WHERE id IS NOT NULL)
"""
_ENDLESS_TAGS: LiteralString = f"DELETE FROM asset_event_tags WHERE event_id IN ({_ENDLESS})"
_ENDLESS_EVENTS: LiteralString = f"DELETE FROM event_logs WHERE id IN ({_ENDLESS})"
# Answers of sensors that looked belong to no run.
_RUNLESS_EVENTS = """
DELETE FROM event_logs
WHERE run_id = '' AND timestamp < %(before)s::timestamptz AT TIME ZONE 'UTC'
    AND id NOT IN (SELECT id FROM newest_event WHERE id IS NOT NULL)
"""
_RUNLESS_CHECKS = """
DELETE FROM asset_check_executions AS execution
WHERE
    run_id = ''
    AND create_timestamp < %(before)s::timestamptz AT TIME ZONE 'UTC'
    AND EXISTS (
        SELECT FROM asset_check_executions AS newer
        WHERE newer.asset_key = execution.asset_key AND newer.check_name = execution.check_name AND newer.id > execution.id
    )
"""
_TICKS = "DELETE FROM job_ticks WHERE timestamp < %(before)s::timestamptz AT TIME ZONE 'UTC'"
_SIZES = """
SELECT
    tables.schemaname,
    sum(pg_total_relation_size(tables.relid))::bigint,
    sum(tables.n_live_tup)::bigint
FROM pg_stat_user_tables AS tables
GROUP BY tables.schemaname
ORDER BY tables.schemaname
"""


@dataclass(frozen=True)
class Ages:
    """What is older goes.

    Args:
        frequent: Jobs whose runs come every minute.
        endless: Jobs whose runs may never end, and speak every minute.
        frequent_before: Runs of frequent jobs that ended earlier go, and what a run of an endless job said earlier.
        before: Runs of other jobs, ticks, and events of no run.
    """

    frequent: Sequence[str]
    endless: Sequence[str]
    frequent_before: datetime
    before: datetime


@dataclass(frozen=True)
class Purged:
    """What is gone.

    Args:
        runs: Ids of ended runs that were gone through; kept: how many of them still are the newest word on something.
    """

    runs: tuple[str, ...]
    kept: int
    events: int
    checks: int
    ticks: int


@dataclass(frozen=True)
class Size:
    """A schema's tables, indexes included; rows as the statistics estimate them."""

    schema: str
    byte_count: int
    row_count: int


def purge(connection: Connection, ages: Ages) -> Purged:
    """Forget what is old, some runs at a time; a repeat finds nothing more to do.

    Args:
        connection: To Dagster's database, committing by itself.
    """
    facts = {
        "frequent": list(ages.frequent),
        "endless": list(ages.endless),
        "frequent_before": ages.frequent_before,
        "before": ages.before,
    }
    runs = [run_id for (run_id,) in connection.execute(_ENDED, facts).fetchall()]
    connection.execute("DROP TABLE IF EXISTS newest_event")
    connection.execute(_NEWEST)
    events = checks = gone = 0
    for start in range(0, len(runs), _AT_ONCE):
        batch = {"runs": runs[start : start + _AT_ONCE]}
        with connection.transaction():
            connection.execute(_TAGS, batch)
            events += connection.execute(_EVENTS, batch).rowcount
            checks += connection.execute(_CHECKS, batch).rowcount
            gone += connection.execute(_RUNS, batch).rowcount
    with connection.transaction():
        connection.execute(_ENDLESS_TAGS, facts)
        events += connection.execute(_ENDLESS_EVENTS, facts).rowcount
    events += connection.execute(_RUNLESS_EVENTS, facts).rowcount
    checks += connection.execute(_RUNLESS_CHECKS, facts).rowcount
    ticks = connection.execute(_TICKS, facts).rowcount
    return Purged(tuple(runs), len(runs) - gone, events, checks, ticks)


def sizes(connection: Connection) -> list[Size]:
    """Every schema of the connection's database that has tables."""
    return [Size(*row) for row in connection.execute(_SIZES).fetchall()]
