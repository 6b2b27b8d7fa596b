"""What every measurement shares: figures, and the file that keeps the last full result."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured number.

    Args:
        n: How many observations it rests on.
        must_be: The only right value; another one makes the measurement fail.
        note: What the number cannot say, such as why something failed.
    """

    figure: str
    value: float
    unit: str
    n: int
    must_be: float | None = None
    note: str = ""

    @property
    def is_wrong(self) -> bool:
        """Whether a table of ours is not as it must be."""
        return self.must_be is not None and self.value != self.must_be

    def document(self) -> dict[str, Any]:
        """As it is printed and kept: without what it does not have."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "") or name == "unit"}


def keep(name: str, figures: Sequence[Figure]) -> None:
    """Write the last full result with machine, commit and command."""
    RESULTS.mkdir(exist_ok=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    result = {
        "command": f"stock-platform bench {name}",
        "commit": commit.stdout.strip(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "figures": [figure.document() for figure in figures],
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]
