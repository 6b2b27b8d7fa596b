"""How far the stream job has come, asked of a running stack. Not here: what follows from what is seen (gate/progress)."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime

from stock_platform.adapters.kafka_progress import Progress, progress_reader
from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.contracts.tick import TICK
from stock_platform.defs.world import World
from stock_platform.gate.progress import LineClock, PartitionProgress, closed_until, event_time_progress, feed_clock


def job_progress(world: World, connection: Connection) -> datetime | None:
    """Event time before which every tick is in staging."""
    with progress_reader(world.settings.kafka_bootstrap, JOB, TICK.address) as partitions:
        return _progress(connection, partitions)


def bars_closed_until(world: World) -> datetime | None:
    """Bars that end at or before this instant are closed."""
    with closed_until_reader(world) as read:
        return read()


@contextmanager
def closed_until_reader(world: World) -> Generator[Callable[[], datetime | None]]:
    """The same, to be asked again and again: the connections stay."""
    kafka = progress_reader(world.settings.kafka_bootstrap, JOB, TICK.address)
    with world.database("gate_owner") as connection, kafka as partitions:
        connection.autocommit = True
        yield lambda: closed_until(_progress(connection, partitions), world.settings.gate_grace)


def _progress(connection: Connection, partitions: Callable[[], dict[int, Progress]]) -> datetime | None:
    """The feed's clock is read before the offsets: see gate/progress.py."""
    lines = connection.execute("SELECT shard, state, ts_clock FROM ops.feed_line").fetchall()
    clock = feed_clock(LineClock(*line) for line in lines)
    return event_time_progress(clock, [_held_at(seen.ts_event_ms) for seen in partitions().values()])


def _held_at(ts_event_ms: int | None) -> PartitionProgress:
    return PartitionProgress(None if ts_event_ms is None else datetime.fromtimestamp(ts_event_ms / 1000, UTC))
