"""The stream job's tables and its parser agree with the contracts."""

import re

from stock_platform.config import ROOT
from stock_platform.contracts import flink_ddl
from stock_platform.contracts.record import Type
from stock_platform.contracts.tick import QUOTE_UPDATE, TICK

_FUNCTIONS = ROOT / "flink" / "functions" / "src" / "main" / "java" / "stockplatform"


def test_committed_ddl_is_what_the_contracts_render() -> None:
    assert (ROOT / "flink" / "sql" / "ddl.sql").read_text() == flink_ddl.render()


def test_columns_that_the_database_fills_are_left_out() -> None:
    assert "ts_landed" not in flink_ddl.render()


def test_reader_knows_each_field_of_a_tick_with_its_type_nullability_and_closed_set() -> None:
    source = (_FUNCTIONS / "TickField.java").read_text()
    fields = re.findall(r"^ {4}([A-Z_]+)\(Kind\.([A-Z]+)(, true)?(?:, List\.of\(([^)]*)\))?\)[,;]", source, re.MULTILINE)
    known = [
        (name.lower(), Type(kind.lower()), bool(nullable), tuple(re.findall(r'"(\w+)"', members)))
        for name, kind, nullable, members in fields
    ]
    assert known == [
        (column.name, column.type, column.name in TICK.nullable, TICK.closed_sets.get(column.name, ())) for column in TICK.columns
    ]


def test_writer_of_quotes_writes_each_field_of_the_contract_in_its_order() -> None:
    source = (_FUNCTIONS / "QuoteJson.java").read_text()
    written = re.findall(r'^ {8}(?:text|price|number)\("(\w+)"', source, re.MULTILINE)
    assert tuple(written) == QUOTE_UPDATE.names
