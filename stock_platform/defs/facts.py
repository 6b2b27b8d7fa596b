"""What every asset says of itself, given in one place: its owner, and a table's full name.

Not here: what differs from asset to asset (description, columns, dependencies)."""

# Dagster's methods are typed in part only.
# pyright: reportUnknownMemberType=false

from collections.abc import Sequence

import dagster as dg

from stock_platform.contracts.catalogue import TABLES, VIEWS
from stock_platform.defs.world import key_of

OWNER = "team:data-platform"
DATABASE = "stock_platform"
_NAMES = {key_of(record.address): f"{DATABASE}.{record.address}" for record in (*TABLES, *VIEWS)}


def with_facts(assets: Sequence[dg.AssetSpec | dg.AssetsDefinition]) -> list[dg.AssetSpec | dg.AssetsDefinition]:
    """The same assets, each with what it did not say yet."""
    return [each.map_asset_specs(_told) if isinstance(each, dg.AssetsDefinition) else _told(each) for each in assets]


def _told(spec: dg.AssetSpec) -> dg.AssetSpec:
    name = _NAMES.get(spec.key)
    return spec.replace_attributes(
        owners=[OWNER],
        metadata={**spec.metadata, "dagster/table_name": name} if name else spec.metadata,
    )
