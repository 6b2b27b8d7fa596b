"""What a fault does to the market itself, so that stream, chart and quote agree about it. Pure."""

from collections.abc import Iterable

import numpy as np

from stock_platform.feed.simulator.fault import Crash, Halt, Split
from stock_platform.feed.simulator.faults import Timed
from stock_platform.feed.simulator.updates import PRICE_SCALE, Block, Integers

_CENT = PRICE_SCALE // 100


def happened(block: Block, events: Iterable[Timed], *, adjusted_at: int | None = None) -> Block:
    """The block as it is after halts, crashes and splits.

    Args:
        adjusted_at: Prices as a chart of that second shows them: divided by every split so far, however old they are.
    """
    for event in events:
        match event.fault:
            case Halt():
                block = block.where((block.seconds < event.start) | (block.seconds >= event.end))
            case Crash():
                block = _with_prices(block, block.prices * _depth(event.fault, event, block.seconds))
            case Split(ratio=ratio) if adjusted_at is None:
                block = _with_prices(block, np.where(block.seconds < event.start, block.prices, block.prices / ratio))
            case Split(ratio=ratio) if event.start <= (adjusted_at or 0):
                block = _with_prices(block, block.prices / ratio)
            case _:
                pass
    return block


def _depth(crash: Crash, event: Timed, seconds: Integers) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    passed = seconds - event.start
    fallen = np.where(passed < 0, 0.0, np.clip(passed / max(crash.fall_s, 1e-9), 0, 1))
    back = np.clip((passed - crash.fall_s) / crash.recovery_s, 0, 1) if crash.recovery_s else 0.0
    return 1 + crash.pct / 100 * np.where(seconds < event.end, fallen - back, 0.0)


def _with_prices(block: Block, prices: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> Block:
    whole = np.where(prices == block.prices, prices, np.maximum(1, np.rint(prices / _CENT)) * _CENT)
    return Block(block.seconds, whole.astype(np.int64), block.volumes, block.phases)
