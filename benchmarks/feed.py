"""What a frame costs a feed line on one core, stage by stage: frame → message → candidate → tick → bytes for Kafka.

All in this process and without sockets: 5,000 symbols that each walk by a few cents a second, in regular hours."""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from time import process_time
from typing import TypeVar

from benchmarks.harness import Figure
from stock_platform.feed.tick import Candidate, Tick, tick_json
from stock_platform.feed.validation import Validator
from stock_platform.feed.watchlist import instruments_of_tape
from stock_platform.feed.yahoo.pricing import Decoder, Frame, encode, parse

SYMBOL_COUNT = 5_000
_BATCH_COUNT = 100
"""A line that keeps up finds so many frames waiting, not thousands."""
_OPEN = datetime.fromisoformat("2026-11-23T14:30:00+00:00")
_STAGES = ("decode_frames_per_s", "candidate_frames_per_s", "validate_ticks_per_s", "encode_ticks_per_s")

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def figures(seconds: int) -> list[Figure]:
    """Rates of each stage over so many seconds of market; a candidate's includes its decoding.

    Raises:
        AssertionError: a frame did not become a tick.
    """
    symbols = [f"S{n:04}" for n in range(SYMBOL_COUNT)]
    validator = Validator(line="bench", source="yahoo", instruments=instruments_of_tape(symbols))
    decoder, cpu_s = Decoder(), dict.fromkeys(_STAGES, 0.0)
    for frames in _batches(symbols, seconds):
        _timed(parse, [frame.body for frame in frames], cpu_s, _STAGES[0])
        candidates = [each for each in _timed(decoder.decode, frames, cpu_s, _STAGES[1]) if isinstance(each, Candidate)]
        ticks = [each for each in _timed(validator.judge, candidates, cpu_s, _STAGES[2]) if isinstance(each, Tick)]
        assert len(ticks) == len(frames), validator.counts
        _timed(tick_json, ticks, cpu_s, _STAGES[3])
    count = SYMBOL_COUNT * seconds
    rates = [Figure(stage, round(count / cpu_s[stage]), "1/s", count) for stage in _STAGES]
    cpu_pct = 100 * 1_000 * sum(cpu_s[stage] for stage in _STAGES[1:]) / count
    return [*rates, Figure("cpu_pct_per_1000_symbols", round(cpu_pct, 2), "%", count)]


def _timed(stage: Callable[[_In], _Out], items: Sequence[_In], cpu_s: dict[str, float], name: str) -> list[_Out]:
    started = process_time()
    found = [stage(item) for item in items]
    cpu_s[name] += process_time() - started
    return found


def _batches(symbols: Sequence[str], seconds: int) -> Iterator[Sequence[Frame]]:
    """What a line reads at once."""
    for frames in _seconds(symbols, seconds):
        yield from (frames[at : at + _BATCH_COUNT] for at in range(0, len(frames), _BATCH_COUNT))


def _seconds(symbols: Sequence[str], count: int) -> Iterator[list[Frame]]:
    """One update of every symbol, second by second; the fields that Yahoo sends of a stock."""
    draw = random.Random(7)
    closes = {symbol: draw.randrange(2_000, 50_000) for symbol in symbols}
    cents, volume = dict(closes), 0
    for n in range(count):
        ts = _OPEN + timedelta(minutes=30, seconds=n)
        volume += 100
        frames = list[Frame]()
        for symbol in symbols:
            cents[symbol] += draw.randint(-2, 2)
            change = (cents[symbol] - closes[symbol]) / 100
            body = encode(
                id=symbol,
                price=cents[symbol] / 100,
                time=int(ts.timestamp()) * 1_000,
                exchange="NMS",
                quote_type=8,
                market_hours=1,
                change_percent=100 * change / closes[symbol],
                day_volume=volume,
                change=change,
                last_size=draw.randint(1, 99),
                price_hint=2,
            )
            frames.append(Frame(body.encode(), ts, _OPEN - timedelta(hours=1), n * SYMBOL_COUNT + len(frames)))
        yield frames
