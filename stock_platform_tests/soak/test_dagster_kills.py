"""kill -9 of Dagster's daemon, webserver, code server and of a run's worker: in a backfill, and in a live session.

What must be true afterwards: the backfill has made every partition, and its tables are a recomputation's; as many feed lines run as
are wanted, each in one process; each minute has its bar, which its ticks in Kafka give; no gate run is left open.
Recovery is printed."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from benchmarks.history import add_session, all_days, weekdays, write_watchlist
from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.dagster_backfill import Backfill, launch_backfill, look
from stock_platform.adapters.postgres import connect
from stock_platform.commands.backfill import AGGREGATES
from stock_platform.contracts.runs import BACKFILL
from stock_platform.defs.aggregate_registry import EVERY_RUN
from stock_platform.defs.certify import JOB as CERTIFY
from stock_platform.defs.feed_line import feed_line
from stock_platform.errors.restatement import RunNotGranted
from stock_platform_tests.recomputed import unequal_fields, wrong_rows
from stock_platform_tests.running_stack import RunningStack, running_stack

_CLOCK = SystemClock()
_MINUTE = timedelta(minutes=1)
_SYMBOLS = ("K0", "K1", "K2", "K3", "K4", "K5")
_LINES = ["line-0a", "line-1a"]
_WORKER = "run worker"
VICTIMS = ("dagster-daemon", "dagster-webserver", "dagster-code", _WORKER)
_SESSIONS = 20
_DAYS = weekdays(_CLOCK.now().date() - timedelta(days=1), _SESSIONS)
_PARTITIONS = [day.isoformat() for day in all_days(_DAYS)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Two lines, a tick a second of each symbol, and 20 sessions of certified bars whose aggregates nobody has made."""
    watchlist = tmp_path_factory.mktemp("watchlist") / "watchlist.yaml"
    write_watchlist(watchlist, _SYMBOLS, shards=len(_LINES))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STOCK_PLATFORM_SIMULATOR_RATE", "full")
        data = tmp_path_factory.mktemp("data")
        with running_stack(data, "--feed", "simulator", "--watchlist", str(watchlist)) as running:
            with connect(running.settings.dsn("admin"), autocommit=True) as admin:
                for day in _DAYS:
                    add_session(admin, day)
                admin.execute("ANALYZE")
            yield running


@pytest.fixture(scope="module")
def calm_since(stack: RunningStack) -> datetime:
    """First full minute that all lines have carried from its beginning."""
    _until(lambda: _carried(stack) == _LINES, 180)
    return _CLOCK.now().replace(second=0, microsecond=0) + _MINUTE


@pytest.mark.parametrize("victim", VICTIMS)
def test_backfill_outlives_the_kill_of(victim: str, stack: RunningStack) -> None:
    """The daemon goes before it has asked for the run, the others once the run works."""
    _forget_aggregates(stack)
    address = stack.settings.dagster_address
    backfill_id = launch_backfill(address, AGGREGATES, _PARTITIONS, config={}, tags=BACKFILL)
    if victim != "dagster-daemon":
        _until(lambda: _started_of(stack, backfill_id) != [], 180)
    else:
        assert _started_of(stack, backfill_id) == []
    killed = _kill(stack, victim, run_ids=_started_of(stack, backfill_id))
    seen = _ended(stack, backfill_id)
    _told(victim, "backfill ended", killed)

    assert seen.is_done, seen
    assert len(seen.runs) == (2 if victim == _WORKER else 1), "a run was lost, or asked for twice"
    assert len(seen.failed) == (1 if victim == _WORKER else 0)
    assert seen.done == seen.targeted == len(_PARTITIONS) * len(AGGREGATES)
    assert [day for day in _DAYS if wrong_rows(stack, day)] == []


@pytest.mark.parametrize("victim", VICTIMS)
def test_live_session_outlives_the_kill_of(victim: str, stack: RunningStack, calm_since: datetime) -> None:
    _until(lambda: _bar_count(stack, calm_since, calm_since + _MINUTE) == len(_SYMBOLS), 300)
    _until(lambda: _open_gate_runs(stack, "STARTED") != [], 180)
    pid = None if victim == _WORKER else stack.processes()[victim].pid
    killed = _kill(stack, victim, run_ids=_open_gate_runs(stack, "STARTED")[:1])
    if pid is not None:
        _until(lambda: stack.processes()[victim].pid not in (0, None, pid) and stack.status()["healthy"], 240)
        _told(victim, "process is back", killed)
    _until(lambda: _certified_since(stack, killed), 400)
    _told(victim, "bars certified", killed)

    recovered = _CLOCK.now().replace(second=0, microsecond=0) + _MINUTE
    _until(lambda: _bar_count(stack, recovered, recovered + 2 * _MINUTE) == 2 * len(_SYMBOLS), 400)
    _until(lambda: _open_gate_runs(stack, "QUEUED", "STARTING", "STARTED", asked_before=killed) == [], 400)
    _until(lambda: _workers_of_lines(stack) == _runs_of_lines(stack), 180)
    assert _carried(stack) == _LINES
    assert len(_runs_of_lines(stack)) == len(_LINES)


def test_session_that_saw_all_the_kills_is_whole_and_as_its_ticks_give_it(stack: RunningStack, calm_since: datetime) -> None:
    until = _CLOCK.now().replace(second=0, microsecond=0) - _MINUTE
    minutes = (until - calm_since) // _MINUTE
    # A minute that no line heard is brought by a repair run.
    _until(lambda: _bar_count(stack, calm_since, until) == minutes * len(_SYMBOLS), 900)
    window = f"ts_start >= '{calm_since}' AND ts_start < '{until}'"
    bars = stack.frame(f"SELECT symbol, ts_start FROM market.bar_1m WHERE {window} AND response_path IS NULL ORDER BY 1, 2").rows()
    assert len(bars) > minutes * len(_SYMBOLS) / 2, "most bars are of our own ticks"
    late_limit = timedelta(seconds=stack.settings.flink_late_limit_s)
    assert unequal_fields(stack, bars, late_limit=late_limit) == []
    for day in {calm_since.date(), until.date()}:
        # A gate run may be between the bars and what is made of them.
        _until(lambda day=day: wrong_rows(stack, day, EVERY_RUN) == 0, 240)
    print(f"{minutes} minutes, {len(bars)} bars equal to their ticks")


def _kill(stack: RunningStack, victim: str, *, run_ids: list[str]) -> datetime:
    """When it was killed."""
    if victim == _WORKER:
        assert len(run_ids) == 1, f"expected one run at work, found {run_ids}"
        stack.kill_run(run_ids[0])
    else:
        stack.kill_service(victim)
    return _CLOCK.now()


def _told(victim: str, what: str, killed: datetime) -> None:
    print(f"| {victim:<18} | {what:<16} | {(_CLOCK.now() - killed).total_seconds():6.1f} s |")


def _until(condition: Callable[[], bool], within_s: float) -> None:
    assert wait_until(condition, _CLOCK, within=timedelta(seconds=within_s), every=timedelta(seconds=1))


def _forget_aggregates(stack: RunningStack) -> None:
    with connect(stack.settings.dsn("admin")) as admin:
        for table in AGGREGATES:
            admin.execute(f"DELETE FROM {table} WHERE session_date = ANY (%s)".encode(), (_DAYS,))


def _ended(stack: RunningStack, backfill_id: str) -> Backfill:
    """How the backfill ended; a webserver that is away meanwhile is waited for."""
    seen: list[Backfill] = []

    def has_ended() -> bool:
        with suppress(RunNotGranted):
            seen.append(look(stack.settings.dagster_address, backfill_id))
        return bool(seen) and seen[-1].has_ended

    _until(has_ended, 900)
    return seen[-1]


def _runs(stack: RunningStack, query: str, *values: Any) -> list[str]:
    """Ids of runs, asked of Dagster's own storage: its webserver may be away."""
    with connect(stack.settings.dsn("dagster", "dagster")) as connection:
        return [run_id for (run_id,) in connection.execute(query.encode(), values).fetchall()]


def _started_of(stack: RunningStack, backfill_id: str) -> list[str]:
    """Runs of the backfill that are at work."""
    query = (
        "SELECT run.run_id FROM runs AS run JOIN run_tags AS tag ON tag.run_id = run.run_id "
        "WHERE run.status = 'STARTED' AND tag.key = 'dagster/backfill' AND tag.value = %s"
    )
    return _runs(stack, query, backfill_id)


def _open_gate_runs(stack: RunningStack, *statuses: str, asked_before: datetime | None = None) -> list[str]:
    """Gate runs of these statuses, oldest first."""
    query = "SELECT run_id FROM runs WHERE pipeline_name = %s AND status = ANY (%s) AND create_timestamp < %s ORDER BY id"
    before = (asked_before or _CLOCK.now() + _MINUTE).astimezone(UTC).replace(tzinfo=None)
    return _runs(stack, query, CERTIFY, list(statuses), before)


def _certified_since(stack: RunningStack, killed: datetime) -> bool:
    """Whether a gate run that was asked for after the kill has certified bars."""
    query = "SELECT run_id FROM runs WHERE pipeline_name = %s AND create_timestamp > %s"
    asked = _runs(stack, query, CERTIFY, killed.astimezone(UTC).replace(tzinfo=None))
    found = stack.frame(f"SELECT DISTINCT dagster_run_id FROM market.bar_1m WHERE ts_accepted > '{killed}'")
    return not set(asked).isdisjoint(found["dagster_run_id"])


def _carried(stack: RunningStack) -> list[str]:
    """Lines that run, in order."""
    return stack.frame("SELECT line FROM ops.feed_line WHERE state = 'running' AND symbols <> '' ORDER BY line")["line"].to_list()


def _runs_of_lines(stack: RunningStack) -> list[str]:
    """Of each line the run that carries it, as the line itself says."""
    rows = stack.frame("SELECT dagster_run_id FROM ops.feed_line WHERE state = 'running' AND symbols <> ''")
    return sorted(rows["dagster_run_id"])


def _workers_of_lines(stack: RunningStack) -> list[str]:
    """Runs of feed lines that have a process; twice, where two processes work for one."""
    lines = set(_runs(stack, "SELECT run_id FROM runs WHERE pipeline_name = %s", feed_line.name))
    return [run_id for run_id in stack.worker_runs() if run_id in lines]


def _bar_count(stack: RunningStack, since: datetime, until: datetime) -> int:
    return stack.value(f"SELECT count(*) FROM market.bar_1m WHERE ts_start >= '{since}' AND ts_start < '{until}'")
