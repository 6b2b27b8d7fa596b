"""What the embedded stack tells Kafka's and Flink's processes: loopback only, and memory that agrees with itself."""

import re
from pathlib import Path

import pytest
import yaml

from stock_platform.stack import flink, kafka

HOME = Path("/data/flink")


def _configuration(parallelism: int) -> dict[str, object]:
    return yaml.safe_load(flink.configuration(HOME, port=8081, rpc_port=6123, parallelism=parallelism))


def _mib(option: str, command: tuple[str, ...]) -> int:
    return next(int(match[1]) for word in command if (match := re.fullmatch(rf"-{option}=?(\d+)m", word)))


@pytest.mark.parametrize("parallelism", [1, 2, 4])
def test_task_managers_configuration_and_command_line_agree_on_memory(parallelism: int) -> None:
    settings = _configuration(parallelism)
    command = flink.taskmanager_command(Path("java"), Path("jars"), HOME / "conf", parallelism=parallelism)

    def mib(*names: str) -> int:
        return sum(int(str(settings[f"taskmanager.memory.{name}"]).removesuffix("m")) for name in names)

    assert _mib("Xmx", command) == mib("framework.heap.size", "task.heap.size")
    assert _mib("XX:MaxDirectMemorySize", command) == mib("framework.off-heap.size", "task.off-heap.size", "network.max")
    assert _mib("XX:MaxMetaspaceSize", command) == mib("jvm-metaspace.size")


def test_checkpoints_are_kept_where_the_supervisor_looks_for_them() -> None:
    settings = _configuration(1)
    assert settings["execution.checkpointing.dir"] == "file:///data/flink/checkpoints"
    assert settings["execution.checkpointing.externalized-checkpoint-retention"] == "RETAIN_ON_CANCELLATION"


def test_every_address_is_loopback() -> None:
    settings = _configuration(1)
    hosts = {value for name, value in settings.items() if name.endswith(("address", "host"))}
    listeners = re.findall(r"\w+://([\d.]*):", kafka.properties(Path("/data"), port=9092, controller_port=9093))
    assert hosts == {"127.0.0.1"} == set(listeners)


def test_jvms_run_in_utc_because_the_sink_writes_local_time() -> None:
    for command in (flink.jobmanager_command, flink.taskmanager_command):
        assert "-Duser.timezone=UTC" in command(Path("java"), Path("jars"), HOME / "conf")
