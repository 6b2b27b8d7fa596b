"""A YAML file as a model; what is wrong with it is said by its line. Not here: what the file means (watchlist, scenario)."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml
from pydantic import BaseModel, ValidationError

from stock_platform.errors import PlatformError

Model = TypeVar("Model", bound=BaseModel)
_LOADER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
"""The watchlist is read by every run of Dagster: 0.02 s instead of 0.15."""


def read_model(
    path: Path,
    model: type[Model],
    *,
    invalid: Callable[[Path, str, str], PlatformError],
    problem: Callable[[Sequence[Any]], str],
    syntax: str = "not YAML",
) -> Model:
    """Read and validate a file; an empty one is an empty model.

    Args:
        invalid: Makes the error of a path, a place in it and a problem.
        problem: Puts pydantic's errors into words.
        syntax: The problem of a file that cannot be parsed.
    """
    try:
        text = path.read_text()
        root = cast(Any, yaml.compose(text, Loader=_LOADER))  # pyright: ignore[reportUnknownMemberType]
    except OSError as error:
        raise invalid(path, "file", error.strerror or str(error)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark: Any = getattr(error, "problem_mark", None)
        raise invalid(path, f"line {mark.line + 1}" if mark else "file", syntax) from error
    try:
        return model.model_validate(yaml.load(text, Loader=_LOADER) or {})  # noqa: S506 - a safe one
    except ValidationError as error:
        found = error.errors()
        raise invalid(path, f"line {_line(root, found[0]['loc'])}", problem(found)) from error


def _line(node: Any, location: Iterable[int | str]) -> int:
    """Line of the deepest node on the way to the location; a part that is no node (a union's tag, a missing key) is passed over."""
    for part in location:
        node = _child(node, part) or node
    return node.start_mark.line + 1 if node else 1


def _child(node: Any, part: int | str) -> Any:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part]
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    return None
