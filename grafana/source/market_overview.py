"""Dashboard `market-overview`: quotes, movers, candles of one symbol, and how fresh and how good the data is.

Every query is bounded in time, and run by a test as `grafana_reader` against a database filled by a real replay."""

from typing import Any

DATASOURCE = {"type": "grafana-postgresql-datasource", "uid": "stock-platform"}

_QUOTES = """\
SELECT quote.symbol, instrument.name, instrument.sector, quote.price::float8 AS price, quote.change_pct::float8 AS change_pct,
    quote.day_volume, quote.ts_event, quote.source
FROM market.quote AS quote
JOIN reference.instrument AS instrument ON instrument.symbol = quote.symbol
ORDER BY quote.symbol
LIMIT 500"""

_CANDLES = """\
SELECT ts_start AS time, open::float8 AS open, high::float8 AS high, low::float8 AS low, close::float8 AS close,
    volume::float8 AS volume
FROM market.bar_1m
WHERE symbol = '${symbol}' AND $__timeFilter(ts_start)
ORDER BY ts_start
LIMIT 5000"""

_CLOSES = """\
SELECT ts_start AS time, symbol AS metric, (100 * (close / first_value(close) OVER (PARTITION BY symbol ORDER BY ts_start) - 1))
    ::float8 AS value
FROM market.bar_1m
WHERE $__timeFilter(ts_start) AND symbol IN (SELECT symbol FROM market.quote ORDER BY abs(change_pct) DESC NULLS LAST LIMIT 8)
ORDER BY ts_start
LIMIT 20000"""

_STATISTICS = """\
SELECT symbol, session_date::text AS session, close::float8 AS close, return_pct, range_pct, gap_pct, realised_volatility_pct,
    volume, bar_count
FROM aggregates.session_stat
WHERE session_date >= ($__timeFrom()::timestamptz AT TIME ZONE 'UTC')::date
    AND session_date <= ($__timeTo()::timestamptz AT TIME ZONE 'UTC')::date
ORDER BY session_date DESC, symbol
LIMIT 500"""

_CERTIFIED = """\
SELECT ts_start AS time, count(*)::float8 AS "certified bars"
FROM market.bar_1m
WHERE $__timeFilter(ts_start)
GROUP BY ts_start
ORDER BY ts_start
LIMIT 5000"""

_VERDICTS = """\
SELECT verdict, count(*)::float8 AS bars
FROM market.bar_1m
WHERE $__timeFilter(ts_start)
GROUP BY verdict
ORDER BY verdict"""

_FAILED = """\
SELECT ts_checked AS time, check_name, severity, failed_count, observed_count, detail, dagster_run_id
FROM quality.check_result
WHERE $__timeFilter(ts_checked) AND NOT is_passed
ORDER BY ts_checked DESC
LIMIT 100"""

_FEED = """\
SELECT line, shard, source, state, ts_heartbeat, ts_event_last, tick_count, reject_count, suspect_count, gap_count,
    ts_gap_start, ts_gap_end, last_error
FROM ops.feed_line
WHERE state <> 'retired'
ORDER BY line
LIMIT 50"""

_SYMBOLS = "SELECT symbol FROM reference.instrument ORDER BY symbol LIMIT 500"


def dashboard() -> dict[str, Any]:
    """The dashboard's JSON (v1, schema 42)."""
    return {
        "uid": "market-overview",
        "title": "Market overview",
        "tags": ["stock-platform"],
        "schemaVersion": 42,
        "timezone": "America/New_York",
        "refresh": "5s",
        "editable": False,
        "time": {"from": "now-6h", "to": "now"},
        "timepicker": {"refresh_intervals": ["5s", "30s", "1m", "5m"]},
        "annotations": {"list": []},
        "links": _links(),
        "templating": {"list": [_symbol_variable()]},
        "panels": _panels(),
    }


def _panels() -> list[dict[str, Any]]:
    return [
        _panel(
            1,
            "Quotes",
            "Provisional last sale of every symbol.",
            "table",
            _QUOTES,
            (0, 0, 12, 12),
            unit_of={"change_pct": "percent"},
        ),
        _panel(
            2, "$symbol, certified 1-minute bars", "Bars that went through every rule.", "candlestick", _CANDLES, (12, 0, 12, 12)
        ),
        _panel(
            3, "Change since the first bar shown", "The eight widest movers.", "timeseries", _CLOSES, (0, 12, 12, 9), unit="percent"
        ),
        _panel(4, "Session statistics", "Per symbol and session, from certified bars.", "table", _STATISTICS, (12, 12, 12, 9)),
        _panel(
            5,
            "Certified bars per minute",
            "One per watched symbol in a full minute.",
            "timeseries",
            _CERTIFIED,
            (0, 21, 8, 7),
            unit="short",
        ),
        _panel(6, "Verdicts", "What the gate said of the bars shown.", "bargauge", _VERDICTS, (8, 21, 4, 7), unit="short"),
        _panel(
            7,
            "Failed checks",
            "Rules that a batch broke; the run is one click away.",
            "table",
            _FAILED,
            (12, 21, 12, 7),
            run_links=True,
        ),
        _panel(8, "Feed lines", "Heartbeat of each line.", "table", _FEED, (0, 28, 24, 5)),
    ]


def _panel(
    number: int,
    title: str,
    description: str,
    kind: str,
    query: str,
    place: tuple[int, int, int, int],
    *,
    unit: str = "none",
    unit_of: dict[str, str] | None = None,
    run_links: bool = False,
) -> dict[str, Any]:
    x, y, width, height = place
    overrides = [_override(name, [{"id": "unit", "value": value}]) for name, value in (unit_of or {}).items()]
    if run_links:
        overrides.append(_override("dagster_run_id", [{"id": "links", "value": [_run_link()]}]))
    return {
        "id": number,
        "title": title,
        "description": description,
        "type": kind,
        "datasource": DATASOURCE,
        "gridPos": {"x": x, "y": y, "w": width, "h": height},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": overrides},
        "options": {"includeAllFields": True} if kind == "candlestick" else {},
        "targets": [_target(query, "time_series" if kind == "timeseries" else "table")],
    }


def _target(query: str, form: str) -> dict[str, Any]:
    return {"refId": "A", "datasource": DATASOURCE, "editorMode": "code", "rawQuery": True, "format": form, "rawSql": query}


def _override(name: str, properties: list[dict[str, Any]]) -> dict[str, Any]:
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}


def _run_link() -> dict[str, Any]:
    return {"title": "Dagster run", "url": "http://localhost:3070/runs/${__value.raw}", "targetBlank": True}


def _links() -> list[dict[str, Any]]:
    pages = (("Page", "http://localhost:3000"), ("Dagster", "http://localhost:3070"), ("API", "http://localhost:5000/docs"))
    return [{"title": title, "type": "link", "url": url, "targetBlank": True} for title, url in pages]


def _symbol_variable() -> dict[str, Any]:
    return {
        "name": "symbol",
        "label": "Symbol",
        "type": "query",
        "datasource": DATASOURCE,
        "definition": _SYMBOLS,
        "query": {"refId": "A", "rawSql": _SYMBOLS, "format": "table"},
        "refresh": 1,
        "sort": 1,
        "multi": False,
        "includeAll": False,
        "current": {"text": "SPY", "value": "SPY"},
    }
