"""What a line remembers of one symbol between its ticks: session, connection, newest tick, volume, level. Pure.

Not here: what follows from it (validation). State is forgotten with the line: a new session or a new process begins anew."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from stock_platform.calendars import Session
from stock_platform.feed.level import Level
from stock_platform.feed.moment import MINUTE, Moment, Moments
from stock_platform.feed.price import from_millionths, millionths
from stock_platform.feed.splits import Split, ratio_between
from stock_platform.feed.tick import Candidate
from stock_platform.feed.watchlist import Instrument

LATE_LIMIT = MINUTE
"""A tick so much older than one before it is late: its bar may be certified already."""

Course = Literal["rising", "backwards", "reset"]


@dataclass(slots=True)
class SymbolState:
    """One symbol on one line.

    Args:
        volume: Highest cumulative volume of the session; on a tape without any, the sum of its sizes.
        newest: Identity of the newest accepted tick; snapshot: of the newest from before the session.
        close: Previous close of the session as the vendor said it, and as it is stored.
    """

    instrument: Instrument
    moments: Moments
    splits: Sequence[Split] = ()
    level: Level = field(default_factory=Level)
    session: Session | None = None
    ts_connected: datetime | None = None
    ts_newest: datetime | None = None
    newest: object = None
    snapshot: object = None
    is_unseen: bool = True
    volume: int = 0
    close: tuple[Decimal | None, Decimal | None] = (None, None)

    def enter(self, moment: Moment) -> Session:
        """The session that a tick of that moment counts to; a new one begins with no volume, nothing seen."""
        session, before = moment.session, self.session
        if before is None or session.ts_open > before.ts_open:
            self.session, self.volume, self.is_unseen, self.close = session, 0, True, (None, None)
            self.level.open(is_same_market=moment.is_always_open)
            after = before.session_date if before else None
            self.level.expect_split(ratio_between(self.splits, after=after, until=session.session_date))
        return session

    def learn_splits(self, splits: Sequence[Split]) -> None:
        """Splits as they are known now; a new one counts from now on in the running session."""
        if tuple(splits) == tuple(self.splits):
            return
        self.splits = splits
        if self.session is not None:
            self.level.expect_split(ratio_between(splits, after=None, until=self.session.session_date))

    def is_snapshot(self, candidate: Candidate) -> bool:
        """Whether it is from before the session, but for what a running connection brings a moment late."""
        is_running = candidate.ts_connected == self.ts_connected
        if is_running and candidate.ts_event >= candidate.ts_recv - LATE_LIMIT:
            return False
        return candidate.ts_event < self.moments.session_start(candidate.ts_recv)

    def is_repeat(self, candidate: Candidate) -> bool:
        """Whether the connection says its newest tick once more. A tape's equal trades are distinct."""
        if candidate.ts_connected is None or candidate.ts_connected != self.ts_connected:
            return False
        return self.newest == identity(candidate)

    def is_continuous(self, candidate: Candidate, session: Session) -> bool:
        """Whether nothing of the symbol can be missing before this tick.

        True when the connection is the one of the symbol's tick before in this session or, for the session's first, was
        up before the open. A snapshot that repeats the newest tick exactly proves that nothing came between.
        """
        if candidate.ts_connected is None:
            return True
        if self.is_unseen:
            return candidate.ts_connected <= session.ts_open
        return candidate.ts_connected == self.ts_connected or self.newest == identity(candidate)

    def is_late(self, candidate: Candidate) -> bool:
        """Whether it is more than a minute older than one before."""
        return self.ts_newest is not None and candidate.ts_event < self.ts_newest - LATE_LIMIT

    def is_in_order(self, candidate: Candidate) -> bool:
        """Whether it is as new as the newest, or newer."""
        return self.ts_newest is None or candidate.ts_event >= self.ts_newest

    def follow_volume(self, volume: int) -> Course:
        """Keep the session's highest cumulative volume; below half of it, the vendor has begun anew."""
        if volume >= self.volume:
            self.volume = volume
            return "rising"
        if 2 * volume >= self.volume:
            return "backwards"
        self.volume = volume
        return "reset"

    def previous_close(self, candidate: Candidate) -> Decimal | None:
        """As the vendor says it, or has said it in this session; None for what cannot be stored."""
        said = candidate.previous_close
        if said is not None and said.is_finite() and said != self.close[0]:
            price = millionths(said)
            self.close = (said, None if price is None else from_millionths(price))
            if price is not None:
                self.level.know_close(price)
        return self.close[1]

    def accept(self, candidate: Candidate) -> None:
        """It is a tick: the newest, unless it came late. A refused one after a gap leaves it to the next to say so."""
        self.is_unseen, self.ts_connected = False, candidate.ts_connected
        if self.is_in_order(candidate):
            self.newest, self.ts_newest = identity(candidate), candidate.ts_event


def identity(candidate: Candidate) -> tuple[Decimal, int | None, datetime]:
    """What tells ticks of one symbol apart."""
    return candidate.price, candidate.day_volume, candidate.ts_event
