"""docker-compose.yml and Dockerfile, without an engine: the format's schema, the embedded stack item by item, and what is safe."""

import http.server
import json
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from graphlib import TopologicalSorter
from importlib.resources import files
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
import yaml

from stock_platform.adapters.clock import SystemClock
from stock_platform.commands.startup import steps
from stock_platform.config import ROOT, Settings
from stock_platform.names import PREFIX, ROLES
from stock_platform.stack import flink, kafka, postgres, service
from stock_platform.stack.services import services

TEXT = (ROOT / "docker-compose.yml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
CONTAINERS: dict[str, dict[str, Any]] = FILE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
STAGES = dict(re.findall(r"^FROM (\S+) AS (\w+)", DOCKERFILE, re.MULTILINE))
NOT_OURS = {
    f"{PREFIX}API_URL": "read by frontend/vite.config.ts",
    f"{PREFIX}GRAFANA_DASHBOARDS": "read by grafana/provisioning/dashboards",
}
ONE_SHOTS = {name for name, body in CONTAINERS.items() if body.get("restart") == "no"}
EMBEDDED_ONLY = {"unix_socket_directories="}
"""The image's own first start needs its socket."""


def embedded(profile: str, feed_kind: str) -> dict[str, service.Service]:
    """The services of `make up`, with every default."""
    passwords = {f"postgres_{role}_password": f"of {role}" for role in ROLES}
    given = {"profile": profile, "feed_kind": feed_kind, "data_dir": Path("/data"), "grafana_home": Path("/grafana"), **passwords}
    defaults = {name: field.get_default() for name, field in Settings.model_fields.items() if name != "java_home"}
    settings = Settings(**{**defaults, **given}, JAVA_HOME=Path("/java"))
    return {each.name: each for each in services(settings)}


EMBEDDED = embedded("simulator", "simulator")


def words(container: dict[str, Any]) -> list[str]:
    return container.get("entrypoint") or container["command"]


def essence(word: str) -> str:
    """A word without the places that differ between the machine and a container."""
    word = re.sub(r"/data/(simulator|\$\{STOCK_PLATFORM_PROFILE:-simulator\})", "HOME", word.replace(str(ROOT), "/app"))
    word = re.sub(r"^(/opt/java/openjdk|/java)/", "JAVA/", word)
    return re.sub(r"/usr/share/grafana|/grafana(?=/bin|$)", "GRAFANA", word)


def test_compose_file_is_valid_by_the_formats_schema() -> None:
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.Draft7Validator(json.loads(schema.read_text())).validate(FILE)


def test_every_service_and_step_of_the_stack_has_a_container_and_there_are_no_others() -> None:
    step_names = {step.name for step in steps(Settings(_env_file=None), SystemClock())}  # type: ignore[call-arg]
    assert CONTAINERS.keys() == EMBEDDED.keys() | step_names | {"configuration", "kafka-format", "dagster-code-live"}
    assert ONE_SHOTS == step_names | {"configuration", "kafka-format"}


@pytest.mark.parametrize("name", EMBEDDED)
def test_container_runs_what_the_embedded_stack_runs(name: str) -> None:
    inside, outside = [essence(word) for word in words(CONTAINERS[name])], [essence(word) for word in EMBEDDED[name].command]
    if name == "postgres":
        start = outside.index("-c")
        # The image brings server and data folder; in a container -c unix_socket_directories= is left out.
        assert inside[1:] == [word.replace("127.0.0.1", "*") for word in outside[start:-2]]
        assert outside[-1] in EMBEDDED_ONLY
        return
    if name == "frontend":
        outside[0] = "node"
    assert inside == [word.replace("127.0.0.1", "0.0.0.0") if word == "127.0.0.1" else word for word in outside]


@pytest.mark.parametrize("name", EMBEDDED)
def test_container_has_the_environment_of_the_embedded_service(name: str) -> None:
    inside, outside = CONTAINERS[name].get("environment", {}), EMBEDDED[name].environment
    assert outside.keys() - inside.keys() == set()
    differing = {variable for variable, value in outside.items() if essence(value) != essence(str(inside[variable]))}
    moved = re.compile(r"_PASSWORD$|_HOST$|HTTP_ADDR$|API_URL$|PROXY$|_proxy$")
    assert {variable for variable in differing if not moved.search(variable)} == set()


def test_live_container_is_the_simulators_without_the_way_to_the_simulator() -> None:
    live, simulator = CONTAINERS["dagster-code-live"], CONTAINERS["dagster-code"]
    assert (live["profiles"], simulator["profiles"]) == (["live"], ["simulator"])
    assert CONTAINERS["simulator"]["profiles"] == ["simulator"]
    assert live["command"] == simulator["command"]
    led_away = simulator["environment"].keys() - live["environment"].keys()
    assert led_away == EMBEDDED["dagster-code"].environment.keys() - embedded("live", "yahoo")["dagster-code"].environment.keys()
    assert "HTTPS_PROXY" in led_away


@pytest.mark.parametrize("name", EMBEDDED)
def test_health_is_asked_where_the_embedded_stack_asks(name: str) -> None:
    test, found = " ".join(CONTAINERS[name]["healthcheck"]["test"]), EMBEDDED[name]
    if found.page:
        assert f"127.0.0.1/{found.port} " in test
        assert f"GET {found.page} HTTP" in test
    elif found.port:
        assert str(found.port) in test
    else:
        assert name in ("flink-taskmanager", "dagster-daemon")
        assert "slots-total" in test or "liveness-check" in test


def test_each_thing_waits_for_what_the_embedded_stack_waits_for() -> None:
    waits = {name: each.after for name, each in EMBEDDED.items()}
    waits |= {step.name: step.after for step in steps(Settings(_env_file=None), SystemClock())}  # type: ignore[call-arg]
    for name, after in waits.items():
        assert set(after) <= CONTAINERS[name].get("depends_on", {}).keys(), name
    assert list(TopologicalSorter({name: body.get("depends_on", {}) for name, body in CONTAINERS.items()}).static_order())
    for body in CONTAINERS.values():
        for name, needed in body.get("depends_on", {}).items():
            once = "service_completed_successfully" if name in ONE_SHOTS else "service_healthy"
            assert needed["condition"] == once
            assert once != "service_healthy" or "healthcheck" in CONTAINERS[name]
            assert needed.get("required", True) is ("profiles" not in CONTAINERS[name])


def test_ports_of_the_readme_are_published_on_the_loopback_only() -> None:
    published = {name: body["ports"][0] for name, body in CONTAINERS.items() if "ports" in body}
    assert all(each.startswith("127.0.0.1:") for each in published.values())
    at = {name: re.sub(r"\$\{\w+:-(\d+)\}", r"\1", each).split(":")[1] for name, each in published.items()}
    assert at == {
        "frontend": "3000",
        "api": "5000",
        "grafana": "3001",
        "dagster-webserver": "3070",
        "kafka": "9092",
        "flink-jobmanager": "8081",
        "postgres": "15432",
    }


def test_every_variable_is_a_setting() -> None:
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+", TEXT))
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert {name for name in named if name not in known} == NOT_OURS.keys()


def test_every_setting_that_a_person_may_choose_is_passed_on() -> None:
    passed = set(re.findall(rf"^  {PREFIX}([A-Z_]+):", TEXT, re.MULTILINE))
    example = set(re.findall(rf"^{PREFIX}([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    of_the_network = {name for name in example if name.endswith("_PORT") or name.startswith("KAFKA_SECURITY")}
    assert example - passed - of_the_network == {"POSTGRES_SSLMODE", "GRAFANA_HOME"}


def test_no_secret_has_a_default_and_none_is_written_down() -> None:
    assert set(re.findall(r"_PASSWORD(?::-|-|\})", TEXT)) == set()
    values = re.findall(r"PASSWORD: (.+)", TEXT)
    assert values
    assert [value for value in values if not re.fullmatch(r"\$\{STOCK_PLATFORM_\w+_PASSWORD:\?run tools/make-env\}", value)] == []


def test_only_the_migrations_see_every_password() -> None:
    seen = {name: {key for key in body.get("environment", {}) if key.endswith("PASSWORD")} for name, body in CONTAINERS.items()}
    assert [name for name, keys in seen.items() if len(keys) > 4] == ["migrations"]
    assert seen["api"] == {"STOCK_PLATFORM_POSTGRES_API_READER_PASSWORD"}
    assert seen["kafka"] == seen["flink-taskmanager"] == seen["frontend"] == seen["simulator"] == set()


@pytest.mark.parametrize("name", CONTAINERS)
def test_container_may_do_no_more_than_it_must(name: str) -> None:
    body = CONTAINERS[name]
    assert body["read_only"] is True
    assert body["cap_drop"] == ["ALL"]
    assert body["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "cpus", "pids_limit"} <= body.keys()
    assert "privileged" not in body
    assert name != "postgres" or body["user"] == "postgres"


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_data_path_lies_on_a_volume(name: str) -> None:
    body = CONTAINERS[name]
    own = {key: value for key, value in body.get("environment", {}).items() if key not in FILE["x-settings"]}
    used = re.findall(r"/data/\$\{[^}]*\}/[\w/.]*", json.dumps([body.get("command"), body.get("entrypoint"), own]))
    mounted = [volume.split(":", 1)[1] for volume in body.get("volumes", [])]
    assert [path for path in used if not any(path.startswith(f"{place}/") for place in mounted)] == []
    assert {volume.split(":", 1)[0] for volume in body.get("volumes", [])} <= FILE["volumes"].keys()


def test_who_writes_and_who_reads_the_same_files_share_a_volume() -> None:
    shared = {volume: {name for name, body in CONTAINERS.items() if volume in _mounted(body)} for volume in FILE["volumes"]}
    runs = {"dagster-code", "dagster-code-live"}
    assert shared == {
        "kafka": {"configuration", "kafka-format", "kafka"},
        # Checkpoints and records of jobs are looked at by whoever submits the job.
        "flink": {"configuration", "flink-jobmanager", "flink-taskmanager", "stream-job", *runs},
        # dagster.yaml, the simulator's authority, archives.
        "data": {
            "configuration",
            "stream-job",
            "dagster-storage",
            "dagster-daemon",
            "dagster-webserver",
            "simulator",
            "api",
            *runs,
        },
        "postgres": {"postgres"},
        "grafana": {"configuration", "grafana"},
    }


def _mounted(body: dict[str, Any]) -> set[str]:
    return {volume.split(":", 1)[0] for volume in body.get("volumes", [])}


def test_each_profile_has_volumes_of_its_own() -> None:
    assert all("${STOCK_PLATFORM_PROFILE:-simulator}" in volume["name"] for volume in FILE["volumes"].values())


def test_images_are_pinned_and_run_as_nobody_special() -> None:
    for base, stage in STAGES.items():
        assert base in STAGES.values() or re.search(r":\d", base), f"{stage} is from {base}"
    built = {body["build"]["target"] for body in CONTAINERS.values() if "build" in body}
    for stage in built:
        text = re.split(r"^FROM ", DOCKERFILE.split(f" AS {stage}\n")[1], flags=re.MULTILINE)[0]
        user = re.findall(r"^USER (\d+)", text, re.MULTILINE)[-1]
        assert int(user) > 0
    assert {body["image"] for body in CONTAINERS.values() if "build" not in body} == {f"postgres:{postgres.VERSION}"}


def test_every_copied_file_exists_and_reaches_the_build() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    copied = [line.split()[1:-1] for line in re.findall(r"^COPY (?!--).*", DOCKERFILE, re.MULTILINE)]
    assert copied
    for source in (name for names in copied for name in names):
        assert any(name == source or name.startswith(f"{source}/") for name in tracked), f"{source} is not in the repository"
        assert any(Path(source.split("/")[0]).match(pattern) for pattern in kept), f"{source} is kept from the build"
    stages_before: list[str] = []
    for line in DOCKERFILE.splitlines():
        if found := re.match(r"FROM \S+ AS (\w+)", line):
            stages_before.append(found[1])
        if found := re.match(r"COPY --from=(\w+) (\S+)", line):
            assert found[1] in stages_before[:-1]


def test_platform_image_holds_every_file_that_the_code_reads_from_its_root() -> None:
    text = DOCKERFILE.split(" AS platform\n")[1]
    read = {
        "flink/sql",
        "dagster.yaml",
        "workspace.yaml",
        ".cache/jars/flink/stock-platform-functions.jar",
        ".venv",
        "stock_platform",
    }
    assert [name for name in read if not re.search(rf"^COPY .*{re.escape(name)}(\s|$)", text, re.MULTILINE)] == []


def test_versions_are_those_of_the_embedded_stack() -> None:
    namespace = {"m": "http://maven.apache.org/POM/4.0.0"}
    functions = ElementTree.parse(ROOT / "flink/functions/pom.xml").getroot()
    broker = ElementTree.parse(ROOT / "stock_platform/stack/jars/kafka/pom.xml").getroot()
    assert functions.findtext("m:properties/m:flink.version", namespaces=namespace) == flink.VERSION
    assert broker.findtext("m:dependencies/m:dependency/m:version", namespaces=namespace) == kafka.VERSION
    release = functions.findtext("m:properties/m:maven.compiler.release", namespaces=namespace)
    java, python, node = (re.findall(pattern, DOCKERFILE) for pattern in (r"temurin[:-](\d+)", r"python:([\d.]+)", r"node:(\d+)"))
    assert set(java) == {release}
    lowest = re.search(r'requires-python = ">=([\d.]+)', (ROOT / "pyproject.toml").read_text())
    assert lowest
    assert set(python) == {lowest[1]}
    engines = json.loads((ROOT / "frontend/package.json").read_text())["engines"]["node"]
    assert int(node[0]) >= int(re.findall(r"\d+", engines)[0])


def test_dockerfile_pleases_its_linter() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


class _Page(http.server.BaseHTTPRequestHandler):
    status, body = 200, b"{}"

    def do_GET(self) -> None:
        self.send_response(self.status if self.path == "/health/ready" else 404)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def page(status: int) -> Iterator[int]:
    handler = type("Answer", (_Page,), {"status": status})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_health_command_tells_a_ready_page_from_one_that_is_not(status: int, healthy: bool) -> None:
    with page(status) as port:
        command = [word.replace("/5000 ", f"/{port} ") for word in CONTAINERS["api"]["healthcheck"]["test"][1:]]
        assert (subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0) is healthy


def test_health_command_fails_where_nobody_listens() -> None:
    command = [word.replace("/5000 ", "/1 ") for word in CONTAINERS["api"]["healthcheck"]["test"][1:]]
    assert subprocess.run(command, capture_output=True, timeout=10, check=False).returncode != 0


def make_env(file: Path, *arguments: str) -> dict[str, str]:
    subprocess.run([ROOT / "tools/make-env", "--file", file, *arguments], check=True, capture_output=True)
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def test_env_has_every_variable_that_compose_requires_and_is_its_owners(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    first = make_env(file)
    assert set(re.findall(r"\$\{(\w+):\?", TEXT)) <= first.keys()
    secrets = [value for name, value in first.items() if name.endswith("_PASSWORD")]
    assert len(set(secrets)) == len(ROLES)
    assert all(len(secret) >= 32 for secret in secrets)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first["COMPOSE_PROFILES"] == "simulator"


def test_env_keeps_passwords_and_own_lines_when_the_feed_changes(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nSTOCK_PLATFORM_GATE_GRACE_S=5\n")
    first, second = make_env(file), make_env(file, "live", "--lines", "ab")
    changed = {name: value for name, value in second.items() if first.get(name) != value}
    assert changed == {
        "COMPOSE_PROFILES": "live",
        "STOCK_PLATFORM_PROFILE": "live",
        "STOCK_PLATFORM_FEED_KIND": "yahoo",
        "STOCK_PLATFORM_FEED_REDUNDANCY": "2",
    }
    assert second["STOCK_PLATFORM_GATE_GRACE_S"] == "5"
