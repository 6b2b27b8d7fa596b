"""What assets and sensors are given: settings, a clock, and connections by role."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import dagster as dg

from stock_platform.adapters.clock import Clock, SystemClock
from stock_platform.adapters.code_version import code_version
from stock_platform.adapters.postgres import Connection, connect
from stock_platform.config import ROOT, Settings
from stock_platform.contracts.record import Record

UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""Statuses of a run that has not ended."""


@dataclass(frozen=True)
class World:
    """The outside, as one argument.

    Args:
        code_version: Code that runs, as bars that it accepts name it.
    """

    settings: Settings
    clock: Clock
    code_version: str = "unknown"

    def database(self, role: str) -> AbstractContextManager[Connection]:
        """A connection of that role; commits at the end of the block."""
        return connect(self.settings.dsn(role))


def world_resource(settings: Settings) -> dg.ResourceDefinition:
    """The world as a Dagster resource under the key `world`."""
    return dg.ResourceDefinition.hardcoded_resource(World(settings, SystemClock(), code_version(ROOT)))


def key_of(address: str) -> dg.AssetKey:
    """Asset key of a table or topic: its address with slashes; topics live under `kafka`."""
    parts = address.split(".")
    return dg.AssetKey(["kafka", *parts] if parts[-1].startswith("v") and parts[-1][1:].isdigit() else parts)


def table_spec(
    record: Record,
    *,
    meaning: str = "",
    upstream: Sequence[dg.AssetKey],
    kinds: set[str],
    partitions: dg.PartitionsDefinition[str] | None = None,
    is_skippable: bool = False,
) -> dg.AssetSpec:
    """A table as one of several assets of a step, or as an external asset.

    Args:
        meaning: For a person, where the contract's own does not do.
        is_skippable: A run may leave it out."""
    return dg.AssetSpec(
        key_of(record.address),
        deps=upstream,
        group_name=record.address.split(".")[0],
        kinds={"postgres", *kinds},
        description=f"{meaning or record.meaning} Grain: {record.grain}.",
        metadata={"dagster/column_schema": column_schema(record)},
        partitions_def=partitions,
        skippable=is_skippable,
    )


def column_schema(record: Record) -> dg.TableSchema:
    """The contract's columns as Dagster shows them."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.type.value,
                description=f"{column.meaning}{f' [{column.unit}]' if column.unit else ''}",
                constraints=dg.TableColumnConstraints(nullable=column.name in record.nullable),
            )
            for column in record.columns
        ]
    )
