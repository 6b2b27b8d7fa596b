"""What a feed line is told to do, and what it says of itself. Not here: doing it (line)."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from stock_platform.feed.tape import Tape
from stock_platform.feed.watchlist import Instrument, always_open, instruments_of_tape
from stock_platform.feed.yahoo.stream import Patience

State = Literal["starting", "running", "ended", "failed", "stopped"]


@dataclass(frozen=True)
class StreamPlan:
    """Read a vendor's stream for ever.

    Args:
        source: yahoo or simulator; both speak the same protocol.
    """

    line: str
    source: Literal["yahoo", "simulator"]
    url: str
    instruments: tuple[Instrument, ...]
    patience: Patience = field(default_factory=Patience)


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
        return always_open(found) if self.is_as_live else found


@dataclass(frozen=True)
class LineState:
    """Heartbeat of a line: the contract's FEED_LINE without the run.

    Args:
        ts_clock: Event time up to which every tick of the line is acknowledged by Kafka.
        tick_count: Ticks published by this run of the line; reject_count alike.
    """

    line: str
    source: str
    state: State = "starting"
    ts_clock: datetime | None = None
    ts_event_last: datetime | None = None
    tick_count: int = 0
    reject_count: int = 0
    last_error: str | None = None
