"""Every committed file that is rendered, and from what: `stock-platform render` writes them, `--check` compares."""

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from stock_platform.adapters.clock import SystemClock
from stock_platform.api.app import create_app
from stock_platform.api.store import Store
from stock_platform.api.stream import Hub
from stock_platform.commands.startup import steps
from stock_platform.config import ROOT
from stock_platform.contracts import dictionary, flink_ddl, json_schema
from stock_platform.contracts.catalogue import TOPICS
from stock_platform.gate import rule_page
from stock_platform.stack import compose, compose_text
from stock_platform.stack.services import services


def rendered_files() -> dict[Path, str]:
    """Path to text of everything rendered."""
    schemas = {ROOT / "docs" / "schemas" / f"{record.address}.json": json_schema.render(record) for record in TOPICS}
    return {
        ROOT / "flink" / "sql" / "ddl.sql": flink_ddl.render(),
        ROOT / "docs" / "data-dictionary.md": dictionary.render(),
        ROOT / "docs" / "rules.md": rule_page.render(),
        ROOT / "frontend" / "openapi.json": openapi(),
        ROOT / "docker-compose.yml": compose_file(),
        **schemas,
        **_dashboards(),
    }


def openapi() -> str:
    """The API's description; no store is asked for it."""
    nothing = cast(Any, None)
    app = create_app(cast(Store, nothing), cast(Hub, nothing), SystemClock())
    return json.dumps(app.openapi(), indent=2) + "\n"


def compose_file() -> str:
    """The embedded stack in containers."""
    worlds = {profile: services(compose.container_settings(profile)) for profile in compose.PROFILES}
    between = steps(compose.container_settings("simulator"), SystemClock())
    return compose_text.render(compose.compose(worlds, between), compose.shared_environment())


def _dashboards() -> dict[Path, str]:
    """Of grafana/source, which is no part of the package: it needs the builders, which only developers have."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    found: dict[str, str] = import_module("grafana.source.files").files()
    return {ROOT / "grafana" / name: text for name, text in found.items()}
