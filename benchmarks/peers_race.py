"""Ours beside what a user would write instead, in the same run on the same servers, one candidate after the other.

Rounds: clean at 100 symbols, clean at 500, dirty, dirty with a kill -9 at half of its time, live at 1,000 ticks a second. Slow
candidates get an eighth of the ticks: their figures' n says so. One that fails is a figure with its reason."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from benchmarks import truth
from benchmarks.candidates import ENTRIES, Entry
from benchmarks.freshness import latencies_ms, p50_p99
from benchmarks.harness import Figure
from benchmarks.race import WARM_UPS, CandidateFailed, Outcome, race
from benchmarks.ticks import Variant, tick_file
from benchmarks.topic import refill
from stock_platform.errors import PlatformError
from stock_platform_tests.integration.jvm import Cluster

_FULL, _QUICK = 2_000_000, 200_000
_SLOW_SHARE = 8
_LIVE_PER_S = 1_000
_COLUMNS = {
    "ticks_per_s_100": "ticks/s",
    "ticks_per_s_500": "at 500",
    "cpu_s_100": "CPU s",
    "servers_cpu_s_100": "+servers",
    "peak_mib": "MiB",
    "wrong_bars_clean": "wrong",
    "ticks_per_s_dirty_100": "dirty/s",
    "wrong_bars_dirty": "wrong dirty",
    "wrong_bars_after_kill": "wrong killed",
    "live_p50_ms": "p50 ms",
    "live_p99_ms": "p99 ms",
}


@dataclass
class _Board:
    """Figures as they come; a candidate that has failed once is left out of what follows."""

    cluster: Cluster
    entries: Sequence[Entry]
    figures: list[Figure] = field(default_factory=lambda: [])
    failed: set[str] = field(default_factory=lambda: set())
    dirty_s: dict[str, float] = field(default_factory=lambda: {})

    def note(self, entry: Entry, what: str, value: float, unit: str, *, n: int) -> None:
        must_be = 0 if entry.is_ours and what.startswith("wrong") else None
        self.figures.append(Figure(f"{entry.name}_{what}", value, unit, n, must_be=must_be))

    def attempt(self, entry: Entry, run: Callable[[], None]) -> None:
        """Run a part of a candidate's measurement; its failure is a result."""
        if entry.name in self.failed:
            return
        try:
            run()
        except (CandidateFailed, PlatformError, AssertionError) as failure:
            self.failed.add(entry.name)
            must_be = 0 if entry.is_ours else None
            self.figures.append(Figure(f"{entry.name}_failed", 1, "", 1, must_be=must_be, note=str(failure)[-400:]))


def figures(*, is_quick: bool) -> list[Figure]:
    """All rounds of all candidates; a quick one takes a few of them and a tenth of the ticks."""
    entries = [entry for entry in ENTRIES if entry.is_quick or not is_quick]
    count = _QUICK if is_quick else _FULL
    with tempfile.TemporaryDirectory() as folder, Cluster(Path(folder), parallelism=2) as cluster:
        board = _Board(cluster, entries)
        board.figures.append(tick_file("clean", count=count, symbol_count=100).figure())
        for group, n in _groups(entries, count):
            _clean(board, group, n)
            _dirty(board, group, n)
        for entry in entries:
            if entry.is_live:
                board.attempt(entry, lambda entry=entry: _live(board, entry, 5 if is_quick else 10))
    return board.figures


def print_table(found: Sequence[Figure]) -> None:
    """One row a candidate."""
    values = {figure.figure: figure for figure in found}
    table = Table(box=None, pad_edge=False)
    table.add_column("candidate")
    for title in _COLUMNS.values():
        table.add_column(title, justify="right")
    for entry in ENTRIES:
        cells = [values.get(f"{entry.name}_{column}") for column in _COLUMNS]
        if any(cells):
            table.add_row(entry.name, *map(_cell, cells))
    console = Console(width=160)
    console.print(table)
    for figure in found:
        if figure.note:
            console.print(f"{figure.figure}: {figure.note}", soft_wrap=True)


def _groups(entries: Sequence[Entry], count: int) -> list[tuple[list[Entry], int]]:
    fast, slow = ([entry for entry in entries if entry.is_slow is is_slow] for is_slow in (False, True))
    return [(fast, count), (slow, count // _SLOW_SHARE)]


def _clean(board: _Board, entries: Sequence[Entry], count: int) -> None:
    bars = _fill(board.cluster, "clean", count, symbol_count=100)
    for entry in entries:
        board.attempt(entry, lambda entry=entry: _race_clean(board, entry, bars, count))
    many = [entry for entry in entries if not entry.is_slow]
    bars = _fill(board.cluster, "clean", count, symbol_count=500) if many else bars
    for entry in many:
        board.attempt(entry, lambda entry=entry: _race_many(board, entry, bars, count))


def _race_clean(board: _Board, entry: Entry, bars: pl.DataFrame, count: int) -> None:
    candidate = entry.make(board.cluster)
    if entry.is_flink:
        cold = race(board.cluster, candidate, bars)
        board.note(entry, "cold_ticks_per_s_100", _rate(cold, count), "1/s", n=count)
        for _ in range(WARM_UPS):
            race(board.cluster, candidate, bars)
    done = race(board.cluster, candidate, bars)
    board.note(entry, "ticks_per_s_100", _rate(done, count), "1/s", n=count)
    board.note(entry, "cpu_s_100", round(done.cpu_s, 1), "s", n=count)
    board.note(entry, "servers_cpu_s_100", round(done.servers_cpu_s, 1), "s", n=count)
    board.note(entry, "peak_mib", round(done.peak_mib), "MiB", n=count)
    board.note(entry, "wrong_bars_clean", done.wrong_bars, "bars", n=bars.height)


def _race_many(board: _Board, entry: Entry, bars: pl.DataFrame, count: int) -> None:
    done = _warm_race(board, entry, bars)
    board.note(entry, "ticks_per_s_500", _rate(done, count), "1/s", n=count)
    board.note(entry, "cpu_s_500", round(done.cpu_s, 1), "s", n=count)
    board.note(entry, "wrong_bars_clean_500", done.wrong_bars, "bars", n=bars.height)


def _warm_race(board: _Board, entry: Entry, bars: pl.DataFrame) -> Outcome:
    """The second of two runs of a Flink job: another may have brought the TaskManager down since it was warm."""
    candidate = entry.make(board.cluster)
    if entry.is_flink:
        race(board.cluster, candidate, bars)
    return race(board.cluster, candidate, bars)


def _dirty(board: _Board, entries: Sequence[Entry], count: int) -> None:
    bars = _fill(board.cluster, "dirty", count, symbol_count=100)
    for entry in entries:
        board.attempt(entry, lambda entry=entry: _race_dirty(board, entry, bars, count))
    for entry in entries:
        if entry.is_killed:
            board.attempt(entry, lambda entry=entry: _race_killed(board, entry, bars, count))


def _race_dirty(board: _Board, entry: Entry, bars: pl.DataFrame, count: int) -> None:
    done = _warm_race(board, entry, bars)
    board.dirty_s[entry.name] = done.seconds
    board.note(entry, "ticks_per_s_dirty_100", _rate(done, count), "1/s", n=count)
    board.note(entry, "cpu_s_dirty_100", round(done.cpu_s, 1), "s", n=count)
    board.note(entry, "wrong_bars_dirty", done.wrong_bars, "bars", n=bars.height)


def _race_killed(board: _Board, entry: Entry, bars: pl.DataFrame, count: int) -> None:
    candidate, half = entry.make(board.cluster), board.dirty_s[entry.name] / 2
    done = race(board.cluster, candidate, bars, crash_after_s=half, recovers_within=entry.recovers_within)
    board.note(entry, "wrong_bars_after_kill", done.wrong_bars, "bars", n=bars.height)
    board.note(entry, "killed_s", round(done.seconds, 1), "s", n=count)


def _live(board: _Board, entry: Entry, seconds: int) -> None:
    found = latencies_ms(board.cluster, entry.make(board.cluster), per_s=_LIVE_PER_S, seconds=seconds)
    for name, value in zip(("live_p50_ms", "live_p99_ms"), p50_p99(found), strict=True):
        board.note(entry, name, value, "ms", n=len(found))


def _fill(cluster: Cluster, variant: Variant, count: int, *, symbol_count: int) -> pl.DataFrame:
    """Fill the topic; returns the bars that must come of it."""
    file = tick_file(variant, count=count, symbol_count=symbol_count)
    refill(cluster.bootstrap, file.frame)
    return truth.bars(file.frame)


def _rate(done: Outcome, count: int) -> int:
    return round(count / done.seconds)


def _cell(figure: Figure | None) -> str:
    return "–" if figure is None else f"{figure.value:,.0f}" if abs(figure.value) >= 100 else f"{figure.value:g}"
