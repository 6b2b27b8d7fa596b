"""The cloud template as a committed text, as it is deployed by default: Globals in each function, defaults for parameters.

One line a value, so that a change of a right, a variable or a schedule is a line in a review. Not here: what the template must
have (unit/test_cloud_template). After a wanted change: `UPDATE_SNAPSHOTS=1 make unit`."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode.cfn_yaml import load
from cfnlint.template.transforms._sam_globals import merge_globals

from stock_platform.config import ROOT

SNAPSHOT = Path(__file__).with_name("cloud_template.txt")


def described() -> str:
    """Resources and outputs, one line a value."""
    template: Any = load(str(ROOT / "cloud/template.yaml"))
    merge_globals(template)
    defaults = {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()}
    lines = [line for part in ("Resources", "Outputs") for line in leaves(part.lower(), template[part], defaults)]
    return "\n".join(lines) + "\n"


def leaves(path: str, value: Any, defaults: dict[str, str]) -> Iterator[str]:
    """`path = value` of each value below; a list of plain values is one."""
    plain = scalar(value, defaults)
    if plain is not None:
        yield f"{path} = {plain}"
        return
    for name, each in sorted(value.items()) if isinstance(value, dict) else enumerate(value):
        yield from leaves(f"{path}.{name}", each, defaults)


def scalar(value: Any, defaults: dict[str, str]) -> str | None:
    """The text of a plain value or of a reference, `${…}`; None for what has parts."""
    match value:
        case {"Ref": name}:
            return defaults.get(name) or f"${{{name}}}"
        case {"Fn::GetAtt": [resource, attribute]}:
            return f"${{{resource}.{attribute}}}"
        case {"Fn::Sub": text}:
            return str(text)
        case {"Fn::If": [condition, then, otherwise]}:
            return f"{scalar(then, defaults)} if {condition} else {scalar(otherwise, defaults)}"
        case dict():
            return None
        case list():
            parts = [scalar(each, defaults) for each in value]
            return None if None in parts else ", ".join(str(part) for part in parts)
        case _:
            return str(value)


def test_cloud_template_is_as_committed() -> None:
    text = described()
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(text)
    assert text == SNAPSHOT.read_text()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "LogDays"}, "14"),
        ({"Ref": "Table"}, "${Table}"),
        ({"Fn::GetAtt": ["Table", "Arn"]}, "${Table.Arn}"),
        (["a", {"Ref": "LogDays"}], "a, 14"),
        ([{"Effect": "Allow"}], None),
    ],
)
def test_reference_is_shown_by_what_it_leads_to(value: Any, expected: str | None) -> None:
    assert scalar(value, {"LogDays": "14"}) == expected
