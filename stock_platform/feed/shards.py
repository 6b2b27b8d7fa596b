"""How the watchlist is shared out over lines: which line carries which symbol. Pure.

Rendezvous hashing: a symbol belongs to the shard whose hash with it is highest, so a shard that joins or leaves moves
only its own symbols. Each shard is read by `redundancy` lines (A, B, ...); the bar itself counts a tick once.
Source: Thaler and Ravishankar 1998, A Name-Based Mapping Scheme for Rendezvous."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from hashlib import blake2b

from stock_platform.calendars import Calendar, calendar
from stock_platform.feed.watchlist import Instrument, Sharing

WARM_UP = timedelta(minutes=2)
"""A line starts this long before its first market does: a launch takes some 10 s."""


COOL_DOWN = timedelta(seconds=30)
"""So long a line stays after the close: for the last ticks, and until its clock has passed the last bar's end and the grace."""
_REAL_TIME = ("XNYS", "XNAS", "24/5", "24/7")
_DELAY = timedelta(minutes=20)
"""Exchanges that Yahoo brings late are 10 to 20 minutes behind (v7 quote, exchangeDataDelayedBy)."""


def _has_traded(hours: Calendar, now: datetime) -> bool:
    linger = COOL_DOWN if hours.name in _REAL_TIME else COOL_DOWN + _DELAY
    return hours.is_trading(now) or hours.is_trading(now - linger)


@dataclass(frozen=True)
class Share:
    """One line and what it carries."""

    line: str
    shard: int
    instruments: tuple[Instrument, ...]

    @cached_property
    def calendars(self) -> tuple[Calendar, ...]:
        """Calendars of its instruments, each once."""
        return tuple(calendar(name) for name in sorted({each.calendar for each in self.instruments}))

    def is_awake(self, now: datetime) -> bool:
        """Whether one of its markets trades now, has just closed, or soon will open."""
        return any(_has_traded(each, now) or each.next_trading_start(now) <= now + WARM_UP for each in self.calendars)

    def wakes_at(self, now: datetime) -> datetime | None:
        """When it is to start again; None when it carries nothing."""
        return min((each.next_trading_start(now) - WARM_UP for each in self.calendars), default=None)


@dataclass(frozen=True)
class Watch:
    """Everything that is watched, and by whom."""

    instruments: tuple[Instrument, ...]
    sharing: Sharing

    @cached_property
    def by_symbol(self) -> Mapping[str, Instrument]:
        """Instruments by symbol."""
        return {each.symbol: each for each in self.instruments}

    @cached_property
    def shares(self) -> tuple[Share, ...]:
        """Every line that is wanted, empty ones too."""
        by_shard: list[list[Instrument]] = [[] for _ in range(self.sharing.shards)]
        for each in self.instruments:
            by_shard[shard_of(each.symbol, self.sharing.shards)].append(each)
        return tuple(
            Share(line_name(shard, copy), shard, tuple(instruments))
            for shard, instruments in enumerate(by_shard)
            for copy in range(self.sharing.redundancy)
        )

    def share(self, line: str) -> Share:
        """What that line is to carry: nothing when the line is not wanted."""
        return next((each for each in self.shares if each.line == line), Share(line, shard_named(line), ()))

    def owners(self, symbol: str) -> tuple[str, ...]:
        """Lines that are to carry the symbol."""
        shard = shard_of(symbol, self.sharing.shards)
        return tuple(line_name(shard, copy) for copy in range(self.sharing.redundancy))


@dataclass(frozen=True)
class Change:
    """What a running line takes on, and what it gives away."""

    add: tuple[Instrument, ...] = ()
    drop: tuple[str, ...] = ()


def change_of(line: str, held: Sequence[str], *, watch: Watch, carried: Mapping[str, frozenset[str]]) -> Change:
    """Make before break: a symbol that moves is taken on at once, and given away when a new owner carries it.

    Args:
        held: Symbols that the line carries now.
        carried: Symbols that every line says it carries, by line.
    """
    mine = watch.share(line).instruments
    names = {each.symbol for each in mine}
    add = tuple(each for each in mine if each.symbol not in set(held))
    leaving = (symbol for symbol in held if symbol not in names)
    drop = tuple(symbol for symbol in leaving if _is_free(symbol, line=line, watch=watch, carried=carried))
    return Change(add, drop)


def _is_free(symbol: str, *, line: str, watch: Watch, carried: Mapping[str, frozenset[str]]) -> bool:
    if symbol not in watch.by_symbol:
        return True
    return any(symbol in carried.get(owner, ()) for owner in watch.owners(symbol) if owner != line)


def line_name(shard: int, copy: int) -> str:
    """line-0a is the first of shard 0, line-0b its twin."""
    return f"line-{shard}{chr(ord('a') + copy)}"


def shard_named(line: str) -> int:
    """The shard in a line's name."""
    return int(line.removeprefix("line-")[:-1])


@lru_cache(maxsize=100_000)
def shard_of(symbol: str, shards: int) -> int:
    """Shard of a symbol, the same on every machine."""
    return max(range(shards), key=lambda shard: blake2b(f"{symbol}|{shard}".encode(), digest_size=8).digest())
