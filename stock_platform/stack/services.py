"""The services of the embedded stack, one function each: command, port, health, and what comes before it."""

from importlib.metadata import version as installed
from pathlib import Path

from stock_platform.adapters import probe
from stock_platform.adapters.flink import FlinkRest
from stock_platform.adapters.kafka import broker_problem
from stock_platform.adapters.postgres import server_problem
from stock_platform.config import PREFIX, ROOT, Settings, simulator_environment
from stock_platform.stack import flink, grafana, kafka, layout, postgres, preflight
from stock_platform.stack.prepare import size_of
from stock_platform.stack.service import Service


def services(settings: Settings) -> list[Service]:
    """Everything that `up` starts for this profile, in the order of the data's way."""
    java = preflight.java_path(settings)
    listed = [
        _postgres(settings),
        _kafka(settings, java),
        _flink_jobmanager(settings, java),
        _flink_taskmanager(settings, java),
        _dagster_code(settings),
        _dagster_daemon(settings),
        _dagster_webserver(settings),
        _api(settings),
        _frontend(settings),
    ]
    if settings.feed_kind == "simulator":
        listed.insert(4, _simulator(settings))
    binary = grafana.binary(settings)
    return [*listed, _grafana(settings, binary)] if binary else listed


def _postgres(settings: Settings) -> Service:
    return Service(
        name="postgres",
        command=postgres.server_command(settings.home / "postgres", port=settings.postgres_port),
        version=postgres.VERSION,
        port=settings.postgres_port,
        port_setting=f"{PREFIX}POSTGRES_PORT",
        problem=lambda: server_problem(settings.dsn("admin", "postgres")),
        stop_signal="INT",
        stop_within_s=60,
    )


def _kafka(settings: Settings, java: Path) -> Service:
    return Service(
        name="kafka",
        command=kafka.broker_command(java, layout.JARS / "kafka", settings.home / "kafka" / "conf"),
        version=kafka.VERSION,
        port=settings.kafka_port,
        port_setting=f"{PREFIX}KAFKA_PORT",
        more_ports={f"{PREFIX}KAFKA_CONTROLLER_PORT": settings.kafka_controller_port},
        problem=lambda: probe.port_problem(settings.kafka_port) or broker_problem(settings.kafka_bootstrap),
        stop_within_s=60,
    )


def _flink_jobmanager(settings: Settings, java: Path) -> Service:
    return Service(
        name="flink-jobmanager",
        command=flink.jobmanager_command(java, layout.JARS / "flink", layout.flink(settings.home) / "conf"),
        version=flink.VERSION,
        port=settings.flink_port,
        port_setting=f"{PREFIX}FLINK_PORT",
        more_ports={f"{PREFIX}FLINK_RPC_PORT": settings.flink_rpc_port},
        page="/overview",
        problem=lambda: probe.page_problem(f"{settings.flink_address}/overview"),
    )


def _flink_taskmanager(settings: Settings, java: Path) -> Service:
    rest = FlinkRest(settings.flink_address)
    return Service(
        name="flink-taskmanager",
        command=flink.taskmanager_command(
            java, layout.JARS / "flink", layout.flink(settings.home) / "conf", size=size_of(settings)
        ),
        version=flink.VERSION,
        after=("flink-jobmanager",),
        problem=rest.slots_problem,
    )


def _simulator(settings: Settings) -> Service:
    return Service(
        name="simulator",
        command=(str(layout.VENV_BIN / "stock-platform"), "simulate"),
        version=installed("stock-platform"),
        port=settings.simulator_port,
        port_setting=f"{PREFIX}SIMULATOR_PORT",
        more_ports={
            f"{PREFIX}SIMULATOR_HTTP_PORT": settings.simulator_http_port,
            f"{PREFIX}SIMULATOR_PROXY_PORT": settings.simulator_proxy_port,
        },
        problem=lambda: probe.port_problem(settings.simulator_port) or probe.port_problem(settings.simulator_proxy_port),
    )


def _dagster_environment(settings: Settings) -> dict[str, str]:
    return {
        "DAGSTER_HOME": str(layout.dagster_home(settings.home)),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DAGSTER_EVENT_BATCH_SIZE": "500",  # the events of a run over many sessions are written together
        "GX_ANALYTICS_ENABLED": "false",
        f"{PREFIX}POSTGRES_HOST": settings.postgres_host,
        f"{PREFIX}POSTGRES_PORT": str(settings.postgres_port),
        f"{PREFIX}POSTGRES_DAGSTER_PASSWORD": settings.password("dagster"),
        f"{PREFIX}DAGSTER_GRPC_HOST": settings.dagster_grpc_host,
        f"{PREFIX}DAGSTER_GRPC_PORT": str(settings.dagster_grpc_port),
    }


def _vendor_environment(settings: Settings) -> dict[str, str]:
    """The very same code reaches Yahoo or the simulator: under the vendor's own names, by the environment alone."""
    return simulator_environment(settings) if settings.feed_kind == "simulator" else {}


def _dagster_code(settings: Settings) -> Service:
    return Service(
        name="dagster-code",
        command=(
            *(str(layout.VENV_BIN / "dagster"), "api", "grpc", "-m", "stock_platform.definitions"),
            *("-h", settings.listen_host, "-p", str(settings.dagster_grpc_port)),
        ),
        version=installed("dagster"),
        port=settings.dagster_grpc_port,
        port_setting=f"{PREFIX}DAGSTER_GRPC_PORT",
        environment={**_dagster_environment(settings), **_vendor_environment(settings)},
        problem=lambda: probe.port_problem(settings.dagster_grpc_port),
        stop_within_s=30,
    )


def _dagster_daemon(settings: Settings) -> Service:
    return Service(
        name="dagster-daemon",
        command=(str(layout.VENV_BIN / "dagster-daemon"), "run", "-w", str(ROOT / "workspace.yaml")),
        version=installed("dagster"),
        after=("dagster-code", "dagster-storage"),
        environment=_dagster_environment(settings),
        problem=lambda: None,
        stop_within_s=30,
    )


def _dagster_webserver(settings: Settings) -> Service:
    return Service(
        name="dagster-webserver",
        command=(
            *(str(layout.VENV_BIN / "dagster-webserver"), "-w", str(ROOT / "workspace.yaml")),
            *("-h", settings.listen_host, "-p", str(settings.dagster_port)),
            *(("--read-only",) if settings.dagster_read_only else ()),
        ),
        version=installed("dagster-webserver"),
        port=settings.dagster_port,
        port_setting=f"{PREFIX}DAGSTER_PORT",
        # Last: the feed's run, which the daemon asks for, is what the first price waits for.
        after=("dagster-daemon", "stream-job"),
        environment=_dagster_environment(settings),
        page="/server_info",
        problem=lambda: probe.page_problem(f"http://127.0.0.1:{settings.dagster_port}/server_info"),
    )


def _api(settings: Settings) -> Service:
    return Service(
        name="api",
        command=(str(layout.VENV_BIN / "stock-platform"), "serve"),
        version=installed("stock-platform"),
        port=settings.api_port,
        port_setting=f"{PREFIX}API_PORT",
        after=("migrations", "topics"),
        page="/health/ready",
        problem=lambda: probe.page_problem(f"http://127.0.0.1:{settings.api_port}/health/ready"),
    )


def _frontend(settings: Settings) -> Service:
    return Service(
        name="frontend",
        command=(str(preflight.node_binary()), "--max-old-space-size=64", "node_modules/vite/bin/vite.js", "preview"),
        version=installed("stock-platform"),
        port=settings.frontend_port,
        port_setting=f"{PREFIX}FRONTEND_PORT",
        folder=layout.FRONTEND,
        after=("api",),
        environment={
            f"{PREFIX}LISTEN_HOST": settings.listen_host,
            f"{PREFIX}FRONTEND_PORT": str(settings.frontend_port),
            f"{PREFIX}API_URL": f"http://{settings.api_host}:{settings.api_port}",
        },
        page="/",
        problem=lambda: probe.page_problem(f"http://127.0.0.1:{settings.frontend_port}/"),
    )


def _grafana(settings: Settings, binary: Path) -> Service:
    return Service(
        name="grafana",
        command=grafana.server_command(binary),
        version="as installed",
        port=settings.grafana_port,
        port_setting=f"{PREFIX}GRAFANA_PORT",
        after=("migrations",),
        environment=grafana.environment(settings),
        page="/api/health",
        problem=lambda: probe.page_problem(f"http://127.0.0.1:{settings.grafana_port}/api/health"),
    )
