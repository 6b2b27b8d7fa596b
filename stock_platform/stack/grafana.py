"""Grafana where one is installed: its settings, and dashboards that know this stack's addresses.

Not here: what is on the dashboards (grafana/source). No package registry carries Grafana, so the stack runs without it too."""

import os
import re
import shutil
from pathlib import Path

from stock_platform.config import PREFIX, ROOT, Settings

_DASHBOARDS = ROOT / "grafana" / "dashboards"
_ADDRESS = re.compile(r'("query": "http://localhost:)(3000|5000|3070)(")')


def binary(settings: Settings) -> Path | None:
    """Grafana's server; None where there is none."""
    if settings.grafana_home:
        return settings.grafana_home / "bin" / "grafana"
    return next((path for folder in os.get_exec_path() if (path := Path(folder) / "grafana").exists()), None)


def server_command(server: Path) -> tuple[str, ...]:
    """Command line of the server."""
    return (str(server), "server", f"--homepath={server.parent.parent}")


def environment(settings: Settings) -> dict[str, str]:
    """Settings of the server, and what its provisioning files leave open."""
    home = settings.home / "grafana"
    return {
        "GF_PATHS_DATA": str(home / "data"),
        "GF_PATHS_LOGS": str(home / "logs"),
        "GF_PATHS_PROVISIONING": str(ROOT / "grafana" / "provisioning"),
        "GF_SERVER_HTTP_ADDR": settings.listen_host,
        "GF_SERVER_HTTP_PORT": str(settings.grafana_port),
        "GF_SECURITY_ADMIN_PASSWORD": settings.password("grafana_reader"),
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_AUTH_ANONYMOUS_ORG_ROLE": "Viewer",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "GF_PLUGINS_PREINSTALL_DISABLED": "true",
        "GF_NEWS_NEWS_FEED_ENABLED": "false",
        "GF_SECURITY_DISABLE_GRAVATAR": "true",
        "GF_DASHBOARDS_MIN_REFRESH_INTERVAL": "1s",
        f"{PREFIX}POSTGRES_HOST": settings.postgres_host,
        f"{PREFIX}POSTGRES_PORT": str(settings.postgres_port),
        f"{PREFIX}POSTGRES_SSLMODE": settings.postgres_sslmode,
        f"{PREFIX}POSTGRES_GRAFANA_READER_PASSWORD": settings.password("grafana_reader"),
        f"{PREFIX}GRAFANA_DASHBOARDS": str(dashboards(settings.home)),
        f"{PREFIX}GRAFANA_WEBHOOK_URL": settings.grafana_webhook_url,
    }


def dashboards(home: Path) -> Path:
    """Where the profile's copy of the dashboards is."""
    return home / "grafana" / "dashboards"


def write_dashboards(settings: Settings) -> None:
    """Copy the rendered dashboards, with the ports of this stack in the addresses that their links are made of."""
    shutil.rmtree(dashboards(settings.home), ignore_errors=True)
    for path in _DASHBOARDS.rglob("*.json"):
        target = dashboards(settings.home) / path.relative_to(_DASHBOARDS)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(with_addresses(path.read_text(), settings))


def with_addresses(text: str, settings: Settings) -> str:
    """A dashboard whose constants name this stack's pages instead of those of the default ports."""
    ports = {"3000": settings.frontend_port, "5000": settings.api_port, "3070": settings.dagster_port}
    return _ADDRESS.sub(lambda found: f"{found[1]}{ports[found[2]]}{found[3]}", text)
