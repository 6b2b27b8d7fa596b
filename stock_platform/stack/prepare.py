"""Files that the services read, written anew at each start, and the data folders, created once and whole."""

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from stock_platform.adapters import flink_state, processes
from stock_platform.adapters.flink_script import STREAM, fill_script, plan_of
from stock_platform.adapters.kafka_security import flink_options
from stock_platform.config import ROOT, Settings, child_environment
from stock_platform.errors.stack import ToolMissing
from stock_platform.stack import flink, grafana, kafka, layout, postgres, supervisord
from stock_platform.stack.preflight import java_binary
from stock_platform.stack.service import Service

_SQL = ROOT / "flink" / "sql"
_BAR_S = 60
_KEPT_WITHOUT_LIMIT_S = 26 * 3600
"""A session with its extended hours, and two hours of outage."""


def prepare(settings: Settings, services: list[Service]) -> None:
    """Write every configuration; initialise Postgres and Kafka where that has not been done."""
    home = settings.home
    layout.logs(home).mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    postgres.create_cluster(home / "postgres", password=settings.password("admin"))
    # A killed JVM leaves its unpacked planner behind.
    shutil.rmtree(layout.flink(home) / "tmp", ignore_errors=True)
    write_configurations(settings)
    _format_kafka(settings)
    socket = processes.socket_path(home)
    socket.parent.mkdir(mode=0o700, exist_ok=True)
    text = supervisord.configuration(home, socket, services, child_environment(settings))
    _write(manager_file(home), text)


def write_configurations(settings: Settings) -> None:
    """What Kafka, Flink, Grafana and Dagster read; containers do no more than this, their images have the rest."""
    home = settings.home
    for folder in (layout.dagster_home(home), layout.flink(home) / flink_state.CHECKPOINTS):
        folder.mkdir(parents=True, exist_ok=True)
    _prepare_kafka(settings)
    _prepare_flink(settings)
    grafana.write_dashboards(settings)
    shutil.copyfile(ROOT / "dagster.yaml", layout.dagster_home(home) / "dagster.yaml")


def manager_file(home: Path) -> Path:
    """The process manager's configuration."""
    return home / "supervisord.conf"


def start_manager(home: Path) -> None:
    """Start supervisord in the background."""
    command = [str(layout.VENV_BIN / "supervisord"), "-c", str(manager_file(home))]
    subprocess.run(command, check=True, stdout=sys.stderr, timeout=30)


def _prepare_kafka(settings: Settings) -> None:
    folder = settings.home / "kafka"
    ports = kafka.Ports(settings.kafka_port, settings.kafka_controller_port, settings.kafka_port_outside)
    text = kafka.properties(folder / "data", ports=ports, host=settings.kafka_host, listen_host=settings.listen_host)
    _write(folder / "conf" / "server.properties", text)
    _write(folder / "conf" / "log4j2.properties", kafka.log4j2())


def _format_kafka(settings: Settings) -> None:
    folder = settings.home / "kafka"
    java, jars = java_binary(settings), layout.JARS / "kafka"
    if not (folder / "data" / "meta.properties").exists():
        shutil.rmtree(folder / "data", ignore_errors=True)
        processes.run(kafka.format_command(java, jars, folder / "conf"))


def _prepare_flink(settings: Settings) -> None:
    check_backend(settings)
    folder = layout.flink(settings.home)
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    hosts = flink.Hosts(settings.flink_host, settings.flink_taskmanager_host, settings.listen_host)
    ports = {"port": settings.flink_port, "rpc_port": settings.flink_rpc_port}
    text = flink.configuration(folder, **ports, size=size_of(settings), hosts=hosts)
    _write(folder / "conf" / "config.yaml", text)
    _write(folder / "conf" / "log4j2.properties", flink.log4j2())
    _write(layout.job_script(settings.home), fill_script(_SQL, STREAM, script_values(settings)))
    _write(layout.job_plan(settings.home), json.dumps(asdict(plan_of(_SQL, STREAM, flink=flink.VERSION))))


def check_backend(settings: Settings) -> None:
    """RocksDB is 50 MiB of native code that a stack on the heap need not carry.

    Raises:
        ToolMissing: it is wanted, and was not installed.
    """
    if settings.flink_state_backend == "rocksdb" and not list((layout.JARS / "flink").glob("flink-statebackend-rocksdb-*.jar")):
        expected = f"the artifact org.apache.flink:flink-statebackend-rocksdb:{flink.VERSION}"
        hint = "Add it to flink/functions/pom.xml and run `make install`, or set STOCK_PLATFORM_FLINK_STATE_BACKEND=hashmap."
        raise ToolMissing("RocksDB for Flink", expected, hint)


def size_of(settings: Settings) -> flink.Size:
    """How large Flink is meant to be."""
    return flink.Size(settings.flink_parallelism, settings.flink_task_heap_mib, settings.flink_state_backend)


def script_values(settings: Settings) -> dict[str, str]:
    """What the stream job's SQL leaves open."""
    kept = state_kept(settings)
    kept_s = kept.total_seconds() if kept else _KEPT_WITHOUT_LIMIT_S
    return {
        "KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "POSTGRES_URL": settings.jdbc_url,
        "POSTGRES_USER": "flink_writer",
        "POSTGRES_PASSWORD": settings.password("flink_writer"),
        "LATE_LIMIT_MS": str(_late_limit_s(settings) * 1000),
        "STATE_TTL": f"{kept_s:.0f} s",
        "PARALLELISM": str(settings.flink_parallelism),
        **{f"properties.{name}": value for name, value in flink_options(settings).items()},
    }


def state_kept(settings: Settings) -> timedelta | None:
    """How long a bar's state can be of use; None where ticks may be late without limit.

    A tick may be as late as the limit when Kafka takes it, and be read only after the longest outage; by then its bar may have
    been untouched since the first of its minute.
    """
    limit_s = _late_limit_s(settings)
    return timedelta(seconds=_BAR_S + limit_s + settings.flink_longest_outage_s) if limit_s else None


def _late_limit_s(settings: Settings) -> int:
    """A tape's ticks may be years older than their Kafka record: no limit there."""
    return 0 if settings.feed_kind == "tape" else settings.flink_late_limit_s


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)
