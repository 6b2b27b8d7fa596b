"""Examples in the API's description: every answer has one, and each is what its own schema asks for."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from stock_platform.commands.rendering import openapi

DESCRIPTION = json.loads(openapi())
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
PRICE = re.compile(r"\d+(\.\d+)?")
PRICES = {"open", "high", "low", "close", "price", "previous_close", "vwap", "ratio", "amount"}


def contents() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operation in DESCRIPTION["paths"].items():
        for status, answer in operation["get"]["responses"].items():
            for kind, content in answer["content"].items():
                if kind.endswith("json") and not (path == "/health/ready" and status == "503"):
                    yield f"{path} {status}", content


def values(example: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(example, dict):
        for key, value in example.items():
            yield from values(value, key)
    elif isinstance(example, list):
        for value in example:
            yield from values(value, name)
    else:
        yield name, example


@pytest.mark.parametrize(("_answer", "content"), [pytest.param(name, content, id=name) for name, content in contents()])
def test_example_is_what_its_schema_asks_for(_answer: str, content: dict[str, Any]) -> None:
    schema = content["schema"] | {"components": DESCRIPTION["components"]}
    jsonschema.Draft202012Validator(schema).validate(content["example"])


@pytest.mark.parametrize(("_answer", "content"), [pytest.param(name, content, id=name) for name, content in contents()])
def test_example_has_its_instants_in_utc_and_its_prices_in_full(_answer: str, content: dict[str, Any]) -> None:
    told = [(name, value) for name, value in values(content["example"]) if value is not None]
    assert [(name, value) for name, value in told if name.startswith("ts_") and not INSTANT.fullmatch(value)] == []
    assert [(name, value) for name, value in told if name in PRICES and not PRICE.fullmatch(value)] == []


def test_wrong_example_is_found() -> None:
    page = {"$ref": "#/components/schemas/BarPage"} | {"components": DESCRIPTION["components"]}
    example = json.loads(json.dumps(DESCRIPTION["paths"]["/stocks/{symbol}/bars"]["get"]["responses"]["200"]))
    bars = example["content"]["application/json"]["example"]
    del bars["items"][0]["close"]
    with pytest.raises(jsonschema.ValidationError, match="'close' is a required property"):
        jsonschema.Draft202012Validator(page).validate(bars)
