"""Who takes part: ours, what a user would write instead, and that once more with repeats left out where the library can.

Not here: the programs and scripts themselves (benchmarks/peers, flink/sql), their runs (peers_race)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from benchmarks.flink_job import bars_job, script_job, whole_job
from benchmarks.program import PEERS, Program
from benchmarks.race import Candidate
from stock_platform_tests.integration.jvm import Cluster


@dataclass(frozen=True)
class Entry:
    """One candidate and what is asked of it.

    Args:
        is_slow: Gets a fraction of the ticks, and no 500 symbols.
        is_live: Its bars grow with their ticks, so that freshness has a meaning; else they are written when a window closes.
        is_killed: Is killed in mid-run; left out where its table is wrong without that.
        is_flink: A job in Flink's JVMs: its first run there is the cold one, and is noted apart.
        is_quick: Takes part in a quick measurement.
    """

    name: str
    make: Callable[[Cluster], Candidate]
    is_slow: bool = False
    is_live: bool = False
    is_killed: bool = True
    is_quick: bool = False
    is_flink: bool = False

    @property
    def is_ours(self) -> bool:
        """Ours must be right; the others may be wrong."""
        return self.name.startswith("ours_")

    @property
    def recovers_within(self) -> timedelta:
        """How long its table may stand still after a kill: a lost TaskManager is noticed after 10 s, a lost consumer after 6."""
        return timedelta(seconds=45 if self.is_flink else 25)


def _flink(name: str) -> Callable[[Cluster], Candidate]:
    return lambda cluster: script_job(cluster, name, PEERS / f"{name}.sql")


def _program(
    name: str, file: str, packages: str | None = None, *, arguments: Sequence[Sequence[str]] = ((),)
) -> Callable[[Cluster], Candidate]:
    return lambda cluster: Program(cluster, name, file=file, packages=packages, arguments=arguments)


_ONCE = (("distinct",),)
_HALVES = (("0", "1"), ("2", "3"))

ENTRIES = (
    Entry("ours_bars", bars_job, is_live=True, is_quick=True, is_flink=True),
    Entry("ours_whole", whole_job, is_live=True, is_flink=True),
    Entry("polars", _program("polars", "polars_batches.py"), is_live=True, is_quick=True),
    Entry("polars_2", _program("polars_2", "polars_batches.py", arguments=_HALVES), is_live=True),
    Entry("postgres", _program("postgres", "postgres_sql.py"), is_live=True, is_quick=True),
    Entry("flink_naive", _flink("flink_naive"), is_flink=True, is_killed=False),
    Entry("flink_distinct", _flink("flink_distinct"), is_flink=True),
    Entry("bytewax", _program("bytewax", "bytewax_windows.py", "bytewax"), is_slow=True, is_killed=False),
    Entry(
        "bytewax_distinct",
        _program("bytewax_distinct", "bytewax_windows.py", "bytewax", arguments=_ONCE),
        is_slow=True,
        is_quick=True,
    ),
    Entry("pathway", _program("pathway", "pathway_groupby.py", "pathway"), is_slow=True, is_killed=False),
    Entry(
        "pathway_distinct",
        _program("pathway_distinct", "pathway_groupby.py", "pathway", arguments=_ONCE),
        is_slow=True,
        is_live=True,
    ),
    Entry("quixstreams", _program("quixstreams", "quix_windows.py", "quixstreams"), is_slow=True, is_live=True, is_killed=False),
    Entry(
        "quixstreams_distinct",
        _program("quixstreams_distinct", "quix_windows.py", "quixstreams", arguments=_ONCE),
        is_slow=True,
    ),
)
