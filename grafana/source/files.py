"""Which committed file each dashboard and alert rule becomes; `stock-platform render` writes them."""

from typing import Any

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.source import alerting, data_quality, market_overview, movers, pipeline_health, slo, symbol
from grafana.source.page import Page

PAGES: tuple[Page, ...] = (
    market_overview.PAGE,
    symbol.PAGE,
    movers.PAGE,
    data_quality.PAGE,
    pipeline_health.PAGE,
    slo.PAGE,
)
_NOTE = "# Rendered from grafana/source by `stock-platform render`; do not edit.\n"


def files() -> dict[str, str]:
    """Path below grafana/ to text."""
    boards = {page: page.dashboard() for page in PAGES}
    panel_ids = {(page.uid, panel.title or ""): panel.id_val or 0 for page, board in boards.items() for panel in board.panels or ()}
    rendered = {f"dashboards/{page.folder}/{page.uid}.json": _json(board) for page, board in boards.items()}
    rules = {f"provisioning/alerting/{name}.yaml": _yaml(document) for name, document in alerting.documents(panel_ids).items()}
    return rendered | rules


def _json(board: Dashboard) -> str:
    return JSONEncoder(indent=2).encode(board) + "\n"


class _Dumper(yaml.SafeDumper):
    """Queries over several lines are written as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _yaml(document: dict[str, Any]) -> str:
    return _NOTE + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)
