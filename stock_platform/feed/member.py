"""A stream's line among the others: what it carries while watchlist, shards and market hours change. Not here: the stream."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from stock_platform.adapters.clock import Clock
from stock_platform.errors import WatchlistInvalid
from stock_platform.feed.plan import LineState, Standing, State, StreamPlan
from stock_platform.feed.shards import Change, Share, change_of
from stock_platform.feed.tick import Candidate, Refusal
from stock_platform.feed.validation import Validator
from stock_platform.feed.yahoo.source import StreamSource

_SPLITS_EVERY = timedelta(minutes=10)


class StreamMember:
    """Carries its share; takes new symbols on at once, gives one away when its new owner carries it."""

    def __init__(self, plan: StreamPlan, *, clock: Clock) -> None:
        self._plan = plan
        self._watch = plan.watch()
        self.instruments = self._watch.share(plan.line).instruments
        self._held = {each.symbol: each for each in self.instruments}
        self._problem: str | None = None
        self._ts_splits: datetime | None = None
        self.outcome: State | None = None
        self._source = StreamSource(
            plan.url,
            self.instruments,
            clock=clock,
            patience=plan.patience,
            canary=plan.canary,
            poll=plan.poll,
            ts_lost=plan.ts_lost,
        )

    def read(self, within: timedelta) -> Sequence[Candidate | Refusal]:
        """What has come; waits for the first no longer than told."""
        return self._source.read(within)

    def covered_until(self, now: datetime) -> datetime | None:
        """Event time before which nothing more will come."""
        return self._source.covered_until(now)

    def describe(self, state: LineState) -> LineState:
        """The state with what the source knows."""
        unknown = sorted(self._source.decoder.unknown_fields.items())
        return replace(
            state,
            ts_recv_last=self._source.ts_recv_last,
            polled_count=self._source.fallback.polled_count if self._source.fallback else 0,
            unknown_fields=" ".join(f"{number}:{count}" for number, count in unknown),
            symbols=self._source.carried,
            redundancy=self._watch.sharing.redundancy,
            gaps=self._source.gaps(),
            last_error=self._problem or self._source.last_error,
        )

    def settle(self, standing: Standing, validator: Validator, now: datetime) -> None:
        """Take on and give away symbols as the watchlist and the other lines say; end when nothing is left to do."""
        self._look()
        change = change_of(self._plan.line, tuple(self._held), watch=self._watch, carried=standing.carried)
        if change != Change():
            self._apply(change, validator)
        if change.add or self._ts_splits is None or now - self._ts_splits > _SPLITS_EVERY:
            self._ts_splits = now
            validator.update_splits(self._plan.splits(tuple(self._held)))
        if not self._held:
            self.outcome = "retired"
        elif not Share(self._plan.line, 0, tuple(self._held.values())).is_awake(now):
            self.outcome = "drained"

    def close(self) -> None:
        """Leave the vendor."""
        self._source.close()

    def _look(self) -> None:
        """A watchlist that is being edited may be wrong for a while: the last right one counts."""
        try:
            self._watch, self._problem = self._plan.watch(), None
        except WatchlistInvalid as error:
            self._problem = str(error)

    def _apply(self, change: Change, validator: Validator) -> None:
        for symbol in change.drop:
            del self._held[symbol]
        self._held |= {each.symbol: each for each in change.add}
        validator.add(change.add)
        self._source.watch(tuple(self._held.values()))
        validator.remove(change.drop)
