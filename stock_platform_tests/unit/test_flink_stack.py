"""What the embedded stack tells Kafka's and Flink's processes: loopback only, and memory that agrees with itself."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stock_platform.config import Settings
from stock_platform.errors.stack import ToolMissing
from stock_platform.stack import flink, kafka, prepare
from stock_platform.stack.prepare import script_values

HOME = Path("/data/flink")


SMALL = flink.Size()


def _configuration(size: flink.Size = SMALL) -> dict[str, object]:
    return yaml.safe_load(flink.configuration(HOME, port=8081, rpc_port=6123, size=size))


def _mib(option: str, command: tuple[str, ...]) -> int:
    return next(int(match[1]) for word in command if (match := re.fullmatch(rf"-{option}=?(\d+)m", word)))


@pytest.mark.parametrize("size", [flink.Size(1), flink.Size(2), flink.Size(4), flink.Size(2, 1024, "rocksdb")])
def test_task_managers_configuration_and_command_line_agree_on_memory(size: flink.Size) -> None:
    settings = _configuration(size)
    command = flink.taskmanager_command(Path("java"), Path("jars"), HOME / "conf", size=size)

    def mib(*names: str) -> int:
        return sum(int(str(settings[f"taskmanager.memory.{name}"]).removesuffix("m")) for name in names)

    assert _mib("Xmx", command) == mib("framework.heap.size", "task.heap.size")
    assert _mib("XX:MaxDirectMemorySize", command) == mib("framework.off-heap.size", "task.off-heap.size", "network.max")
    assert _mib("XX:MaxMetaspaceSize", command) == mib("jvm-metaspace.size")


def test_checkpoints_are_kept_where_the_supervisor_looks_for_them() -> None:
    settings = _configuration()
    assert settings["execution.checkpointing.dir"] == "file:///data/flink/checkpoints"
    assert settings["execution.checkpointing.externalized-checkpoint-retention"] == "RETAIN_ON_CANCELLATION"


def test_state_survives_another_parallelism() -> None:
    assert {_configuration(flink.Size(number))["pipeline.max-parallelism"] for number in (1, 2, 4)} == {128}


def test_every_address_is_loopback() -> None:
    settings = _configuration()
    hosts = {value for name, value in settings.items() if name.endswith(("address", "host"))}
    listeners = re.findall(r"\w+://([\d.]*):", kafka.properties(Path("/data"), ports=kafka.Ports(9092, 9093)))
    assert hosts == {"127.0.0.1"} == set(listeners)


def test_jvms_run_in_utc_because_the_sink_writes_local_time() -> None:
    paths = (Path("java"), Path("jars"), HOME / "conf")
    for command in (flink.jobmanager_command(*paths), flink.taskmanager_command(*paths, size=SMALL)):
        assert "-Duser.timezone=UTC" in command


def test_state_outlives_late_limit_and_longest_outage_together() -> None:
    live = Settings(_env_file=None, feed_kind="yahoo", flink_late_limit_s=600, flink_longest_outage_s=7_200)  # type: ignore[call-arg]
    values = script_values(live)
    assert (values["LATE_LIMIT_MS"], values["STATE_TTL"]) == ("600000", "7860 s")


@pytest.mark.parametrize("changes", [{"feed_kind": "tape"}, {"flink_late_limit_s": 0}])
def test_without_a_late_limit_state_lives_for_a_day_and_an_outage(changes: dict[str, Any]) -> None:
    values = script_values(Settings(_env_file=None, **changes))
    assert (values["LATE_LIMIT_MS"], values["STATE_TTL"]) == ("0", "93600 s")


def test_rocksdb_that_is_not_installed_is_refused_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stock_platform.stack.layout.JARS", tmp_path)
    settings = Settings(_env_file=None, data_dir=tmp_path, flink_state_backend="rocksdb")  # type: ignore[call-arg]
    with pytest.raises(ToolMissing, match=r"flink-statebackend-rocksdb:2\.3\.0.*pom\.xml"):
        prepare.check_backend(settings)
