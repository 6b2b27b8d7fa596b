"""Where a dashboard leads: Dagster's runs and assets, a bar's passport on the page, a symbol's dashboard.

The addresses are constants of each dashboard; the stack puts its own in where its ports are others (stock_platform/stack/grafana.py)."""

from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

DAGSTER = "http://localhost:3070"
PAGE = "http://localhost:3000"
API = "http://localhost:5000"

RUN = "Dagster run", "${dagster:raw}/runs/${__value.raw}"
PASSPORT = (
    "Passport of the bar",
    "${page:raw}/?symbol=${__data.fields.symbol:percentencode}&bar=${__data.fields.bar:percentencode}",
)
SYMBOL = "Symbol", "/d/symbol?var-symbol=${__value.raw:percentencode}&${__url_time_range}"
SESSION = "Show this session", "/d/symbol?${symbol:queryparam}&from=${__data.fields.from_ms}&to=${__data.fields.to_ms}"

BAR = "to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS bar"
"""A bar's start as the page's address names it."""


def data_link(link: tuple[str, str]) -> dict[str, Any]:
    """A link of a value; the builders' own kind is a dashboard's."""
    title, url = link
    return {"title": title, "url": url, "targetBlank": True}


def addresses() -> list[Any]:
    """The constants that the links are made of."""
    named = {"dagster": DAGSTER, "page": PAGE, "api": API}
    return [dashboard.ConstantVariable(name).value(address) for name, address in named.items()]


def top_links(*assets: str) -> list[Any]:
    """Links in a dashboard's head: the other dashboards, the page, the API, and Dagster's assets behind what is shown."""
    others = dashboard.DashboardLink("Dashboards").type(DashboardLinkType.DASHBOARDS).tags(["stock-platform"]).as_dropdown(True)
    pages = [("Page", "${page:raw}"), ("API", "${api:raw}/docs")]
    named = [(f"Asset {asset}", f"${{dagster:raw}}/assets/{asset}") for asset in assets]
    return [others, *(_link(title, url) for title, url in [*pages, *named])]


def _link(title: str, url: str) -> Any:
    return dashboard.DashboardLink(title).type(DashboardLinkType.LINK).url(url).target_blank(True)
