"""Tables and views that no asset of Dagster's writes, as external assets: what services, triggers and gate runs keep beside theirs.

Not here: topics, the stream job, and what people look at (external)."""

from collections.abc import Sequence

import dagster as dg

from stock_platform.contracts import adjusted, archive, bar, reference, restatement, slo, tick, vendor
from stock_platform.contracts.record import Record
from stock_platform.defs.external import STREAM_JOB, TICKS, VENDOR
from stock_platform.defs.world import key_of, table_spec

_STAGED = (bar.STAGED_BAR,)
_OF_TICKS = (TICKS, archive.ARCHIVED_TICK, vendor.VENDOR_BAR_1M)
_FACTOR = adjusted.ADJUSTMENT_FACTOR

_TABLES: tuple[tuple[Record, Sequence[Record | dg.AssetKey], str], ...] = (
    (tick.QUOTE, (STREAM_JOB,), "flink"),
    (reference.FEED_LINE, (VENDOR,), "dagster"),
    (reference.FEED_GAP, (VENDOR,), "dagster"),
    (reference.FLINK_JOB, (STREAM_JOB,), "dagster"),
    (bar.CHECK_RESULT, _STAGED, "great-expectations"),
    (bar.GATE_RUN, _STAGED, "dagster"),
    (bar.VALIDATION_PAGE, _STAGED, "great-expectations"),
    (reference.ALERT, _STAGED, "dagster"),
    (bar.BAR_REVISION, (bar.BAR,), "dagster"),
    (bar.QUARANTINE_DECISION, (bar.QUARANTINE,), "dagster"),
    (restatement.RESTATEMENT, _OF_TICKS, "flink"),
)
"""Each with what its rows come from, and who writes them: a run or sensor of Dagster that is no asset's own, a library, Flink."""

_VIEWS: tuple[tuple[Record, Sequence[Record | dg.AssetKey]], ...] = (
    (bar.TORN_BAR_SHOWN, (STREAM_JOB,)),
    (_FACTOR, (vendor.CORPORATE_ACTION, vendor.VENDOR_INSTRUMENT, reference.INSTRUMENT, bar.BAR_1D)),
    (adjusted.BAR_1M_ADJUSTED, (bar.BAR, _FACTOR)),
    (adjusted.BAR_1D_ADJUSTED, (bar.BAR_1D, _FACTOR)),
    (adjusted.BAR_1D_VENDOR, (vendor.VENDOR_BAR_1D, bar.BAR_1D, _FACTOR, reference.INSTRUMENT, reference.SESSION)),
    (slo.ERROR_BUDGET, (slo.SLO_SESSION,)),
)
"""Each with what it reads: it is as new as that."""


def external_tables() -> list[dg.AssetSpec]:
    """Everything that a query may read and no asset makes."""
    tables = [_table(record, origins, writer) for record, origins, writer in _TABLES]
    return [*tables, *(_table(record, origins, "view") for record, origins in _VIEWS)]


def _table(record: Record, origins: Sequence[Record | dg.AssetKey], kind: str) -> dg.AssetSpec:
    return table_spec(
        record, upstream=[key_of(each.address) if isinstance(each, Record) else each for each in origins], kinds={kind}
    )
