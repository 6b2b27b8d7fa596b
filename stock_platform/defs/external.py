"""Assets that Dagster shows but does not make: the vendor, topics, the quote table, views, and what people look at."""

import dagster as dg

from stock_platform.config import Settings
from stock_platform.contracts import adjusted, bar, tick, vendor
from stock_platform.contracts.gap import GAP
from stock_platform.contracts.record import Record
from stock_platform.defs.dashboards import dashboard_assets
from stock_platform.defs.world import column_schema, key_of

VENDOR = dg.AssetKey(["feed", "vendor"])
TICKS = key_of(tick.TICK.address)
DEAD_LETTERS = key_of(tick.DEAD_LETTER.address)
QUOTES = key_of(tick.QUOTE_UPDATE.address)
STREAM_JOB = dg.AssetKey(["flink", "ticks_to_bars"])


def external_assets(settings: Settings) -> list[dg.AssetSpec]:
    """Everything outside Dagster's own runs, so that lineage reads from the vendor to the chart."""
    return [*_streaming(settings), *_adjusted(), *_shown(settings)]


def _streaming(settings: Settings) -> list[dg.AssetSpec]:
    source = dg.AssetSpec(
        VENDOR,
        description="Where ticks come from: Yahoo's stream, the simulator that speaks its protocol, or a tape.",
        metadata={"feed": settings.feed_kind},
        group_name="feed",
        kinds={settings.feed_kind},
    )
    flink_url = dg.MetadataValue.url(settings.flink_address)
    job = dg.AssetSpec(
        STREAM_JOB,
        deps=[TICKS],
        description="Stream job: ticks to quotes and 1-minute bars, in SQL. Effectively once: checkpointed state and upserts.",
        metadata={"Flink UI": flink_url},
        group_name="flink",
        kinds={"flink", "sql"},
    )
    return [
        source,
        _topic(tick.TICK, [VENDOR]),
        job,
        _topic(tick.DEAD_LETTER, [VENDOR, STREAM_JOB]),
        _topic(tick.QUOTE_UPDATE, [STREAM_JOB]),
        _table(tick.QUOTE, [STREAM_JOB], {"postgres", "flink"}),
    ]


def _adjusted() -> list[dg.AssetSpec]:
    """Views: they are as new as what they read."""
    factor, action = key_of(adjusted.ADJUSTMENT_FACTOR.address), key_of(vendor.CORPORATE_ACTION.address)
    days, minutes = key_of(bar.BAR_1D.address), key_of(bar.BAR.address)
    return [
        _table(adjusted.ADJUSTMENT_FACTOR, [action, days], {"postgres", "view"}),
        _table(adjusted.BAR_1M_ADJUSTED, [minutes, factor], {"postgres", "view"}),
        _table(adjusted.BAR_1D_ADJUSTED, [days, factor], {"postgres", "view"}),
    ]


def _shown(settings: Settings) -> list[dg.AssetSpec]:
    bars = [key_of(record.address) for record in (bar.BAR, bar.BAR_5M, bar.BAR_15M, bar.BAR_1H, bar.BAR_1D)]
    quote = key_of(tick.QUOTE.address)
    api = dg.AssetKey(["api", "stocks"])
    return [
        _page(
            api,
            [quote, QUOTES, *bars, key_of(GAP.address)],
            f"{settings.api_page}/docs",
            "HTTP API: watchlist, bars, gaps, stream.",
        ),
        _page(dg.AssetKey(["page", "watchlist"]), [api], f"http://localhost:{settings.frontend_port}", "The page."),
        *dashboard_assets(settings),
    ]


def _topic(record: Record, deps: list[dg.AssetKey]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key_of(record.address),
        deps=deps,
        description=f"{record.meaning} Grain: {record.grain}.",
        metadata={"dagster/column_schema": column_schema(record)},
        group_name="kafka",
        kinds={"kafka"},
    )


def _table(record: Record, deps: list[dg.AssetKey], kinds: set[str]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key_of(record.address),
        deps=deps,
        description=f"{record.meaning} Grain: {record.grain}.",
        metadata={"dagster/column_schema": column_schema(record)},
        group_name=record.address.split(".")[0],
        kinds=kinds,
    )


def _page(key: dg.AssetKey, deps: list[dg.AssetKey], url: str, description: str) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        deps=deps,
        description=description,
        metadata={"url": dg.MetadataValue.url(url)},
        group_name="serving",
        kinds={key.path[0]},
    )
