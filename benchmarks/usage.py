"""What processes cost: CPU seconds and resident memory of whole families, those that have ended included."""

from collections.abc import Sequence
from contextlib import suppress

import psutil


def cpu_s(pids: Sequence[int]) -> float:
    """User and system time of the processes and all that they started; a killed process must be read before its end."""
    return sum(_cpu_s(process) for process in _families(pids))


def resident_mib(pids: Sequence[int]) -> float:
    """Resident memory of the processes and all that they started."""
    total = 0
    for process in _families(pids):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_info().rss
    return total / 2**20


def _families(pids: Sequence[int]) -> list[psutil.Process]:
    found = list[psutil.Process]()
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(pid)
            found += [root, *root.children(recursive=True)]
    return found


def _cpu_s(process: psutil.Process) -> float:
    """A process's children that have ended are in its own account."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system
