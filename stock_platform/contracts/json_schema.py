"""Render a topic's contract as JSON Schema (2020-12): prices are decimal text, instants epoch milliseconds. Pure."""

import json
from typing import Any

from stock_platform.contracts.record import Column, Record, Type

_TYPES: dict[Type, dict[str, Any]] = {
    Type.TEXT: {"type": "string"},
    Type.PRICE: {"type": "string", "pattern": r"^-?\d{1,12}(\.\d{1,6})?$"},
    Type.MONEY: {"type": "string", "pattern": r"^-?\d{1,32}(\.\d{1,6})?$"},
    Type.RATIO: {"type": "number"},
    Type.FACTOR: {"type": "string", "pattern": r"^-?\d{1,9}(\.\d{1,9})?$"},
    Type.MULTIPLIER: {"type": "string", "pattern": r"^-?\d{1,20}(\.\d{1,18})?$"},
    Type.QUANTITY: {"type": "integer"},
    Type.INSTANT: {"type": "integer", "minimum": 0},
    Type.DAY: {"type": "string", "format": "date"},
    Type.FLAG: {"type": "boolean"},
    Type.JSON: {},
}


def render(record: Record) -> str:
    """The schema's text."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": record.address,
        "description": f"{record.meaning} Grain: {record.grain}.",
        "type": "object",
        "required": list(record.names),
        "additionalProperties": False,
        "properties": {column.name: _property(record, column) for column in record.columns},
    }
    return json.dumps(schema, indent=2) + "\n"


def _property(record: Record, column: Column) -> dict[str, Any]:
    kind = dict(_TYPES[column.type])
    if column.name in record.closed_sets:
        kind["enum"] = list(record.closed_sets[column.name])
    if column.name in record.nullable:
        kind["type"] = [kind["type"], "null"]
    unit = f" Unit: {column.unit}." if column.unit else ""
    zone = " Epoch milliseconds, UTC." if column.type is Type.INSTANT else ""
    return {"description": f"{column.meaning}{unit}{zone}", **kind}
