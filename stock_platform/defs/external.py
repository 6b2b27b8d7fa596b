"""Assets that Dagster shows but does not make: watchlist, vendor, topics, the stream job, and what people look at.

Not here: tables and views (external_tables), Grafana's dashboards (dashboards)."""

# Dagster's metadata is typed in part only.
# pyright: reportUnknownMemberType=false

import dagster as dg

from stock_platform.adapters.kafka import TICKS_KEPT, TopicSpec, market_topics
from stock_platform.config import Settings
from stock_platform.contracts import adjusted, aggregate, bar, gap, reference, restatement, slo, tick, vendor
from stock_platform.contracts.record import Record
from stock_platform.defs.dashboards import dashboard_assets
from stock_platform.defs.world import column_schema, key_of

WATCHLIST = dg.AssetKey(["feed", "watchlist"])
VENDOR = dg.AssetKey(["feed", "vendor"])
TICKS = key_of(tick.TICK.address)
DEAD_LETTERS = key_of(tick.DEAD_LETTER.address)
QUOTES = key_of(tick.QUOTE_UPDATE.address)
STREAM_JOB = dg.AssetKey(["flink", "ticks_to_bars"])

API_READS: tuple[Record, ...] = (
    *(tick.QUOTE, tick.QUOTE_UPDATE, bar.BAR, bar.STAGED_BAR, bar.BAR_REVISION),
    *(bar.BAR_5M, bar.BAR_15M, bar.BAR_1H, bar.BAR_1D, adjusted.BAR_1D_VENDOR, adjusted.ADJUSTMENT_FACTOR),
    *(aggregate.INDICATOR_1D, aggregate.MOVER, aggregate.SECTOR_BREADTH, vendor.CORPORATE_ACTION, reference.INSTRUMENT),
    *(gap.GAP, bar.QUARANTINE, bar.QUARANTINE_DECISION, bar.CHECK_RESULT, bar.GATE_RUN, bar.VALIDATION_PAGE),
    *(restatement.RESTATEMENT, restatement.RESTATED_DIFFERENCE, slo.ERROR_BUDGET, slo.LATENCY_MINUTE),
    *(reference.FEED_LINE, reference.FLINK_JOB),
)
"""What the API answers from. A test compares it with the API's queries."""


def external_assets(settings: Settings) -> list[dg.AssetSpec]:
    """Everything outside Dagster's own runs that is no table, so that lineage reads from the vendor to the chart."""
    return [*_sources(settings), *_streaming(settings), *_shown(settings)]


def _sources(settings: Settings) -> list[dg.AssetSpec]:
    is_tape = settings.feed_kind == "tape"
    file = settings.feed_tape if is_tape else settings.feed_watchlist
    watchlist = dg.AssetSpec(
        WATCHLIST,
        description="Which instruments are watched, on which calendar: a file that a person edits, or what a tape has.",
        metadata={"file": dg.MetadataValue.path(str(file))},
        group_name="feed",
        kinds={"parquet" if is_tape else "yaml"},
    )
    source = dg.AssetSpec(
        VENDOR,
        deps=[WATCHLIST],
        description="Where ticks come from: Yahoo's stream, the simulator that speaks its protocol, or a tape.",
        metadata={"feed": settings.feed_kind},
        group_name="feed",
        kinds={settings.feed_kind},
    )
    return [watchlist, source]


def _streaming(settings: Settings) -> list[dg.AssetSpec]:
    job = dg.AssetSpec(
        STREAM_JOB,
        deps=[TICKS],
        description="Stream job: ticks to quotes and 1-minute bars, in SQL. Effectively once: checkpointed state and upserts.",
        metadata={"Flink UI": dg.MetadataValue.url(settings.flink_address)},
        group_name="flink",
        kinds={"flink", "sql"},
    )
    kept = None if settings.feed_kind == "tape" else TICKS_KEPT
    topics = {topic.name: topic for topic in market_topics(retention=kept)}
    status = f"{settings.api_page}/market/status"
    return [
        job,
        _topic(tick.TICK, [VENDOR], topics, status),
        _topic(tick.DEAD_LETTER, [VENDOR, STREAM_JOB], topics, status),
        _topic(tick.QUOTE_UPDATE, [STREAM_JOB], topics, status),
    ]


def _shown(settings: Settings) -> list[dg.AssetSpec]:
    api = dg.AssetKey(["api", "stocks"])
    return [
        _page(
            api,
            [key_of(record.address) for record in API_READS],
            f"{settings.api_page}/docs",
            "HTTP API: watchlist, quotes as a stream, bars of every interval, raw, adjusted or as of an instant, "
            "each bar's passport, gaps, quarantine, restatements, indicators, movers, service levels.",
        ),
        _page(
            dg.AssetKey(["page", "watchlist"]),
            [api],
            f"http://localhost:{settings.frontend_port}",
            "Page for people, in three views: symbols (chart, a bar's passport, live watchlist), market, quality.",
        ),
        *dashboard_assets(settings),
    ]


def _topic(record: Record, deps: list[dg.AssetKey], topics: dict[str, TopicSpec], status: str) -> dg.AssetSpec:
    """With the settings that the stack gives it, and the API's page on the feed: Kafka has no page of its own."""
    spec = topics[record.address]
    return dg.AssetSpec(
        key_of(record.address),
        deps=deps,
        description=f"{record.meaning} Grain: {record.grain}.",
        metadata={
            "dagster/column_schema": column_schema(record),
            "topic": spec.name,
            "partitions": spec.partition_count,
            **{name: value for name, value in spec.settings.items() if name in _TOLD},
            "feed's state": dg.MetadataValue.url(status),
        },
        group_name="kafka",
        kinds={"kafka"},
    )


_TOLD = ("retention.ms", "retention.bytes", "cleanup.policy", "max.message.bytes")


def _page(key: dg.AssetKey, deps: list[dg.AssetKey], url: str, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=deps,
        description=description,
        metadata={"url": dg.MetadataValue.url(url)},
        group_name="serving",
        kinds={key.path[0]},
    )
