"""How long the definitions take to load in a fresh process: what a code server's start and every run of Dagster pay.

From the first import to a repository whose jobs are resolved; the interpreter's own start is left out. The goal is 3 s."""

import subprocess
import sys

from benchmarks.harness import Figure, quantile
from stock_platform.config import ROOT

_PROGRAM = """
import time

began, began_cpu = time.perf_counter(), time.process_time()
import dagster

of_dagster = time.perf_counter() - began
from stock_platform.definitions import defs

repository = defs.get_repository_def()
repository.get_all_jobs()
print(time.perf_counter() - began, time.process_time() - began_cpu, of_dagster)
"""
_TIMES = 5


def figures(*, is_quick: bool) -> list[Figure]:
    """load_p50_s, load_max_s; cpu_p50_s, which others on the machine change less; dagster_p50_s, of it for Dagster's own import."""
    found = [_loaded() for _ in range(1 if is_quick else _TIMES)]
    seconds, cpu, of_dagster = map(list, zip(*found, strict=True))
    return [
        Figure("load_p50_s", round(quantile(seconds, 0.5), 2), "s", len(seconds)),
        Figure("load_max_s", round(max(seconds), 2), "s", len(seconds)),
        Figure("cpu_p50_s", round(quantile(cpu, 0.5), 2), "s", len(seconds)),
        Figure("dagster_p50_s", round(quantile(of_dagster, 0.5), 2), "s", len(seconds)),
    ]


def _loaded() -> tuple[float, float, float]:
    """Seconds by the clock, of the processor, and by the clock for Dagster alone."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    seconds, cpu, of_dagster = map(float, done.stdout.split())
    return seconds, cpu, of_dagster
