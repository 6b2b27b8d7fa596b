"""Columns from the tick to the table that a panel reads: each origin exists, lies upstream, and none is forgotten."""

from functools import cache

import dagster as dg
import pytest

from stock_platform.config import Settings
from stock_platform.contracts.archive import ARCHIVED_TICK
from stock_platform.contracts.catalogue import TABLES, TOPICS, VIEWS
from stock_platform.definitions import build
from stock_platform.defs.column_lineage import ORIGINS
from stock_platform.defs.world import key_of

RECORDS = {record.address: record for record in (*TABLES, *VIEWS, *TOPICS, ARCHIVED_TICK)}
OWN = {
    "aggregates.bar_1d_adjusted": set[str](),
    "archive.tick": {"calendar", "kafka_partition", "kafka_offset"},
    "market.bar_1d_vendor": set[str](),
    "market.bar_1m": {"revision", "verdict", "dagster_run_id", "ts_accepted"},
    "market.bar_1m_adjusted": set[str](),
    "market.bar_1m_revision": set[str](),
    "market.quote": {"ts_landed"},
    "market.quotes.v1": set[str](),
    "ops.error_budget": {"objective_ratio"},
    "quality.quarantine": {"rules", "dagster_run_id", "ts_quarantined", "state"},
    "reference.adjustment_factor": set[str](),
    "staging.bar_1m": {
        *("kafka_partition", "kafka_offset_first", "kafka_offset_last", "flink_job_id"),
        *("ts_landed", "restatement_id", "volume_stated", "response_path"),
    },
}
"""Columns that their record's writer makes, from no other record."""


@cache
def specs() -> dict[dg.AssetKey, dg.AssetSpec]:
    definitions = build(Settings(_env_file=None))  # type: ignore[call-arg]
    return {spec.key: spec for spec in definitions.resolve_all_asset_specs()}


def upstream(key: dg.AssetKey) -> set[dg.AssetKey]:
    parents = {dep.asset_key for dep in specs()[key].deps}
    return parents.union(*(upstream(parent) for parent in parents))


@pytest.mark.parametrize("address", ORIGINS)
def test_what_a_column_is_computed_from_exists(address: str) -> None:
    origins, record = ORIGINS[address], RECORDS[address]
    known = {name for each in origins.made_of for name in each.names}
    assert set(origins.computed) <= set(record.names)
    assert {name for names in origins.computed.values() for name in names.split()} <= known


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("address", ORIGINS)
def test_every_column_has_an_origin_upstream_or_is_its_writer_s_own(address: str) -> None:
    key = key_of(address)
    lineage = specs()[key].metadata["dagster/column_lineage"]
    assert set(RECORDS[address].names) - set(lineage.deps_by_column) == OWN[address]
    assert {dep.asset_key for deps in lineage.deps_by_column.values() for dep in deps} <= upstream(key)


@pytest.mark.filterwarnings("ignore")
def test_from_a_panel_s_column_one_comes_to_the_tick_s_price() -> None:
    """Daily close on the chart, by the column each time."""
    way = ("aggregates.bar_1d_adjusted", "aggregates.bar_1d", "market.bar_1m", "staging.bar_1m")
    for address, origin in zip(way, (*way[1:], "market.ticks.v1"), strict=True):
        name = "close_split_adjusted" if address == way[0] else "close"
        deps = specs()[key_of(address)].metadata["dagster/column_lineage"].deps_by_column[name]
        wanted = "price" if origin == "market.ticks.v1" else "close"
        assert dg.TableColumnDep(key_of(origin), wanted) in deps
