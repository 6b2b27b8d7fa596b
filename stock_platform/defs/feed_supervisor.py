"""Keeps one run per feed line alive: starts what is wanted and awake, replaces what is dead, orphaned or mute.

Not here: what a line does (feed_line), which lines there are (feed/shards, by the watchlist)."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import dagster as dg

from stock_platform.contracts.runs import PRIORITY
from stock_platform.defs.backoff import spread
from stock_platform.defs.feed_line import LINE, feed_line
from stock_platform.defs.world import UNDER_WAY, World
from stock_platform.feed.choice import lines_of, watch_of
from stock_platform.feed.plan import TAPE_LINE
from stock_platform.feed.shards import Share

_SILENT_AFTER = timedelta(seconds=30)
"""A line beats every 2 s; a launch takes some 10 s."""
_LAUNCH_WITHIN = timedelta(seconds=90)
_MUTE_AFTER = timedelta(minutes=5)
"""A line that beats but hears nothing: its own watchdog has connected again several times by then."""
_MAX_BACKOFF = timedelta(minutes=2)
_HEALTHY_AFTER_S = 60

_ROWS = "SELECT line, dagster_run_id, state, ts_heartbeat, ts_recv_last, ts_started, last_error FROM ops.feed_line"
_RETIRE = """
UPDATE ops.feed_line SET state = 'retired', symbols = ''
WHERE line <> ALL(%s) AND state <> 'retired' AND ts_heartbeat < %s
"""


@dataclass(frozen=True)
class _Row:
    """What a line last said of itself."""

    line: str
    run_id: str
    state: str
    ts_heartbeat: datetime
    ts_recv_last: datetime | None
    ts_started: datetime
    last_error: str | None


def feed_supervisor_sensor(refresh: Any) -> dg.SensorDefinition:
    """Keeps the lines.

    Args:
        refresh: The job that loads reference data, asked for when the watchlist's instruments have changed.
    """

    @dg.sensor(
        name="feed_supervisor",
        jobs=[feed_line, refresh],
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Keeps one run per feed line alive while its markets trade; replaces a run that is dead, orphaned or mute.",
    )
    def feed_supervisor(context: dg.SensorEvaluationContext, world: dg.ResourceParam[World]) -> dg.SensorResult:
        watched = _digest(world)
        requests, reasons = _look(context.instance, world)
        if context.cursor not in (None, "", watched):
            requests.append(dg.RunRequest(job_name=refresh.name))
        skip = None if requests else dg.SkipReason(" ".join(reasons))
        return dg.SensorResult(run_requests=requests, skip_reason=skip, cursor=watched)

    return feed_supervisor


def _digest(world: World) -> str:
    """Changes with the instruments, not with how they are shared out."""
    described = "".join(each.model_dump_json() for each in watch_of(world.settings).instruments)
    return blake2b(described.encode(), digest_size=8).hexdigest()


def _look(instance: dg.DagsterInstance, world: World) -> tuple[list[dg.RunRequest], list[str]]:
    """One look at every line that the watchlist asks for: runs that are wanted, and why the others are not."""
    now = world.clock.now()
    shares = lines_of(world.settings)
    with world.database("feed_writer") as connection:
        connection.execute(_RETIRE, ([share.line for share in shares if share.instruments], now - _SILENT_AFTER))
        rows = {row[0]: _Row(*row) for row in connection.execute(_ROWS).fetchall()}
    found = {share.line: _reason_to_wait(instance, share, rows.get(share.line), now) for share in shares}
    return [_request(line) for line, reason in found.items() if reason is None], [each for each in found.values() if each]


def _request(line: str) -> dg.RunRequest:
    return dg.RunRequest(
        job_name=feed_line.name,
        run_config=dg.RunConfig(ops={"publish_ticks": {"config": {"line": line}}}),
        tags={LINE: line, PRIORITY: "10"},
    )


def _reason_to_wait(instance: dg.DagsterInstance, share: Share, row: _Row | None, now: datetime) -> str | None:
    """Why the line needs no new run now; None: it does."""
    records = list(instance.get_run_records(dg.RunsFilter(tags={LINE: share.line}), limit=6))
    active = next((record for record in records if record.dagster_run.status in UNDER_WAY), None)
    if active is not None:
        return _kept(instance, share, active, row, now)
    if row and row.state == "ended":
        return f"Line {share.line} has played its tape to the end."
    if share.line != TAPE_LINE and not share.is_awake(now):
        wakes = share.wakes_at(now)
        return f"Line {share.line} sleeps until {wakes:%Y-%m-%d %H:%M}Z." if wakes else f"Line {share.line} has no symbols."
    return backing_off(share.line, records, now)


def _kept(instance: dg.DagsterInstance, share: Share, active: dg.RunRecord, row: _Row | None, now: datetime) -> str | None:
    """What the line's run is doing; one that is gone or mute is declared dead, and None says that a new one is wanted."""
    run = active.dagster_run
    is_owner = row is not None and row.run_id == run.run_id
    since = row.ts_heartbeat if row and is_owner else active.create_timestamp
    silence = now - since
    if silence >= (_SILENT_AFTER if is_owner else _LAUNCH_WITHIN):
        instance.report_run_failed(run, f"Line {share.line} was silent for {silence.total_seconds():.0f} s: its run is replaced.")
        return None
    if row and is_owner and _is_mute(row, share, now):
        instance.report_run_failed(run, f"Line {share.line} heard nothing since {row.ts_recv_last}: its run is replaced.")
        return None
    return f"Line {share.line} is kept by run {run.run_id[:8]}, last heard {silence.total_seconds():.0f} s ago."


def _is_mute(row: _Row, share: Share, now: datetime) -> bool:
    """Connected, as it says, while a market trades, and yet nothing comes."""
    if row.state != "running" or row.last_error or row.ts_recv_last is None:
        return False
    quiet = now - max(row.ts_recv_last, row.ts_started)
    return quiet >= _MUTE_AFTER and any(each.is_trading(now - _MUTE_AFTER) for each in share.calendars)


def _failed_soon(record: dg.RunRecord) -> bool:
    """Whether the run never got going; one that worked for a while and was cut off says nothing of the next."""
    lasted = (record.end_time or 0.0) - (record.start_time or record.end_time or 0.0)
    return record.dagster_run.status is dg.DagsterRunStatus.FAILURE and lasted < _HEALTHY_AFTER_S


def backing_off(line: str, records: Sequence[dg.RunRecord], now: datetime) -> str | None:
    """Why a line whose last runs failed waits, longer each time; None: no more. The first replacement comes at once.

    Args:
        records: Its runs, the newest first; none is under way.
    """
    failures = 0
    while failures < len(records) and _failed_soon(records[failures]):
        failures += 1
    if failures < 2:
        return None
    since = timedelta(seconds=now.timestamp() - (records[0].end_time or 0.0))
    pause = spread(min(_MAX_BACKOFF, timedelta(seconds=5 * 2**failures)), line, failures=failures)
    if since >= pause:
        return None
    return f"Line {line}: the last {failures} runs failed; the next try comes in {(pause - since).total_seconds():.0f} s."
