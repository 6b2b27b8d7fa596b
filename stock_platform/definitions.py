"""What Dagster loads: one set of definitions, made for the settings of the stack that loads it."""

# Dagster's decorators are typed in part only.
# pyright: reportUnknownMemberType=false

import dagster as dg

from stock_platform.config import Settings, load
from stock_platform.contracts.bar import BAR, STAGED_BAR
from stock_platform.contracts.runs import PRIORITY
from stock_platform.defs.aggregate import aggregate_assets
from stock_platform.defs.aggregate_registry import EVERY_RUN
from stock_platform.defs.archive import archive_asset, archive_job, certified_sessions_sensor
from stock_platform.defs.calendars import reference_assets, reference_job, reference_schedule
from stock_platform.defs.certify import GATE, MAX_RUNTIME, gate_assets
from stock_platform.defs.certify import JOB as CERTIFY
from stock_platform.defs.close import close_job, session_closed_sensor
from stock_platform.defs.closed_bars import closed_bars_sensor
from stock_platform.defs.external import external_assets
from stock_platform.defs.external_tables import external_tables
from stock_platform.defs.facts import with_facts
from stock_platform.defs.feed_line import feed_line
from stock_platform.defs.feed_supervisor import feed_supervisor_sensor
from stock_platform.defs.freshness import session_freshness, session_freshness_checks, with_daily_policy
from stock_platform.defs.gap_repair import gap_repair, repair_gap
from stock_platform.defs.gaps import GAPS, gap_asset
from stock_platform.defs.jumps import no_jump_without_factor
from stock_platform.defs.reconcile import ended_sessions_sensor, near_vendor, reconcile_job, reconciliation_asset
from stock_platform.defs.restate import restate_job, restatement_asset
from stock_platform.defs.retention import ops_retention, retention_job, retention_schedule
from stock_platform.defs.review import review_quarantine
from stock_platform.defs.seed import history_sensor, minutes_job, seed_sessions
from stock_platform.defs.service_level import LATENCIES, LEVELS, service_level_assets
from stock_platform.defs.sessions import session_partitions
from stock_platform.defs.stream_checks import stream_job_checks
from stock_platform.defs.stream_job import flink_job, flink_supervisor
from stock_platform.defs.vendor import daily_job, vendor_assets, vendor_schedule
from stock_platform.defs.world import key_of, world_resource
from stock_platform.feed.choice import instruments_of
from stock_platform.feed.reference import calendars_of


def build(settings: Settings) -> dg.Definitions:
    """All assets, checks, jobs and sensors over one world."""
    partitions = session_partitions(settings.sessions_first, settings.sessions_last, calendars=_calendars(settings))
    gate, aggregates = gate_assets(partitions), aggregate_assets(partitions)
    upstream = dg.AssetSelection.assets(key_of(STAGED_BAR.address), key_of(BAR.address), "quality/quarantine")
    watched = dg.AssetSelection.assets(GAPS, LEVELS, LATENCIES)
    looked_at = (no_jump_without_factor, near_vendor, session_freshness_checks)
    computed = dg.AssetSelection.assets(*(aggregate.key for aggregate in EVERY_RUN))
    certify = dg.define_asset_job(
        CERTIFY,
        selection=(upstream | watched | computed) - dg.AssetSelection.checks(*looked_at),
        # Before what a person or a backfill has queued.
        tags={GATE: "1", PRIORITY: "5", **MAX_RUNTIME},
        description="Judge a session's closed bars, promote what passes, look for gaps, measure, refresh the session's aggregates.",
    )
    refresh, archive, reconciliation = reference_job(), archive_job(partitions), reconcile_job(partitions)
    close, vendor, retention = close_job(partitions), vendor_assets(partitions), retention_job()
    daily, minutes = daily_job(partitions), minutes_job(partitions)
    return dg.Definitions(
        assets=with_facts(
            [
                *external_assets(settings),
                *external_tables(),
                *with_daily_policy([reference_assets()]),
                gate,
                *aggregates,
                gap_asset(partitions),
                service_level_assets(partitions),
                *(vendor if settings.feed_kind == "tape" else with_daily_policy(vendor)),
                archive_asset(partitions),
                restatement_asset(partitions),
                reconciliation_asset(partitions),
                ops_retention,
            ]
        ),
        asset_checks=[stream_job_checks, *looked_at],
        jobs=[
            *(certify, feed_line, flink_job, refresh, archive, reconciliation, close),
            *(restate_job(partitions), review_quarantine, repair_gap, retention, daily, minutes, seed_sessions),
        ],
        schedules=[
            reference_schedule(refresh),
            vendor_schedule(daily, partitions, settings.feed_kind),
            retention_schedule(retention),
        ],
        sensors=[
            feed_supervisor_sensor(refresh),
            flink_supervisor,
            closed_bars_sensor(certify, partitions),
            certified_sessions_sensor(archive, partitions),
            ended_sessions_sensor(reconciliation, partitions, settings.feed_kind),
            gap_repair,
            session_closed_sensor(close, partitions),
            session_freshness,
            history_sensor(daily, minutes, partitions, settings.feed_kind),
        ],
        resources={"world": world_resource(settings)},
        executor=dg.in_process_executor,
    )


def _calendars(settings: Settings) -> list[str]:
    """Of what is watched; a tape, which each run would read for it, has a partition for every day of its few."""
    return ["24/7"] if settings.feed_kind == "tape" else calendars_of(instruments_of(settings))


defs = build(load())
