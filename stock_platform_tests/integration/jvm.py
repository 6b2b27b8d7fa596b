"""A real stream cluster for tests: Kafka, Flink and Postgres on free ports, in a folder of their own, stopped by pid."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from shutil import which
from typing import Any, LiteralString, Self, cast

import psycopg
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from stock_platform.adapters import postgres as database
from stock_platform.adapters import processes
from stock_platform.adapters.clock import Clock, SystemClock, wait_until
from stock_platform.adapters.flink import FlinkRest
from stock_platform.adapters.flink_script import STREAM, Plan, fill_script, plan_of
from stock_platform.adapters.kafka import broker_problem, ensure_topics, market_topics
from stock_platform.adapters.probe import free_port, port_open
from stock_platform.config import ROOT
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.contracts.tick import TICK
from stock_platform.stack import flink, kafka, layout, postgres
from stock_platform.stack.stream_job import Begin, JobFiles, Submission, start
from stock_platform.stack.stream_report import Seen

PASSWORD = "only-for-tests"
_CLOCK = SystemClock()
_NOT_YET = (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)


def require(condition: Callable[[], bool], what: str, *, within_s: float = 90) -> None:
    """Wait for a condition; fail with its name when time is up."""
    assert wait_until(condition, _CLOCK, within=timedelta(seconds=within_s)), f"not within {within_s} s: {what}"


@dataclass
class Server:
    """One process of the cluster; may be started, killed and started again."""

    name: str
    command: tuple[str, ...]
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start in the background; output goes to a file."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, start_new_session=True
            )

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End in order, by force after half a minute."""
        try:
            self._end(signal.SIGINT if self.name == "postgres" else signal.SIGTERM)
        except subprocess.TimeoutExpired:
            self.kill()

    def _end(self, how: signal.Signals) -> None:
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, how)
            self.process.wait(30)

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process is None or self.process.poll() is not None

    @property
    def resident_mib(self) -> float:
        """Memory of the process and its children."""
        return processes.resident_mib(self.process.pid) if self.process else 0.0


@dataclass
class Cluster:
    """Kafka, Flink and Postgres as the embedded stack runs them, with the platform's topics and migrations."""

    folder: Path
    parallelism: int = 1
    task_heap_mib: int = 256
    backend: flink.Backend = "hashmap"
    more_settings: str = ""
    kafka_port: int = field(default_factory=free_port)
    controller_port: int = field(default_factory=free_port)
    flink_port: int = field(default_factory=free_port)
    rpc_port: int = field(default_factory=free_port)
    postgres_port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        java = Path(which("java") or "java")
        self.conf = self.folder / "flink" / "conf"
        self.size = flink.Size(self.parallelism, self.task_heap_mib, self.backend)
        jars, kafka_conf = layout.JARS, self.folder / "kafka" / "conf"
        self.postgres = self._server("postgres", postgres.server_command(self.folder / "postgres", port=self.postgres_port))
        self.kafka = self._server("kafka", kafka.broker_command(java, jars / "kafka", kafka_conf))
        self.jobmanager = self._server("jobmanager", flink.jobmanager_command(java, jars / "flink", self.conf))
        worker = flink.taskmanager_command(java, jars / "flink", self.conf, size=self.size)
        self.taskmanager = self._server("taskmanager", worker)
        self.rest = FlinkRest(f"http://127.0.0.1:{self.flink_port}")
        self._format = kafka.format_command(java, jars / "kafka", kafka_conf)

    @property
    def bootstrap(self) -> str:
        """Address of the broker."""
        return f"127.0.0.1:{self.kafka_port}"

    def dsn(self, role: str = "stock_admin", name: str = "stock_platform") -> str:
        """Connection string of a role."""
        return f"postgresql://{role}:{PASSWORD}@127.0.0.1:{self.postgres_port}/{name}"

    def __enter__(self) -> Self:
        with ExitStack() as starting:
            starting.callback(self._stop)
            self._start()
            starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def submit(self, *, late_limit_ms: int = 0) -> str:
        """Start the job with its newest state, wait until all of it runs; returns its id."""
        return self.start_job(values={"LATE_LIMIT_MS": str(late_limit_ms)}).job_id

    def start_job(
        self,
        *,
        values: dict[str, str] | None = None,
        plan: Plan | None = None,
        begin: Begin = "with its state",
        kept: timedelta | None = None,
        seen: Seen | None = None,
        clock: Clock = _CLOCK,
    ) -> Submission:
        """As the platform starts it, and wait until all of it runs.

        Args:
            values: What the script leaves open, beside addresses.
            plan: Of another version of the platform.
            kept: How long a bar's state can be of use.
            seen: Newest checkpoint that was reported.
        """
        script = self.folder / "flink" / "ticks_to_bars.sql"
        script.write_text(fill_script(ROOT / "flink" / "sql", STREAM, self._values() | (values or {})))
        plan = plan or plan_of(ROOT / "flink" / "sql", STREAM, flink=flink.VERSION)
        files = JobFiles(self.folder / "flink", layout.FUNCTIONS_JAR, script, plan, kept)
        done = start(self.rest, files, clock=clock, seen=seen, begin=begin)
        require(lambda: self.rest.job(done.job_id).is_flowing, "all tasks of the job run")
        return done

    def read_topic(self, topic: str) -> Iterator[Message]:
        """Every message of a topic up to its present end."""
        with closing(self._consumer("test-reader")) as consumer:
            for partition in consumer.list_topics(topic, 10).topics[topic].partitions:
                low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), 10)
                consumer.assign([TopicPartition(topic, partition, low)])
                while low < high:
                    message = consumer.poll(20)
                    assert message is not None and not message.error(), f"{topic}/{partition} ends at {low}, not at {high}"
                    low = (message.offset() or 0) + 1
                    yield message

    def is_caught_up(self) -> bool:
        """Whether the job has committed all that Kafka holds; by the job's promise, all of it is in Postgres then."""
        topic = TICK.address
        with closing(self._consumer(JOB)) as consumer:
            partitions = [TopicPartition(topic, number) for number in consumer.list_topics(topic, 10).topics[topic].partitions]
            bounds = [consumer.get_watermark_offsets(partition, 10) for partition in partitions]
            try:
                committed = consumer.committed(partitions, 10)
                # Nothing is committed for a partition that never had a message.
                return all(max(each.offset, low) == end for each, (low, end) in zip(committed, bounds, strict=True))
            except KafkaException as error:
                if error.args[0].code() not in _NOT_YET:
                    raise
                return False

    def read_rows(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of a query, asked by the administrator."""
        with database.connect(self.dsn()) as connection:
            return connection.execute(cast(LiteralString, query)).fetchall()

    def _consumer(self, group: str) -> Consumer:
        return Consumer({"bootstrap.servers": self.bootstrap, "group.id": group, "enable.auto.commit": False})

    def _values(self) -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "POSTGRES_URL": f"jdbc:postgresql://127.0.0.1:{self.postgres_port}/stock_platform",
            "POSTGRES_USER": "flink_writer",
            "POSTGRES_PASSWORD": PASSWORD,
            "LATE_LIMIT_MS": "0",
            "PARALLELISM": str(self.parallelism),
        }

    def _server(self, name: str, command: tuple[str, ...]) -> Server:
        return Server(name, command, self.folder)

    def _start(self) -> None:
        self._write_configuration()
        postgres.create_cluster(self.folder / "postgres", password=PASSWORD)
        processes.run(self._format)
        for server in (self.postgres, self.kafka, self.jobmanager, self.taskmanager):
            server.start()
        require(self._postgres_answers, "Postgres answers")
        roles = ("dagster", "flink_writer", "feed_writer", "gate_owner", "api_reader", "grafana_reader")
        database.ensure_databases(self.dsn(name="postgres"), dict.fromkeys(roles, PASSWORD))
        database.migrate(self.dsn())
        require(lambda: port_open(self.kafka_port) and broker_problem(self.bootstrap) is None, "Kafka answers")
        ensure_topics(self.bootstrap, market_topics())
        require(lambda: self.rest.slots_problem() is None, "Flink has slots")

    def _stop(self) -> None:
        for server in (self.taskmanager, self.jobmanager, self.kafka, self.postgres):
            server.stop()

    def _postgres_answers(self) -> bool:
        try:
            with database.connect(self.dsn(name="postgres")):
                return True
        except psycopg.OperationalError:
            return False

    def _write_configuration(self) -> None:
        files = {
            "kafka/conf/server.properties": kafka.properties(
                self.folder / "kafka" / "data", ports=kafka.Ports(self.kafka_port, self.controller_port)
            ),
            "kafka/conf/log4j2.properties": kafka.log4j2(),
            "flink/conf/config.yaml": flink.configuration(
                self.folder / "flink", port=self.flink_port, rpc_port=self.rpc_port, size=self.size
            )
            + self.more_settings,
            "flink/conf/log4j2.properties": flink.log4j2(),
        }
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
