"""Outages repaired: a vendor's history under Yahoo's names, a real Postgres, Dagster's own run records. Expected values by hand.

Ticks from Kafka: soak/test_gaps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import Settings
from stock_platform.defs.gap_repair import OUTAGE, gap_repair, repair_gap
from stock_platform.defs.world import World
from stock_platform.errors import VendorUnreachable
from stock_platform.market.asked import Stretch
from stock_platform.market.gaps.facts import read_stretches
from stock_platform.repair.look import look_at
from stock_platform.repair.outage import Repair, Repairer, repair
from stock_platform_tests.integration.test_yahoo_vendor import EVENING, StandingClock
from stock_platform_tests.staged import DAY, OPEN, empty_market, run_gate, stage
from stock_platform_tests.vendor_history import History, settings_over
from stock_platform_tests.vendor_server import VendorServer, vendor_server

MINUTE = timedelta(minutes=1)
LOOKED = OPEN + 6 * MINUTE
NOBODY = "127.0.0.1:9"
"""No Kafka: nothing here is silent, so nobody asks it."""


@pytest.fixture
def admin(database: Settings) -> Iterator[Connection]:
    """Six minutes of A; nobody heard it from 14:31:30 to 14:34:30: minutes 2 and 3 are missing, 1 and 4 partly heard."""
    with connect(database.dsn("admin"), autocommit=True) as connection:
        empty_market(connection)
        connection.execute(
            "TRUNCATE quality.gap, quality.gate_run, ops.feed_gap, ops.feed_line, staging.vendor_bar_1m, staging.bar_1m_restated, "
            "staging.torn_bar, quality.restatement, ops.restatement, ops.protected_session, reference.corporate_action"
        )
        for minute in (0, 1, 4, 5):
            stage(connection, minute, first=100 * minute + 50, last=100 * minute + 100, ts_landed=OPEN)
        bounds = (OPEN + 1.5 * MINUTE, OPEN + 4.5 * MINUTE)
        connection.execute("INSERT INTO ops.feed_gap VALUES ('line-0a', %s, %s, 'A', 0, 1, 'cut')", bounds)
        run_gate(database, "gate-1", until=LOOKED)
        with connect(database.dsn("gate_owner")) as owner:
            look_at(owner, NOBODY, DAY, LOOKED, run_id="gate-1", now=OPEN + 7 * MINUTE)
        yield connection


@pytest.fixture
def history() -> History:
    """The vendor's bars of the six minutes, near ours."""
    kept = History()
    kept.minutes = dict.fromkeys(range(6), (10.5, 11.0, 10.25, 10.75, 90))
    return kept


@pytest.fixture
def vendor(history: History, tmp_path: Path) -> Iterator[VendorServer]:
    with vendor_server(history.answer, tmp_path) as server:
        yield server


@pytest.fixture
def settings(database: Settings, vendor: VendorServer, admin: Connection, tmp_path: Path) -> Settings:
    return settings_over(database, tmp_path).model_copy(update={"kafka_port": 9})


def repaired(settings: Settings, run_id: str = "repair-1") -> Repair:
    by = Repairer(settings, StandingClock(), LOOKED, run_id, "c0de")
    return repair(by, DAY, [("A", OPEN + 2 * MINUTE)])


def ledger(connection: Connection) -> list[tuple[Any, ...]]:
    query = "SELECT ts_start, minute_count, gap_class, state, closed_by_run, attempt_count FROM quality.gap ORDER BY ts_start"
    return [((start - OPEN) // MINUTE, *rest) for start, *rest in connection.execute(query).fetchall()]


def reason(connection: Connection) -> str:
    row = connection.execute("SELECT closed_reason FROM quality.gap WHERE closed_reason IS NOT NULL").fetchone()
    assert row is not None
    return row[0]


def test_outage_is_repaired_from_the_vendors_history_and_closed_by_the_run(settings: Settings, admin: Connection) -> None:
    assert ledger(admin) == [(2, 2, "feed_gap", "open", None, 0)]
    done = repaired(settings)
    assert ledger(admin) == [(2, 2, "feed_gap", "repaired", "repair-1", 1)]
    assert reason(admin) == "its 2 bars were accepted by run repair-1"
    assert done.rows_left == ()
    verdicts = admin.execute("SELECT verdict FROM market.bar_1m ORDER BY ts_start").fetchall()
    assert [verdict for (verdict,) in verdicts] == ["passed", "vendor", "vendor", "vendor", "vendor", "passed"]


def test_minute_that_the_vendor_lacks_too_becomes_no_trade(settings: Settings, admin: Connection, history: History) -> None:
    del history.minutes[3]
    repaired(settings)
    assert ledger(admin) == [(2, 1, "feed_gap", "repaired", "repair-1", 1), (3, 1, "no_trade", "explained", "repair-1", 1)]
    row = admin.execute("SELECT evidence, closed_reason FROM quality.gap WHERE ts_start = %s", (OPEN + 3 * MINUTE,)).fetchone()
    assert row is not None
    assert row[0].startswith("No feed line heard it from 14:31:30 to 14:34:30 UTC")
    assert row[1].startswith("the vendor's history has no usable bar of it either (yahoo's 1m history, fetched at 2026-11-20 22:00")
    with connect(settings.dsn("gate_owner")) as owner:
        found = look_at(owner, NOBODY, DAY, LOOKED, run_id="gate-2", now=EVENING)
    assert found.changed_count == 0


def test_history_that_has_not_come_so_far_is_asked_again(settings: Settings, admin: Connection, history: History) -> None:
    for minute in (3, 4, 5):
        del history.minutes[minute]
    done = repaired(settings)
    assert [row.minute_count for row in done.rows_left] == [1]
    assert ledger(admin) == [(2, 1, "feed_gap", "repaired", "repair-1", 1), (3, 1, "feed_gap", "open", None, 1)]


def test_tape_has_no_vendor_and_says_so(settings: Settings, admin: Connection) -> None:
    repaired(settings.model_copy(update={"feed_kind": "tape", "profile": "tape"}))
    assert ledger(admin) == [(2, 2, "feed_gap", "unrepairable", "repair-1", 1)]
    assert "profile tape plays a tape, and no vendor knows its time" in reason(admin)


def test_vendor_that_is_away_is_tried_three_times(settings: Settings, admin: Connection, vendor: VendorServer) -> None:
    away = settings.model_copy(update={"vendor_timeout_s": 0.001})
    for attempt in (1, 2):
        with pytest.raises(VendorUnreachable):
            repaired(away, f"repair-{attempt}")
        assert ledger(admin) == [(2, 2, "feed_gap", "open", None, attempt)]
    repaired(away, "repair-3")
    assert ledger(admin) == [(2, 2, "feed_gap", "unrepairable", "repair-3", 3)]
    assert reason(admin).startswith("3 repair runs failed; the last one:")


def test_gap_that_closed_meanwhile_is_left_alone(settings: Settings, admin: Connection) -> None:
    repaired(settings)
    assert repaired(settings, "repair-2") == Repair()
    assert ledger(admin) == [(2, 2, "feed_gap", "repaired", "repair-1", 1)]


def test_repair_covers_every_minute_and_symbol_that_the_outage_touches(database: Settings, admin: Connection) -> None:
    admin.execute("INSERT INTO reference.instrument VALUES ('B', 'x', 'Technology', 'USD', 'XNYS', 'yahoo')")
    bounds = (OPEN - MINUTE, OPEN + 2.5 * MINUTE)
    admin.execute("INSERT INTO ops.feed_gap VALUES ('line-0a', %s, %s, 'B GONE', 0, 1, 'cut')", bounds)
    with connect(database.dsn("gate_owner")) as owner:
        found = read_stretches(owner, DAY, since=OPEN + 2 * MINUTE, until=OPEN + 4 * MINUTE)
    assert found == [Stretch("A", OPEN + MINUTE, OPEN + 5 * MINUTE), Stretch("B", OPEN, OPEN + 3 * MINUTE)]


@dataclass
class MovedClock:
    """Time as the test says."""

    ts: datetime

    def now(self) -> datetime:
        return self.ts

    def sleep(self, duration: timedelta) -> None:
        raise AssertionError("nothing sleeps here")


def looked(instance: dg.DagsterInstance, settings: Settings, at: datetime) -> tuple[list[dg.RunRequest], str]:
    """What the sensor asks for, and why not."""
    context = dg.build_sensor_context(instance=instance, resources={"world": World(settings, MovedClock(at))})
    result = gap_repair(context)
    assert isinstance(result, dg.SensorResult)
    skip = result.skip_reason
    return list(result.run_requests or ()), str(skip.skip_message if isinstance(skip, dg.SkipReason) else skip or "")


def failed_run(instance: dg.DagsterInstance, request: dg.RunRequest) -> None:
    """A run of the request that failed now."""
    run = instance.create_run_for_job(repair_gap, run_config=request.run_config, tags=dict(request.tags))
    instance.report_run_failed(run)


def test_sensor_asks_for_one_run_an_outage_when_the_history_can_have_it(settings: Settings, admin: Connection) -> None:
    admin.execute(
        "INSERT INTO quality.gap SELECT 'B', ts_start, ts_end, session_date, minute_count, gap_class, evidence, state, "
        "closed_by_run, closed_reason, attempt_count, ts_found, ts_closed, dagster_run_id FROM quality.gap"
    )
    with dg.DagsterInstance.ephemeral() as instance:
        found = OPEN + 7 * MINUTE
        requests, why = looked(instance, settings, found + timedelta(seconds=119))
        assert (requests, why) == (
            [],
            "feed_gap of 2 symbols, 2026-11-20 14:32Z to 14:34Z: "
            "repaired from 14:39:00Z on, when the vendor's history can have it.",
        )
        (request,), _ = looked(instance, settings, found + timedelta(seconds=120))
    assert request.run_key == "2026-11-20 feed_gap 2026-11-20T14:32Z 1"
    assert request.tags == {OUTAGE: "2026-11-20 feed_gap 2026-11-20T14:32Z"}
    assert request.run_config["ops"]["repair_outage"]["config"] == {
        "session_date": "2026-11-20",
        "gaps": ["A 2026-11-20T14:32:00+00:00", "B 2026-11-20T14:32:00+00:00"],
    }


def test_sensor_waits_longer_after_each_run_and_gives_up_after_three(settings: Settings, admin: Connection) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        for attempt in (1, 2, 3):
            later = datetime.now(UTC) + 3 * MINUTE * 2 ** (attempt - 1)
            (request,), _ = looked(instance, settings, later)
            assert request.run_key == f"2026-11-20 feed_gap 2026-11-20T14:32Z {attempt}"
            failed_run(instance, request)
            if attempt < 3:
                assert "did not close it; the next try comes at" in looked(instance, settings, datetime.now(UTC))[1]
        last = instance.get_run_records()[0].dagster_run.run_id
        context = dg.build_sensor_context(instance=instance, resources={"world": World(settings, MovedClock(datetime.now(UTC)))})
        result = gap_repair(context)
        assert isinstance(result, dg.SensorResult)
        (trace,) = result.asset_events
        assert isinstance(trace, dg.AssetObservation)
        assert (trace.asset_key, trace.partition) == (dg.AssetKey(["quality", "gap"]), "2026-11-20")
        assert trace.description == (
            "feed_gap of A, 2026-11-20 14:32Z to 14:34Z: given up, "
            f"3 repair runs have ended without closing it, the last one {last}."
        )
        assert trace.metadata["next_step"].value == "When the cause is gone: stock-platform restate --session 2026-11-20"
        assert result.skip_reason == dg.SkipReason(trace.description)
        assert [row[3] for row in ledger(admin)] == ["unrepairable"]
        assert not gap_repair(context).asset_events, "it is said once"
        assert looked(instance, settings, datetime.now(UTC)) == ([], "No gap that can be repaired is open.")


def test_sensor_asks_for_nothing_while_a_repair_is_under_way(settings: Settings, admin: Connection) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(repair_gap, run_config=repair_config(), status=dg.DagsterRunStatus.STARTED)
        assert looked(instance, settings, EVENING) == ([], f"Repair run {run.run_id[:8]} is under way.")


def repair_config() -> dict[str, Any]:
    return {"ops": {"repair_outage": {"config": {"session_date": "2026-11-20", "gaps": []}}}}
