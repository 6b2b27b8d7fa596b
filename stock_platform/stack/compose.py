"""Render docker-compose.yml from the embedded stack's own services: the same commands, ports, environments and health.

Pure: nothing here starts anything. Not here: what a container adds (containers), the images (Dockerfile), passwords
(tools/make-env)."""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import SecretStr

from stock_platform.config import ROOT, Settings
from stock_platform.names import PREFIX, ROLES
from stock_platform.stack import kafka, layout, postgres
from stock_platform.stack.containers import PROFILE_FOLDER, REACHED, STAGES, VOLUMES, hardened, passwords, required, variable
from stock_platform.stack.service import Service, Step

PROFILES = {"simulator": "simulator", "live": "yahoo"}
"""Compose profile, which is the platform's too, and its feed."""
_APP = "/app"
_DATA = "/data"
_OUTSIDE_KAFKA = 19092
_JAVA = "/opt/java/openjdk"
_TMP = "/tmp"  # noqa: S108


def container_settings(profile: str) -> Settings:
    """The world as a container sees it: defaults, names instead of the loopback, passwords that Compose fills in."""
    defaults = {name: field.get_default() for name, field in Settings.model_fields.items() if name != "java_home"}
    secrets = {f"postgres_{role}_password": SecretStr(required(role)) for role in ROLES}
    names = {
        "postgres_host": "postgres",
        "kafka_host": "kafka",
        "flink_host": "flink-jobmanager",
        "flink_taskmanager_host": "flink-taskmanager",
        "dagster_host": "dagster-webserver",
        "dagster_grpc_host": "dagster-code",
        "api_host": "api",
        "simulator_host": "simulator",
    }
    of_containers: dict[str, Any] = {"listen_host": "0.0.0.0", "kafka_port_outside": _OUTSIDE_KAFKA}  # noqa: S104
    place = {
        "data_dir": Path(_DATA),
        "profile": profile,
        "feed_kind": PROFILES[profile],
        "grafana_home": Path("/usr/share/grafana"),
    }
    return Settings(**{**defaults, **names, **of_containers, **place, **secrets}, JAVA_HOME=Path(_JAVA))  # type: ignore[arg-type]


def compose(worlds: Mapping[str, Iterable[Service]], steps: Iterable[Step]) -> dict[str, Any]:
    """The file as a document.

    Args:
        worlds: The services of each Compose profile; what differs between them is written once for each.
    """
    by_profile = {profile: {each.name: each for each in services} for profile, services in worlds.items()}
    names = list(dict.fromkeys(name for services in by_profile.values() for name in services))
    found: dict[str, Any] = {}
    variants: dict[str, list[str]] = {}
    for name in names:
        bodies = {profile: _service(services[name]) for profile, services in by_profile.items() if name in services}
        first = next(iter(bodies.values()))
        if len(bodies) == len(by_profile) and all(body == first for body in bodies.values()):
            found[name] = first
            continue
        for profile, body in bodies.items():
            own = name if profile == next(iter(by_profile)) else f"{name}-{profile}"
            variants.setdefault(name, []).append(own)
            found[own] = {"profiles": [profile], **body, "networks": {"default": {"aliases": [name]}}}
    one_shots = {"configuration": _step("configuration", ()), "kafka-format": _kafka_format()}
    one_shots |= {step.name: _step(step.name, step.after) for step in steps}
    everything = {**one_shots, **found}
    for body in everything.values():
        body["depends_on"] = _conditions(body["depends_on"], one_shots, variants)
    everything = {name: {key: value for key, value in body.items() if value not in ({}, [])} for name, body in everything.items()}
    return {"name": "stock-platform", "services": everything, "volumes": {name: _volume(name) for name in VOLUMES}}


def shared_environment() -> dict[str, str]:
    """Every setting that a person may choose, passed on from .env; an empty one is its default. And where everything is."""
    settings = container_settings("simulator")
    chosen = [name for name in Settings.model_fields if not _is_given(name)]
    named = ["data_dir", "listen_host", "kafka_port_outside", *(name for name in Settings.model_fields if name.endswith("_host"))]
    return {
        **{variable(name): str(getattr(settings, name)) for name in dict.fromkeys(named)},
        f"{PREFIX}PROFILE": f"${{{PREFIX}PROFILE:-simulator}}",
        f"{PREFIX}FEED_KIND": f"${{{PREFIX}FEED_KIND:-simulator}}",
        **{variable(name): f"${{{variable(name)}:-}}" for name in chosen},
        "HOME": _TMP,
    }


def _is_given(name: str) -> bool:
    """Whether a container has it of its image and its network, so that nobody needs to choose it."""
    fixed = {"data_dir", "profile", "java_home", "grafana_home", "feed_kind", "kafka_port_outside", "postgres_sslmode"}
    tape = name.startswith("feed_tape")
    return tape or name in fixed or name.endswith(("_port", "_host", "_password")) or name.startswith("kafka_security")


def _service(service: Service) -> dict[str, Any]:
    name = service.name
    body: dict[str, Any] = {**_image(name), **_command(service), "environment": _environment(service)}
    if service.folder:
        body["working_dir"] = _inside(str(service.folder))
    if name == "kafka":
        body["ports"] = [f"127.0.0.1:{service.port}:{_OUTSIDE_KAFKA}"]
    elif name in REACHED:
        body["ports"] = [f"127.0.0.1:${{{service.port_setting}:-{service.port}}}:{service.port}"]
    return {
        **body,
        "healthcheck": _health(service),
        "depends_on": list(service.after) + ([] if name == "postgres" else ["configuration"]) + _format_of(name),
        "restart": "unless-stopped",
        "stop_signal": f"SIG{service.stop_signal}",
        "stop_grace_period": f"{service.stop_within_s}s",
        **hardened(name),
    }


def _step(name: str, after: Iterable[str]) -> dict[str, Any]:
    command = [f"{_APP}/.venv/bin/stock-platform", "step", name]
    body = {**_image(name), "command": command, "environment": {"<<": "*settings", **passwords(name)}, "restart": "no"}
    needs = [*after] if name == "configuration" else [*after, "configuration"]
    return {**body, "depends_on": needs, **hardened(name)}


def _kafka_format() -> dict[str, Any]:
    settings = container_settings("simulator")
    command = kafka.format_command(Path(_JAVA) / "bin" / "java", layout.JARS / "kafka", settings.home / "kafka" / "conf")
    body = {**_image("kafka"), "command": [_inside(word) for word in command], "restart": "no", "depends_on": ["configuration"]}
    return {**body, **hardened("kafka-format")}


def _image(name: str) -> dict[str, Any]:
    if name == "postgres":
        return {"image": f"postgres:{postgres.VERSION}"}
    stage = STAGES.get(name, "platform")
    return {"image": f"stock-platform-{stage}", "build": {"context": ".", "target": stage}}


def _command(service: Service) -> dict[str, Any]:
    if service.name == "postgres":
        return {"command": ["postgres", *postgres.server_options(port=service.port or 0, listen_host="*")], "user": "postgres"}
    words = [_inside(word) for word in service.command]
    if service.name == "frontend":
        words[0] = "node"
    return {"entrypoint" if service.name == "grafana" else "command": words}


def _environment(service: Service) -> dict[str, str]:
    own = {name: _inside(value) for name, value in service.environment.items()}
    if service.name == "postgres":
        start = {"POSTGRES_USER": postgres.ADMIN, "POSTGRES_PASSWORD": required("admin")}
        return {**start, "POSTGRES_DB": "postgres", "POSTGRES_INITDB_ARGS": " ".join(postgres.INITDB)}
    is_platform = service.name not in STAGES
    return {**({"<<": "*settings"} if is_platform else {}), **own, **passwords(service.name)}


def _health(service: Service) -> dict[str, Any]:
    """What `up` asks a service, asked from inside of its container by bash, which every image has."""
    if service.name == "dagster-daemon":
        test = [_inside(service.command[0]), "liveness-check"]
    elif service.name == "flink-taskmanager":
        test = _asked("flink-jobmanager", container_settings("simulator").flink_port, "/overview", '"slots-total":[1-9]')
    elif service.page:
        test = _asked("127.0.0.1", service.port or 0, service.page, "^HTTP/1.. 2")
    elif service.name == "postgres":
        test = ["pg_isready", "-h", "127.0.0.1", "-p", str(service.port), "-U", postgres.ADMIN]
    else:
        test = ["bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{service.port}"]
    pace = {"interval": "60s", "timeout": "30s"} if service.name == "dagster-daemon" else {"interval": "5s", "timeout": "5s"}
    return {"test": ["CMD", *test], **pace, "start_period": "120s", "retries": 5}


def _asked(host: str, port: int, page: str, expected: str) -> list[str]:
    request = f"GET {page} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n"
    return ["bash", "-c", f"exec 3<>/dev/tcp/{host}/{port} && printf '{request}' >&3 && grep -qE -m 1 '{expected}' <&3"]


def _format_of(name: str) -> list[str]:
    return ["kafka-format"] if name == "kafka" else []


def _conditions(needed: Iterable[str], one_shots: Mapping[str, Any], variants: Mapping[str, list[str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in needed:
        condition = "service_completed_successfully" if name in one_shots else "service_healthy"
        for own in variants.get(name, [name]):
            found[own] = {"condition": condition, **({"required": False} if name in variants else {})}
    return found


def _volume(name: str) -> dict[str, str]:
    """One of its own for each profile: what is simulated never mixes with what is live."""
    return {"name": f"stock-platform-${{{PREFIX}PROFILE:-simulator}}-{name}"}


def _inside(text: str) -> str:
    """A word of the embedded stack, with the places that it has in a container."""
    home = str(PurePosixPath(_DATA))
    for profile in PROFILES:
        text = text.replace(f"{home}/{profile}", PROFILE_FOLDER)
    return text.replace(str(ROOT), _APP)
