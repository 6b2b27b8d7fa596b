"""The live stack on the simulated feed: how late bars are certified, how Dagster launches, what it all weighs."""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from benchmarks.harness import Figure, quantile
from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.postgres import connect
from stock_platform_tests.running_stack import RunningStack, running_stack

CLOCK = SystemClock()


def certify(stack: RunningStack, minutes: int) -> list[Figure]:
    """Seconds from a bar's end to its acceptance, per minute; the minutes of the start are left out."""
    query = (
        "SELECT extract(epoch FROM max(ts_accepted - ts_end))::float8 AS s FROM market.bar_1m "
        "WHERE revision = 1 AND verdict = 'passed' GROUP BY ts_start ORDER BY ts_start"
    )
    assert wait_until(
        lambda: stack.frame(query).height > minutes, CLOCK, within=timedelta(minutes=minutes + 6), every=timedelta(seconds=5)
    )
    seconds = stack.frame(query)["s"].to_list()[1:]
    return [
        Figure("p50_s", round(quantile(seconds, 0.5), 1), "s", len(seconds)),
        Figure("p99_s", round(quantile(seconds, 0.99), 1), "s", len(seconds)),
    ]


def launch(stack: RunningStack, minutes: int) -> list[Figure]:
    """Seconds from a gate run's request to its start in a process."""
    certify(stack, minutes)
    query = (
        "SELECT start_time - extract(epoch FROM create_timestamp AT TIME ZONE 'UTC') FROM runs "
        "WHERE pipeline_name = 'certify_bars' AND start_time IS NOT NULL"
    )
    with connect(stack.settings.dsn("dagster", "dagster")) as connection:
        seconds = [float(value) for (value,) in connection.execute(query).fetchall()]
    return [
        Figure("start_p50_s", round(quantile(seconds, 0.5), 1), "s", len(seconds)),
        Figure("start_p99_s", round(quantile(seconds, 0.99), 1), "s", len(seconds)),
    ]


def memory(stack: RunningStack, minutes: int) -> list[Figure]:
    """Resident memory of all services and their runs; pages that processes share are counted once."""
    seen: list[float] = []
    until = CLOCK.now() + timedelta(minutes=minutes)
    while CLOCK.now() < until or not seen:
        seen.append(stack.status()["memory_mib"])
        CLOCK.sleep(timedelta(seconds=5))
    return [Figure("gib", round(max(seen) / 1024, 2), "GiB", len(seen))]


MINUTES = {"certify": 62, "launch": 12, "memory": 12}
"""How long the stack is watched; certification over an hour, its first minutes aside."""
MEASURES: dict[str, Callable[[RunningStack, int], list[Figure]]] = {"certify": certify, "launch": launch, "memory": memory}


def run(name: str, *, is_quick: bool) -> list[Figure]:
    """Start a stack, measure, stop it."""
    with tempfile.TemporaryDirectory() as folder:
        with running_stack(Path(folder), "--feed", "simulator") as stack:
            return MEASURES[name](stack, 3 if is_quick else MINUTES[name])
