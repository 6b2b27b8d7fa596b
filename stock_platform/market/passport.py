"""The passport of a bar: what is known of where it comes from, who accepted it, and what it was before.

Reads market.bar_1m, market.bar_1m_revision, quality.check_result, quality.gate_run, quality.validation_page, quality.quarantine,
quality.quarantine_decision, ops.flink_job and ops.restatement: nothing that api_reader may not. Not here: whether its ticks still
give the bar (verification)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, LiteralString, TypeVar

from psycopg.rows import class_row

from stock_platform.adapters.dagster_api import run_url
from stock_platform.adapters.postgres import Connection
from stock_platform.contracts.runs import DATA_DOCS
from stock_platform.contracts.tick import TICK
from stock_platform.errors.passport import BarNotCertified, BarProvisional, BarQuarantined, BarUnknown, BarWithdrawn

_Row = TypeVar("_Row")

_VERSION = """
    symbol, ts_start, ts_end, session_date, open, high, low, close, volume, vwap, tick_count, ts_first_tick, ts_last_tick, source,
    is_continuous, kafka_partition, kafka_offset_first, kafka_offset_last, flink_job_id, response_path, revision, verdict,
    dagster_run_id, %(runs)s || dagster_run_id AS dagster_run_url
"""
_BAR = "symbol = %(symbol)s AND ts_start = %(ts_start)s"
_CURRENT: LiteralString = (
    f"SELECT {_VERSION}, ts_accepted AS ts_valid_from, NULL::timestamptz AS ts_valid_to FROM market.bar_1m WHERE {_BAR}"
)
_REVISIONS: LiteralString = (
    f"SELECT {_VERSION}, ts_valid_from, ts_valid_to FROM market.bar_1m_revision WHERE {_BAR} ORDER BY revision"
)
_REFUSED: LiteralString = f"""
SELECT string_to_array(rules, ',') AS rules, dagster_run_id, %(runs)s || dagster_run_id AS dagster_run_url, ts_quarantined,
    CASE
        WHEN state = 'discarded'
            THEN (
                SELECT format('discarded by %%s at %%s: %%s', decided_by, to_char(ts_decided, 'YYYY-MM-DD HH24:MI"Z"'), reason)
                FROM quality.quarantine_decision
                WHERE {_BAR} AND decision = 'discarded'
                ORDER BY ts_decided DESC
                LIMIT 1
            )
    END AS decision
FROM quality.quarantine
WHERE {_BAR}
"""
_STAGED: LiteralString = f"SELECT tick_count, ts_landed FROM market.bar_1m_provisional WHERE {_BAR}"
_WITHDRAWN: LiteralString = f"SELECT max(revision), max(ts_valid_to) FROM market.bar_1m_revision WHERE {_BAR}"
_SPAN = "SELECT min(ts_start), max(ts_start) FROM market.bar_1m WHERE symbol = %(symbol)s"
_CHECKS = """
SELECT check_name, severity, is_passed, observed_count, failed_count, detail, ts_checked
FROM quality.check_result
WHERE dagster_run_id = %(dagster_run_id)s
ORDER BY is_passed, check_name
"""
_GATE_RUN = "SELECT code_version, closed_until FROM quality.gate_run WHERE dagster_run_id = %(dagster_run_id)s"
_DATA_DOCS = """
SELECT %(path)s || dagster_run_id FROM quality.validation_page
WHERE dagster_run_id = %(dagster_run_id)s AND session_date = %(session_date)s
"""
"""A run that judged several sessions has the page of its first."""
_FLINK_JOB = """
SELECT
    asked.flink_job_id,
    (
        SELECT max(restatement.restatement_id) FROM ops.restatement AS restatement
        WHERE restatement.flink_job_id = asked.flink_job_id
    ) AS restatement_id,
    job.state,
    job.checkpoint_path,
    job.ts_checkpoint
FROM (SELECT %(flink_job_id)s::text AS flink_job_id) AS asked
LEFT JOIN ops.flink_job AS job ON job.flink_job_id = asked.flink_job_id
"""


@dataclass(frozen=True)
class Version:
    """One accepted version of the bar, with the time in which it was the current one: a row of market.bar_1m_revision.

    Args:
        response_path: The vendor's raw answer, of a bar that was taken from its history; such a bar has no ticks, and what is said
            of ticks, Kafka and Flink is None.
    """

    symbol: str
    ts_start: datetime
    ts_end: datetime
    session_date: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int | None
    vwap: Decimal | None
    tick_count: int
    ts_first_tick: datetime | None
    ts_last_tick: datetime | None
    source: str
    is_continuous: bool
    kafka_partition: int | None
    kafka_offset_first: int | None
    kafka_offset_last: int | None
    flink_job_id: str | None
    revision: int
    verdict: str
    dagster_run_id: str
    dagster_run_url: str
    ts_valid_from: datetime
    ts_valid_to: datetime | None
    response_path: str | None = None


@dataclass(frozen=True)
class CheckResult:
    """How one rule fared in the gate run: over the run's whole batch, not over this bar alone."""

    check_name: str
    severity: str
    is_passed: bool
    observed_count: int
    failed_count: int
    detail: str
    ts_checked: datetime


@dataclass(frozen=True)
class GateRun:
    """The run that accepted the current version.

    Args:
        code_version: None where the run did not write it down.
        checks: Failed ones first, then by name.
        data_docs_url: What they saw, below the API's address; None where no page is kept.
    """

    dagster_run_id: str
    url: str
    code_version: str | None
    closed_until: datetime | None
    checks: tuple[CheckResult, ...]
    data_docs_url: str | None = None


@dataclass(frozen=True)
class FlinkJob:
    """The job that computed the current version.

    Args:
        restatement_id: The restatement that it ran for; None: it was the stream job.
        state: As last seen; None where the job is not known any more.
    """

    flink_job_id: str
    restatement_id: int | None
    state: str | None
    checkpoint_path: str | None
    ts_checkpoint: datetime | None

    @property
    def is_known(self) -> bool:
        """Whether the job that is watched is still this one."""
        return self.state is not None


@dataclass(frozen=True)
class Refused:
    """A newer version that the gate refused; the current one stays certified.

    Args:
        decision: What a person decided of it; None while it waits.
    """

    rules: Sequence[str]
    dagster_run_id: str
    dagster_run_url: str
    ts_quarantined: datetime
    decision: str | None = None


@dataclass(frozen=True)
class Passport:
    """All that is known of one certified bar.

    Args:
        flink_job: None of a bar of the vendor.
        revisions: Every version ever accepted, oldest first; the current one is the last.
    """

    current: Version
    gate_run: GateRun
    flink_job: FlinkJob | None
    revisions: tuple[Version, ...]
    refused: Refused | None
    kafka_topic: str = TICK.address

    @property
    def symbol(self) -> str:
        """Instrument of the bar."""
        return self.current.symbol

    @property
    def ts_start(self) -> datetime:
        """Start of the bar, inclusive."""
        return self.current.ts_start

    @property
    def ts_end(self) -> datetime:
        """End of the bar, exclusive."""
        return self.current.ts_end

    @property
    def session_date(self) -> date:
        """Trading day of the bar."""
        return self.current.session_date


def read_passport(connection: Connection, symbol: str, ts_start: datetime, *, dagster_address: str) -> Passport:
    """Look the bar up.

    Raises:
        BarNotCertified: it is not; says where the bar is instead.
    """
    bar = {"symbol": symbol, "ts_start": ts_start, "runs": run_url(dagster_address, "")}
    refused = _one(connection, Refused, _REFUSED, bar)
    current = _one(connection, Version, _CURRENT, bar)
    if current is None:
        raise _absence(connection, bar, refused)
    return Passport(
        current=current,
        gate_run=_gate_run(connection, current),
        flink_job=_flink_job(connection, current.flink_job_id) if current.flink_job_id else None,
        revisions=tuple(_rows(connection, Version, _REVISIONS, bar)),
        refused=refused,
    )


def _gate_run(connection: Connection, current: Version) -> GateRun:
    run = {"dagster_run_id": current.dagster_run_id}
    code_version, closed_until = connection.execute(_GATE_RUN, run).fetchone() or (None, None)
    checks = tuple(_rows(connection, CheckResult, _CHECKS, run))
    page = {**run, "path": DATA_DOCS, "session_date": current.session_date}
    (docs,) = connection.execute(_DATA_DOCS, page).fetchone() or (None,)
    return GateRun(current.dagster_run_id, current.dagster_run_url, code_version, closed_until, checks, docs)


def _flink_job(connection: Connection, flink_job_id: str) -> FlinkJob:
    found = _one(connection, FlinkJob, _FLINK_JOB, {"flink_job_id": flink_job_id})
    assert found is not None, "the query has one row whatever is known"
    return found


def _absence(connection: Connection, bar: Mapping[str, Any], refused: Refused | None) -> BarNotCertified:
    """Why there is no passport: the bar is in quarantine, only staged, withdrawn, or nowhere."""
    symbol, ts_start = bar["symbol"], bar["ts_start"]
    if refused:
        return BarQuarantined(
            *(symbol, ts_start),
            rules=refused.rules,
            dagster_run_id=refused.dagster_run_id,
            ts_quarantined=refused.ts_quarantined,
            decision=refused.decision,
        )
    staged = connection.execute(_STAGED, bar).fetchone()
    if staged:
        return BarProvisional(symbol, ts_start, tick_count=staged[0], ts_landed=staged[1])
    withdrawn = connection.execute(_WITHDRAWN, bar).fetchone()
    if withdrawn and withdrawn[0] is not None:
        return BarWithdrawn(symbol, ts_start, revision=withdrawn[0], ts_valid_to=withdrawn[1])
    first, last = connection.execute(_SPAN, bar).fetchone() or (None, None)
    return BarUnknown(symbol, ts_start, first=first, last=last)


def _rows(connection: Connection, kind: type[_Row], query: LiteralString, values: Mapping[str, Any]) -> list[_Row]:
    with connection.cursor(row_factory=class_row(kind)) as cursor:
        return cursor.execute(query, values).fetchall()


def _one(connection: Connection, kind: type[_Row], query: LiteralString, values: Mapping[str, Any]) -> _Row | None:
    return next(iter(_rows(connection, kind, query, values)), None)
