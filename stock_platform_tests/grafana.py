"""The rendered dashboards and alert rules as they are committed, and their queries as Grafana would send them.

Written from the documentation of its PostgreSQL datasource: $__timeFilter is BETWEEN two instants in UTC, $__timeFrom and $__timeTo
are quoted instants; `:sqlstring` quotes, `:raw` does not."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from stock_platform.config import ROOT

DASHBOARDS = sorted((ROOT / "grafana" / "dashboards").rglob("*.json"))
ALERTING = ROOT / "grafana" / "provisioning" / "alerting"
_AGES = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True)
class Query:
    """One query.

    Args:
        place: Which dashboard or rule.
        kind: The panel's type, or variable, annotation, alert.
        since: How far back it looks when the dashboard is opened.
    """

    place: str
    kind: str
    title: str
    sql: str
    since: timedelta

    def __str__(self) -> str:
        return f"{self.place}: {self.kind} {self.title}"


def dashboard(path: Path) -> dict[str, Any]:
    """One committed dashboard."""
    return json.loads(path.read_text())


def rules() -> list[dict[str, Any]]:
    """Every committed alert rule."""
    return [rule for group in yaml.safe_load((ALERTING / "rules.yaml").read_text())["groups"] for rule in group["rules"]]


def queries() -> list[Query]:
    """Every query that Grafana may send."""
    asked = [query for path in DASHBOARDS for query in queries_of(dashboard(path))]
    alerts = [Query("alerting", "alert", rule["title"], rule["data"][0]["model"]["rawSql"], timedelta(0)) for rule in rules()]
    return asked + alerts


def queries_of(board: Mapping[str, Any]) -> Iterator[Query]:
    """Those of one dashboard."""
    uid, since = board["uid"], age(board["time"]["from"].removeprefix("now-"))
    for panel in board["panels"]:
        own = age(panel["timeFrom"]) if "timeFrom" in panel else since
        for target in panel["targets"]:
            yield Query(uid, panel["type"], panel["title"], target["rawSql"], own)
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield Query(uid, "variable", variable["name"], variable["query"], since)
    for annotation in board["annotations"].get("list", ()):
        yield Query(uid, "annotation", annotation["name"], annotation["target"]["rawSql"], since)


def age(text: str) -> timedelta:
    """6h, 45d."""
    return timedelta(**{_AGES[text[-1]]: int(text[:-1])})


def as_sent(sql: str, *, start: datetime, end: datetime, values: Mapping[str, Sequence[str]]) -> str:
    """The query with macros and variables filled in.

    Raises:
        AssertionError: something with a dollar is left.
    """
    first, last = (f"'{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}'" for instant in (start, end))
    sent = re.sub(r"\$__timeFilter\(([^)]*)\)", rf"\1 BETWEEN {first} AND {last}", sql)
    sent = sent.replace("$__timeFrom()", first).replace("$__timeTo()", last)
    sent = re.sub(r"\$\{(\w+):sqlstring\}", lambda found: ",".join(f"'{value}'" for value in values[found[1]]), sent)
    sent = re.sub(r"\$\{(\w+):raw\}", lambda found: values[found[1]][0], sent)
    assert "$" not in sent, sent
    return sent


def sent(query: Query, *, end: datetime, symbols: Sequence[str], interval: str = "market.bar_1m") -> str:
    """As the query is sent when its dashboard is opened with these symbols at that instant; a repeated panel has one of them."""
    chosen = symbols[:1] if query.kind == "candlestick" else symbols
    session = f"{end:%Y-%m-%d}"
    values = {"symbol": chosen, "calendar": ["XNYS"], "session": [session], "interval": [interval]}
    return as_sent(query.sql, start=end - query.since, end=end, values=values)
