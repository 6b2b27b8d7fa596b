"""What every asset says of itself, given in one place: its owner, a table's name, its columns' origins, the code that makes it.

Not here: what differs from asset to asset (description, columns, dependencies)."""

# Dagster's methods are typed in part only.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence
from functools import cache
from typing import Any

import dagster as dg

from stock_platform.adapters.code_version import source_version
from stock_platform.config import ROOT
from stock_platform.contracts.archive import ARCHIVED_TICK
from stock_platform.contracts.bar import BAR, QUARANTINE
from stock_platform.contracts.catalogue import TABLES, TOPICS, VIEWS
from stock_platform.defs.aggregate_registry import EVERY_ONE
from stock_platform.defs.column_lineage import column_lineage
from stock_platform.defs.world import key_of

OWNER = "team:data-platform"
DATABASE = "stock_platform"
_NAMES = {key_of(record.address): f"{DATABASE}.{record.address}" for record in (*TABLES, *VIEWS)}
_RECORDS = {key_of(record.address): record for record in (*TABLES, *VIEWS, *TOPICS, ARCHIVED_TICK)}
_MADE_BY = {**{each.key: "aggregates" for each in EVERY_ONE}, **{key_of(each.address): "gate" for each in (BAR, QUARANTINE)}}
"""Folder of the code that decides what rows say: another version of it may say something else."""


def with_facts(assets: Sequence[dg.AssetSpec | dg.AssetsDefinition]) -> list[dg.AssetSpec | dg.AssetsDefinition]:
    """The same assets, each with what it did not say yet."""
    return [each.map_asset_specs(_told) if isinstance(each, dg.AssetsDefinition) else _told(each) for each in assets]


def _told(spec: dg.AssetSpec) -> dg.AssetSpec:
    folder = _MADE_BY.get(spec.key)
    return spec.replace_attributes(
        owners=[OWNER],
        metadata={**spec.metadata, **_of_table(spec.key)},
        code_version=_version(folder) if folder else None,
    )


def _of_table(key: dg.AssetKey) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if key in _NAMES:
        facts["dagster/table_name"] = _NAMES[key]
    if key in _RECORDS and (lineage := column_lineage(_RECORDS[key])):
        facts["dagster/column_lineage"] = lineage
    return facts


@cache
def _version(folder: str) -> str:
    return source_version(ROOT / "stock_platform" / folder)
