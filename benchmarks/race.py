"""One run of one candidate over a filled topic: how long, at what cost, and how many bars are wrong at its end.

Not here: who runs (flink_job, program), over which ticks (topic), which runs make a measurement (throughput, peers_race)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import polars as pl

from benchmarks.truth import wrong_bars
from benchmarks.usage import cpu_s, resident_mib
from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import Connection, connect
from stock_platform_tests.integration.jvm import Cluster

WARM_UPS = 3
"""Runs after a Flink job's cold one in which the JVM still compiles what it would run for days: rates rise until the fourth."""
_CLOCK = SystemClock()
_EVERY = timedelta(milliseconds=100)
_BEGINS_WITHIN, _BEGINS_EVERY = timedelta(seconds=90), timedelta(milliseconds=20)
_FIRST_WITHIN = timedelta(seconds=90)
_SETTLED_AFTER = timedelta(seconds=12)
_IDLE_CORES = 0.15
"""A table that has not changed for so long, by a candidate that does so little, is taken as final, right or wrong."""


class CandidateFailed(Exception):
    """A candidate did not install, start or run."""


class Candidate(Protocol):
    """What turns ticks in Kafka into bars in a table of its own."""

    name: str
    table: str
    bars: str
    """Query of its bars: symbol, ts_start and the compared columns."""

    def launch(self) -> None:
        """Start with an empty table and no memory."""
        ...

    def has_begun(self) -> bool:
        """Whether it reads everything."""
        ...

    def began(self) -> datetime | None:
        """Since when; None where it cannot be known better than by asking again and again."""
        ...

    def crash(self) -> None:
        """kill -9, and start again with what it has kept."""
        ...

    def stop(self) -> None:
        """End, and forget."""
        ...

    def problem(self) -> str | None:
        """Why it runs no more."""
        ...

    def pids(self) -> Sequence[int]:
        """Its own processes."""
        ...


@dataclass(frozen=True)
class Outcome:
    """One run.

    Args:
        seconds: From reading everything to the last change of the table.
        cpu_s: Of its own processes, in that time.
        servers_cpu_s: Of Kafka and Postgres, in that time.
    """

    seconds: float
    cpu_s: float
    servers_cpu_s: float
    peak_mib: float
    wrong_bars: int


@dataclass(frozen=True)
class Sample:
    """CPU seconds spent until an instant."""

    at: datetime
    own_s: float
    servers_s: float


def race(
    cluster: Cluster,
    candidate: Candidate,
    truth: pl.DataFrame,
    *,
    crash_after_s: float | None = None,
    recovers_within: timedelta = _SETTLED_AFTER,
) -> Outcome:
    """Let a candidate run until its table is right, or does not change any more.

    Args:
        crash_after_s: When to kill and restart it, seconds after it reads; None lets it run.
        recovers_within: How long the table may stand still before it counts as final.
    Raises:
        CandidateFailed: it ended by itself, or wrote nothing.
    """
    try:
        started, first = begin(cluster, candidate)
        crash_at = None if crash_after_s is None else started + timedelta(seconds=crash_after_s)
        with connect(cluster.dsn(), autocommit=True) as connection:
            view = _View(connection, candidate.table, _goal(truth), recovers_within)
            last, peak_mib = _watch(cluster, candidate, view, crash_at)
        return Outcome(
            seconds=(last.at - started).total_seconds(),
            cpu_s=last.own_s - first.own_s,
            servers_cpu_s=last.servers_s - first.servers_s,
            peak_mib=peak_mib,
            wrong_bars=wrong_bars(truth, bars_of(cluster, candidate)),
        )
    finally:
        candidate.stop()


def begin(cluster: Cluster, candidate: Candidate) -> tuple[datetime, Sample]:
    """Launch a candidate and wait until it reads everything.

    Returns:
        The instant from which it does, and what had been spent until then or a moment before.
    Raises:
        CandidateFailed: it does not come so far.
    """
    candidate.launch()
    launched = before = _sample(cluster, candidate)
    while not candidate.has_begun():
        if (problem := candidate.problem()) is not None or before.at - launched.at > _BEGINS_WITHIN:
            raise CandidateFailed(problem or f"not ready within {_BEGINS_WITHIN}")
        _CLOCK.sleep(_BEGINS_EVERY)
        before = _sample(cluster, candidate)
    return candidate.began() or before.at, before


def bars_of(cluster: Cluster, candidate: Candidate) -> pl.DataFrame:
    """A candidate's bars, typed as the truth is."""
    types = {"ts_start": pl.Datetime("us", "UTC"), "volume": pl.Int64} | dict.fromkeys(
        ("open", "high", "low", "close"), pl.Decimal(18, 6)
    )
    rows = cluster.read_rows(candidate.bars)
    schema = {name: types.get(name, pl.String) for name in ("symbol", "ts_start", "open", "high", "low", "close", "volume")}
    return pl.DataFrame(rows, schema=schema, orient="row")


@dataclass
class _View:
    """The table as it is seen from outside: bars, ticks in them, and the sum of their prices."""

    connection: Connection
    table: str
    goal: tuple[Any, ...]
    settles_after: timedelta
    seen: tuple[Any, ...] = (0, 0, 0)

    def has_changed(self) -> bool:
        """Look again."""
        before, self.seen = self.seen, self._state()
        return self.seen != before

    @property
    def is_right(self) -> bool:
        """Whether all ticks are in, each once."""
        return self.seen == self.goal

    @property
    def patience(self) -> timedelta:
        """How long it may stand still."""
        return self.settles_after if self.seen[0] else _FIRST_WITHIN

    def _state(self) -> tuple[Any, ...]:
        sums = "count(*), coalesce(sum(tick_count), 0)::bigint, coalesce(sum(open + high + low + close), 0)"
        return self.connection.execute(f"SELECT {sums} FROM {self.table}".encode()).fetchall()[0]


def _watch(cluster: Cluster, candidate: Candidate, view: _View, crash_at: datetime | None) -> tuple[Sample, float]:
    """The sample at the table's last change, and the highest memory seen."""
    last, peak_mib = _sample(cluster, candidate), 0.0
    while crash_at is not None or not (view.is_right or _is_final(candidate, last, view.patience)):
        if crash_at is not None and _CLOCK.now() >= crash_at:
            candidate.crash()
            crash_at, last = None, _sample(cluster, candidate)
        if view.has_changed():
            last = _sample(cluster, candidate)
        elif (problem := candidate.problem()) is not None:
            raise CandidateFailed(problem)
        peak_mib = max(peak_mib, resident_mib(candidate.pids()))
        _CLOCK.sleep(_EVERY)
    if not view.seen[0]:
        raise CandidateFailed(f"no bar within {_FIRST_WITHIN}")
    return last, peak_mib


def _is_final(candidate: Candidate, last: Sample, patience: timedelta) -> bool:
    """Whether nothing more will come: neither a change nor work for a while, or no change for four times as long."""
    still = _CLOCK.now() - last.at
    is_idle = cpu_s(candidate.pids()) - last.own_s < _IDLE_CORES * still.total_seconds()
    return still > 4 * patience or (still > patience and is_idle)


def _goal(truth: pl.DataFrame) -> tuple[Any, ...]:
    prices = truth.select(pl.sum_horizontal("open", "high", "low", "close").sum()).item()
    return (truth.height, truth["tick_count"].sum(), prices)


def _sample(cluster: Cluster, candidate: Candidate) -> Sample:
    servers = [server.process.pid for server in (cluster.kafka, cluster.postgres) if server.process]
    return Sample(_CLOCK.now(), cpu_s(candidate.pids()), cpu_s(servers))
