"""A market made up in SQL: thirty symbols, some sessions of regular hours, and a little of everything that dashboards show.

Prices mean nothing; numbers of rows and their spread over symbols and time are what a real market of that size has. As admin, in
an empty database."""

# ruff: noqa: E501, rows of a table are easier to compare in one line

from datetime import UTC, date, datetime

from stock_platform.adapters.postgres import Connection

LAST_DAY = date(2026, 11, 20)
END = datetime(2026, 11, 20, 21, 0, tzinfo=UTC)
"""Close of the last session."""

SYMBOLS = tuple(f"S{number:02}" for number in range(30))

_REFERENCE = """
INSERT INTO reference.instrument (symbol, name, sector, currency, calendar, provider)
SELECT format('S%s', lpad(number::text, 2, '0')), 'Company ' || number, 'Sector ' || number % 5, 'USD', 'XNYS', 'yahoo'
FROM generate_series(0, 29) AS number;
INSERT INTO reference.instrument (symbol, name, sector, currency, calendar, provider)
VALUES ('COIN', 'A coin', 'Coins', 'USD', '24/7', 'yahoo');
INSERT INTO reference.vendor_instrument (symbol, instrument_type, zone, source, ts_recv)
SELECT symbol, 'EQUITY', 'America/New_York', 'simulator', '2026-11-20 12:00Z' FROM reference.instrument WHERE calendar = 'XNYS';
INSERT INTO reference.session (calendar, session_date, ts_open, ts_close, ts_pre, ts_post_end, is_assumed)
SELECT 'XNYS', day, day + interval '14:30', day + interval '21:00', day + interval '9:00', day + interval '25:00', FALSE
FROM (
    SELECT day::timestamptz AS day FROM generate_series('2026-08-01'::timestamptz, '2026-11-20', '1 day') AS day
    WHERE extract(ISODOW FROM day) < 6 ORDER BY day DESC LIMIT SESSION_COUNT
) AS weekday;
INSERT INTO reference.session (calendar, session_date, ts_open, ts_close, ts_pre, ts_post_end, is_assumed)
SELECT '24/7', day, day - interval '1 hour', day + interval '1 day', day - interval '1 hour', day + interval '1 day', FALSE
FROM generate_series(current_date - 1, current_date + 1, '1 day') AS day;
INSERT INTO reference.corporate_action (symbol, ex_date, kind, ratio, amount, currency, source, ts_recv)
VALUES ('S00', '2026-11-20', 'split', 2, NULL, 'USD', 'simulator', '2026-11-19 12:00Z'),
    ('S01', '2026-11-20', 'dividend', NULL, 0.24, 'USD', 'simulator', '2026-11-19 12:00Z');
"""

_BARS = """
INSERT INTO market.bar_1m (
    symbol, ts_start, ts_end, open, high, low, close, volume, vwap, tick_count, ts_first_tick, ts_last_tick, source, kafka_partition,
    kafka_offset_first, kafka_offset_last, flink_job_id, is_continuous, session_date, revision, verdict, dagster_run_id, ts_accepted
)
SELECT symbol, ts_start, ts_start + interval '1 minute', price, price + 0.5, price - 0.5, price + 0.1, 1000 + minute, price + 0.05, 60,
    ts_start, ts_start + interval '59 seconds', 'simulator', 0, minute * 60, minute * 60 + 59, 'job', TRUE, session_date,
    CASE WHEN minute % 97 = 3 THEN 2 ELSE 1 END,
    CASE minute % 97 WHEN 1 THEN 'suspect' WHEN 2 THEN 'vendor' WHEN 3 THEN 'restated' ELSE 'passed' END,
    'run-' || minute, ts_start + interval '63 seconds'
FROM (
    SELECT instrument.symbol, session.session_date, session.ts_open + minute * interval '1 minute' AS ts_start, minute,
        100 + hashtext(instrument.symbol || minute) % 500 / 100.0 AS price
    FROM reference.session AS session
    JOIN reference.instrument AS instrument ON instrument.calendar = session.calendar
    CROSS JOIN generate_series(0, 389) AS minute
    WHERE session.calendar = 'XNYS'
) AS made;
INSERT INTO market.bar_1m_revision (
    symbol, ts_start, ts_end, open, high, low, close, volume, vwap, tick_count, ts_first_tick, ts_last_tick, source, kafka_partition,
    kafka_offset_first, kafka_offset_last, flink_job_id, is_continuous, session_date, revision, verdict, dagster_run_id, ts_accepted, ts_valid_from
)
SELECT symbol, ts_start, ts_end, open, high, low, close, volume, vwap, tick_count, ts_first_tick, ts_last_tick, source, kafka_partition,
    kafka_offset_first, kafka_offset_last, flink_job_id, is_continuous, session_date, revision, verdict, dagster_run_id, ts_accepted, ts_accepted
FROM market.bar_1m;
INSERT INTO market.quote (
    symbol, price, previous_close, change_pct, day_volume, currency, session_phase, ts_event, ts_recv, source
)
SELECT symbol, 101, 100, hashtext(symbol) % 300 / 100.0, 500000, 'USD', 'regular', '2026-11-20 20:59:59Z', '2026-11-20 20:59:59Z', 'simulator'
FROM reference.instrument;
"""

_COARSER = """
INSERT INTO aggregates.bar_{name} (
    symbol, ts_start, ts_end, open, high, low, close, volume, vwap, tick_count, bar_count, session_date, dagster_run_id, ts_updated
)
SELECT symbol, bin, bin + interval '{width}', min(open), max(high), min(low), max(close), sum(volume), avg(vwap), sum(tick_count), count(*),
    session_date, 'run-1', max(ts_accepted)
FROM (
    SELECT bar.*, date_bin('{width}', bar.ts_start, session.ts_open) AS bin
    FROM market.bar_1m AS bar
    JOIN reference.session AS session ON session.calendar = 'XNYS' AND session.session_date = bar.session_date
) AS binned
GROUP BY symbol, session_date, bin;
"""

_DAILY = """
INSERT INTO aggregates.session_stat (
    symbol, session_date, open, high, low, close, volume, vwap, bar_count, range_pct, return_pct, gap_pct, realised_volatility_pct,
    dagster_run_id, ts_updated, volume_ratio_20
)
SELECT symbol, session_date, open, high, low, close, volume, vwap, bar_count, 1.5, 0.3, 0.1, 1.1, dagster_run_id, ts_updated, 1.2
FROM aggregates.bar_1d;
INSERT INTO aggregates.indicator_1d (
    symbol, session_date, close, session_count, sma_20, sma_50, rsi_14, bollinger_upper, bollinger_middle, bollinger_lower,
    dagster_run_id, ts_updated
)
SELECT symbol, session_date, close, 60, 100, 100, 55, 105, 100, 95, dagster_run_id, ts_updated FROM aggregates.bar_1d;
INSERT INTO aggregates.volatility_20d (
    symbol, session_date, volatility_pct, parkinson_volatility_pct, observation_count, sessions_per_year, dagster_run_id, ts_updated
)
SELECT symbol, session_date, 20, 18, 20, 252, dagster_run_id, ts_updated FROM aggregates.bar_1d;
INSERT INTO aggregates.liquidity_30m (
    symbol, ts_start, ts_end, session_date, volume, volume_share_ratio, notional, tick_count, bar_count, mean_range_bps, amihud_pct,
    dagster_run_id, ts_updated
)
SELECT symbol, ts_start, ts_end, session_date, volume, 0.1, volume * vwap, tick_count, bar_count, 8, 0.2, dagster_run_id, ts_updated
FROM aggregates.bar_15m WHERE extract(MINUTE FROM ts_start)::int % 30 = 0;
INSERT INTO aggregates.mover (
    session_date, direction, rank, symbol, previous_close, close, change_pct, volume, dagster_run_id, ts_updated
)
SELECT session_date, direction, row_number() OVER (PARTITION BY session_date, direction ORDER BY symbol), symbol, 100, close, 1, volume,
    dagster_run_id, ts_updated
FROM aggregates.bar_1d CROSS JOIN unnest(ARRAY['top', 'bottom']) AS direction WHERE symbol < 'S10';
INSERT INTO aggregates.sector_breadth (
    session_date, sector, symbol_count, advancing_count, declining_count, unchanged_count, above_sma_50_ratio, mean_change_pct, volume,
    dagster_run_id, ts_updated
)
SELECT session_date, sector, 6, 3, 2, 1, 0.5, 0.3, 100000, 'run-1', ts_close
FROM reference.session CROSS JOIN unnest(ARRAY['ALL', 'Sector 0', 'Sector 1', 'Sector 2']) AS sector WHERE calendar = 'XNYS';
INSERT INTO aggregates.correlation_60d (
    session_date, symbol, other_symbol, correlation, observation_count, dagster_run_id, ts_updated
)
SELECT one.session_date, one.symbol, other.symbol, hashtext(one.symbol || other.symbol) % 100 / 100.0, 60, 'run-1', one.ts_updated
FROM aggregates.bar_1d AS one
JOIN aggregates.bar_1d AS other ON other.session_date = one.session_date AND other.symbol > one.symbol;
"""

_QUALITY = """
INSERT INTO quality.check_result (
    dagster_run_id, check_name, severity, session_date, is_passed, observed_count, failed_count, detail, ts_checked
)
SELECT 'run-' || bar.ts_start, check_name, 'quarantine', bar.session_date, extract(MINUTE FROM bar.ts_start) <> 7, 30, 0, 'seen',
    bar.ts_accepted
FROM market.bar_1m AS bar CROSS JOIN unnest(ARRAY['ohlc_order', 'collar', 'volume']) AS check_name WHERE bar.symbol = 'S00';
INSERT INTO quality.gate_run (dagster_run_id, session_date, code_version, closed_until, ts_promoted)
SELECT 'run-' || ts_start, session_date, 'abc', ts_end, ts_accepted FROM market.bar_1m WHERE symbol = 'S00';
INSERT INTO quality.quarantine (
    symbol, ts_start, ts_end, open, high, low, close, volume, vwap, tick_count, source, is_continuous, session_date, rules,
    dagster_run_id, ts_quarantined
)
SELECT symbol, ts_start, ts_end, open, high, low, close, volume, vwap, tick_count, source, TRUE, session_date, 'collar ohlc_order',
    dagster_run_id, ts_accepted
FROM market.bar_1m WHERE extract(MINUTE FROM ts_start) = 11;
INSERT INTO quality.quarantine_decision (
    symbol, ts_start, decision, reason, decided_by, dagster_run_id, rules, ts_decided, session_date, open, high, low, close,
    tick_count, is_continuous
)
SELECT symbol, ts_start, 'discarded', 'a spike', 'someone', dagster_run_id, 'collar', ts_accepted, session_date, open, high, low, close,
    tick_count, TRUE
FROM market.bar_1m WHERE extract(MINUTE FROM ts_start) = 12;
INSERT INTO quality.gap (
    symbol, ts_start, ts_end, session_date, minute_count, gap_class, evidence, state, attempt_count, ts_found, ts_closed, closed_reason,
    closed_by_run, dagster_run_id
)
SELECT symbol, ts_start, ts_end, session_date, 1, 'feed_gap', 'no line heard it', CASE WHEN is_open THEN 'open' ELSE 'repaired' END, 1,
    ts_accepted, CASE WHEN NOT is_open THEN ts_accepted END, CASE WHEN NOT is_open THEN 'repaired' END,
    CASE WHEN NOT is_open THEN 'run-2' END, 'run-1'
FROM (SELECT bar.*, ts_start > '2026-11-20 20:00Z' AS is_open FROM market.bar_1m AS bar) AS bar
WHERE extract(MINUTE FROM ts_start) IN (13, 43);
INSERT INTO ops.restatement (session_date, ticks_from, state, is_promoted, ts_started, ts_ended, dagster_run_id)
SELECT session_date, 'topic', 'finished', TRUE, ts_open, ts_open + interval '9 seconds', 'run-1' FROM reference.session WHERE calendar = 'XNYS';
INSERT INTO quality.restatement (
    restatement_id, symbol, ts_start, session_date, change, bar_before, bar_after, dagster_run_id, ts_accepted
)
SELECT restatement.restatement_id, bar.symbol, bar.ts_start, bar.session_date, 'changed', '{"close": 100, "volume": 10}',
    '{"close": 101, "volume": 11}', 'run-1', bar.ts_accepted
FROM market.bar_1m AS bar JOIN ops.restatement AS restatement ON restatement.session_date = bar.session_date
WHERE bar.verdict = 'restated';
INSERT INTO quality.vendor_difference (
    symbol, ts_start, field, session_date, ours, vendor, difference_bps, ts_checked, dagster_run_id
)
SELECT symbol, ts_start, 'close', session_date, close, close + 0.01, 1, ts_accepted, 'run-1'
FROM market.bar_1m WHERE extract(MINUTE FROM ts_start) IN (17, 18, 19);
INSERT INTO staging.torn_bar (
    symbol, ts_start, tick_count, tick_count_refused, kafka_offset_first, kafka_offset_first_refused, flink_job_id, ts_refused
)
SELECT symbol, ts_start, 60, 2, 1, 9, 'job', ts_accepted FROM market.bar_1m WHERE extract(MINUTE FROM ts_start) = 23;
"""

_OPERATIONS = """
INSERT INTO ops.alert (alert_name, session_date, detail, dagster_run_id, ts_raised)
VALUES ('batch_blocked', '2026-11-20', 'completeness', 'run-1', '2026-11-20 20:00Z');
INSERT INTO ops.feed_line (
    line, dagster_run_id, source, state, ts_started, ts_heartbeat, ts_recv_last, tick_count, reject_count, symbols
)
VALUES ('shard-0-a', 'run-1', 'simulator', 'running', now() - interval '1 hour', now(), now() - interval '5 minutes', 10, 0, 'COIN S00'),
    ('shard-1-a', 'run-2', 'simulator', 'running', now() - interval '1 hour', now(), now() - interval '1 hour', 10, 0, 'NOBODY');
INSERT INTO ops.feed_gap (line, ts_gap_start, ts_gap_end, symbols, shard, redundancy, detail)
VALUES ('shard-0-a', '2026-11-20 20:00Z', '2026-11-20 20:01Z', 'S00', 0, 1, 'socket closed');
INSERT INTO ops.flink_job (job_name, flink_job_id, state, restart_count, ts_heartbeat, ts_checkpoint, checkpoint_ms, checkpoint_bytes,
    lag_count, parallelism)
VALUES ('ticks_to_bars', 'job', 'RUNNING', 0, now(), now(), 40, 1000000, 12, 1);
INSERT INTO ops.latency_minute (
    ts_minute, hop, observation_count, p50_ms, p95_ms, p99_ms, max_ms, dagster_run_id, ts_updated
)
SELECT bar.ts_start, hop, 1000, 40, 90, 150, 400, 'run-1', bar.ts_accepted
FROM market.bar_1m AS bar
CROSS JOIN unnest(ARRAY['event_to_received', 'event_to_staging', 'closed_to_certified', 'event_to_certified']) AS hop
WHERE bar.symbol = 'S00';
INSERT INTO ops.slo_session (
    session_date, symbol, calendar, session_minute_count, excused_minute_count, good_minute_count, good_ratio, latency_p50_s,
    latency_p95_s, latency_p99_s, dagster_run_id, ts_updated
)
SELECT session_date, symbol, 'XNYS', 390, 1, 388, 388 / 389.0, 3, 4, 5, 'run-1', ts_updated FROM aggregates.bar_1d;
INSERT INTO ops.slo_session (
    session_date, symbol, calendar, session_minute_count, excused_minute_count, good_minute_count, dagster_run_id, ts_updated
)
VALUES (current_date, 'COIN', '24/7', 100, 0, 80, 'run-1', now());
"""

_WIDTHS = {"5m": "5 minutes", "15m": "15 minutes", "1h": "1 hour", "1d": "1 day"}


def fill(connection: Connection, *, sessions: int) -> None:
    """Everything, in one transaction, and statistics for the planner."""
    coarser = "".join(_COARSER.format(name=name, width=width) for name, width in _WIDTHS.items())
    for script in (_REFERENCE.replace("SESSION_COUNT", str(sessions)), _BARS, coarser, _DAILY, _QUALITY, _OPERATIONS):
        connection.execute(script.encode())
    connection.execute("ANALYZE")
