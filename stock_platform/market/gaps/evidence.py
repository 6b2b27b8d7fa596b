"""Evidence of a gap, a sentence or two that a person understands, with figures. Pure. Not here: which class it is (classes)."""

from collections import Counter
from math import exp, log
from typing import NamedTuple

from stock_platform.market.gaps.seen import Seen
from stock_platform.market.session_minutes import instant_of

_INFERRED = "A halt is inferred: the feed has no message for it."


class Peers(NamedTuple):
    """Other watched instruments of the calendar in that time: how many traded, of how many."""

    traded: int
    total: int


def halt(seen: Seen, minutes: range, *, rate: float, peers: Peers) -> str:
    """A silence that is no chance, while others traded."""
    silence = f"No tick for {len(minutes)} min at {_figure(rate)} a minute before, while {_traded(peers)} of {seen.calendar} traded"
    return f"{silence}: {_odds(rate * len(minutes))}. {_INFERRED}{_notes(seen, minutes)}"


def no_trade(seen: Seen, minutes: range, *, rate: float | None, peers: Peers, is_surprising: bool) -> str:
    """A silence that means nothing, or of which nothing can be said."""
    return f"{_quiet(seen, minutes, rate, peers, is_surprising=is_surprising)}{_notes(seen, minutes)}"


def _quiet(seen: Seen, minutes: range, rate: float | None, peers: Peers, *, is_surprising: bool) -> str:
    length = f"{len(minutes)} min"
    if rate is None:
        return f"No tick for {length}; there is no earlier minute of it that says how usual that is."
    if not is_surprising:
        chance = _chance(rate * len(minutes))
        return f"{_figure(rate)} ticks a minute before: by chance a silence of {length} comes in {chance} of cases."
    before = f"No tick for {length} at {_figure(rate)} a minute before"
    if peers.traded:
        return f"{before}, while {_traded(peers)} of {seen.calendar} traded; messages came and were refused, so it was no halt."
    if peers.total:
        return f"{before}, and none of {peers.total} peers of {seen.calendar} traded: too short to say that the market was closed."
    return f"{before}; no other instrument of {seen.calendar} is watched, so that nothing tells a halt from a pause of the market."


def closed(seen: Seen, minutes: range, *, ticks_expected: float, phases: tuple[str, ...]) -> str:
    """A market that was silent as a whole."""
    start, end = instant_of(minutes.start), instant_of(minutes.stop)
    silence = f"No instrument of {seen.calendar} had a regular tick from {start:%H:%M} to {end:%H:%M} UTC"
    if phases:
        return f"{silence}; the vendor's updates of that time say {', '.join(phases)}.{_notes(seen, minutes)}"
    if not ticks_expected:
        return f"{silence}.{_notes(seen, minutes)}"
    told = f"some {ticks_expected:.0f} were to be expected at the rate before"
    return f"{silence}, while the feed was connected; {told}.{_notes(seen, minutes)}"


def feed_gap(seen: Seen, minutes: range) -> str:
    """A stretch that nobody heard."""
    begin, end = instant_of(minutes.start), instant_of(minutes.stop)
    found = [(start, stop) for start, stop in seen.unheard if start < end and stop > begin]
    first, last = min(start for start, _ in found), max(stop for _, stop in found)
    seconds = sum((stop - start).total_seconds() for start, stop in found)
    pieces = f", in {len(found)} pieces" if len(found) > 1 else ""
    return f"No feed line heard it from {first:%H:%M:%S} to {last:%H:%M:%S} UTC ({seconds:.0f} s{pieces})."


def pipeline_gap(seen: Seen, minutes: range) -> str:
    """Ticks without a bar."""
    ticks = sum(seen.regular(minute) for minute in minutes)
    those = "this minute" if len(minutes) == 1 else f"these {len(minutes)} min"
    return f"Kafka has {ticks} ticks of {those}, and no bar was made of them.{_letters(seen, minutes)}"


def held(seen: Seen, minutes: range) -> str:
    """Bars that the gate keeps."""
    found = [seen.held[minute] for minute in minutes]
    details = ", ".join(sorted({rule for each in found for rule in each.detail.split(",") if rule}))
    bars = f"{len(minutes)} bars" if len(minutes) > 1 else "1 bar"
    match found[0].kind:
        case "refused":
            return f"In quality.quarantine until a person decides or a newer version passes: {bars} that broke {details}."
        case "discarded":
            return f"Discarded by a person: {bars} that broke {details}."
        case "unjudged":
            blocked = f"; {details} blocks the session's newest batch" if details else ""
            return f"Staged and not judged yet: {bars}{blocked}."


def _notes(seen: Seen, minutes: range) -> str:
    lost = " Kafka no longer has all of that time, so that whether ticks came is not known for sure." if seen.is_dropped else ""
    return f"{_letters(seen, minutes)}{lost}"


def _letters(seen: Seen, minutes: range) -> str:
    """What was refused in that time."""
    reasons: Counter[str] = Counter()
    for minute in minutes:
        if minute in seen.topic:
            reasons.update(seen.topic[minute].letters)
    told = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    return f" Refused meanwhile, in market.ticks.dlq.v1: {told}." if told else ""


def _traded(peers: Peers) -> str:
    return f"{peers.traded} of {peers.total} peers"


def _odds(surprise: float) -> str:
    return f"by chance that happens once in 10^{surprise / log(10):.0f} times"


def _chance(surprise: float) -> str:
    percent = 100 * exp(-surprise)
    return f"{percent:.0f} %" if percent >= 1 else f"{percent:.2g} %"


def _figure(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}" if rate >= 0.05 else f"{rate:.2g}"
