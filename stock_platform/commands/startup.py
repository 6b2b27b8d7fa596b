"""What each start of the stack does once, between the services: databases, reference data, topics, the stream job.

All of it is safe to repeat. Here stages are joined: it may import any of them, none of them imports it."""

from datetime import timedelta
from pathlib import Path

import psycopg

from stock_platform.adapters import processes
from stock_platform.adapters.clock import Clock
from stock_platform.adapters.kafka import TICKS_KEPT, ensure_topics, market_topics
from stock_platform.adapters.postgres import connect, ensure_databases, migrate
from stock_platform.config import Settings, child_environment, inherited_environment
from stock_platform.feed import reference
from stock_platform.feed.choice import instruments_of
from stock_platform.names import ROLES
from stock_platform.stack import layout
from stock_platform.stack.service import Step
from stock_platform.stack.stream_job import Begin, submit


def steps(settings: Settings, clock: Clock, *, begin: Begin = "with its state") -> list[Step]:
    """The steps with what must be healthy before each.

    Args:
        begin: How the stream job is started.
    """
    topics = market_topics(retention=_retention(settings))
    return [
        Step("migrations", lambda: prepare_database(settings), after=("postgres",)),
        Step("reference", lambda: load_reference(settings, clock), after=("migrations",)),
        Step("topics", lambda: ensure_topics(settings.kafka_bootstrap, topics), after=("kafka",)),
        Step("stream-job", lambda: submit(settings, begin=begin), after=("flink-taskmanager", "topics", "reference")),
        Step("dagster-storage", lambda: prepare_dagster(settings), after=("migrations",)),
    ]


def _retention(settings: Settings) -> timedelta | None:
    """How long Kafka keeps ticks; a tape's are as old as the tape, and stay."""
    return None if settings.feed_kind == "tape" else TICKS_KEPT


def prepare_database(settings: Settings) -> list[str]:
    """Databases, passwords, migrations; returns the migrations applied."""
    passwords = {role: settings.password(role) for role in ROLES if role != "admin"}
    ensure_databases(settings.dsn("admin", "postgres"), passwords)
    return migrate(settings.dsn("admin"))


def load_reference(settings: Settings, clock: Clock) -> int:
    """Instruments of the watchlist and sessions of their calendars; returns the number of instruments."""
    first, last = reference.days(settings, clock.now().date())
    with connect(settings.dsn("gate_owner")) as connection:
        return reference.load(connection, instruments_of(settings), first=first, last=last).instrument_count


def prepare_dagster(settings: Settings) -> None:
    """Create Dagster's tables before its services would do it at the same time."""
    with psycopg.connect(settings.dsn("dagster", "dagster")) as connection:
        row = connection.execute("SELECT to_regclass('public.runs'), to_regclass('public.asset_keys')").fetchone()
    if row and all(row):
        return
    home: Path = layout.dagster_home(settings.home)
    environment = {
        **inherited_environment(),
        **child_environment(settings),
        "DAGSTER_HOME": str(home),
        "STOCK_PLATFORM_POSTGRES_HOST": settings.postgres_host,
        "STOCK_PLATFORM_POSTGRES_PORT": str(settings.postgres_port),
        "STOCK_PLATFORM_POSTGRES_DAGSTER_PASSWORD": settings.password("dagster"),
    }
    processes.run((str(layout.VENV_BIN / "dagster"), "instance", "migrate"), environment=environment)
