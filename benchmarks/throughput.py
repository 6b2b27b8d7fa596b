"""How fast the stream job turns ticks into bars in Postgres, at what cost a tick, and what its parser alone could do.

Like the peers (peers_race) the job is measured without its other sinks; the whole job stands beside it."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import polars as pl

from benchmarks import truth
from benchmarks.flink_job import FlinkJob, bars_job, ceiling_job, whole_job
from benchmarks.harness import Figure
from benchmarks.race import WARM_UPS, Outcome, race
from benchmarks.ticks import Variant, tick_file
from benchmarks.topic import refill
from benchmarks.usage import resident_mib
from stock_platform_tests.integration.jvm import Cluster

_FULL, _QUICK = 2_000_000, 200_000
_REPEATS = 3
"""Single runs on one machine differ by a tenth."""


@dataclass
class _Bench:
    cluster: Cluster
    count: int
    repeats: int
    figures: list[Figure] = field(default_factory=lambda: [])
    wrong: list[int] = field(default_factory=lambda: [])
    bars: pl.DataFrame = field(default_factory=pl.DataFrame)

    def fill(self, variant: Variant, symbol_count: int) -> None:
        """Another topic for the runs that follow."""
        file = tick_file(variant, count=self.count, symbol_count=symbol_count)
        refill(self.cluster.bootstrap, file.frame)
        self.bars = truth.bars(file.frame)
        self.figures = self.figures or [file.figure()]

    def run(self, job: FlinkJob, repeats: int = 1) -> list[Outcome]:
        """Runs of a job, one after the other; their tables are compared."""
        outcomes = [race(self.cluster, job, self.bars) for _ in range(repeats)]
        self.wrong += [outcome.wrong_bars for outcome in outcomes]
        return outcomes

    def note(self, figure: str, value: float, unit: str, *, runs: int = 1) -> None:
        """One more figure, over all ticks of its runs."""
        self.figures.append(Figure(figure, value, unit, runs * self.count))

    def note_rate(self, figure: str, outcomes: Sequence[Outcome]) -> None:
        """The median run's ticks per second."""
        self.note(figure, round(self.count / median(each.seconds for each in outcomes)), "1/s", runs=len(outcomes))

    def note_cost(self, name: str, outcomes: Sequence[Outcome]) -> None:
        """CPU of JobManager and TaskManager a tick; Kafka and Postgres apart."""
        for whose, seconds in (("", [each.cpu_s for each in outcomes]), ("servers_", [each.servers_cpu_s for each in outcomes])):
            micro = round(1e6 * median(seconds) / self.count, 2)
            self.note(f"{whose}cpu_us_per_tick_{name}", micro, "µs", runs=len(outcomes))


def figures(*, is_quick: bool) -> list[Figure]:
    """Rates at 100 and 500 symbols, cost at 50 to 5,000, and wrong bars over all runs, clean and dirty."""
    count, repeats = (_QUICK, 1) if is_quick else (_FULL, _REPEATS)
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder), parallelism=2) as cluster:
        bench = _Bench(cluster, count, repeats)
        _at_100(bench)
        _at_500(bench)
        for symbol_count in (50, 5_000):
            bench.fill("clean", symbol_count)
            bench.note_cost(str(symbol_count), bench.run(bars_job(cluster)))
        bench.fill("crowded", 100)
        bench.note_cost("100_in_one_minute", bench.run(bars_job(cluster), repeats))
        for symbol_count in (100, 500):
            bench.fill("dirty", symbol_count)
            bench.note_rate(f"dirty_ticks_per_s_{symbol_count}", bench.run(bars_job(cluster)))
        taskmanager = cluster.taskmanager.process
        bench.note("taskmanager_mib", round(resident_mib([taskmanager.pid] if taskmanager else [])), "MiB")
        wrong = Figure("wrong_bars", sum(bench.wrong), "bars", len(bench.wrong), must_be=0)
    return [*bench.figures, wrong]


def _at_100(bench: _Bench) -> None:
    """The first run of a fresh TaskManager is the cold one: its code is not compiled yet."""
    bench.fill("clean", 100)
    bench.note_rate("cold_ticks_per_s_100", bench.run(bars_job(bench.cluster)))
    bench.run(bars_job(bench.cluster), WARM_UPS)
    warm = bench.run(bars_job(bench.cluster), bench.repeats)
    bench.note_rate("ticks_per_s_100", warm)
    bench.note("cpu_s", round(median(each.cpu_s for each in warm), 1), "s", runs=len(warm))
    bench.note("servers_cpu_s", round(median(each.servers_cpu_s for each in warm), 1), "s", runs=len(warm))
    bench.note("peak_mib", round(max(each.peak_mib for each in warm)), "MiB", runs=len(warm))
    bench.note_cost("100", warm)
    bench.note_rate("whole_ticks_per_s_100", bench.run(whole_job(bench.cluster), bench.repeats))
    bench.note("parse_only_ticks_per_s_100", _ceiling(bench), "1/s")


def _at_500(bench: _Bench) -> None:
    bench.fill("clean", 500)
    warm = bench.run(bars_job(bench.cluster), bench.repeats)
    bench.note_rate("ticks_per_s_500", warm)
    bench.note_cost("500", warm)
    bench.note_rate("whole_ticks_per_s_500", bench.run(whole_job(bench.cluster), bench.repeats))


def _ceiling(bench: _Bench) -> int:
    """Ticks a second of the parser alone, the better of two runs."""
    seconds = list[float]()
    for _ in range(2):
        job = ceiling_job(bench.cluster)
        try:
            job.start()
            seconds.append(job.seconds_to_end())
        finally:
            job.stop()
    return round(bench.count / min(seconds))
