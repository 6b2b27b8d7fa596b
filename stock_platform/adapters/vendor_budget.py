"""How often this machine may ask a vendor: one token bucket and one circuit breaker for all its processes.

The rules are pure; `VendorBudget` applies them to a small file under a lock. It counts HTTP requests, whoever makes them: feed
lines, Dagster runs, commands. Not here: the requests (yahoo_http)."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal
from uuid import uuid4

import msgspec

from stock_platform.adapters.clock import Clock
from stock_platform.config import Settings
from stock_platform.errors import VendorBlocked, VendorBudgetSpent

BLOCK_FIRST = timedelta(minutes=15)
BLOCK_CAP = timedelta(hours=24)
"""Yahoo publishes no limits; users report blocks of an address from minutes to more than a day."""
BLOCK_LEAST = timedelta(minutes=1)
"""A vendor that says "again at once" has just refused."""
TRIAL_WITHIN = timedelta(minutes=1)
"""A trial that has not ended by then belongs to a process that died."""

Breaker = Literal["closed", "open", "half_open"]


@dataclass(frozen=True)
class Limits:
    """Requests per minute, and how many may go at once after a rest."""

    per_minute: float
    burst: int


class State(msgspec.Struct, frozen=True):
    """What all processes share.

    Args:
        tokens: Requests that may go at `ts`.
        blocks: Refusals (429) in a row; 0 is a closed breaker.
        blocked_until: Nothing goes before it.
        trial_by: Who may try whether the vendor answers again, since `trial_since`; nobody else asks meanwhile.
    """

    tokens: float
    ts: datetime
    blocks: int = 0
    blocked_until: datetime | None = None
    trial_by: str | None = None
    trial_since: datetime | None = None

    def breaker(self, now: datetime) -> Breaker:
        """Closed: requests go. Open: none. Half open: one caller tries."""
        if self.blocked_until is None:
            return "closed"
        return "open" if now < self.blocked_until else "half_open"


@dataclass(frozen=True)
class NotBefore:
    """The request may not go yet."""

    until: datetime
    is_blocked: bool


def ask(state: State, limits: Limits, *, by: str, now: datetime) -> tuple[State, NotBefore | None]:
    """Take one request out of the bucket, or say when to ask again. Pure."""
    held = _held(state, by, now)
    if held is not None:
        return state, held
    per_second = limits.per_minute / 60
    elapsed = max(0.0, (now - state.ts).total_seconds())
    tokens = min(float(limits.burst), state.tokens + elapsed * per_second)
    if tokens < 1:
        return state, NotBefore(now + timedelta(seconds=(1 - tokens) / per_second), is_blocked=False)
    taken = msgspec.structs.replace(state, tokens=tokens - 1, ts=now)
    if state.breaker(now) == "half_open" and state.trial_by != by:
        taken = msgspec.structs.replace(taken, trial_by=by, trial_since=now)
    return taken, None


def _held(state: State, by: str, now: datetime) -> NotBefore | None:
    if state.blocked_until is None:
        return None
    if now < state.blocked_until:
        return NotBefore(state.blocked_until, is_blocked=True)
    if state.trial_since is None or state.trial_by == by or now >= state.trial_since + TRIAL_WITHIN:
        return None
    return NotBefore(state.trial_since + TRIAL_WITHIN, is_blocked=True)


def refused(state: State, *, by: str, now: datetime, retry_after: timedelta | None) -> State:
    """The vendor answered 429: each time in a row doubles the pause; what was under way beside it does not count. Pure."""
    if state.breaker(now) == "open" and state.trial_by != by:
        return msgspec.structs.replace(state, blocked_until=max(state.blocked_until or now, now + (retry_after or timedelta())))
    blocks = state.blocks + 1
    doubled = BLOCK_FIRST * 2 ** min(blocks - 1, 16)
    pause = min(BLOCK_CAP, doubled if retry_after is None else max(retry_after, BLOCK_LEAST))
    return State(state.tokens, state.ts, blocks, now + pause)


def answered(state: State, *, by: str, now: datetime) -> State:
    """The vendor gave data again: a trial closes the breaker. A late answer from before a refusal does not. Pure."""
    if state.breaker(now) != "half_open" or state.trial_by != by:
        return state
    return State(state.tokens, state.ts)


def given_up(state: State, *, by: str) -> State:
    """A trial ended without an answer: somebody else may try. Pure."""
    if state.trial_by != by:
        return state
    return msgspec.structs.replace(state, trial_by=None, trial_since=None)


class VendorBudget:
    """The rules over a file that every process of the machine shares; one object per caller."""

    def __init__(self, path: Path, limits: Limits, clock: Clock, *, vendor: str) -> None:
        self._path = path
        self._limits = limits
        self._clock = clock
        self.vendor = vendor
        self._by = uuid4().hex

    def take(self, *, within: timedelta) -> None:
        """Wait for one request's turn.

        Raises:
            VendorBlocked: the breaker is open.
            VendorBudgetSpent: the turn does not come in time.
        """
        deadline = self._clock.now() + within
        while True:
            with self._locked() as (state, now):
                after, held = ask(state, self._limits, by=self._by, now=now)
                self._write(after, state)
            if held is None:
                return
            if held.is_blocked:
                raise VendorBlocked(self.vendor, held.until)
            if held.until > deadline:
                raise VendorBudgetSpent(self.vendor, held.until, self._limits.per_minute)
            self._clock.sleep(held.until - self._clock.now())

    def refused(self, retry_after: timedelta | None) -> datetime:
        """Open the breaker for everybody; returns until when."""
        with self._locked() as (state, now):
            after = refused(state, by=self._by, now=now, retry_after=retry_after)
            self._write(after, state)
        return after.blocked_until or now

    def answered(self) -> None:
        """Data came: close the breaker if this was the trial."""
        with self._locked() as (state, now):
            self._write(answered(state, by=self._by, now=now), state)

    def given_up(self) -> None:
        """No answer came: let somebody else try."""
        with self._locked() as (state, _now):
            self._write(given_up(state, by=self._by), state)

    def state(self) -> State:
        """What the file says now."""
        with self._locked() as (state, _now):
            return state

    @contextmanager
    def _locked(self) -> Generator[tuple[State, datetime]]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # released by the kernel when the holder ends, however it ends
            yield self._read(), self._clock.now()

    def _read(self) -> State:
        """An unreadable file is replaced by a bucket that starts empty."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=State)
        except FileNotFoundError:
            return State(float(self._limits.burst), self._clock.now())
        except msgspec.DecodeError:
            empty = State(0.0, self._clock.now())
            self._write(empty, None)
            return empty

    def _write(self, state: State, before: State | None) -> None:
        if state == before:
            return
        fresh = self._path.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_bytes(msgspec.json.encode(state))
        fresh.replace(self._path)


def vendor_budget(settings: Settings, clock: Clock) -> VendorBudget:
    """The budget of the vendor that this profile asks: the simulator's refusals do not close the door to Yahoo."""
    limits = Limits(settings.vendor_requests_per_minute, settings.vendor_burst)
    return VendorBudget(settings.data_dir / "vendor" / f"{settings.vendor}.json", limits, clock, vendor=settings.vendor)
