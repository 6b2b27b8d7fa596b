"""Grafana's dashboards as assets, so that lineage reads on to what people look at. A test compares them with the dashboards' files,
which Dagster's image does not have."""

from dataclasses import dataclass

import dagster as dg

from stock_platform.config import Settings
from stock_platform.contracts import aggregate, bar, gap, reference, restatement, slo, tick, vendor
from stock_platform.contracts.record import Record
from stock_platform.defs.world import key_of

_SESSIONS = (reference.INSTRUMENT, reference.SESSION)
_COARSER = (bar.BAR_5M, bar.BAR_15M, bar.BAR_1H, bar.BAR_1D)


@dataclass(frozen=True)
class Dashboard:
    """One page of Grafana.

    Args:
        description: The one that it shows itself.
        reads: Tables and views of its queries.
    """

    uid: str
    description: str
    reads: tuple[Record, ...]


_BOARDS = (
    Dashboard(
        "market-overview",
        "Provisional quotes beside certified bars: what moves, and how far the certified market has come.",
        (tick.QUOTE, bar.BAR, bar.SESSION_STAT, gap.GAP, reference.ALERT, *_SESSIONS),
    ),
    Dashboard(
        "symbol",
        "Certified bars of one or more symbols; each mark and row leads to the bar's passport or its Dagster run.",
        (
            *(bar.BAR, bar.BAR_REVISION, *_COARSER, gap.GAP, restatement.RESTATED_DIFFERENCE),
            *(vendor.CORPORATE_ACTION, vendor.VENDOR_INSTRUMENT),
            *(aggregate.INDICATOR_1D, aggregate.VOLATILITY_20D, aggregate.LIQUIDITY_30M, *_SESSIONS),
        ),
    ),
    Dashboard(
        "movers",
        "One session: highest and lowest changes, breadth by sector, volatility, liquidity, correlations.",
        (
            *(aggregate.MOVER, aggregate.SECTOR_BREADTH, aggregate.CORRELATION_60D),
            *(aggregate.VOLATILITY_20D, aggregate.LIQUIDITY_30M, *_SESSIONS),
        ),
    ),
    Dashboard(
        "data-quality",
        "Verdicts, quarantine, checks, gaps, restatements, and where the vendor says something else.",
        (
            *(bar.BAR, bar.QUARANTINE, bar.CHECK_RESULT, bar.TORN_BAR_SHOWN, gap.GAP, vendor.VENDOR_DIFFERENCE),
            *(restatement.RESTATEMENT, restatement.RESTATED_DIFFERENCE, bar.QUARANTINE_DECISION, reference.ALERT),
        ),
    ),
    Dashboard(
        "pipeline-health",
        "From the vendor to certified bars: who is silent, what lags, how long each hop takes.",
        (
            *(reference.FEED_LINE, reference.FEED_GAP, reference.FLINK_JOB, slo.LATENCY_MINUTE),
            *(bar.BAR, bar.TORN_BAR_SHOWN, bar.CHECK_RESULT, bar.GATE_RUN),
        ),
    ),
    Dashboard(
        "slo",
        "Good minutes are complete and accepted; the objective is their share of the session's minutes, excused ones left out.",
        (slo.SLO_SESSION, slo.ERROR_BUDGET, gap.GAP, *_SESSIONS),
    ),
)


def dashboard_assets(settings: Settings) -> list[dg.AssetSpec]:
    """One external asset a dashboard, with its address."""
    return [
        dg.AssetSpec(
            dg.AssetKey(["grafana", board.uid]),
            deps=[key_of(record.address) for record in board.reads],
            description=f"Grafana dashboard. {board.description}",
            metadata={"url": dg.MetadataValue.url(f"http://localhost:{settings.grafana_port}/d/{board.uid}")},
            group_name="serving",
            kinds={"grafana"},
        )
        for board in _BOARDS
    ]
