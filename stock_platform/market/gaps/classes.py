"""Why minutes are missing: runs of them, classified with evidence. Pure.

First what is known for sure: the gate keeps the bar (held), nobody listened (feed_gap), ticks are in Kafka (pipeline_gap). What is
left is silence, and one criterion says what it means: with λ ticks a minute before, the chance of none in n minutes is exp(-λ n),
as of a Poisson process. Below one in a million it is no chance: the market was closed if all of it was silent, the symbol was
halted if others traded. The sentences are in evidence."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import log

from stock_platform.contracts.gap import GapClass
from stock_platform.market.gaps.evidence import Peers, closed, feed_gap, halt, held, no_trade, pipeline_gap
from stock_platform.market.gaps.seen import Seen
from stock_platform.market.session_minutes import Minute, stretches

SURPRISE = log(1e6)
"""λ n from which on exp(-λ n) is below 1e-6: with 30 symbols and 390 minutes a false halt in some ninety sessions at most."""
MARKET_SILENCE_MINUTES = 5
"""A market that is silent for less has not closed; the shortest halt of a single US stock (limit up-limit down) lasts as long."""

_NOTHING = "nothing to repair: nothing was traded"


@dataclass(frozen=True)
class Gap:
    """Missing minutes of one class.

    Args:
        closing: Why nothing is to be done about it; None where something is.
    """

    symbol: str
    minutes: range
    gap_class: GapClass
    evidence: str
    closing: str | None


@dataclass(frozen=True)
class Silence:
    """Minutes in which no instrument of a calendar traded although some were listened to.

    Args:
        ticks_expected: At the rate before, of all that were heard.
        phases: What the vendor's updates of the time say instead of regular.
    """

    minutes: range
    ticks_expected: float
    phases: tuple[str, ...]

    @property
    def is_closed(self) -> bool:
        """Whether the market was not open: the vendor says so, or it is no chance."""
        is_long = len(self.minutes) >= MARKET_SILENCE_MINUTES and self.ticks_expected > SURPRISE
        return bool(self.phases) or is_long


def classify(session: Sequence[Seen]) -> list[Gap]:
    """Gaps of one session, by symbol and time: all missing minutes that nobody has decided about, each in one of them."""
    markets: dict[str, list[Seen]] = defaultdict(list)
    for each in session:
        markets[each.calendar].append(each)
    return [gap for market in markets.values() for gap in _of_market(market)]


def _of_market(market: Sequence[Seen]) -> Iterator[Gap]:
    """Gaps of the instruments of one calendar."""
    closings = {minute: silence for silence in silences(market) if silence.is_closed for minute in silence.minutes}
    for seen in market:
        for kind, minutes in _runs(seen, closings):
            yield _gap(seen, kind, minutes, market=market, closings=closings)


def _runs(seen: Seen, closings: Mapping[Minute, Silence]) -> Iterator[tuple[str, range]]:
    """Consecutive missing minutes of one kind."""
    open_minutes = [minute for minute in seen.missing if minute not in seen.decided]
    kinds = ((minute, _kind(seen, minute, closings)) for minute in open_minutes)
    for kind, group in groupby(kinds, key=lambda pair: pair[1]):
        for minutes in stretches(minute for minute, _ in group):
            yield kind, minutes


def _kind(seen: Seen, minute: Minute, closings: Mapping[Minute, Silence]) -> str:
    """A class; of what is held, how; silence is not told apart yet."""
    if minute in seen.held:
        return seen.held[minute].kind
    if minute in seen.deaf:
        return GapClass.FEED_GAP
    if seen.regular(minute):
        return GapClass.PIPELINE_GAP
    return GapClass.CLOSED if minute in closings or minute in seen.known_closed else "silence"


def _gap(seen: Seen, kind: str, minutes: range, *, market: Sequence[Seen], closings: Mapping[Minute, Silence]) -> Gap:
    match kind:
        case GapClass.FEED_GAP:
            return Gap(seen.symbol, minutes, GapClass.FEED_GAP, feed_gap(seen, minutes), None)
        case GapClass.PIPELINE_GAP:
            return Gap(seen.symbol, minutes, GapClass.PIPELINE_GAP, pipeline_gap(seen, minutes), None)
        case GapClass.CLOSED:
            silence = next((closings[minute] for minute in minutes if minute in closings), None)
            facts = (silence.ticks_expected, silence.phases) if silence else (0.0, ())
            evidence = closed(seen, minutes, ticks_expected=facts[0], phases=facts[1])
            return Gap(seen.symbol, minutes, GapClass.CLOSED, evidence, "nothing to repair: the market was not open")
        case "silence":
            return _quiet(seen, minutes, market)
        case _:
            closing = "a person has discarded what was there" if kind == "discarded" else None
            return Gap(seen.symbol, minutes, GapClass.HELD, held(seen, minutes), closing)


def _quiet(seen: Seen, minutes: range, market: Sequence[Seen]) -> Gap:
    """A silence of the symbol: a halt, or nothing out of the ordinary."""
    rate = seen.rate(minutes.start)
    others = [each for each in market if each is not seen and each.is_expected_in(minutes)]
    peers = Peers(sum(each.traded_in(minutes) for each in others), len(others))
    is_surprising = rate is not None and rate * len(minutes) > SURPRISE
    if rate is not None and is_surprising and peers.traded and not _was_refused(seen, minutes):
        return Gap(seen.symbol, minutes, GapClass.HALT, halt(seen, minutes, rate=rate, peers=peers), _NOTHING)
    evidence = no_trade(seen, minutes, rate=rate, peers=peers, is_surprising=is_surprising)
    return Gap(seen.symbol, minutes, GapClass.NO_TRADE, evidence, _NOTHING)


def _was_refused(seen: Seen, minutes: range) -> bool:
    """Whether messages came and were refused: then it did not stand still."""
    return any(seen.topic[minute].letters for minute in minutes if minute in seen.topic)


def silences(market: Sequence[Seen]) -> list[Silence]:
    """Stretches in which nothing of a calendar traded although some of it was listened to."""
    candidates = {minute for seen in market for minute in seen.silent}
    for seen in market:
        candidates -= seen.bars.keys() | seen.held.keys() | {m for m, found in seen.topic.items() if found.regular}
    return [_silence(minutes, market) for minutes in stretches(candidates)]


def _silence(minutes: range, market: Iterable[Seen]) -> Silence:
    heard = [seen for seen in market if seen.is_expected_in(minutes) and not seen.deaf.intersection(minutes)]
    phases = {phase for seen in market for m in minutes if m in seen.topic for phase in seen.topic[m].phases}
    return Silence(minutes, sum(seen.rate(minutes.start) or 0.0 for seen in heard) * len(minutes), tuple(sorted(phases)))
