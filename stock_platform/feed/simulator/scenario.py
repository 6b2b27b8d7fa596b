"""A scenario: a YAML or JSON file of timed faults, validated. Not here: what a fault is (fault)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stock_platform.errors import ScenarioInvalid
from stock_platform.feed.simulator.fault import Fault, Scenario
from stock_platform.feed.yaml_model import read_model


def load_scenario(path: Path) -> tuple[Fault, ...]:
    """Read and validate a scenario.

    Raises:
        ScenarioInvalid: names the line and the reason.
    """
    return read_model(path, Scenario, invalid=ScenarioInvalid, problem=sentence, syntax="neither YAML nor JSON").faults


def sentence(errors: Sequence[Any]) -> str:
    """What is wrong first, in words: where, what, and the value that is."""
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"]) or "fault"
    given = "" if first["type"] == "missing" else f", not {first['input']!r:.80}"
    return f"{where}: {first['msg']}{given}."
