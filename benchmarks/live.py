"""The whole stack: how late bars are certified and what it all weighs, on the simulated feed; how Dagster launches, on a tape."""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from benchmarks.harness import Figure, quantile
from benchmarks.ticks import RECORDED
from stock_platform.adapters.clock import SystemClock, wait_until
from stock_platform.adapters.postgres import connect
from stock_platform_tests.running_stack import RunningStack, running_stack
from stock_platform_tests.tapes import cut

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


def launch(stack: RunningStack, runs: int) -> list[Figure]:
    """Seconds from a gate run's request to its start in a process and to its end; the first, at the stack's start, is left out.

    A minute of the tape takes 15 s, so that runs follow each other; live there is one a minute, ahead of the bar's close."""
    query = (
        "SELECT start_time - asked, end_time - asked FROM ("
        "SELECT id, start_time, end_time, extract(EPOCH FROM create_timestamp AT TIME ZONE 'UTC')::float8 AS asked FROM runs "
        "WHERE pipeline_name = 'certify_bars' AND status = 'SUCCESS' AND start_time IS NOT NULL AND end_time IS NOT NULL"
        ") AS run ORDER BY id OFFSET 1"
    )
    failed = "SELECT count(*) FROM runs WHERE pipeline_name = 'certify_bars' AND status IN ('FAILURE', 'CANCELED')"

    def seen() -> list[tuple[float, float]]:
        with connect(stack.settings.dsn("dagster", "dagster")) as connection:
            return [(float(start), float(end)) for start, end in connection.execute(query).fetchall()]

    within = timedelta(minutes=2 * runs + 6)
    assert wait_until(lambda: len(seen()) >= runs, CLOCK, within=within, every=timedelta(seconds=5)), f"{len(seen())} runs"
    found = seen()[:runs]
    with connect(stack.settings.dsn("dagster", "dagster")) as connection:
        (failed_count,) = connection.execute(failed).fetchone() or (0,)
    return [
        *_percentiles("start", [start for start, _ in found]),
        *_percentiles("finish", [end for _, end in found]),
        Figure("failed_runs", failed_count, "", len(found) + failed_count),
    ]


def _percentiles(name: str, seconds: list[float]) -> list[Figure]:
    return [
        Figure(f"{name}_{word}_s", round(quantile(seconds, share), 1), "s", len(seconds))
        for word, share in (("p50", 0.5), ("p99", 0.99))
    ]


def memory(stack: RunningStack, minutes: int) -> list[Figure]:
    """Resident memory of all services and their runs; pages that processes share are counted once."""
    seen: list[float] = []
    until = CLOCK.now() + timedelta(minutes=minutes)
    while CLOCK.now() < until or not seen:
        seen.append(stack.status()["memory_mib"])
        CLOCK.sleep(timedelta(seconds=5))
    return [Figure("gib", round(max(seen) / 1024, 2), "GiB", len(seen))]


LENGTHS = {"certify": 62, "launch": 100, "memory": 12}
"""How long the stack is watched: minutes, or gate runs; certification over an hour, its first minutes aside."""
MEASURES: dict[str, Callable[[RunningStack, int], list[Figure]]] = {"certify": certify, "launch": launch, "memory": memory}


_SIMULATED = ("--feed", "simulator")


def _recorded(folder: Path) -> tuple[str, ...]:
    """From the minute before the open on; ahead of it no bar is certified."""
    tape = cut(RECORDED, folder, start="2013-10-07T13:29:00+00:00", end="2013-10-07T20:00:00+00:00")
    return ("--feed", "tape", "--tape", str(tape), "--speed", "4")


def run(name: str, *, is_quick: bool) -> list[Figure]:
    """Start a stack, measure, stop it."""
    with tempfile.TemporaryDirectory() as folder:
        words = _recorded(Path(folder)) if name == "launch" else _SIMULATED
        with running_stack(Path(folder), *words) as stack:
            return MEASURES[name](stack, 3 if is_quick else LENGTHS[name])
