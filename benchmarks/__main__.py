"""`stock-platform bench NAME [--quick] [--json]`."""

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from benchmarks import feed, feed_line, gate_batch, live
from benchmarks.harness import Figure, keep
from benchmarks.peers_race import print_table


def _of(module: str) -> Callable[[bool], list[Figure]]:
    """A module's `figures`; it is imported when they are asked for."""
    return lambda is_quick: import_module(f"benchmarks.{module}").figures(is_quick=is_quick)


MEASURES: dict[str, Callable[[bool], list[Figure]]] = {
    "throughput": _of("throughput"),
    "peers": _of("peers_race"),
    "restate": _of("restate"),
    "faults": _of("faults"),
    "latency": _of("latency"),
    "equality": _of("equality"),
    "state": _of("state"),
    "grafana": _of("grafana"),
    "api": _of("api"),
    "sse": _of("sse"),
    "browser": _of("browser"),
    "refresh": _of("refresh"),
    "backfill": _of("backfill"),
    "rollup": _of("rollup"),
    "instance": _of("instance"),
    "definitions": _of("definitions"),
    **{name: lambda is_quick, name=name: live.run(name, is_quick=is_quick) for name in live.MEASURES},
    "certify": lambda is_quick: [*gate_batch.figures(is_quick=is_quick), *live.run("certify", is_quick=is_quick)],
    "feed": lambda is_quick: [*feed.figures(4 if is_quick else 40), *feed_line.figures(20 if is_quick else 120)],
}
TABLES: dict[str, Callable[[Sequence[Figure]], None]] = {"peers": print_table}
"""Measurements that are read as a table of their own."""


def main() -> int:
    """Measure what is asked for and print it; 1 when a table of ours is wrong."""
    parser = argparse.ArgumentParser(prog="stock-platform bench")
    parser.add_argument("name", choices=[*MEASURES, "all"], help="what to measure")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # servers are stopped on the way out
    found = {name: _measure(name, asked) for name in (MEASURES if asked.name == "all" else [asked.name])}
    return int(any(figure.is_wrong for figures in found.values() for figure in figures))


def _measure(name: str, asked: argparse.Namespace) -> list[Figure]:
    figures = MEASURES[name](asked.quick)
    if not asked.quick:
        keep(name, figures)
    if asked.json:
        print("\n".join(json.dumps(figure.document()) for figure in figures))
    elif name in TABLES:
        TABLES[name](figures)
    else:
        print("\n".join(_row(name, figure) for figure in figures))
    return figures


def _row(name: str, figure: Figure) -> str:
    return f"{name:<10} {figure.figure:<28} {figure.value:>10} {figure.unit:<6} n={figure.n}"


if __name__ == "__main__":
    sys.exit(main())
