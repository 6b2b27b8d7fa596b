"""What runs, how it is, and how fresh its data is: the answer to `make status`."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from stock_platform.adapters.clock import SystemClock
from stock_platform.adapters.postgres import connect
from stock_platform.adapters.processes import ProcessState, Supervisor, resident_mib
from stock_platform.adapters.vendor_budget import vendor_budget
from stock_platform.config import Settings
from stock_platform.stack import layout
from stock_platform.stack.service import Service

_ERROR = re.compile(r"\b(ERROR|FATAL|CRITICAL|Exception|Error:)")
_TAIL_BYTES = 65_536


@dataclass(frozen=True)
class ServiceStatus:
    """One line of the table."""

    name: str
    state: str
    port: int | None
    version: str
    memory_mib: int
    last_error: str


@dataclass(frozen=True)
class DataStatus:
    """How fresh the data is; None where nothing has come yet."""

    feed: str
    feed_state: str | None
    lag_s: float | None
    ts_bar_last: datetime | None
    ts_bar_certified_last: datetime | None
    certified_bar_count: int | None
    vendor_requests: str
    stream_job: str | None
    checkpoint_age_s: float | None
    torn_bar_count: int | None
    alerts: str | None


def service_statuses(settings: Settings, services: list[Service]) -> list[ServiceStatus]:
    """State of every service: healthy, starting, stopped, or what is wrong."""
    supervisor = Supervisor(settings.home)
    running = supervisor.processes() if supervisor.alive() else {}
    return [_service_status(settings, service, running.get(service.name)) for service in services]


def data_status(settings: Settings, now: datetime) -> DataStatus:
    """Freshness as the database tells it."""
    requests = _vendor_requests(settings, now)
    nothing = DataStatus(settings.feed_kind, None, None, None, None, None, requests, None, None, None, None)
    try:
        with connect(settings.dsn("admin")) as connection:
            row = connection.execute(_FRESHNESS).fetchone()
            job = connection.execute(_STREAM_JOB).fetchone()
    except psycopg.Error:
        return nothing
    if row is None:
        return nothing
    source, state, heard, last, certified, count, torn_count, alerts = row
    lag = (now - heard).total_seconds() if heard else None
    described, age = _stream_job(job, now) if job else (None, None)
    feed = source or settings.feed_kind
    return DataStatus(feed, state, lag, last, certified, count, requests, described, age, torn_count, alerts or "none")


def _stream_job(row: tuple[Any, ...], now: datetime) -> tuple[str, float | None]:
    """The stream job in one line, and how old its newest checkpoint is, in seconds."""
    state, ts_checkpoint, size_bytes, duration_ms, lag_count, restart_count, ts_heartbeat, last_error = row
    age = (now - ts_checkpoint).total_seconds() if ts_checkpoint else None
    if last_error:
        return f"{state}: {last_error}", age
    seen = f"seen {(now - ts_heartbeat).total_seconds():.0f} s ago, {restart_count} restarts"
    behind = f"{'?' if lag_count is None else lag_count} records behind"
    if age is None:
        return f"{state}, {seen}, {behind}, no checkpoint yet", None
    checkpoint = f"checkpoint of {size_bytes / 2**20:.1f} MiB in {duration_ms} ms, {age:.0f} s old"
    return f"{state}, {seen}, {behind}, {checkpoint}", age


def _vendor_requests(settings: Settings, now: datetime) -> str:
    """Whether this machine may ask the vendor for prices and history."""
    state = vendor_budget(settings, SystemClock()).state()
    breaker = state.breaker(now)
    return "allowed" if breaker == "closed" else f"{breaker.replace('_', ' ')}, refused until {state.blocked_until:%Y-%m-%d %H:%M}Z"


_FRESHNESS = """
SELECT
    (SELECT source FROM ops.feed_line ORDER BY ts_heartbeat DESC LIMIT 1),
    (SELECT string_agg(line || ' ' || state, ', ' ORDER BY line) FROM ops.feed_line WHERE state <> 'retired'),
    (SELECT max(ts_recv) FROM market.quote),
    (SELECT max(ts_start) FROM staging.bar_1m),
    (SELECT max(ts_start) FROM market.bar_1m),
    (SELECT count(*) FROM market.bar_1m),
    (SELECT count(*) FROM staging.torn_bar),
    (SELECT string_agg(format('%s of %s: %s', alert_name, session_date, detail), '; ') FROM ops.alert WHERE ts_cleared IS NULL)
"""
_STREAM_JOB = """
SELECT state, ts_checkpoint, checkpoint_bytes, checkpoint_ms, lag_count, restart_count, ts_heartbeat, last_error
FROM ops.flink_job
"""


def as_document(services: list[ServiceStatus], data: DataStatus) -> dict[str, Any]:
    """The same as JSON-ready values."""
    return {
        "healthy": all(service.state == "healthy" for service in services),
        "memory_mib": sum(service.memory_mib for service in services),
        "services": [asdict(service) for service in services],
        "data": {key: value.isoformat() if isinstance(value, datetime) else value for key, value in asdict(data).items()},
    }


def _service_status(settings: Settings, service: Service, process: ProcessState | None) -> ServiceStatus:
    if process is None or process.state in {"STOPPED", "EXITED", "FATAL", "BACKOFF"}:
        state = "stopped" if process is None or process.state == "STOPPED" else process.state.lower()
        error = _last_error(layout.logs(settings.home) / f"{service.name}.log") if state != "stopped" else ""
        return ServiceStatus(service.name, state, service.port, service.version, 0, error)
    problem = service.problem()
    error = problem or _last_error(layout.logs(settings.home) / f"{service.name}.log")
    state = "unhealthy" if problem else "healthy"
    return ServiceStatus(service.name, state, service.port, service.version, round(resident_mib(process.pid)), error)


def _last_error(log: Path) -> str:
    """Newest line of the log that looks like an error, shortened."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip()[:160] for line in reversed(lines) if _ERROR.search(line)), "")
