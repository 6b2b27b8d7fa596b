"""The committed dashboards, alert rules and provisioning files: right in themselves, whether or not a Grafana is at hand.

What their queries give is checked by integration/test_grafana.py."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.runtime import DataqueryConfig, register_dataquery_variant
from grafana_foundation_sdk.models.dashboard import Panel

from grafana.source.query import PLUGIN, UID, SqlQuery
from stock_platform.config import ROOT, Settings
from stock_platform.stack import grafana as stack_grafana
from stock_platform_tests.grafana import ALERTING, DASHBOARDS, Query, dashboard, queries, queries_of, rules

PROVISIONING = ROOT / "grafana" / "provisioning"
DATASOURCE = {"type": "grafana-postgresql-datasource", "uid": "stock-platform"}
OWN_WORDS = {"__timeFilter", "__timeFrom", "__timeTo", "__value", "__data", "__url_time_range"}
FEW_ROWS = {"market.quote", "reference.instrument", "reference.session", "ops.feed_line", "ops.flink_job"}
"""Tables whose size is the watchlist's, not the time's."""


def ids(path: Path) -> str:
    return path.stem


def yaml_of(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text())


def is_part(part: Any, whole: Any) -> bool:
    """Whether everything of `part` is in `whole`, which may have more keys."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and is_part(value, whole[key]) for key, value in part.items())
    if isinstance(part, list):
        return isinstance(whole, list) and len(part) == len(whole) and all(map(is_part, part, whole))
    return part == whole


def test_there_is_a_dashboard_for_each_question() -> None:
    assert [path.relative_to(ROOT / "grafana" / "dashboards").as_posix() for path in DASHBOARDS] == [
        "market/market-overview.json",
        "market/movers.json",
        "market/symbol.json",
        "operations/data-quality.json",
        "operations/pipeline-health.json",
        "operations/slo.json",
    ]


@pytest.mark.parametrize("path", DASHBOARDS, ids=ids)
def test_dashboard_has_a_stable_address_and_cannot_be_edited(path: Path) -> None:
    board = dashboard(path)
    assert board["uid"] == path.stem, "uid = file stem"
    assert "id" not in board, "Grafana gives the number"
    assert (board["schemaVersion"], board["editable"]) == (42, False)
    assert board["description"]
    assert path.parent.name in board["tags"]
    assert board["refresh"] in board["timepicker"]["refresh_intervals"]
    assert board["time"]["to"] == "now"


@pytest.mark.parametrize("path", DASHBOARDS, ids=ids)
def test_panel_says_what_it_shows_in_which_unit_from_which_source(path: Path) -> None:
    panels = dashboard(path)["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    assert max(Counter(panel["title"] for panel in panels).values()) == 1
    for panel in panels:
        assert panel["title"], panel
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"] == DATASOURCE
        assert [target["datasource"] for target in panel["targets"]] == [DATASOURCE]


@pytest.mark.parametrize("path", DASHBOARDS, ids=ids)
def test_variable_and_mark_ask_the_same_source(path: Path) -> None:
    board = dashboard(path)
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            assert variable["datasource"] == DATASOURCE
            assert isinstance(variable["query"], str), "Grafana 12.3 takes no other"
            assert (variable["refresh"], variable["allowCustomValue"]) == (2, False), "anew with the time range; nothing typed in"
    for mark in board["annotations"].get("list", ()):
        assert mark["datasource"] == mark["target"]["datasource"] == DATASOURCE
        assert mark["target"]["rawSql"]


@pytest.mark.parametrize("path", DASHBOARDS, ids=ids)
def test_panels_lie_within_the_grid_and_not_on_each_other(path: Path) -> None:
    taken: Counter[tuple[int, int]] = Counter()
    for panel in dashboard(path)["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        taken.update((x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"]))
    assert max(taken.values()) == 1


@pytest.mark.parametrize("path", DASHBOARDS, ids=ids)
def test_panel_holds_nothing_that_the_builders_do_not_know(path: Path) -> None:
    """Read by their models and written again, nothing of it is lost, as an unknown or misplaced key would be."""
    register_default_plugins()
    register_dataquery_variant(DataqueryConfig(identifier=PLUGIN, from_json_hook=SqlQuery.from_json))
    for panel in dashboard(path)["panels"]:
        assert is_part(panel, json.loads(JSONEncoder().encode(Panel.from_json(panel)))), panel["title"]


@pytest.mark.parametrize("query", queries(), ids=str)
def test_query_is_bounded(query: Query) -> None:
    """By the time range, a session, or by a table that does not grow; and in its rows."""
    read = set(re.findall(r"(?:FROM|JOIN) ((?:reference|staging|market|quality|aggregates|ops)\.\w+)", query.sql))
    bounds = ("$__timeFilter(", "$__timeFrom()", "${session:sqlstring}", "state = 'open'", "ts_cleared IS NULL", "current_date")
    assert read <= FEW_ROWS or any(bound in query.sql for bound in bounds)
    is_one_row = "GROUP BY" not in query.sql and re.search(r"^SELECT [^\n]*(max|count|sum)\(", query.sql)
    assert is_one_row or re.search(r"\bLIMIT \d+$", query.sql), query.sql
    assert "staging." not in query.sql


@pytest.mark.parametrize("path", DASHBOARDS, ids=ids)
def test_every_variable_that_is_named_exists(path: Path) -> None:
    board = dashboard(path)
    known = {variable["name"] for variable in board["templating"]["list"]} | OWN_WORDS
    named = set(re.findall(r"\$\{?(\w+)", json.dumps(board)))
    assert named <= known
    assert {"dagster", "page"} <= known


@pytest.mark.parametrize("path", DASHBOARDS, ids=ids)
def test_link_leads_to_a_page_of_this_stack(path: Path) -> None:
    board = dashboard(path)
    values = {"dagster": "http://localhost:3070", "page": "http://localhost:3000", "api": "http://localhost:5000"}
    assert {each["name"]: each["query"] for each in board["templating"]["list"] if each["type"] == "constant"} == values
    starts = ("${dagster:raw}/runs/${__value.raw}", "${page:raw}/?symbol=", "/d/symbol?")
    found = [
        link["url"]
        for panel in board["panels"]
        for override in panel["fieldConfig"]["overrides"]
        for each in override["properties"]
        if each["id"] == "links"
        for link in each["value"]
    ]
    assert found, "no way from a value to its run"
    assert [url for url in found if not url.startswith(starts)] == []


def test_links_lead_to_assets_that_dagster_has() -> None:
    graph = (ROOT / "stock_platform_tests" / "architecture" / "asset_graph.txt").read_text()
    assets = {
        link["url"].removeprefix("${dagster:raw}/assets/")
        for path in DASHBOARDS
        for link in dashboard(path)["links"]
        if "/assets/" in link.get("url", "")
    }
    assert len(assets) >= 8
    assert [asset for asset in assets if not re.search(rf"^asset {re.escape(asset)}\b", graph, re.M)] == []


@pytest.mark.parametrize("path", DASHBOARDS, ids=ids)
def test_lineage_of_a_dashboard_is_what_its_queries_read(path: Path) -> None:
    graph = (ROOT / "stock_platform_tests" / "architecture" / "asset_graph.txt").read_text()
    assets = set(re.findall(r"^asset (\S+)", graph, re.M))
    board = dashboard(path)
    asked = " ".join([*(query.sql for query in queries_of(board)), json.dumps(board["templating"])])
    read = {table.replace(".", "/") for table in re.findall(r"\b((?:reference|market|quality|aggregates|ops)\.\w+)", asked)}
    assert read <= assets
    known = re.search(rf"^asset grafana/{path.stem} <- (.+)$", graph, re.M)
    assert known is not None
    assert set(known[1].split(", ")) == read


def test_every_folder_of_dashboards_is_loaded_into_a_folder_of_its_own() -> None:
    providers = yaml_of(PROVISIONING / "dashboards" / "stock-platform.yaml")["providers"]
    loaded = {provider["options"]["path"].removeprefix("$STOCK_PLATFORM_GRAFANA_DASHBOARDS/") for provider in providers}
    assert loaded == {path.parent.name for path in DASHBOARDS}
    for unique in ("name", "folder", "folderUid"):
        assert len({provider[unique] for provider in providers}) == len(providers)
    assert {(provider["allowUiUpdates"], provider["disableDeletion"]) for provider in providers} == {(False, True)}


def test_datasource_is_the_one_that_queries_name_and_few_connections_go_to_it() -> None:
    (source,) = yaml_of(PROVISIONING / "datasources" / "postgres.yaml")["datasources"]
    assert {"type": source["type"], "uid": source["uid"]} == DATASOURCE == {"type": PLUGIN, "uid": UID}
    assert (source["user"], source["editable"]) == ("grafana_reader", False)
    assert 0 < source["jsonData"]["maxOpenConns"] < 10, "the role's limit"


def test_stack_fills_in_every_variable_of_the_provisioning_files() -> None:
    named = {
        name
        for path in PROVISIONING.rglob("*.yaml")
        for line in path.read_text().splitlines()
        if "runbook" not in line
        for name in re.findall(r"\$\{?(\w+)", line)
    }
    assert named
    given = stack_grafana.environment(Settings(_env_file=None))  # type: ignore[call-arg]
    assert named <= given.keys()
    assert given["STOCK_PLATFORM_GRAFANA_WEBHOOK_URL"] == "http://127.0.0.1:9/", "alerts go nowhere until somebody says where"


def test_stack_s_copy_of_a_dashboard_names_its_own_ports() -> None:
    settings = Settings(_env_file=None, frontend_port=5000, api_port=5001, dagster_port=4070)  # type: ignore[call-arg]
    board = json.loads(stack_grafana.with_addresses(DASHBOARDS[0].read_text(), settings))
    assert {each["name"]: each["query"] for each in board["templating"]["list"] if each["type"] == "constant"} == {
        "dagster": "http://localhost:4070",
        "page": "http://localhost:5000",
        "api": "http://localhost:5001",
    }


def test_alert_rules_ask_the_datasource_and_wait_whole_rounds() -> None:
    (group,) = yaml_of(ALERTING / "rules.yaml")["groups"]
    assert group["interval"] == "1m"
    assert group["folder"] not in {
        provider["folder"] for provider in yaml_of(PROVISIONING / "dashboards" / "stock-platform.yaml")["providers"]
    }
    assert {rule["uid"] for rule in rules()} == {"feed-silent", "stream-job-down", "stream-lag", "batch-blocked", "slo-burn"}
    for rule in rules():
        asked, condition = rule["data"]
        assert (asked["datasourceUid"], asked["model"]["datasource"]) == (UID, DATASOURCE)
        assert condition["datasourceUid"] == "__expr__"
        assert (rule["condition"], condition["refId"], condition["model"]["expression"]) == ("B", "B", asked["refId"])
        assert re.fullmatch(r"\d+m", rule["for"]), "whole minutes: multiples of the group's interval"
        assert rule["noDataState"] == "OK", "no rows: nothing is wrong"
        assert rule["labels"]["severity"] in {"warning", "critical"}


def test_alert_leads_to_its_panel_and_to_what_is_to_be_done() -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / "runbook.md").read_text(), re.M)
    anchors = {re.sub(r"[^\w-]", "", heading.lower().replace(" ", "-")) for heading in headings}
    panels = {(board["uid"], panel["id"]) for board in map(dashboard, DASHBOARDS) for panel in board["panels"]}
    for rule in rules():
        assert (rule["dashboardUid"], rule["panelId"]) in panels
        noted = rule["annotations"]
        assert (noted["__dashboardUid__"], noted["__panelId__"]) == (rule["dashboardUid"], str(rule["panelId"]))
        page, anchor = noted["runbook"].split("#")
        assert page == "docs/runbook.md"
        assert anchor in anchors, rule["title"]


def test_alert_rules_hold_nothing_that_grafana_takes_for_the_environment() -> None:
    assert "$" not in (ALERTING / "rules.yaml").read_text()


def test_policy_s_receiver_exists() -> None:
    (point,) = yaml_of(ALERTING / "contact-points.yaml")["contactPoints"]
    (policy,) = yaml_of(ALERTING / "policies.yaml")["policies"]
    assert policy["receiver"] == point["name"]
    (receiver,) = point["receivers"]
    assert (receiver["type"], receiver["settings"]["url"]) == ("webhook", "$STOCK_PLATFORM_GRAFANA_WEBHOOK_URL")
    assert receiver["uid"]
