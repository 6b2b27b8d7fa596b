"""Kafka of the embedded stack: one KRaft broker, loopback only. Text and command lines; nothing here starts anything.

Not here: topics and their settings (adapters/kafka.py)."""

from dataclasses import dataclass
from pathlib import Path

VERSION = "4.4.0"
_CLUSTER_ID = "c3RvY2tfcGxhdGZvcm1fMQ"
"""22 characters of URL-safe base64, as StorageTool wants; every data folder is its own cluster, so one name does."""

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=BROKER://{listen_host}:{port},CONTROLLER://127.0.0.1:{controller_port}{outside}
advertised.listeners=BROKER://{host}:{port}{outside_advertised}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT,OUTSIDE:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=BROKER
log.dirs={data_dir}

# One broker: nothing can be copied to another one.
default.replication.factor=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# A topic that somebody forgot to create is an error, not a topic with the wrong settings.
auto.create.topics.enable=false

# Small on purpose: some ten topics, some ten clients, 450 MB in all.
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
share.coordinator.state.topic.num.partitions=4
num.network.threads=2
num.io.threads=4
log.cleaner.dedupe.buffer.size=16777216
group.initial.rebalance.delay.ms=0
"""

_LOG4J2 = """\
rootLogger.level=INFO
rootLogger.appenderRef.console.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %-5p %c{1} %m%n
# Each start prints every setting twice.
logger.config.name=org.apache.kafka.common.config.AbstractConfig
logger.config.level=WARN
logger.settings.name=kafka.server.KafkaConfig
logger.settings.level=WARN
"""


@dataclass(frozen=True)
class Ports:
    """Where the broker listens.

    Args:
        outside: For programs of the machine when the broker is in a container; they know it as 127.0.0.1:broker.
    """

    broker: int
    controller: int
    outside: int | None = None


def properties(data_dir: Path, *, ports: Ports, host: str = "127.0.0.1", listen_host: str = "127.0.0.1") -> str:
    """server.properties: broker and controller in one process, known to its clients as `host`."""
    return _PROPERTIES.format(
        data_dir=data_dir,
        port=ports.broker,
        controller_port=ports.controller,
        host=host,
        listen_host=listen_host,
        outside=f",OUTSIDE://{listen_host}:{ports.outside}" if ports.outside else "",
        outside_advertised=f",OUTSIDE://127.0.0.1:{ports.broker}" if ports.outside else "",
    )


def log4j2() -> str:
    """log4j2.properties: to standard output, which the process manager keeps and rotates."""
    return _LOG4J2


def format_command(java: Path, jars: Path, conf: Path) -> tuple[str, ...]:
    """Prepare the data folder; repeated, it changes nothing."""
    tool = ("kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(conf / "server.properties"), "--ignore-formatted")
    return (*_java(java, jars, conf), "-Xmx64m", *tool)


def broker_command(java: Path, jars: Path, conf: Path, *, heap_mib: int = 208) -> tuple[str, ...]:
    """Run the broker in the foreground; SIGTERM ends it in order."""
    memory = (f"-Xmx{heap_mib}m", "-XX:MaxDirectMemorySize=48m")
    return (*_java(java, jars, conf), *memory, "kafka.Kafka", str(conf / "server.properties"))


def _java(java: Path, jars: Path, conf: Path) -> tuple[str, ...]:
    logging = f"-Dlog4j2.configurationFile={conf / 'log4j2.properties'}"
    common = ("-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-XX:ReservedCodeCacheSize=48m")
    return (str(java), "-cp", f"{jars}/*", logging, *common)
