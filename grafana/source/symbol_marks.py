"""What is marked on every chart of dashboard `symbol`: bars that are not simply passed, gaps, restatements, corporate actions."""

from grafana.source.page import marked

_BARS = """\
SELECT ts_start AS time, ts_end AS timeend, symbol || ': ' || verdict || ', revision ' || revision AS text, verdict AS tags
FROM market.bar_1m
WHERE symbol IN (${{symbol:sqlstring}}) AND $__timeFilter(ts_start) AND verdict = '{verdict}'
ORDER BY ts_start DESC
LIMIT 200"""

_GAPS = """\
SELECT ts_start AS time, ts_end AS timeend, symbol || ': ' || gap_class || ', ' || state || '. ' || evidence AS text, gap_class AS tags
FROM quality.gap
WHERE symbol IN (${symbol:sqlstring}) AND $__timeFilter(ts_start)
ORDER BY ts_start DESC
LIMIT 200"""

_RESTATEMENTS = """\
SELECT ts_start AS time, symbol || ': ' || change || ' by restatement ' || restatement_id AS text, change AS tags
FROM quality.restatement
WHERE symbol IN (${symbol:sqlstring}) AND $__timeFilter(ts_start)
ORDER BY ts_start DESC
LIMIT 200"""

_ACTIONS = """\
SELECT session.ts_open AS time, action.symbol || ': ' || action.kind || ' ' || coalesce(action.ratio, action.amount) AS text,
    action.kind AS tags
FROM reference.corporate_action AS action
JOIN reference.instrument AS instrument ON instrument.symbol = action.symbol
JOIN reference.session AS session ON session.calendar = instrument.calendar AND session.session_date = action.ex_date
WHERE action.symbol IN (${symbol:sqlstring}) AND $__timeFilter(session.ts_open)
ORDER BY session.ts_open DESC
LIMIT 100"""

MARKS = [
    marked("Suspect bars", "orange", _BARS.format(verdict="suspect")),
    marked("Restated bars", "blue", _BARS.format(verdict="restated")),
    marked("Vendor's bars", "purple", _BARS.format(verdict="vendor")),
    marked("Gaps", "red", _GAPS),
    marked("Restatements", "light-blue", _RESTATEMENTS, is_on=False),
    marked("Corporate actions", "green", _ACTIONS),
]
