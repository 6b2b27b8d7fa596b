"""Wait until a tape has been played and the gate has judged every bar of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from stock_platform.adapters.clock import Clock
from stock_platform.adapters.kafka_progress import progress
from stock_platform.adapters.postgres import connect
from stock_platform.config import Settings
from stock_platform.contracts.tick import TICK
from stock_platform.errors import SettingInvalid
from stock_platform.gate.batch import pending_sessions

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_EVERY = timedelta(seconds=2)
_TELL_EVERY = timedelta(seconds=30)

_PLAYED = """
SELECT line.state, line.ts_event_last, (SELECT count(*) FROM market.bar_1m), (SELECT count(*) FROM quality.quarantine)
FROM ops.feed_line AS line WHERE line.line = %s
"""


def wait_for_end(settings: Settings, clock: Clock, *, say: Callable[[str], None]) -> str:
    """Returns a sentence with the counts when the tape is over and nothing is left to judge.

    Raises:
        SettingInvalid: the feed is no tape, so it has no end.
    """
    if settings.feed_kind != "tape":
        raise SettingInvalid("--wait", True, "a tape: other feeds have no end")
    told = clock.now()
    while True:
        state, seen, certified, quarantined = _look(settings)
        if state == "ended":
            return f"tape is over: {certified} certified bars, {quarantined} quarantined"
        if clock.now() - told >= _TELL_EVERY:
            told = clock.now()
            say(f"  tape at {seen}, {certified} certified bars")
        clock.sleep(_EVERY)


def _look(settings: Settings) -> tuple[str, datetime | None, int, int]:
    """State `ended` only when every bar is judged too and no newer state is on its way."""
    partitions = progress(settings.kafka_bootstrap, "ticks_to_bars", TICK.address).values()
    is_caught_up = all(seen.offset_next >= seen.offset_end for seen in partitions)
    with connect(settings.dsn("gate_owner")) as connection:
        row = connection.execute(_PLAYED, (settings.feed_line,)).fetchone() or ("starting", None, 0, 0)
        has_pending = bool(pending_sessions(connection, _FIRST))
    is_over = row[0] == "ended" and not has_pending and is_caught_up
    state = "judging" if row[0] == "ended" and not is_over else row[0]
    return state, row[1], row[2], row[3]
