"""Faults at random moments while the recorded session plays; run by `make soak`. The seed is printed: a failure can be repeated."""

from datetime import timedelta
from pathlib import Path
from random import Random

import polars as pl
import psycopg
import pytest

from stock_platform.adapters.clock import SystemClock
from stock_platform.aggregates.coarser import PRICE
from stock_platform_tests.running_stack import RunningStack, running_stack
from stock_platform_tests.tapes import cut, expected_bars, refused_rows

CLOCK = SystemClock()
SPEED = 10
SERVICES = (
    "kafka",
    "postgres",
    "flink-jobmanager",
    "flink-taskmanager",
    "dagster-code",
    "dagster-daemon",
    "dagster-webserver",
    "api",
)


def test_kills_at_random_moments_lose_no_bar(recorded_tape: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    minutes = request.config.getoption("--soak-minutes")
    if not minutes:
        pytest.skip("soak runs only with --soak-minutes (`make soak`)")
    random, seed = Random(), Random().randrange(10**6)
    random.seed(seed)
    print(f"seed {seed}")
    played = min(385, int(minutes * SPEED))
    end = f"2013-10-07T{13 + (30 + played) // 60:02d}:{(30 + played) % 60:02d}:00+00:00"
    tape = cut(recorded_tape, tmp_path, start="2013-10-07T13:30:00+00:00", end=end)
    words = ("--feed", "tape", "--tape", str(tape), "--speed", str(SPEED))

    with running_stack(tmp_path / "data", *words) as stack:
        deadline, kills = CLOCK.now() + timedelta(minutes=minutes), 0
        while CLOCK.now() < deadline and not _is_over(stack):
            CLOCK.sleep(timedelta(seconds=random.uniform(10, 45)))
            kills += _kill(stack, random)
        done = stack.command("up", *words, "--wait", within_s=1800)
        assert done.returncode == 0, done.stderr

        expected = expected_bars(tape, refused_rows(stack.settings.kafka_bootstrap))
        certified = stack.certified().select(expected.columns)
        prices = pl.col("open", "high", "low", "close").cast(PRICE)
        assert certified.with_columns(prices).equals(expected.with_columns(prices).cast(dict(certified.schema)))
        print(f"{kills} kills, {certified.height} bars equal")


def _kill(stack: RunningStack, random: Random) -> bool:
    """kill -9 of one thing; False when it was not running at that moment."""
    name = random.choice([*SERVICES, "feed run"])
    print(f"{CLOCK.now():%H:%M:%S} kill {name}")
    try:
        if name == "feed run":
            stack.kill_feed_run()
        else:
            stack.kill_service(name)
    except (AssertionError, OSError, psycopg.Error) as error:
        print(f"  not now: {error}")
        return False
    return True


def _is_over(stack: RunningStack) -> bool:
    try:
        return stack.value("SELECT max(state) FROM ops.feed_line") == "ended"
    except psycopg.Error as error:
        print(f"  cannot ask now: {type(error).__name__}")
        return False
