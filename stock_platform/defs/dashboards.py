"""Grafana's dashboards as assets, so that lineage reads on to what people look at. A test compares them with their queries."""

import dagster as dg

from stock_platform.config import Settings
from stock_platform.contracts import aggregate, bar, gap, reference, restatement, slo, tick, vendor
from stock_platform.contracts.record import Record
from stock_platform.defs.world import key_of

_SESSIONS = (reference.INSTRUMENT, reference.SESSION)
_COARSER = (bar.BAR_5M, bar.BAR_15M, bar.BAR_1H, bar.BAR_1D)

READS: dict[str, tuple[Record, ...]] = {
    "market-overview": (tick.QUOTE, bar.BAR, bar.SESSION_STAT, gap.GAP, *_SESSIONS),
    "symbol": (
        *(bar.BAR, *_COARSER, gap.GAP, restatement.RESTATED_DIFFERENCE, vendor.CORPORATE_ACTION, vendor.VENDOR_INSTRUMENT),
        *(aggregate.INDICATOR_1D, aggregate.VOLATILITY_20D, aggregate.LIQUIDITY_30M, *_SESSIONS),
    ),
    "movers": (
        *(aggregate.MOVER, aggregate.SECTOR_BREADTH, aggregate.CORRELATION_60D),
        *(aggregate.VOLATILITY_20D, aggregate.LIQUIDITY_30M, *_SESSIONS),
    ),
    "data-quality": (bar.BAR, bar.QUARANTINE, gap.GAP, restatement.RESTATED_DIFFERENCE, vendor.VENDOR_DIFFERENCE),
    "pipeline-health": (bar.BAR, slo.LATENCY_MINUTE),
    "slo": (slo.SLO_SESSION, gap.GAP, *_SESSIONS),
}
"""What each dashboard shows of the tables that are assets."""


def dashboard_assets(settings: Settings) -> list[dg.AssetSpec]:
    """One external asset a dashboard, with its address."""
    return [
        dg.AssetSpec(
            dg.AssetKey(["grafana", uid]),
            deps=[key_of(record.address) for record in records],
            description=f"Grafana dashboard: {uid.replace('-', ' ')}.",
            metadata={"url": dg.MetadataValue.url(f"http://localhost:{settings.grafana_port}/d/{uid}")},
            group_name="serving",
            kinds={"grafana"},
        )
        for uid, records in READS.items()
    ]
