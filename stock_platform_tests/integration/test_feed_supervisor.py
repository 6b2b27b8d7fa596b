"""The supervisor of feed lines over a real database and Dagster's own run records: when it starts, waits, replaces, retires."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.postgres import connect
from stock_platform.config import Settings
from stock_platform.defs.calendars import reference_job
from stock_platform.defs.feed_line import LINE, feed_line
from stock_platform.defs.feed_supervisor import feed_supervisor_sensor
from stock_platform.defs.heartbeat import beat, take_over
from stock_platform.defs.world import World
from stock_platform.feed.choice import plan_of
from stock_platform.feed.plan import LineState
from stock_platform.feed.yahoo.stream import Gap

_SESSION = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
_SATURDAY = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)

_STOCKS = """lines: {shards: %d, redundancy: %d}
instruments:
  - {symbol: AAPL, name: Apple, sector: Technology, currency: USD, calendar: XNYS, provider: yahoo}
  - {symbol: MSFT, name: Microsoft, sector: Technology, currency: USD, calendar: XNYS, provider: yahoo}
  - {symbol: XOM, name: Exxon, sector: Energy, currency: USD, calendar: XNYS, provider: yahoo}
  - {symbol: JPM, name: JPMorgan, sector: Financials, currency: USD, calendar: XNYS, provider: yahoo}
"""


class _Hands(Clock):
    """A clock that a test turns."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def sleep(self, duration: timedelta) -> None:
        self._now += duration


class _Desk:
    """A supervisor, its watchlist and the lines' table, under the test's hand."""

    def __init__(self, settings: Settings, instance: dg.DagsterInstance) -> None:
        self.clock = _Hands(_SESSION)
        self.world = World(settings, self.clock)
        self.instance = instance
        self.cursor: str | None = None
        self.refreshes: list[dg.RunRequest] = []

    def share_out(self, shards: int, redundancy: int) -> None:
        path = self.world.settings.feed_watchlist
        path.write_text(_STOCKS % (shards, redundancy))

    def look(self) -> tuple[list[str], str]:
        """Lines that a run is asked for, and the reason where none is."""
        context = dg.build_sensor_context(instance=self.instance, resources={"world": self.world}, cursor=self.cursor)
        result = feed_supervisor_sensor(reference_job())(context)
        assert isinstance(result, dg.SensorResult)
        self.cursor = result.cursor
        self.refreshes = [each for each in result.run_requests or [] if each.job_name == "refresh_reference"]
        requests = [each for each in result.run_requests or [] if each.job_name == "feed_line"]
        for request in requests:
            assert request.run_config["ops"]["publish_ticks"]["config"] == {"line": request.tags[LINE]}
        skip = result.skip_reason
        return [request.tags[LINE] for request in requests], str(skip.skip_message) if skip else ""

    def start(self, line: str) -> str:
        """A run of the line under way, as Dagster would have it."""
        run = self.instance.create_run_for_job(feed_line, tags={LINE: line}, status=dg.DagsterRunStatus.STARTED)
        take_over(self.world, plan_of(self.world.settings, line), run.run_id)
        return run.run_id

    def say(self, line: str, run_id: str, **facts: object) -> bool:
        state = LineState(line=line, source="simulator", state="running", **facts)  # type: ignore[arg-type]
        return beat(self.world, state, run_id).is_ours

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with connect(self.world.settings.dsn("admin")) as connection:
            return connection.execute(query).fetchall()  # type: ignore[arg-type]


@pytest.fixture
def desk(database: Settings, tmp_path: Path) -> Iterator[_Desk]:
    path = tmp_path / "watchlist.yaml"
    settings = database.model_copy(update={"feed_watchlist": path, "feed_kind": "simulator", "simulator_hours": "exchange"})
    with dg.DagsterInstance.ephemeral() as instance:
        desk = _Desk(settings, instance)
        desk.share_out(1, 1)
        yield desk
    with connect(database.dsn("admin")) as connection:
        connection.execute("TRUNCATE ops.feed_line, ops.feed_gap")


def test_every_line_that_is_wanted_gets_a_run(desk: _Desk) -> None:
    desk.share_out(2, 2)
    assert desk.look()[0] == ["line-0a", "line-0b", "line-1a", "line-1b"]


def test_line_that_beats_is_left_alone_and_one_that_is_silent_is_replaced(desk: _Desk) -> None:
    desk.share_out(1, 2)
    runs = {line: desk.start(line) for line in ("line-0a", "line-0b")}
    asked, reason = desk.look()
    assert asked == []
    assert "Line line-0a is kept by run" in reason
    desk.clock.sleep(timedelta(seconds=31))
    assert desk.say("line-0b", runs["line-0b"])
    assert desk.look()[0] == ["line-0a"]
    replaced = desk.instance.get_run_by_id(runs["line-0a"])
    assert replaced is not None
    assert replaced.status is dg.DagsterRunStatus.FAILURE


def test_line_that_beats_but_hears_nothing_in_the_session_is_replaced(desk: _Desk) -> None:
    run = desk.start("line-0a")
    heard = desk.clock.now()
    desk.clock.sleep(timedelta(minutes=4))
    assert desk.say("line-0a", run, ts_recv_last=heard)
    assert desk.look()[0] == []
    desk.clock.sleep(timedelta(minutes=1))
    assert desk.say("line-0a", run, ts_recv_last=heard)
    assert desk.look()[0] == ["line-0a"]


def test_line_sleeps_while_its_markets_do(desk: _Desk) -> None:
    desk.clock = _Hands(_SATURDAY)
    desk.world = World(desk.world.settings, desk.clock)
    assert desk.look() == ([], "Line line-0a sleeps until 2026-11-23 08:58Z.")


def test_replaced_run_is_told_to_end_and_the_new_one_knows_since_when_it_was_dark(desk: _Desk) -> None:
    old = desk.start("line-0a")
    heard = desk.clock.now() - timedelta(seconds=2)
    assert desk.say("line-0a", old, ts_clock=heard)
    plan = plan_of(desk.world.settings, "line-0a")
    assert take_over(desk.world, plan, "another run") == heard
    assert not desk.say("line-0a", old)


def test_line_that_was_drained_has_missed_nothing(desk: _Desk) -> None:
    run = desk.start("line-0a")
    drained = LineState(line="line-0a", source="simulator", state="drained", ts_clock=desk.clock.now())
    assert beat(desk.world, drained, run).is_ours
    assert take_over(desk.world, plan_of(desk.world.settings, "line-0a"), "next morning") is None


def test_line_that_nobody_wants_is_retired_once_it_is_silent(desk: _Desk) -> None:
    desk.share_out(2, 1)
    desk.start("line-1a")
    desk.share_out(1, 1)
    desk.look()
    assert desk.rows("SELECT state FROM ops.feed_line") == [("starting",)]
    desk.clock.sleep(timedelta(seconds=31))
    desk.look()
    assert desk.rows("SELECT state FROM ops.feed_line") == [("retired",)]


def test_gap_of_one_twin_is_no_gap_of_the_symbol_and_of_both_is_where_they_meet(desk: _Desk) -> None:
    desk.share_out(1, 2)
    at = [desk.clock.now() + timedelta(seconds=n) for n in range(6)]
    first, second = desk.start("line-0a"), desk.start("line-0b")
    names = ("AAPL", "MSFT")
    desk.say("line-0a", first, redundancy=2, gaps=(Gap(names, at[0], at[3], "cut"),))
    assert desk.rows("SELECT * FROM ops.symbol_gap") == []
    desk.say("line-0b", second, redundancy=2, gaps=(Gap(("MSFT",), at[2], at[5], "cut"),))
    assert desk.rows("SELECT symbol, ts_gap_start, ts_gap_end FROM ops.symbol_gap") == [("MSFT", at[2], at[3])]
    assert desk.rows("SELECT line, gap_count, ts_gap_start, ts_gap_end FROM ops.feed_line ORDER BY line") == [
        ("line-0a", 1, at[0], at[3]),
        ("line-0b", 1, at[2], at[5]),
    ]


def test_reference_data_follows_the_watchlist(desk: _Desk) -> None:
    desk.look()
    desk.share_out(2, 1)
    desk.look()
    assert desk.refreshes == []
    path = desk.world.settings.feed_watchlist
    path.write_text(path.read_text().replace("symbol: XOM", "symbol: CVX"))
    desk.look()
    assert len(desk.refreshes) == 1
    desk.look()
    assert desk.refreshes == []


def test_wrong_watchlist_is_said_by_the_supervisor(desk: _Desk) -> None:
    desk.world.settings.feed_watchlist.write_text("lines: {shards: 0}\ninstruments: []\n")
    with pytest.raises(Exception, match=r"line 1: lines\.shards"):
        desk.look()
