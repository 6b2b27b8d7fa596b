"""What each asset tells a person: whose and what it is, its columns; and that lineage leaves out nothing that is read."""

import json
import re
from functools import cache
from pathlib import Path

import dagster as dg
import pytest

from stock_platform.adapters.code_version import source_version
from stock_platform.config import ROOT, Settings
from stock_platform.contracts.archive import ARCHIVED_TICK
from stock_platform.contracts.catalogue import TABLES, TOPICS, VIEWS
from stock_platform.definitions import build
from stock_platform.defs.aggregate_registry import EVERY_ONE
from stock_platform.defs.world import key_of
from stock_platform_tests.grafana import DASHBOARDS

RECORDS = {key_of(record.address): record for record in (*TABLES, *VIEWS, *TOPICS, ARCHIVED_TICK)}
STORES = {"reference", "staging", "market", "quality", "aggregates", "ops", "kafka", "archive"}
NO_STORE = {"ops/retention"}
"""Assets that are work, not rows."""
FEW_WORDS = 5
READ = re.compile(r"\b(?:FROM|JOIN)\s+((?:reference|staging|market|quality|aggregates|ops)\.\w+)")
NO_ASSETS = {"market.bar_1m_as_of": "market.bar_1m_revision", "market.bar_1m_provisional": "staging.bar_1m"}
"""A function and a view without a contract, each with the table whose rows it gives."""


@cache
def specs() -> dict[str, dg.AssetSpec]:
    definitions = build(Settings(_env_file=None))  # type: ignore[call-arg]
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


def parents(key: str) -> set[str]:
    return {dep.asset_key.to_user_string() for dep in specs()[key].deps}


@pytest.mark.filterwarnings("ignore")
def test_every_asset_says_whose_and_what_it_is() -> None:
    """An address that something depends on and that nobody has described is among them, without an owner."""
    assert len(specs()) > 50
    for key, spec in specs().items():
        assert spec.owners == ["team:data-platform"], key
        assert spec.group_name not in (None, "default"), key
        assert spec.kinds, key
        assert len((spec.description or "").split()) > FEW_WORDS, key


@pytest.mark.filterwarnings("ignore")
def test_every_table_and_topic_has_its_contract_s_columns() -> None:
    for key, spec in specs().items():
        if key.split("/")[0] not in STORES or key in NO_STORE:
            continue
        schema = spec.metadata["dagster/column_schema"]
        assert tuple(column.name for column in schema.columns) == RECORDS[spec.key].names, key


@pytest.mark.filterwarnings("ignore")
def test_table_has_the_name_by_which_a_person_asks_for_it() -> None:
    named = {key: spec.metadata["dagster/table_name"] for key, spec in specs().items() if "dagster/table_name" in spec.metadata}
    assert named["market/bar_1m"] == "stock_platform.market.bar_1m"
    assert named["ops/error_budget"] == "stock_platform.ops.error_budget"
    unnamed = {key for key in specs() if key not in named and key.split("/")[0] in STORES - {"kafka", "archive"}}
    assert unnamed == NO_STORE


@pytest.mark.filterwarnings("ignore")
def test_what_code_decides_a_row_is_told_by_its_folder() -> None:
    versions = {key: spec.code_version for key, spec in specs().items() if spec.code_version}
    formulas = {key: version for key, version in versions.items() if key.startswith("aggregates/")}
    assert set(formulas) == {each.key.to_user_string() for each in EVERY_ONE}
    assert set(formulas.values()) == {source_version(ROOT / "stock_platform" / "aggregates")}
    gate = source_version(ROOT / "stock_platform" / "gate")
    assert versions == formulas | {"market/bar_1m": gate, "quality/quarantine": gate}


@pytest.mark.filterwarnings("ignore")
def test_topic_says_how_it_is_kept() -> None:
    ticks, quotes = (specs()[f"kafka/market/{name}/v1"].metadata for name in ("ticks", "quotes"))
    assert (ticks["topic"], ticks["partitions"], ticks["retention.ms"]) == ("market.ticks.v1", 4, str(14 * 86_400_000))
    assert (quotes["topic"], quotes["partitions"], quotes["cleanup.policy"]) == ("market.quotes.v1", 4, "compact")
    assert ticks["feed's state"] == dg.MetadataValue.url("http://localhost:5000/market/status")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_dashboard_is_described_as_it_describes_itself(path: Path) -> None:
    own = json.loads(path.read_text())["description"]
    assert specs()[f"grafana/{path.stem}"].description == f"Grafana dashboard. {own}"


@pytest.mark.filterwarnings("ignore")
def test_lineage_of_the_api_is_what_its_queries_read() -> None:
    """Its own SQL, and that of the passport that it serves. The topic that it streams is read by no query."""
    api = ROOT / "stock_platform" / "api"
    sources = [*api.glob("postgres_*.py"), api / "adjustment.py", ROOT / "stock_platform" / "market" / "passport.py"]
    text = "\n".join(path.read_text() for path in sources)
    coarse = {f"aggregates.{table}" for table in re.findall(r'Interval\.\w+: "(bar_\w+)"', text)}
    assert len(coarse) == 4
    found: list[str] = READ.findall(text)
    read = {NO_ASSETS.get(table, table) for table in found} | coarse
    keys = {table.replace(".", "/") for table in read}
    assert keys <= set(specs())
    assert parents("api/stocks") == keys | {"kafka/market/quotes/v1"}
