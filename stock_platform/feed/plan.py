"""What a feed line is told to do, and what it says of itself. Not here: doing it (line)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from stock_platform.feed.shards import Watch
from stock_platform.feed.splits import Splits
from stock_platform.feed.tape import Tape
from stock_platform.feed.watchlist import Instrument, always_open, instruments_of_tape
from stock_platform.feed.yahoo.fallback import Poll
from stock_platform.feed.yahoo.stream import Gap, Patience

State = Literal["starting", "running", "ended", "failed", "stopped", "drained", "retired"]
"""ended: the tape is over; drained: its markets are closed; retired: nobody wants the line any more."""

TAPE_LINE = "tape"


@dataclass(frozen=True)
class StreamPlan:
    """Read a vendor's stream until its markets close.

    Args:
        source: yahoo or simulator; both speak the same protocol.
        watch: What is to be watched, and by which line; asked again and again.
        splits: Known splits of these symbols.
        poll: Makes what asks for prices while the stream is silent; given the line's sequence.
        ts_lost: Up to when an earlier run of the line has heard everything.
    """

    line: str
    source: Literal["yahoo", "simulator"]
    url: str
    watch: Callable[[], Watch]
    patience: Patience = field(default_factory=Patience)
    canary: str | None = None
    splits: Callable[[tuple[str, ...]], Splits] = lambda _: {}
    poll: Callable[[Iterator[int]], Poll] | None = None
    ts_lost: datetime | None = None


@dataclass(frozen=True)
class TapePlan:
    """Play a tape once.

    Args:
        line: Names this play of this tape: a restart under the same name goes on where Kafka's acknowledgements end.
        speed: Times faster than it happened.
        is_as_live: Shifted to begin now; it then trades on a market that never closes.
        known: Instruments whose description is taken; other symbols are named by themselves.
    """

    line: str
    path: Path
    speed: float = 1.0
    is_as_live: bool = False
    known: tuple[Instrument, ...] = ()
    source: Literal["tape"] = "tape"

    def instruments(self, tape: Tape) -> tuple[Instrument, ...]:
        """What the tape trades."""
        found = instruments_of_tape(tape.symbols, self.known)
        if self.is_as_live:
            return always_open(found)
        return tuple(each.model_copy(update={"calendar": tape.calendars.get(each.symbol, each.calendar)}) for each in found)


Plan = StreamPlan | TapePlan


@dataclass(frozen=True)
class LineState:
    """Heartbeat of a line: the contract's FEED_LINE without the run. Counts are of this run.

    Args:
        ts_clock: Event time up to which every tick of the line is acknowledged by Kafka.
        ts_recv_last: When the vendor was last heard.
        symbols: What the line certainly carries.
        gaps: That have ended since the last heartbeat.
    """

    line: str
    source: str
    state: State = "starting"
    ts_clock: datetime | None = None
    ts_event_last: datetime | None = None
    ts_recv_last: datetime | None = None
    tick_count: int = 0
    reject_count: int = 0
    suspect_count: int = 0
    duplicate_count: int = 0
    late_count: int = 0
    polled_count: int = 0
    unknown_fields: str = ""
    symbols: tuple[str, ...] = ()
    redundancy: int = 1
    gaps: tuple[Gap, ...] = ()
    last_error: str | None = None


@dataclass(frozen=True)
class Standing:
    """What a heartbeat is answered.

    Args:
        is_ours: False: another run owns this line.
        carried: What each line says it carries, for those that are alive.
    """

    is_ours: bool = True
    carried: Mapping[str, frozenset[str]] = field(default_factory=lambda: {})


Heartbeat = Callable[[LineState], Standing]
