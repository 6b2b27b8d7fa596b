"""A scenario: a YAML or JSON file of timed faults, validated. Not here: what a fault is (fault)."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError

from stock_platform.errors import ScenarioInvalid
from stock_platform.feed.simulator.fault import Fault, Scenario


def load_scenario(path: Path) -> tuple[Fault, ...]:
    """Read and validate a scenario.

    Raises:
        ScenarioInvalid: names the line and the reason.
    """
    try:
        text = path.read_text()
        root = cast(Any, yaml.compose(text, Loader=yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
    except OSError as error:
        raise ScenarioInvalid(path, "file", error.strerror or str(error)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark: Any = getattr(error, "problem_mark", None)
        raise ScenarioInvalid(path, f"line {mark.line + 1}" if mark else "file", "neither YAML nor JSON") from error
    try:
        return Scenario.model_validate(yaml.safe_load(text) or {}).faults
    except ValidationError as error:
        first = error.errors()[0]
        raise ScenarioInvalid(path, f"line {_line(root, first['loc'])}", sentence(error.errors())) from error


def sentence(errors: Sequence[Any]) -> str:
    """What is wrong first, in words: where, what, and the value that is."""
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"]) or "fault"
    given = "" if first["type"] == "missing" else f", not {first['input']!r:.80}"
    return f"{where}: {first['msg']}{given}."


def _line(node: Any, location: Iterable[int | str]) -> int:
    """Line of the deepest node on the way to the location; a part that is no node (a union's tag) is passed over."""
    for part in location:
        node = _child(node, part) or node
    return node.start_mark.line + 1 if node else 1


def _child(node: Any, part: int | str) -> Any:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part]
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    return None
