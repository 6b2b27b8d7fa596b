"""Alert rules, whom they tell, and how often: files of grafana/provisioning/alerting.

Plain documents: the builders' alert rules are those of Grafana's HTTP API, and its provisioning files have another form. A rule
asks for rows of text columns, which name the alert, and one number, which is held against a threshold. No `$` stands in them:
Grafana would take it for the environment's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from grafana.source.query import PLUGIN, UID

FOLDER = "Stock platform alerts"
GROUP = "stock-platform"
RECEIVER = "stock-platform"
WEBHOOK = "$STOCK_PLATFORM_GRAFANA_WEBHOOK_URL"


@dataclass(frozen=True)
class Rule:
    """One alert.

    Args:
        sql: Text columns, and one number.
        above: The number from which on it is trouble; itself it is none.
        lasts: How long it must be so.
        runbook: Heading of docs/runbook.md.
        panel: Title of the dashboard's panel that shows it.
    """

    uid: str
    title: str
    summary: str
    sql: str
    above: float
    lasts: str
    severity: Literal["warning", "critical"]
    runbook: str
    dashboard: str
    panel: str


RULES = (
    Rule(
        uid="feed-silent",
        title="Feed line is silent",
        summary="Line {{ .Labels.line }} has heard nothing for more than two minutes while a market of its symbols is open.",
        sql="""\
SELECT line.line, extract(EPOCH FROM now() - least(coalesce(line.ts_recv_last, line.ts_started), line.ts_heartbeat))::float8 AS silent_s
FROM ops.feed_line AS line
WHERE line.state IN ('starting', 'running', 'failed') AND EXISTS (
    SELECT FROM reference.instrument AS instrument
    JOIN reference.session AS session ON session.calendar = instrument.calendar
    WHERE instrument.symbol = ANY (string_to_array(line.symbols, ' '))
        AND session.session_date >= current_date - 1 AND session.session_date <= current_date + 1
        AND now() >= session.ts_open + interval '2 minutes' AND now() < session.ts_close
        AND (session.ts_break_start IS NULL OR now() < session.ts_break_start OR now() >= session.ts_break_end)
)
LIMIT 50""",
        above=120,
        lasts="1m",
        severity="critical",
        runbook="Alert: the feed is silent",
        dashboard="pipeline-health",
        panel="Silence by line",
    ),
    Rule(
        uid="stream-job-down",
        title="Stream job does not run",
        summary="Job {{ .Labels.job_name }} is {{ .Labels.state }}, or nobody has seen it for three minutes.",
        sql="""\
SELECT job_name, state, (state <> 'RUNNING' OR ts_heartbeat < now() - interval '3 minutes')::int::float8 AS is_down
FROM ops.flink_job
LIMIT 10""",
        above=0,
        lasts="2m",
        severity="critical",
        runbook="Alert: the stream job does not run or lags",
        dashboard="pipeline-health",
        panel="Stream job",
    ),
    Rule(
        uid="stream-lag",
        title="Stream job lags",
        summary="Job {{ .Labels.job_name }} has more than 100,000 records of the ticks' topic before it.",
        sql="""\
SELECT job_name, coalesce(lag_count, 0)::float8 AS lag
FROM ops.flink_job
LIMIT 10""",
        above=100_000,
        lasts="5m",
        severity="warning",
        runbook="Alert: the stream job does not run or lags",
        dashboard="pipeline-health",
        panel="Stream job's lag",
    ),
    Rule(
        uid="batch-blocked",
        title="Batch is blocked",
        summary="{{ .Labels.alert_name }} since more than a minute: session {{ .Labels.session }} is held, nothing is made of it.",
        sql="""\
SELECT alert_name, session_date::text AS session, extract(EPOCH FROM now() - ts_raised)::float8 AS since_s
FROM ops.alert
WHERE ts_cleared IS NULL
LIMIT 50""",
        above=60,
        lasts="1m",
        severity="critical",
        runbook="Alert: a batch is blocked",
        dashboard="data-quality",
        panel="Alerts and blocked batches",
    ),
    Rule(
        uid="slo-burn",
        title="Error budget burns",
        summary="Session {{ .Labels.session }} of {{ .Labels.calendar }} has spent more than ten times its share of the error budget.",
        sql="""\
SELECT calendar, session_date::text AS session, coalesce(burn_rate, 0)::float8 AS burn_rate
FROM ops.error_budget
WHERE calendar = 'ALL' AND session_date >= current_date - 1
LIMIT 5""",
        above=10,
        lasts="5m",
        severity="warning",
        runbook="Alert: the error budget burns",
        dashboard="slo",
        panel="Burn rate by session",
    ),
)


def documents(panel_ids: Mapping[tuple[str, str], int]) -> dict[str, dict[str, Any]]:
    """File's stem to its content.

    Args:
        panel_ids: By the dashboard's uid and the panel's title.
    """
    return {"rules": rules(panel_ids), "contact-points": contact_points(), "policies": policies()}


def rules(panel_ids: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """Every rule, looked at once a minute."""
    listed = [_rule(rule, panel_ids[rule.dashboard, rule.panel]) for rule in RULES]
    group = {"orgId": 1, "name": GROUP, "folder": FOLDER, "interval": "1m", "rules": listed}
    return {"apiVersion": 1, "groups": [group]}


def contact_points() -> dict[str, Any]:
    """A webhook whose address is the environment's; the stack's default is a loopback port where nobody listens."""
    webhook = {"uid": f"{RECEIVER}-webhook", "type": "webhook", "settings": {"url": WEBHOOK, "httpMethod": "POST"}}
    return {"apiVersion": 1, "contactPoints": [{"orgId": 1, "name": RECEIVER, "receivers": [webhook]}]}


def policies() -> dict[str, Any]:
    """One message a rule and outage, repeated twice a day while it lasts."""
    times = {"group_wait": "30s", "group_interval": "5m", "repeat_interval": "12h"}
    policy = {"orgId": 1, "receiver": RECEIVER, "group_by": ["grafana_folder", "alertname"], **times}
    return {"apiVersion": 1, "policies": [policy]}


def _rule(rule: Rule, panel_id: int) -> dict[str, Any]:
    return {
        "uid": rule.uid,
        "title": rule.title,
        "condition": "B",
        "dashboardUid": rule.dashboard,
        "panelId": panel_id,
        "data": [_asked(rule.sql), _threshold(rule.above)],
        "noDataState": "OK",
        "execErrState": "Error",
        "for": rule.lasts,
        "annotations": {
            "summary": rule.summary,
            "runbook": f"docs/runbook.md#{anchor(rule.runbook)}",
            "__dashboardUid__": rule.dashboard,
            "__panelId__": str(panel_id),
        },
        "labels": {"severity": rule.severity, "team": "stock-platform"},
        "isPaused": False,
    }


def anchor(heading: str) -> str:
    """How a heading is linked to."""
    return "".join(letter for letter in heading.lower().replace(" ", "-") if letter.isalnum() or letter == "-")


def _asked(sql: str) -> dict[str, Any]:
    model = {
        "refId": "A",
        "datasource": {"type": PLUGIN, "uid": UID},
        "editorMode": "code",
        "rawQuery": True,
        "format": "table",
        "rawSql": sql,
        "intervalMs": 60_000,
        "maxDataPoints": 1_000,
    }
    return {"refId": "A", "datasourceUid": UID, "relativeTimeRange": {"from": 600, "to": 0}, "model": model}


def _threshold(above: float) -> dict[str, Any]:
    model = {
        "refId": "B",
        "datasource": {"type": "__expr__", "uid": "__expr__"},
        "type": "threshold",
        "expression": "A",
        "conditions": [{"evaluator": {"type": "gt", "params": [above]}}],
    }
    return {"refId": "B", "datasourceUid": "__expr__", "relativeTimeRange": {"from": 600, "to": 0}, "model": model}
