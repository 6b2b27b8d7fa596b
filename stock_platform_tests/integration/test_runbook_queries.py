"""Every query that a document tells a person to ask is understood by the database, for the role that the runbook names."""

import re
from itertools import chain

import pytest

from stock_platform.adapters.postgres import connect
from stock_platform.config import ROOT, Settings

QUERY = re.compile(r"`(SELECT [^`\n]+)`|^ {4}(SELECT [^\n]+)$", re.MULTILINE)
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
FOUND = [(path.name, "".join(match).rstrip(";")) for path in DOCUMENTS for match in QUERY.findall(path.read_text())]
REMOVAL = re.compile(r'"(DELETE [^"\n]+)"')


def test_there_are_queries_in_the_runbook() -> None:
    assert [name for name, _ in FOUND].count("runbook.md") >= 8


@pytest.mark.parametrize("query", [query for _, query in FOUND])
def test_query_of_a_document_is_understood(database: Settings, query: str) -> None:
    role = "gate_owner" if " staging." in query else "grafana_reader"
    with connect(database.dsn(role)) as reader:
        reader.execute(f"EXPLAIN {query}")


def test_removal_that_the_administrator_is_told_is_understood(database: Settings) -> None:
    removals = list(chain.from_iterable(REMOVAL.findall(path.read_text()) for path in DOCUMENTS))
    assert removals
    with connect(database.dsn("admin")) as admin:
        for each in removals:
            admin.execute(f"EXPLAIN {each}")
