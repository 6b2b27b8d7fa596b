"""What Dagster's code server, its runs and its daemon must not pay for each time they load the definitions."""

import subprocess
import sys

from stock_platform.config import ROOT

_HEAVY = ("great_expectations", "pandas", "yfinance", "matplotlib", "exchange_calendars", "altair", "pyarrow")


def test_nothing_heavy_is_imported_when_the_definitions_are_loaded() -> None:
    program = f"import sys, stock_platform.definitions; print(*[name for name in {_HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
