"""A candidate that is a Flink job: ours, whole or in parts, or another script of SQL, in the cluster's own Flink.

Not here: the scripts (flink/sql, benchmarks/peers)."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from benchmarks.program import bars_query, make_table
from benchmarks.race import CandidateFailed
from stock_platform.adapters.flink_script import STREAM, fill_script
from stock_platform.adapters.postgres import connect
from stock_platform.config import ROOT
from stock_platform.stack import layout
from stock_platform_tests.integration.jvm import PASSWORD, Cluster, require

BARS_ONLY = ("streaming.sql", "ddl.sql", "ticks_to_bars.sql")
_SQL = ROOT / "flink" / "sql"
_ENDED = ("FINISHED", "FAILED", "CANCELED")
_CEILING = """
ALTER TABLE market_ticks_v1 SET ('scan.bounded.mode' = 'latest-offset');
SET 'execution.checkpointing.checkpoints-after-tasks-finish.enabled' = 'false';
CREATE TABLE nothing (
    symbol STRING,
    price DECIMAL(18, 6),
    day_volume BIGINT,
    ts_event BIGINT,
    source STRING
) WITH ('connector' = 'blackhole');
INSERT INTO nothing
SELECT
    symbol,
    price,
    day_volume,
    ts_event,
    source
FROM good_tick;
"""
"""Reads and parses all that the topic holds, and ends."""


class FlinkJob:
    """A script as a job of the cluster's Flink.

    Args:
        owned: Tables that it writes and that are emptied before each run.
    """

    def __init__(self, cluster: Cluster, name: str, *, script: str, table: str, bars: str, owned: Sequence[str] = ()) -> None:
        self.name, self.table, self.bars = name, table, bars
        self._cluster, self._script, self._owned = cluster, script, owned
        self._rest = httpx.Client(base_url=f"http://127.0.0.1:{cluster.flink_port}", timeout=30, trust_env=False)
        self._job_id = ""

    def start(self) -> None:
        """Submit it, and wait until all its tasks run."""
        self.launch()
        require(self.has_begun, f"all tasks of {self.name} run")

    def launch(self) -> None:
        """Submit it without a checkpoint."""
        self._prepare()
        script = self._cluster.folder / "flink" / f"{self.name}.sql"
        script.write_text(self._script)
        self._job_id = self._cluster.rest.submit_sql(layout.FUNCTIONS_JAR, script, name=self.name, restore_from=None)

    def has_begun(self) -> bool:
        """Whether all its tasks run, or have run."""
        states = [vertex["status"] for vertex in self._get(f"/jobs/{self._job_id}")["vertices"]]
        return bool(states) and all(state in ("RUNNING", "FINISHED") for state in states)

    def began(self) -> datetime:
        """Since when all of them did."""
        vertices = [vertex["id"] for vertex in self._get(f"/jobs/{self._job_id}")["vertices"]]
        tasks = [task for each in vertices for task in self._get(f"/jobs/{self._job_id}/vertices/{each}/subtasktimes")["subtasks"]]
        return datetime.fromtimestamp(max(task["timestamps"]["RUNNING"] for task in tasks) / 1000, UTC)

    def crash(self) -> None:
        """kill -9 of the TaskManager; the JobManager gives its work to the next one."""
        self._cluster.taskmanager.kill()
        self._cluster.taskmanager.start()

    def stop(self) -> None:
        """Cancel it, and forget its checkpoints."""
        if self._job_id and self._state() not in _ENDED:
            answer = self._rest.patch(f"/jobs/{self._job_id}", params={"mode": "cancel"})
            if answer.status_code != httpx.codes.CONFLICT:  # it has ended by itself since the look
                answer.raise_for_status()
            require(lambda: self._state() in _ENDED, f"{self.name} is cancelled")
        shutil.rmtree(self._cluster.folder / "flink" / "checkpoints", ignore_errors=True)

    def problem(self) -> str | None:
        """Whether it has failed for good."""
        if self._cluster.taskmanager.has_ended:
            return "the TaskManager has died: look at its heap"
        return "the job has failed" if self._state() == "FAILED" else None

    def pids(self) -> list[int]:
        """TaskManager and JobManager."""
        servers = (self._cluster.taskmanager, self._cluster.jobmanager)
        return [server.process.pid for server in servers if server.process]

    def seconds_to_end(self) -> float:
        """How long a bounded job took from the moment that all its tasks ran."""
        require(lambda: self._state() in _ENDED, f"{self.name} ends", within_s=300)
        if problem := self.problem():
            raise CandidateFailed(problem)
        return self._get(f"/jobs/{self._job_id}")["end-time"] / 1000 - self.began().timestamp()

    def _prepare(self) -> None:
        if self._cluster.taskmanager.has_ended:  # of the candidate before
            self._cluster.taskmanager.start()
        require(lambda: self._cluster.rest.slots_problem() is None, "Flink has slots")
        if self.table.startswith("bench."):
            make_table(self._cluster, self.table)
        with connect(self._cluster.dsn()) as connection:
            for table in self._owned:
                connection.execute(f"TRUNCATE {table}".encode())

    def _state(self) -> str:
        return self._get(f"/jobs/{self._job_id}")["state"]

    def _get(self, path: str) -> Any:
        return self._rest.get(path).raise_for_status().json()


def whole_job(cluster: Cluster) -> FlinkJob:
    """The streaming job as the stack submits it: bars, quotes, dead letters."""
    return _ours(cluster, "ours_whole", STREAM)


def bars_job(cluster: Cluster) -> FlinkJob:
    """The streaming job without its other sinks: what the peers do."""
    return _ours(cluster, "ours_bars", BARS_ONLY)


def ceiling_job(cluster: Cluster) -> FlinkJob:
    """Our parser alone, into nothing, over what the topic holds."""
    views = fill_script(_SQL, BARS_ONLY, values(cluster)).partition("INSERT INTO")[0]
    return FlinkJob(cluster, "parse_only", script=f"{views}\n{_CEILING}", table="", bars="")


def script_job(cluster: Cluster, name: str, file: Path) -> FlinkJob:
    """Somebody else's script, which writes to a table of its own."""
    table = f"bench.bar_{name}"
    script = fill_script(file.parent, (file.name,), {**values(cluster), "TABLE": table})
    return FlinkJob(cluster, name, script=script, table=table, bars=bars_query(table))


def values(cluster: Cluster) -> dict[str, str]:
    """What the scripts' names stand for in this cluster; ticks of a tape may be of any age."""
    return {
        "KAFKA_BOOTSTRAP": cluster.bootstrap,
        "POSTGRES_URL": f"jdbc:postgresql://127.0.0.1:{cluster.postgres_port}/stock_platform",
        "POSTGRES_USER": "stock_admin",
        "POSTGRES_PASSWORD": PASSWORD,
        "LATE_LIMIT_MS": "0",
        "PARALLELISM": str(cluster.parallelism),
    }


def _ours(cluster: Cluster, name: str, parts: Sequence[str]) -> FlinkJob:
    owned = ("staging.bar_1m", "market.quote")
    script = fill_script(_SQL, parts, values(cluster))
    return FlinkJob(cluster, name, script=script, table="staging.bar_1m", bars=bars_query("staging.bar_1m_sized"), owned=owned)
