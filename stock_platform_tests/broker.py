"""A real Kafka broker alone, on a free port and in a folder of its own, stopped by pid."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from shutil import which

import pytest
from confluent_kafka.admin import AdminClient

from stock_platform.adapters import processes
from stock_platform.adapters.kafka import broker_problem, ensure_topics, market_topics
from stock_platform.adapters.probe import free_port
from stock_platform.stack import kafka, layout
from stock_platform_tests.integration.jvm import Server, require


class Broker(Server):
    """Kafka, to be killed and started again at will."""

    bootstrap: str

    def start_and_wait(self) -> None:
        """Start it, and return when it answers."""
        self.start()
        require(lambda: broker_problem(self.bootstrap, within=timedelta(seconds=1)) is None, "Kafka answers")


@contextmanager
def empty_topics(bootstrap: str) -> Iterator[None]:
    """The platform's topics, empty; gone afterwards."""
    ensure_topics(bootstrap, market_topics())
    yield
    admin, names = AdminClient({"bootstrap.servers": bootstrap}), [spec.name for spec in market_topics()]
    for deleted in admin.delete_topics(names).values():
        deleted.result(30)
    require(lambda: not set(names) & set(admin.list_topics(timeout=10).topics), "topics are gone")


@contextmanager
def running_broker(folder: Path) -> Iterator[Broker]:
    """A running broker without topics; skips the test where Kafka is not installed."""
    if not (layout.JARS / "kafka").exists():
        pytest.skip("Kafka is not installed: run `make install`")
    java, conf, port = Path(which("java") or "java"), folder / "conf", free_port()
    conf.mkdir(parents=True)
    (conf / "server.properties").write_text(kafka.properties(folder / "data", ports=kafka.Ports(port, free_port())))
    (conf / "log4j2.properties").write_text(kafka.log4j2())
    processes.run(kafka.format_command(java, layout.JARS / "kafka", conf))
    broker = Broker("kafka", kafka.broker_command(java, layout.JARS / "kafka", conf), folder)
    broker.bootstrap = f"127.0.0.1:{port}"
    try:
        broker.start_and_wait()
        yield broker
    finally:
        broker.stop()
