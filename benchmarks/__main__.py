"""`stock-platform bench NAME [--quick] [--json]`."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict

from benchmarks import feed, feed_line, live
from benchmarks.harness import Figure, keep

MEASURES: dict[str, Callable[[bool], list[Figure]]] = {
    **{name: lambda is_quick, name=name: live.run(name, is_quick=is_quick) for name in live.MEASURES},
    "feed": lambda is_quick: [*feed.figures(4 if is_quick else 40), *feed_line.figures(20 if is_quick else 120)],
}


def main() -> None:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(prog="stock-platform bench")
    parser.add_argument("name", choices=[*MEASURES, "all"], help="what to measure")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    for name in MEASURES if asked.name == "all" else [asked.name]:
        figures = MEASURES[name](asked.quick)
        if not asked.quick:
            keep(name, figures)
        for figure in figures:
            print(json.dumps(asdict(figure)) if asked.json else _row(name, figure))


def _row(name: str, figure: Figure) -> str:
    return f"{name:<10} {figure.figure:<25} {figure.value:>10} {figure.unit:<6} n={figure.n}"


if __name__ == "__main__":
    sys.exit(main())
