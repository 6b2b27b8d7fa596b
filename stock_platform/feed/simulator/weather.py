"""What faults do to answers over HTTP. Not here: right answers (chart, quote)."""

from itertools import count
from typing import Any, TypeVar

from stock_platform.feed.simulator.fault import AnyAnswer, Delay, EdgeBars, Empty, Html, NullBars, Status, names
from stock_platform.feed.simulator.faults import Faults

HTML = "<!DOCTYPE html><html><body><h1>Will be right back...</h1><p>Thank you for your patience.</p></body></html>"
_BAR = ("open", "high", "low", "close", "volume")
_Kind = TypeVar("_Kind", Html, Delay, Status, Empty, NullBars, EdgeBars)


class Weather:
    """Faults of one answer after the other; a share of requests is drawn by the request's number."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._numbers = count(1)

    def over(self, path: str, symbols: tuple[str, ...], second: int) -> list[AnyAnswer]:
        """The faults that hit this request."""
        number = next(self._numbers)
        active = self._faults.active((Html, Delay, Status, Empty, NullBars, EdgeBars), second)
        return [fault for fault, _ in active if self._hits(fault, path, symbols, number)]

    def _hits(self, fault: AnyAnswer, path: str, symbols: tuple[str, ...], number: int) -> bool:
        if not path.startswith(fault.path) or (fault.symbols and not any(names(each, fault.symbols) for each in symbols)):
            return False
        return isinstance(fault, NullBars) or self._faults.hits(fault, number)

    def spoil_chart(self, chart: dict[str, Any], faults: list[AnyAnswer]) -> dict[str, Any]:
        """The chart as those faults leave it."""
        result = chart["chart"]["result"][0]
        for fault in faults:
            match fault:
                case Empty():
                    return {"chart": {"result": [], "error": None}}
                case EdgeBars() if "timestamp" in result:
                    _zero_edges(result)
                case NullBars() if "timestamp" in result:
                    self._blank(result, fault)
                case _:
                    pass
        return chart

    def _blank(self, result: dict[str, Any], fault: NullBars) -> None:
        quote = result["indicators"]["quote"][0]
        for index, second in enumerate(result["timestamp"]):
            if self._faults.hits(fault, result["meta"]["symbol"], second):
                for name in _BAR:
                    quote[name][index] = None


def _zero_edges(result: dict[str, Any]) -> None:
    """The first bar of each regular session has volume 0, and its close a flat bar of its own."""
    quote = result["indicators"]["quote"][0]
    periods: Any = result["meta"].get("tradingPeriods", [])
    regular: list[dict[str, Any]] = [session[0] for session in (periods["regular"] if "regular" in periods else periods)]
    for index in (result["timestamp"].index(each["start"]) for each in regular if each["start"] in result["timestamp"]):
        quote["volume"][index] = 0
    for end in (each["end"] for each in regular):
        before = [index for index, second in enumerate(result["timestamp"]) if end - 60 <= second < end]
        if before and end not in result["timestamp"]:
            at, close = before[-1] + 1, quote["close"][before[-1]]
            result["timestamp"].insert(at, end)
            for name in _BAR:
                quote[name].insert(at, 0 if name == "volume" else close)
