"""What a container adds to a service of the stack: its image, limits, volumes, and the passwords that it may see."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stock_platform.names import PREFIX, ROLES

PROFILE_FOLDER = f"/data/${{{PREFIX}PROFILE:-simulator}}"
TMP = "/tmp"  # noqa: S108


@dataclass(frozen=True)
class Limits:
    """How much of the machine a container may take: about twice what the embedded stack's process was seen to take.

    Args:
        scratch: Folders beside /tmp that must be writable and are forgotten.
    """

    memory: str
    cpus: float
    pids: int
    scratch: tuple[str, ...] = ()


LIMITS: Mapping[str, Limits] = {
    "postgres": Limits("1g", 2.0, 200, ("/var/run/postgresql",)),
    "kafka": Limits("768m", 1.0, 300),
    "flink-jobmanager": Limits("768m", 1.0, 300),
    "flink-taskmanager": Limits("1280m", 2.0, 400),
    "simulator": Limits("512m", 1.0, 100),
    # Every run is a process of the code server's container: each feed line some 150 MiB, a gate run some 400.
    "dagster-code": Limits("6g", 4.0, 1000),
    "dagster-daemon": Limits("1g", 1.0, 200),
    "dagster-webserver": Limits("1g", 1.0, 200),
    "api": Limits("512m", 1.0, 100),
    "frontend": Limits("256m", 0.5, 50, ("/app/frontend/node_modules/.vite-temp",)),
    "grafana": Limits("512m", 1.0, 100),
}
_STEP = Limits("1g", 1.0, 200)

STAGES = {"kafka": "jvm", "flink-jobmanager": "jvm", "flink-taskmanager": "jvm", "frontend": "page", "grafana": "grafana"}
"""Stage of the Dockerfile, where it is not the platform's own."""

REACHED = ("frontend", "api", "grafana", "dagster-webserver", "flink-jobmanager", "postgres")
"""Who is reached from the machine on the port that it has inside; Kafka has a listener of its own for that."""

SEEN: Mapping[str, tuple[str, ...]] = {
    "configuration": ("flink_writer",),
    "migrations": ROLES,
    "reference": ("gate_owner",),
    "stream-job": ("gate_owner",),
    "dagster-storage": ("dagster",),
    "dagster-code": ("dagster", "feed_writer", "gate_owner", "flink_writer"),
    "api": ("api_reader",),
}
"""Roles whose passwords a container sees beside those of its service's own environment; one that is not named sees none."""

_MOUNTED: Mapping[str, tuple[str, ...]] = {
    "configuration": ("data", "kafka", "flink", "grafana"),
    "kafka-format": ("kafka",),
    "kafka": ("kafka",),
    "flink-jobmanager": ("flink",),
    "flink-taskmanager": ("flink",),
    "stream-job": ("data", "flink"),
    "dagster-code": ("data", "flink"),
    "grafana": ("grafana",),
    "postgres": ("postgres",),
    "topics": (),
    "migrations": (),
    "reference": (),
    "frontend": (),
}
"""The platform's own data for whoever is not named."""

VOLUMES = {
    "data": "/data",
    "kafka": f"{PROFILE_FOLDER}/kafka",
    "flink": f"{PROFILE_FOLDER}/flink",
    "grafana": f"{PROFILE_FOLDER}/grafana",
    "postgres": "/var/lib/postgresql",
}


def hardened(name: str) -> dict[str, Any]:
    """Volumes and limits: no new privileges, no capability, no writing but to volumes and scratch folders."""
    limits = LIMITS.get(name, _STEP)
    return {
        "volumes": [f"{volume}:{VOLUMES[volume]}" for volume in _MOUNTED.get(name, ("data",))],
        "tmpfs": [TMP, *limits.scratch],
        "init": True,
        "read_only": True,
        "security_opt": ["no-new-privileges:true"],
        "cap_drop": ["ALL"],
        "mem_limit": limits.memory,
        "cpus": limits.cpus,
        "pids_limit": limits.pids,
    }


def passwords(name: str) -> dict[str, str]:
    """Variables of the passwords that a container sees beside its service's own."""
    return {variable(f"postgres_{role}_password"): required(role) for role in SEEN.get(name, ())}


def required(role: str) -> str:
    """A role's password as Compose fills it in; without one it refuses to start and says what to do."""
    return f"${{{variable(f'postgres_{role}_password')}:?run tools/make-env}}"


def variable(setting: str) -> str:
    """Name of a setting in the environment."""
    return f"{PREFIX}{setting.upper()}"
