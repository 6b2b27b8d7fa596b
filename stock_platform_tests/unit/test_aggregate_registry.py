"""The list of aggregates: every column says what it is computed from, and Dagster is told of it."""

from datetime import date

import dagster as dg
import pytest

from stock_platform.contracts.catalogue import TABLES, VIEWS
from stock_platform.defs.aggregate import aggregate_assets
from stock_platform.defs.aggregate_registry import EVERY_ONE, PROVENANCE, Aggregate
from stock_platform.defs.sessions import session_partitions

KNOWN = {record.address: record for record in (*TABLES, *VIEWS)}


@pytest.mark.parametrize("aggregate", EVERY_ONE, ids=lambda each: each.record.address)
def test_every_column_says_what_it_is_computed_from(aggregate: Aggregate) -> None:
    assert set(aggregate.origins) == set(aggregate.record.names) - set(PROVENANCE)
    wrong = [(record.address, name) for origin in aggregate.origins.values() for record, name in origin if name not in record.names]
    assert wrong == []
    assert {record.address for origin in aggregate.origins.values() for record, _ in origin} <= set(KNOWN)


@pytest.mark.parametrize("aggregate", EVERY_ONE, ids=lambda each: each.record.address)
def test_description_has_the_formula_of_every_column_that_is_no_key(aggregate: Aggregate) -> None:
    told = [column for column in aggregate.record.columns if column.name not in (*PROVENANCE, *aggregate.record.key)]
    assert all(f"- `{column.name}`: {column.meaning}" in aggregate.description for column in told)


def test_every_aggregate_is_an_asset_with_schema_and_column_lineage_that_one_run_can_backfill() -> None:
    assets = aggregate_assets(session_partitions(date(2026, 1, 1)))
    specs = {spec.key: spec for each in assets for spec in each.specs}
    assert {each.backfill_policy for each in assets} == {dg.BackfillPolicy.single_run()}
    assert set(specs) == {aggregate.key for aggregate in EVERY_ONE}
    for aggregate in EVERY_ONE:
        metadata = specs[aggregate.key].metadata
        assert isinstance(metadata["dagster/column_schema"], dg.TableSchema)
        lineage = metadata["dagster/column_lineage"]
        assert {dep.asset_key for deps in lineage.deps_by_column.values() for dep in deps} == {
            dep.asset_key for dep in specs[aggregate.key].deps
        }
