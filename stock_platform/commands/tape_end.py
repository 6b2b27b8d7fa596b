"""Wait until a tape has been played, every bar of it judged, and the aggregates made."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import psycopg

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.kafka_progress import progress
from stock_platform.adapters.postgres import connect
from stock_platform.config import Settings
from stock_platform.contracts.epoch import EPOCH
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.contracts.tick import TICK
from stock_platform.errors import PlatformError, SettingInvalid
from stock_platform.gate.pending import pending_sessions

_EVERY = timedelta(seconds=2)
_TELL_EVERY = timedelta(seconds=30)

_PLAYED = """
SELECT line.state, line.ts_event_last, (SELECT count(*) FROM market.bar_1m), (SELECT count(*) FROM quality.quarantine),
    line.last_error
FROM ops.feed_line AS line WHERE line.source = 'tape'
"""

_AGGREGATES = ("bar_5m", "bar_15m", "bar_1h", "liquidity_30m", "bar_1d", "session_stat")
_AGGREGATED = "SELECT " + " AND ".join(
    f"(SELECT coalesce(sum(bar_count), 0) FROM aggregates.{table}) = (SELECT count(*) FROM market.bar_1m)" for table in _AGGREGATES
)
"""The gate's run makes the aggregates after it has promoted: each of them must hold every certified bar."""


def wait_for_end(settings: Settings, clock: Clock, *, say: Callable[[str], None]) -> str:
    """Returns a sentence with the counts when the tape is over and nothing is left to judge.

    Raises:
        SettingInvalid: the feed is no tape, so it has no end.
    """
    if settings.feed_kind != "tape":
        raise SettingInvalid("--wait", True, "a tape: other feeds have no end")
    told = clock.now()
    while True:
        seen = _look(settings)
        if seen.is_over:
            return f"tape is over: {seen.certified_count} certified bars, {seen.quarantined_count} quarantined"
        if clock.now() - told >= _TELL_EVERY:
            told = clock.now()
            say(f"  {seen}")
        clock.sleep(_EVERY)


@dataclass(frozen=True)
class _Seen:
    """What can be seen of the tape's way.

    Args:
        trouble: Newest error of the line, or why nothing can be seen now."""

    state: str = "starting"
    ts_event_last: datetime | None = None
    certified_count: int = 0
    quarantined_count: int = 0
    trouble: str | None = None
    is_over: bool = False

    def __str__(self) -> str:
        place = f"line {self.state}, at {self.ts_event_last or 'its beginning'}, {self.certified_count} certified bars"
        return f"{place}; {self.trouble}" if self.trouble else place


def _look(settings: Settings) -> _Seen:
    """Over: played, read by Flink to the end, every bar judged and in the aggregates. A service that is away is waited for."""
    try:
        with connect(settings.dsn("gate_owner")) as connection:
            row = connection.execute(_PLAYED).fetchone()
            seen = _Seen(*row) if row else _Seen()
            if seen.state != "ended":
                return seen
            partitions = progress(settings.kafka_bootstrap, JOB, TICK.address).values()
            is_caught_up = all(each.offset_next >= each.offset_end for each in partitions)
            is_judged = is_caught_up and not pending_sessions(connection, EPOCH)
            is_aggregated = connection.execute(_AGGREGATED).fetchone() == (True,)
            return replace(seen, is_over=is_judged and is_aggregated)
    except (PlatformError, psycopg.Error) as error:
        return _Seen(state="unknown", trouble=str(error).splitlines()[0])
