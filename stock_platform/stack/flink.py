"""Flink of the embedded stack: a session cluster of one JobManager and one TaskManager, loopback only.

Flink's shell scripts are not published as a package, so the JVMs are started as the scripts would: what the scripts
derive (memory of the TaskManager, opened modules) is written out here. Text and command lines; nothing here starts anything.
Not here: the job (flink/sql), its submission (adapters/flink.py)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

VERSION = "2.3.0"
_FRAMEWORK_HEAP_MIB = 64
_FRAMEWORK_DIRECT_MIB = 64
_METASPACE_MIB = 192
"""Planner, connectors and one generation of user classes take about 120 MiB."""
_MANAGED_MIB = {"hashmap": 64, "rocksdb": 192}
"""Batch operators of a restatement sort and hash here; RocksDB's caches and write buffers live here too."""

Backend = Literal["hashmap", "rocksdb"]

_OPENED = (
    *("java.lang", "java.lang.reflect", "java.net", "java.io", "java.nio", "sun.nio.ch", "java.text", "java.time", "java.util"),
    *("java.util.concurrent", "java.util.concurrent.atomic", "java.util.concurrent.locks"),
)
"""Packages that Flink reaches into by reflection: the list of its own default configuration (env.java.opts.all)."""

_CONFIGURATION = """\
jobmanager.rpc.address: {hosts.jobmanager}
jobmanager.rpc.port: {rpc_port}
jobmanager.bind-host: {hosts.listen}
taskmanager.host: {hosts.taskmanager}
taskmanager.bind-host: {hosts.listen}
rest.address: {hosts.jobmanager}
rest.bind-address: {hosts.listen}
rest.port: {port}
rest.bind-port: {port}
web.submit.enable: true
web.cancel.enable: true
web.upload.dir: {folder}/uploads
io.tmp.dirs: {folder}/tmp

# Room for the stream job twice: a batch restatement runs beside it.
taskmanager.numberOfTaskSlots: {slots}
parallelism.default: {parallelism}
# Key groups of the state: with another number a state could not be restored, so it never changes with the parallelism.
pipeline.max-parallelism: 128

# Memory: without Flink's scripts each part has to be named, and to agree with the command line.
taskmanager.cpu.cores: {slots}
taskmanager.memory.framework.heap.size: {framework_heap_mib}m
taskmanager.memory.task.heap.size: {task_heap_mib}m
taskmanager.memory.framework.off-heap.size: {framework_direct_mib}m
taskmanager.memory.task.off-heap.size: 0m
taskmanager.memory.network.min: {network_mib}m
taskmanager.memory.network.max: {network_mib}m
taskmanager.memory.managed.size: {managed_mib}m
taskmanager.memory.jvm-metaspace.size: {metaspace_mib}m
taskmanager.memory.jvm-overhead.min: 64m
taskmanager.memory.jvm-overhead.max: 64m

# A crash costs at most one interval of repeated work, and no result: sinks are idempotent.
state.backend.type: {backend}
# Each checkpoint is whole: one folder may be removed without a look at the others.
execution.checkpointing.incremental: false
execution.checkpointing.storage: filesystem
execution.checkpointing.dir: {checkpoints}
execution.checkpointing.savepoint-dir: {savepoints}
execution.checkpointing.mode: EXACTLY_ONCE
execution.checkpointing.interval: {checkpoint_interval_s} s
execution.checkpointing.timeout: 60 s
execution.checkpointing.tolerable-failed-checkpoints: 10
execution.checkpointing.num-retained: 3
execution.checkpointing.externalized-checkpoint-retention: RETAIN_ON_CANCELLATION

# The world comes back (Kafka, Postgres restart): try for ever, soon at first, and then every few seconds.
restart-strategy.type: exponential-delay
restart-strategy.exponential-delay.initial-backoff: 500 ms
restart-strategy.exponential-delay.max-backoff: 5 s
restart-strategy.exponential-delay.reset-backoff-threshold: 60 s

# A killed process refuses connections: two beats that fail tell it. One that only hangs is given 10 s, not 50.
heartbeat.interval: 1000
heartbeat.timeout: 10000
heartbeat.rpc-failure-threshold: 2
# A TaskManager looks for a JobManager that was started again every second, not every 10 or 30.
cluster.registration.error-delay: 1000
cluster.registration.refused-registration-delay: 1000
cluster.registration.max-timeout: 2000
"""

_LOG4J2 = """\
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %-5p %c{1} %m%n%throwable
# Each start prints every setting of each client.
logger.clients.name=org.apache.flink.kafka.shaded.org.apache.kafka
logger.clients.level=WARN
logger.checkpoints.name=org.apache.flink.runtime.checkpoint
logger.checkpoints.level=WARN
# Both Kafka sinks name a metric twice, and Flink says so at every checkpoint.
logger.metrics.name=org.apache.flink.metrics.MetricGroup
logger.metrics.level=ERROR
"""


@dataclass(frozen=True)
class Size:
    """How large the TaskManager is.

    Args:
        task_heap_mib: Heap for the job, with its state where the backend is hashmap.
    """

    parallelism: int = 1
    task_heap_mib: int = 256
    backend: Backend = "hashmap"

    @property
    def network_mib(self) -> int:
        """Buffers of 32 KiB: a job of four exchanges takes some 10 MiB a slot."""
        return 16 + 16 * self.parallelism


@dataclass(frozen=True)
class Hosts:
    """Names under which JobManager and TaskManager find each other, and the address on which both listen."""

    jobmanager: str = "127.0.0.1"
    taskmanager: str = "127.0.0.1"
    listen: str = "127.0.0.1"


_LOOPBACK = Hosts()


def configuration(
    folder: Path, *, port: int, rpc_port: int, size: Size, checkpoint_interval_s: int = 5, hosts: Hosts = _LOOPBACK
) -> str:
    """config.yaml for both processes.

    Args:
        folder: Where Flink keeps everything: checkpoints, savepoints, uploads, temporary files.
    """
    return _CONFIGURATION.format(
        folder=folder,
        hosts=hosts,
        port=port,
        rpc_port=rpc_port,
        parallelism=size.parallelism,
        slots=2 * size.parallelism,
        backend=size.backend,
        managed_mib=_MANAGED_MIB[size.backend],
        checkpoints=(folder / "checkpoints").as_uri(),
        savepoints=(folder / "savepoints").as_uri(),
        checkpoint_interval_s=checkpoint_interval_s,
        task_heap_mib=size.task_heap_mib,
        framework_heap_mib=_FRAMEWORK_HEAP_MIB,
        framework_direct_mib=_FRAMEWORK_DIRECT_MIB,
        network_mib=size.network_mib,
        metaspace_mib=_METASPACE_MIB,
    )


def log4j2() -> str:
    """log4j2.properties: to standard output, which the process manager keeps and rotates."""
    return _LOG4J2


def jobmanager_command(java: Path, jars: Path, conf: Path) -> tuple[str, ...]:
    """Run the JobManager in the foreground. It also plans the SQL; never hot, so the quick compiler alone does."""
    memory = ("-Xmx192m", f"-XX:MaxMetaspaceSize={_METASPACE_MIB}m", "-XX:MaxDirectMemorySize=48m", "-XX:TieredStopAtLevel=1")
    main = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
    return (*_java(java, jars, conf), *memory, main, "--configDir", str(conf))


def taskmanager_command(java: Path, jars: Path, conf: Path, *, size: Size) -> tuple[str, ...]:
    """Run the TaskManager in the foreground. It ends itself when a sink cannot be closed: let it be restarted."""
    heap = _FRAMEWORK_HEAP_MIB + size.task_heap_mib
    direct = _FRAMEWORK_DIRECT_MIB + size.network_mib
    memory = (f"-Xmx{heap}m", f"-XX:MaxMetaspaceSize={_METASPACE_MIB}m", f"-XX:MaxDirectMemorySize={direct}m")
    main = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
    return (*_java(java, jars, conf), *memory, main, "--configDir", str(conf))


def _java(java: Path, jars: Path, conf: Path) -> tuple[str, ...]:
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
    logging = f"-Dlog4j2.configurationFile={conf / 'log4j2.properties'}"
    common = ("-Duser.timezone=UTC", "-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-XX:ReservedCodeCacheSize=64m")
    return (str(java), "-cp", f"{jars}/*", *opened, logging, f"-Djava.io.tmpdir={conf.parent / 'tmp'}", *common)
