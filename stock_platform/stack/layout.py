"""Where things are: what `make install` builds, and what a profile's folder holds."""

from pathlib import Path

from stock_platform.config import ROOT

VENV_BIN = ROOT / ".venv" / "bin"
JARS = ROOT / ".cache" / "jars"
FUNCTIONS_JAR = JARS / "flink" / "stock-platform-functions.jar"
FRONTEND = ROOT / "frontend"
INSTALLED = (VENV_BIN / "dagster", VENV_BIN / "supervisord", FUNCTIONS_JAR, JARS / "kafka", FRONTEND / "dist" / "index.html")


def logs(home: Path) -> Path:
    """One file per service."""
    return home / "logs"


def flink(home: Path) -> Path:
    """Everything that Flink keeps: checkpoints, savepoints, what its jobs were, uploads."""
    return home / "flink"


def job_script(home: Path) -> Path:
    """The stream job's SQL with addresses and password filled in."""
    return home / "flink" / "ticks_to_bars.sql"


def job_plan(home: Path) -> Path:
    """What the state of the prepared script can be read by."""
    return home / "flink" / "ticks_to_bars.plan.json"


def dagster_home(home: Path) -> Path:
    """Dagster's instance folder."""
    return home / "dagster"
