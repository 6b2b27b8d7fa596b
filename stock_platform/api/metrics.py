"""What the API counts of itself, in Prometheus' text format (version 0.0.4). Written by the event loop alone, so without locks.

Not here: who counts (front), what the stream counts (stream)."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from stock_platform.api.stream import Hub

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Route = tuple[str, str]
"""Method, and path as the description has it: never a client's own text, so that there are few."""


class Metrics:
    """Requests by route and status, and how long they took."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[Route, int]] = Counter()
        self._buckets: Counter[tuple[Route, float]] = Counter()
        self._seconds: defaultdict[Route, float] = defaultdict(float)
        self._counts: Counter[Route] = Counter()

    def observe(self, route: Route, status: int, seconds: float) -> None:
        """A request has been answered."""
        self._requests[route, status] += 1
        self._counts[route] += 1
        self._seconds[route] += seconds
        self._buckets[route, next((bound for bound in BUCKETS_S if seconds <= bound), float("inf"))] += 1

    def text(self, hub: Hub) -> str:
        """Everything, as Prometheus reads it."""
        return "\n".join([*self._request_lines(), *self._duration_lines(), *_stream_lines(hub)]) + "\n"

    def _request_lines(self) -> Iterable[str]:
        name = "stock_platform_api_requests_total"
        yield from _head(name, "counter", "Requests by route and status.")
        for (route, status), count in sorted(self._requests.items()):
            yield f'{name}{{{_labels(route)},status="{status}"}} {count}'

    def _duration_lines(self) -> Iterable[str]:
        name = "stock_platform_api_request_duration_seconds"
        yield from _head(name, "histogram", "Time to the first byte of the answer.")
        for route, count in sorted(self._counts.items()):
            below = 0
            for bound in BUCKETS_S:
                below += self._buckets[route, bound]
                yield f'{name}_bucket{{{_labels(route)},le="{bound:g}"}} {below}'
            yield f'{name}_bucket{{{_labels(route)},le="+Inf"}} {count}'
            yield f"{name}_sum{{{_labels(route)}}} {self._seconds[route]:.6f}"
            yield f"{name}_count{{{_labels(route)}}} {count}"


def _stream_lines(hub: Hub) -> Iterable[str]:
    counts, lag = hub.counts, hub.lag()
    yield from _value("clients", "gauge", "Clients that listen.", hub.client_count)
    yield from _value("events_total", "counter", "Quotes that were sent, over all clients.", counts.sent)
    yield from _value("conflated_total", "counter", "Quotes that a newer one replaced before a client took them.", counts.conflated)
    yield from _value("cut_total", "counter", "Clients that were cut off because they took nothing.", counts.cut)
    yield from _value("refused_total", "counter", "Clients that were refused because there were too many.", counts.refused)
    if lag is not None:
        yield from _value("kafka_lag_messages", "gauge", "Messages of the quote topic that have not been read.", lag)


def _value(name: str, kind: str, meaning: str, value: int) -> Iterable[str]:
    full = f"stock_platform_api_stream_{name}"
    yield from _head(full, kind, meaning)
    yield f"{full} {value}"


def _head(name: str, kind: str, meaning: str) -> Iterable[str]:
    return (f"# HELP {name} {meaning}", f"# TYPE {name} {kind}")


def _labels(route: Route) -> str:
    return f'method="{route[0]}",route="{route[1]}"'
