"""The stream job's tables and its parser agree with the contracts."""

import re

from stock_platform.config import ROOT
from stock_platform.contracts import flink_ddl
from stock_platform.contracts.record import Type
from stock_platform.contracts.tick import SESSION_PHASES, SOURCES, TICK

_FUNCTIONS = ROOT / "flink" / "functions" / "src" / "main" / "java" / "stockplatform"


def test_committed_ddl_is_what_the_contracts_render() -> None:
    assert (ROOT / "flink" / "sql" / "ddl.sql").read_text() == flink_ddl.render()


def test_columns_that_the_database_fills_are_left_out() -> None:
    assert "ts_landed" not in flink_ddl.render()


def test_parser_knows_each_field_of_a_tick_with_its_type_and_nullability() -> None:
    source = (_FUNCTIONS / "TickField.java").read_text()
    fields = re.findall(r"^ {4}([A-Z_]+)\(Kind\.([A-Z]+)(, true)?\)[,;]", source, re.MULTILINE)
    known = [(name.lower(), Type(kind.lower()), bool(nullable)) for name, kind, nullable in fields]
    assert known == [(column.name, column.type, column.name in TICK.nullable) for column in TICK.columns]


def test_parser_knows_the_closed_sets_of_a_tick() -> None:
    source = (_FUNCTIONS / "ParseTick.java").read_text()
    sets = dict(re.findall(r"Set<String> (\w+) = Set\.of\(([^)]*)\)", source))
    assert {name: set(re.findall(r'"(\w+)"', members)) for name, members in sets.items()} == {
        "PHASES": set(SESSION_PHASES),
        "SOURCES": set(SOURCES),
    }
